//! The time series of a run: one point an interval, thinned with age.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;

/// The figures of one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Its width: 1 when new, more once older points were added to it.
    pub width_s: u32,
    /// Requests that ended in it.
    pub requests: u64,
    /// Failures among them.
    pub failures: u64,
    /// Users at its end.
    pub users: u64,
    /// Sum of the latencies, for the mean.
    pub latency_sum_us: u64,
    /// Median latency; 0 without requests.
    pub p50_us: u64,
    /// 95th percentile; 0 without requests.
    pub p95_us: u64,
    /// 99th percentile; 0 without requests.
    pub p99_us: u64,
}

/// Points by second of plan time, at most `limits::SERIES_POINTS_MAX`. When it is full, every second point of the
/// older half goes: its requests and failures are added to the point before, so that the sums over the series stay
/// exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    points: BTreeMap<u64, Point>,
}

impl Series {
    /// Puts or replaces the point of a second.
    pub fn put(&mut self, second: u64, point: Point) {
        self.points.insert(second, point);
        if self.points.len() > limits::SERIES_POINTS_MAX {
            self.thin();
        }
    }

    /// Counts requests that arrived after the point of their second was final: in that point, or in the one it was
    /// added to. Percentiles of the point stay as they are.
    pub fn add_late(&mut self, second: u64, requests: u64, failures: u64, latency_sum_us: u64) {
        match self.points.range_mut(..=second).next_back() {
            Some((_, point)) => point.count(requests, failures, latency_sum_us),
            None => self.put(second, Point { width_s: 1, requests, failures, latency_sum_us, ..Point::default() }),
        }
    }

    /// The points, oldest first, with their second.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (u64, &Point)> {
        self.points.iter().map(|(second, point)| (*second, point))
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn thin(&mut self) {
        let older: Vec<u64> = self.points.keys().copied().take(self.points.len() / 2).collect();
        for pair in older.chunks_exact(2) {
            let Some(gone) = self.points.remove(&pair[1]) else { continue };
            if let Some(kept) = self.points.get_mut(&pair[0]) {
                kept.absorb(&gone);
            }
        }
    }
}

impl Point {
    fn count(&mut self, requests: u64, failures: u64, latency_sum_us: u64) {
        self.requests = self.requests.saturating_add(requests);
        self.failures = self.failures.saturating_add(failures);
        self.latency_sum_us = self.latency_sum_us.saturating_add(latency_sum_us);
    }

    /// Takes in the next point. Percentiles do not add up, so the higher one stands: a peak stays visible.
    fn absorb(&mut self, next: &Self) {
        self.count(next.requests, next.failures, next.latency_sum_us);
        self.width_s += next.width_s;
        self.users = self.users.max(next.users);
        self.p50_us = self.p50_us.max(next.p50_us);
        self.p95_us = self.p95_us.max(next.p95_us);
        self.p99_us = self.p99_us.max(next.p99_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_its_sums_within_the_bound() {
        let mut series = Series::default();
        let seconds = limits::SERIES_POINTS_MAX as u64 * 5;
        (0..seconds).for_each(|second| {
            series.put(second, Point { width_s: 1, requests: 3, failures: 1, ..Point::default() });
        });
        let points: Vec<_> = series.points().collect();
        assert!(points.len() <= limits::SERIES_POINTS_MAX);
        assert_eq!(points.iter().map(|(_, point)| point.requests).sum::<u64>(), seconds * 3);
        assert_eq!(points.iter().map(|(_, point)| u64::from(point.width_s)).sum::<u64>(), seconds);
        assert_eq!(points[points.len() - 1].1.width_s, 1, "the newest keep their resolution");
    }

    #[test]
    fn late_requests_are_counted_in_the_point_that_covers_them() {
        let mut series = Series::default();
        series.put(4, Point { width_s: 2, requests: 1, ..Point::default() });
        series.add_late(5, 2, 1, 10);
        let points: Vec<_> = series.points().map(|(second, point)| (second, point.requests)).collect();
        assert_eq!(points, [(4, 3)]);
    }
}
