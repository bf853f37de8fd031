//! The time series of a run: one point an interval, thinned with age.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;

/// The figures of one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// Its start, in plan time.
    pub from_us: u64,
    /// Its end, in plan time: mostly a second later, less where a run or a segment of its statistics begins or ends, more
    /// once the next point was added to it.
    pub to_us: u64,
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

/// Points by second of plan time, at most `limits::SERIES_POINTS_MAX`. The second in which a segment of the statistics
/// ends and the next begins has a point of each. When it is full, every second point of the
/// older half goes: its requests and failures are added to the point before, so that the sums over the series stay
/// exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    points: BTreeMap<Place, Point>,
}

/// Which point: a second and a segment of the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The second of plan time.
    pub second: u64,
    /// The segment.
    pub segment: u32,
}

impl Series {
    /// Puts or replaces a point.
    pub fn put(&mut self, place: Place, point: Point) {
        self.points.insert(place, point);
        if self.points.len() > limits::SERIES_POINTS_MAX {
            self.thin();
        }
    }

    /// Counts requests that arrived after the point of their second was final: in that point, or in the one it was
    /// added to. Percentiles and span of the point stay as they are.
    pub fn add_late(&mut self, place: Place, late: &Point) {
        match self.points.range_mut(..=place).next_back() {
            Some((_, point)) => point.count(late),
            None => self.put(place, *late),
        }
    }

    /// The point at a place.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<&Point> {
        self.points.get(&place)
    }

    /// The points, oldest first, with their second.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (u64, &Point)> {
        self.points.iter().map(|(place, point)| (place.second, point))
    }

    /// Whether there are no points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn thin(&mut self) {
        let older: Vec<Place> = self.points.keys().copied().take(self.points.len() / 2).collect();
        for pair in older.chunks_exact(2) {
            let Some(gone) = self.points.remove(&pair[1]) else { continue };
            if let Some(kept) = self.points.get_mut(&pair[0]) {
                kept.absorb(&gone);
            }
        }
    }
}

impl Point {
    /// Its width in microseconds.
    #[must_use]
    pub fn width_us(&self) -> u64 {
        self.to_us.saturating_sub(self.from_us)
    }

    fn count(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        self.failures = self.failures.saturating_add(other.failures);
        self.latency_sum_us = self.latency_sum_us.saturating_add(other.latency_sum_us);
    }

    /// Takes in a neighbour that is narrower than a second. Percentiles do not add up; those of the point with more
    /// requests stand, as a few requests at an edge say little.
    #[must_use]
    pub fn joined(&self, edge: &Self) -> Self {
        let mut joined = if edge.requests > self.requests { *edge } else { *self };
        (joined.requests, joined.failures, joined.latency_sum_us) = (self.requests, self.failures, self.latency_sum_us);
        joined.count(edge);
        (joined.from_us, joined.to_us) = (self.from_us.min(edge.from_us), self.to_us.max(edge.to_us));
        joined.users = self.users;
        joined
    }

    /// Takes in the next point. Percentiles do not add up, so the higher one stands: a peak stays visible.
    fn absorb(&mut self, next: &Self) {
        self.count(next);
        self.to_us = self.to_us.max(next.to_us);
        self.users = self.users.max(next.users);
        self.p50_us = self.p50_us.max(next.p50_us);
        self.p95_us = self.p95_us.max(next.p95_us);
        self.p99_us = self.p99_us.max(next.p99_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(second: u64) -> Place {
        Place { second, segment: 0 }
    }

    fn second(at: u64, requests: u64) -> Point {
        let (from_us, to_us) = (at * 1_000_000, (at + 1) * 1_000_000);
        Point { from_us, to_us, requests, failures: requests / 3, ..Point::default() }
    }

    #[test]
    fn a_long_run_keeps_its_sums_within_the_bound() {
        let mut series = Series::default();
        let seconds = limits::SERIES_POINTS_MAX as u64 * 5;
        (0..seconds).for_each(|at| series.put(place(at), second(at, 3)));
        let points: Vec<_> = series.points().collect();
        assert!(points.len() <= limits::SERIES_POINTS_MAX);
        assert_eq!(points.iter().map(|(_, point)| point.requests).sum::<u64>(), seconds * 3);
        assert_eq!(points.iter().map(|(_, point)| point.width_us()).sum::<u64>(), seconds * 1_000_000);
        assert!(points.windows(2).all(|pair| pair[0].1.to_us == pair[1].1.from_us), "no gap, no overlap");
        assert_eq!(points[points.len() - 1].1.width_us(), 1_000_000, "the newest keep their resolution");
    }

    #[test]
    fn late_requests_are_counted_in_the_point_that_covers_them() {
        let mut series = Series::default();
        series.put(place(4), Point { to_us: 6_000_000, ..second(4, 1) });
        series.add_late(place(5), &second(5, 2));
        let points: Vec<_> = series.points().map(|(second, point)| (second, point.requests)).collect();
        assert_eq!(points, [(4, 3)]);
    }

    #[test]
    fn a_joined_edge_adds_its_counts_and_leaves_the_percentiles_to_the_many() {
        let whole = Point { p99_us: 7, users: 5, ..second(4, 90) };
        let edge = Point { to_us: 5_250_000, p99_us: 900, users: 0, ..second(5, 3) };
        let joined = whole.joined(&edge);
        assert_eq!((joined.requests, joined.failures, joined.width_us()), (93, 31, 1_250_000));
        assert_eq!((joined.p99_us, joined.users), (7, 5));
        assert_eq!(second(4, 0).joined(&edge).p99_us, 900);
    }
}
