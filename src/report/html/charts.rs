//! The charts of a report: rates, percentiles and users over time, and the spectrum of all latencies.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{HistoryPoint, RunView};

use super::axis::{self, Tick};
use super::svg_chart::{Chart, Line, Tooltip, figure};
use crate::report::numbers::{finite, grouped};
use crate::report::{milliseconds, utc};

/// Moments of a chart that have a tooltip of their own; more would be narrower than a pointer can aim.
const TOOLTIPS_MAX: usize = 180;

/// The charts as HTML; those of the series only if there is one, the spectrum only if there are latencies.
pub(super) fn figures(view: &RunView) -> Vec<String> {
    let mut figures = Vec::new();
    if !view.history.is_empty() {
        let series = Series::of(view);
        figures.extend([rates(&series), percentiles(&series), users(&series)].map(|chart| figure(&chart)));
    }
    if !view.total.latency.is_empty() {
        figures.push(figure(&spectrum(&view.total.latency, &view.total.ok_latency)));
    }
    figures
}

/// The time series with its axis.
struct Series<'a> {
    points: &'a [HistoryPoint],
    since_unix_ms: u64,
    length_s: f64,
}

impl<'a> Series<'a> {
    fn of(view: &'a RunView) -> Self {
        let since_unix_ms = view.run.statistics_since_unix_ms;
        let last_unix_ms = whole_seconds(view).iter().map(|point| point.unix_ms).max().unwrap_or(since_unix_ms);
        let length_s = (last_unix_ms.saturating_sub(since_unix_ms) as f64 / 1e3).max(1.0);
        Self { points: whole_seconds(view), since_unix_ms, length_s }
    }

    fn elapsed_s(&self, point: &HistoryPoint) -> f64 {
        point.unix_ms.saturating_sub(self.since_unix_ms) as f64 / 1e3
    }

    /// A chart of these values, each `None` where it does not exist.
    fn chart<const N: usize>(
        &self,
        (title, unit): (&'static str, &'static str),
        lines: [(&'static str, &'static str); N],
        values: impl Fn(&HistoryPoint) -> [Option<f64>; N],
        tooltip: impl Fn(&HistoryPoint) -> String,
    ) -> Chart {
        let at = |point: &HistoryPoint| self.elapsed_s(point) / self.length_s;
        let max = self.points.iter().flat_map(&values).flatten().fold(0.0, f64::max);
        let (top, y_ticks) = axis::linear(max);
        let lines = lines.into_iter().enumerate().map(|(line, (name, class))| {
            let points = self.points.iter().map(|point| (at(point), values(point)[line].map(|value| value / top)));
            Line { name, class, points: points.collect() }
        });
        let stride = self.points.len().div_ceil(TOOLTIPS_MAX).max(1);
        let tooltips = self.points.iter().step_by(stride).map(|point| {
            let when = format!("{} ({})", axis::clock(self.elapsed_s(point) as u64), utc::for_people(point.unix_ms));
            Tooltip { at: at(point), text: format!("{when}\n{}", tooltip(point)) }
        });
        let x_ticks = axis::elapsed(self.length_s);
        Chart { title, unit, x_ticks, y_ticks, lines: lines.collect(), tooltips: tooltips.collect() }
    }
}

/// The series without a last second that had just begun when the run ended: it would look like a collapse.
fn whole_seconds(view: &RunView) -> &[HistoryPoint] {
    let ended_unix_ms = view.run.statistics_since_unix_ms as f64 + view.elapsed_s * 1e3;
    match view.history.split_last() {
        Some((last, whole)) if !whole.is_empty() && last.unix_ms as f64 + 1e3 > ended_unix_ms + 1.0 => whole,
        Some(_) | None => &view.history,
    }
}

fn rates(series: &Series<'_>) -> Chart {
    series.chart(
        ("Requests per second", "1/s"),
        [("Requests", "requests"), ("Failures", "failures")],
        |point| [Some(finite(point.rps)), Some(finite(point.failures_per_s))],
        |point| {
            let (rps, failures_per_s) = (finite(point.rps), finite(point.failures_per_s));
            format!("Requests {rps:.1}/s\nFailures {failures_per_s:.1}/s")
        },
    )
}

fn percentiles(series: &Series<'_>) -> Chart {
    let measured = |point: &HistoryPoint| point.rps > 0.0;
    series.chart(
        ("Response times", "ms"),
        [("50th percentile", "p50"), ("95th percentile", "p95"), ("99th percentile", "p99")],
        |point| [point.p50_us, point.p95_us, point.p99_us].map(|us| measured(point).then(|| milliseconds::exact(us))),
        |point| {
            if !measured(point) {
                return "no requests".to_owned();
            }
            let [p50, p95, p99] = [point.p50_us, point.p95_us, point.p99_us].map(milliseconds::for_table);
            format!("p50 {p50} ms\np95 {p95} ms\np99 {p99} ms")
        },
    )
}

fn users(series: &Series<'_>) -> Chart {
    series.chart(
        ("Number of users", "users"),
        [("Users", "users")],
        |point| [Some(point.users as f64)],
        |point| format!("{} users", grouped(point.users)),
    )
}

/// Latency over 1 / (1 − q) on a logarithmic axis, so that the tail takes as much room as the bulk. Every point is a
/// bucket of the histogram; the rightmost is the maximum, which would lie at infinity and is drawn at twice the count.
fn spectrum(all: &Histogram, passed: &Histogram) -> Chart {
    let length = (2.0 * all.count().max(5) as f64).log10();
    let (top, y_ticks) = axis::linear(milliseconds::exact(all.max_us().unwrap_or(0)));
    let line = |name, class, histogram: &Histogram| {
        let at = |(position, us)| (position / length, Some(milliseconds::exact(us) / top));
        Line { name, class, points: cumulative(histogram).into_iter().map(at).collect() }
    };
    let mut lines = vec![line("All requests", "all", all)];
    if !passed.is_empty() && passed.count() < all.count() {
        lines.push(line("Passed", "passed", passed));
    }
    let (x_ticks, tooltips) = quantile_ticks(all, length);
    Chart { title: "Percentile spectrum", unit: "ms", x_ticks, y_ticks, lines, tooltips }
}

/// For each bucket, where the fraction of values up to it lies, as log10(1 / (1 − q)), and its latency.
fn cumulative(histogram: &Histogram) -> Vec<(f64, u64)> {
    let count = histogram.count();
    let max_us = histogram.max_us().unwrap_or(0);
    let mut points = vec![(0.0, histogram.min_us().unwrap_or(0))];
    let mut seen = 0;
    for (_, highest_us, in_bucket) in histogram.buckets() {
        seen += in_bucket;
        let above = if seen < count { (count - seen) as f64 } else { 0.5 };
        points.push(((count as f64 / above).log10(), highest_us.min(max_us)));
    }
    points
}

fn quantile_ticks(histogram: &Histogram, length: f64) -> (Vec<Tick>, Vec<Tooltip>) {
    const QUANTILES: [(f64, &str); 9] = [
        (2.0, "50%"),
        (10.0, "90%"),
        (100.0, "99%"),
        (1e3, "99.9%"),
        (1e4, "99.99%"),
        (1e5, "99.999%"),
        (1e6, "99.9999%"),
        (1e7, "99.99999%"),
        (1e8, "99.999999%"),
    ];
    let within = QUANTILES.into_iter().filter(|(inverse, _)| inverse.log10() <= length);
    let found = within.filter_map(|(inverse, label)| {
        let us = histogram.quantile_us(1.0 - 1.0 / inverse)?;
        let text = format!("{label} of requests took at most {} ms", milliseconds::for_table(us));
        let at = inverse.log10() / length;
        Some((Tick { at, label: label.to_owned() }, Tooltip { at, text }))
    });
    let (ticks, mut tooltips): (Vec<_>, Vec<_>) = found.unzip();
    if let Some(us) = histogram.max_us() {
        tooltips
            .push(Tooltip { at: 1.0, text: format!("the slowest request took {} ms", milliseconds::for_table(us)) });
    }
    (ticks, tooltips)
}

#[cfg(test)]
mod tests {
    use super::super::super::sample_view;
    use super::*;

    #[test]
    fn a_second_without_requests_is_a_gap_and_not_a_percentile_of_zero() {
        let view = sample_view::busy();
        let chart = percentiles(&Series::of(&view));
        let gaps = chart.lines[0].points.iter().filter(|(_, y)| y.is_none()).count();
        assert_eq!((chart.lines[0].points.len(), gaps), (60, 2));
        assert!(chart.tooltips[40].text.ends_with("no requests"));
        assert!(chart.tooltips[39].text.contains("p99 "));
    }

    #[test]
    fn a_last_second_that_had_just_begun_is_not_shown_as_a_collapse() {
        let mut view = sample_view::busy();
        assert_eq!(Series::of(&view).points.len(), 60, "all are whole");
        view.elapsed_s = 59.02;
        assert_eq!(Series::of(&view).points.len(), 59);
        view.history.truncate(1);
        view.elapsed_s = 0.3;
        assert_eq!(Series::of(&view).points.len(), 1, "there is nothing else to show");
    }

    #[test]
    fn the_spectrum_holds_only_values_of_the_histogram_and_rises() {
        let latency = sample_view::busy().total.latency;
        let points = cumulative(&latency);
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
        assert_eq!(points.last().map(|(_, us)| *us), latency.max_us());
        assert_eq!(points.first().map(|(_, us)| *us), latency.min_us());
        let found = points.iter().find(|(position, _)| *position >= 2.0 - 1e-9).map(|(_, us)| *us);
        assert_eq!(found, latency.quantile_us(0.99));
    }

    #[test]
    fn an_empty_run_has_no_charts_and_a_single_point_has_finite_ones() {
        assert!(figures(&sample_view::empty()).is_empty());
        let mut view = sample_view::small();
        view.history.truncate(1);
        view.total.latency = Histogram::new(3);
        view.total.latency.record(420);
        let html = figures(&view).concat();
        assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
    }

    #[test]
    fn a_long_series_has_a_bounded_number_of_tooltips() {
        let mut view = sample_view::small();
        let point = view.history[0];
        view.history = (0..2_000).map(|at| HistoryPoint { unix_ms: point.unix_ms + at * 1_000, ..point }).collect();
        assert!(rates(&Series::of(&view)).tooltips.len() <= TOOLTIPS_MAX);
    }
}
