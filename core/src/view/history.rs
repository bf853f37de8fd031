//! The time series as it is shown: rates over the true width of each point.

use super::HistoryPoint;
use crate::limits;
use crate::state::run::Run;
use crate::stats::series::Point;

/// The points of a run, oldest first.
pub(super) fn points(run: &Run) -> Vec<HistoryPoint> {
    let stats = run.stats();
    joined(stats.series.points(), stats.since_us)
        .into_iter()
        .map(|(second, point)| shown(run, second, &point))
        .collect()
}

/// A point of less than a second, as at the end of a run or where its warm-up was cut off, holds too few requests for a
/// rate: it joins its neighbour, so that neither a dip nor a peak shows there that was none. What counts, from `since_us`
/// on, and what does not are never joined.
fn joined<'a>(points: impl Iterator<Item = (u64, &'a Point)>, since_us: u64) -> Vec<(u64, Point)> {
    let counts = |point: &Point| point.from_us >= since_us;
    let neighbours = |left: &Point, right: &Point| left.to_us == right.from_us && counts(left) == counts(right);
    let mut joined: Vec<(u64, Point)> = Vec::new();
    for (second, point) in points {
        match joined.last_mut() {
            Some((_, last)) if neighbours(last, point) && (is_edge(point) || is_edge(last)) => {
                *last = if is_edge(last) { point.joined(last) } else { last.joined(point) };
            }
            Some(_) | None => joined.push((second, *point)),
        }
    }
    joined
}

fn is_edge(point: &Point) -> bool {
    point.width_us() < limits::INTERVAL.as_micros() as u64
}

fn shown(run: &Run, second: u64, point: &Point) -> HistoryPoint {
    // Workers cut their intervals by a clock that counts microseconds: none is empty for long.
    let width_s = point.width_us().max(1) as f64 / 1e6;
    let measured = point.requests > 0;
    HistoryPoint {
        second,
        unix_ms: super::build::unix_ms(run, point.from_us),
        width_s,
        users: point.users,
        requests: point.requests,
        failures: point.failures,
        rps: point.requests as f64 / width_s,
        failures_per_s: point.failures as f64 / width_s,
        mean_us: measured.then(|| point.latency_sum_us as f64 / point.requests as f64),
        p50_us: measured.then_some(point.p50_us),
        p95_us: measured.then_some(point.p95_us),
        p99_us: measured.then_some(point.p99_us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(from_us: u64, to_us: u64, requests: u64) -> Point {
        Point { from_us, to_us, requests, ..Point::default() }
    }

    fn spans(points: &[Point], since_us: u64) -> Vec<(u64, u64, u64)> {
        let joined = joined(points.iter().map(|point| (point.from_us / 1_000_000, point)), since_us);
        joined.into_iter().map(|(_, point)| (point.from_us, point.to_us, point.requests)).collect()
    }

    #[test]
    fn the_rest_of_a_run_joins_its_last_whole_second() {
        let points = [point(0, 1_000_000, 10), point(1_000_000, 2_000_000, 10), point(2_000_000, 2_100_000, 1)];
        assert_eq!(spans(&points, 0), [(0, 1_000_000, 10), (1_000_000, 2_100_000, 11)]);
    }

    #[test]
    fn what_a_cut_leaves_of_a_second_joins_the_one_after_it_and_not_the_warm_up() {
        let (warm_up, rest) = (point(0, 1_000_000, 10), point(1_000_000, 1_970_000, 9));
        let (cut, next) = (point(1_970_000, 2_000_000, 0), point(2_000_000, 3_000_000, 10));
        let spans = spans(&[warm_up, rest, cut, next], 1_970_000);
        assert_eq!(spans, [(0, 1_970_000, 19), (1_970_000, 3_000_000, 10)]);
    }

    #[test]
    fn whole_seconds_and_a_run_shorter_than_one_stay_as_they_are() {
        assert_eq!(spans(&[point(0, 300_000, 3)], 0), [(0, 300_000, 3)]);
        let points = [point(0, 2_000_000, 10), point(2_000_000, 3_000_000, 10)];
        assert_eq!(spans(&points, 0).len(), 2);
    }
}
