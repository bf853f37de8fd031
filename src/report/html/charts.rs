//! The charts of a report: rates, percentiles and users over time, and the spectrum of all latencies.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, HistoryPoint, RunView};

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
        figures.push(figure(&spectrum(&view.total)));
    }
    figures
}

/// The time series with its axis, from its first point, warm-up included, to the end of its last.
struct Series<'a> {
    points: &'a [HistoryPoint],
    since_unix_ms: u64,
    length_s: f64,
    /// Length of the part that does not count.
    warm_up_s: f64,
}

/// A point that is wider than this is drawn as a step: its figures are of all that time.
const STEP_FROM_S: f64 = 1.999;

impl<'a> Series<'a> {
    fn of(view: &'a RunView) -> Self {
        let counts_from_ms = view.run.statistics_since_unix_ms;
        let since_unix_ms = view.history.iter().map(|point| point.unix_ms).min().unwrap_or(counts_from_ms);
        let mut series = Self { points: &view.history, since_unix_ms, length_s: 1.0, warm_up_s: 0.0 };
        let ends_s = view.history.iter().map(|point| series.elapsed_s(point) + width_s(point));
        series.length_s = ends_s.fold(1.0, f64::max);
        if view.run.warm_up_s > 0.0 {
            let counts = view.history.iter().find(|point| point.unix_ms >= counts_from_ms);
            let whole = view.run.is_warming_up() || counts.is_none();
            let counts_from_s = counts_from_ms.saturating_sub(since_unix_ms) as f64 / 1e3;
            series.warm_up_s = if whole { series.length_s } else { counts_from_s };
        }
        series
    }

    /// Seconds from the start of the axis to the start of a point.
    fn elapsed_s(&self, point: &HistoryPoint) -> f64 {
        point.unix_ms.saturating_sub(self.since_unix_ms) as f64 / 1e3
    }

    /// Where a point is drawn, as fractions of the axis: in its middle, or from its start to its end if it is wide.
    fn places(&self, point: &HistoryPoint) -> impl Iterator<Item = f64> + use<> {
        let (start_s, width_s) = (self.elapsed_s(point), width_s(point));
        let is_step = width_s >= STEP_FROM_S;
        let places_s =
            if is_step { [Some(start_s), Some(start_s + width_s)] } else { [Some(start_s + width_s / 2.0), None] };
        let length_s = self.length_s;
        places_s.into_iter().flatten().map(move |at_s| at_s / length_s)
    }

    /// A chart of these values, each `None` where it does not exist.
    fn chart<const N: usize>(
        &self,
        (title, unit): (&'static str, &'static str),
        lines: [(&'static str, &'static str); N],
        values: impl Fn(&HistoryPoint) -> [Option<f64>; N],
        tooltip: impl Fn(&HistoryPoint) -> String,
    ) -> Chart {
        let middle = |point: &HistoryPoint| (self.elapsed_s(point) + width_s(point) / 2.0) / self.length_s;
        let max = self.points.iter().flat_map(&values).flatten().fold(0.0, f64::max);
        let (top, y_ticks) = axis::linear(max);
        let lines = lines.into_iter().enumerate().map(|(line, (name, class))| {
            let points = self.points.iter().flat_map(|point| {
                let value = values(point)[line].map(|value| value / top);
                self.places(point).map(move |at| (at, value))
            });
            Line { name, class, points: points.collect() }
        });
        let stride = self.points.len().div_ceil(TOOLTIPS_MAX).max(1);
        let tooltips = self.points.iter().step_by(stride).map(|point| {
            let when = format!("{} ({})", axis::clock(self.elapsed_s(point) as u64), utc::for_people(point.unix_ms));
            Tooltip { at: middle(point), text: format!("{when}\n{}", tooltip(point)) }
        });
        let x_ticks = axis::elapsed(self.length_s);
        let warm_up_until = self.warm_up_s / self.length_s;
        Chart { title, unit, x_ticks, y_ticks, warm_up_until, lines: lines.collect(), tooltips: tooltips.collect() }
    }
}

fn width_s(point: &HistoryPoint) -> f64 {
    finite(point.width_s).max(0.0)
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
    series.chart(
        ("Response times", "ms"),
        [("50th percentile", "p50"), ("95th percentile", "p95"), ("99th percentile", "p99")],
        |point| [point.p50_us, point.p95_us, point.p99_us].map(|us| us.map(milliseconds::exact)),
        |point| {
            let figures = [("p50", point.p50_us), ("p95", point.p95_us), ("p99", point.p99_us)];
            let lines =
                figures.iter().filter_map(|(name, us)| Some(format!("{name} {} ms", milliseconds::for_table((*us)?))));
            let lines: Vec<_> = lines.collect();
            if lines.is_empty() { "no requests".to_owned() } else { lines.join("\n") }
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
///
/// The second line is that of the requests that passed, or in an open model, where all count from when they were due,
/// that of the times since they were sent.
fn spectrum(total: &EndpointView) -> Chart {
    let all = &total.latency;
    let length = (2.0 * all.count().max(5) as f64).log10();
    let (top, y_ticks) = axis::linear(milliseconds::exact(all.max_us().unwrap_or(0)));
    let line = |name, class, histogram: &Histogram| {
        let at = |(position, us)| (position / length, Some(milliseconds::exact(us) / top));
        Line { name, class, points: cumulative(histogram).into_iter().map(at).collect() }
    };
    let passed = &total.ok_latency;
    let lines = match &total.service_latency {
        Some(served) => vec![line("From when due", "all", all), line("Service time", "passed", served)],
        None if passed.is_empty() || passed.count() == all.count() => vec![line("All requests", "all", all)],
        None => vec![line("All requests", "all", all), line("Passed", "passed", passed)],
    };
    let (x_ticks, tooltips) = quantile_ticks(all, length);
    Chart { title: "Percentile spectrum", unit: "ms", x_ticks, y_ticks, warm_up_until: 0.0, lines, tooltips }
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
    fn a_point_of_several_seconds_is_a_step_and_one_of_a_second_lies_in_its_middle() {
        let mut view = sample_view::small();
        view.history.truncate(2);
        view.history[0].width_s = 3.0;
        view.history[1].unix_ms = view.history[0].unix_ms + 3_000;
        let chart = rates(&Series::of(&view));
        let places: Vec<_> = chart.lines[0].points.iter().map(|(at, _)| *at).collect();
        assert_eq!(places, [0.0, 0.75, 0.875]);
        assert_eq!(chart.lines[0].points[0].1, chart.lines[0].points[1].1);
    }

    #[test]
    fn the_warm_up_is_shaded_up_to_where_counting_starts() {
        let view = sample_view::open();
        let until = |view: &RunView| rates(&Series::of(view)).warm_up_until;
        assert!((until(&view) - 10.0 / 14.0).abs() < 1e-9);
        assert!(figures(&view)[0].contains("<rect class=\"warm-up\""));
        let mut reset = sample_view::small();
        reset.run.statistics_since_unix_ms += 2_000;
        assert_eq!(until(&reset), 0.0, "a reset is no warm-up");
        reset.run.warm_up_s = 60.0;
        reset.run.statistics_since_unix_ms = reset.run.started_unix_ms;
        assert_eq!(until(&reset), 1.0, "all of it is warm-up");
    }

    #[test]
    fn a_long_series_has_a_bounded_number_of_tooltips() {
        let mut view = sample_view::small();
        let point = view.history[0];
        view.history = (0..2_000).map(|at| HistoryPoint { unix_ms: point.unix_ms + at * 1_000, ..point }).collect();
        assert!(rates(&Series::of(&view)).tooltips.len() <= TOOLTIPS_MAX);
    }
}
