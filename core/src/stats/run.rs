//! The merged statistics of a run, part of the replicated state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::delta::Interval;
use super::endpoint::EndpointKey;
use super::histogram::Histogram;
use super::measurements::{EndpointMeasurements, Measurements};
use super::series::{Place, Point, Series};
use crate::ids::WorkerId;
use crate::limits;

/// Intervals of one or more workers, merged by second of plan time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedIntervals {
    /// By segment and second.
    pub seconds: BTreeMap<(u32, u64), MergedInterval>,
}

/// What workers measured in one second of plan time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedInterval {
    /// The earliest start of the intervals, in plan time.
    pub from_us: u64,
    /// The latest end of the intervals, in plan time.
    pub to_us: u64,
    /// Each worker's own figures.
    pub workers: BTreeMap<WorkerId, WorkerFigures>,
    /// What was measured.
    pub measurements: Measurements,
}

/// What a worker says of itself in an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerFigures {
    /// Its users per class at the end of the interval.
    pub users: Vec<u64>,
    /// Its CPU use, in thousandths of what it may use.
    pub cpu_permille: u16,
    /// The width of the interval, in seconds, at least 1.
    pub width_s: u32,
}

impl MergedIntervals {
    /// Adds a worker's interval.
    pub fn add(&mut self, worker: &WorkerId, interval: &Interval) {
        let second = interval.from_us / limits::INTERVAL.as_micros() as u64;
        let fresh = MergedInterval { from_us: interval.from_us, ..MergedInterval::default() };
        let merged = self.seconds.entry((interval.segment, second)).or_insert(fresh);
        merged.from_us = merged.from_us.min(interval.from_us);
        merged.to_us = merged.to_us.max(interval.to_us);
        let width_us = interval.to_us.saturating_sub(interval.from_us);
        let width_s = width_us.div_ceil(limits::INTERVAL.as_micros() as u64).max(1) as u32;
        let figures = WorkerFigures { users: interval.users.clone(), cpu_permille: interval.cpu_permille, width_s };
        merged.workers.insert(worker.clone(), figures);
        let mut measured = interval.measurements.clone();
        measured.stamp(worker);
        merged.measurements.merge(&measured);
    }
}

/// The statistics of a run since its start or its last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStats {
    /// Which segment these are; what belongs to an earlier one no longer counts.
    pub segment: u32,
    /// Start of the segment, in plan time.
    pub since_us: u64,
    /// Up to where intervals were merged, in plan time.
    pub until_us: u64,
    /// Everything since the start of the segment.
    pub total: Measurements,
    /// The last seconds, for current rates and percentiles.
    pub recent: BTreeMap<u64, BTreeMap<EndpointKey, EndpointMeasurements>>,
    /// The time series.
    pub series: Series,
    /// The first segment that the series has points of.
    pub series_since_segment: u32,
    /// Each worker's latest figures.
    pub workers: BTreeMap<WorkerId, WorkerStats>,
}

/// A worker's users and how hard it worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerStats {
    /// The second that `users` is of.
    pub second: u64,
    /// Up to which second it has reported.
    pub until_s: u64,
    /// Users per class.
    pub users: Vec<u64>,
    /// CPU use in the latest interval, in thousandths.
    pub cpu_permille: u16,
    /// Seconds without a break above 80 %, now and at most.
    pub busy: Streak,
    /// Seconds without a break above 95 %, now and at most.
    pub saturated: Streak,
}

/// A condition that held for some seconds without a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// Until now.
    pub now_s: u32,
    /// The longest so far.
    pub longest_s: u32,
}

impl Streak {
    fn note(&mut self, holds: bool, width_s: u32) {
        self.now_s = if holds { self.now_s.saturating_add(width_s) } else { 0 };
        self.longest_s = self.longest_s.max(self.now_s);
    }
}

/// CPU use above which a generator counts as busy, in thousandths.
pub const BUSY_PERMILLE: u16 = 800;
/// CPU use above which a generator counts as saturated, in thousandths.
pub const SATURATED_PERMILLE: u16 = 950;

impl RunStats {
    /// Adds merged intervals. Those of an earlier segment are dropped, or seen in the time series alone if it was kept.
    pub fn merge(&mut self, intervals: &MergedIntervals) {
        for (&(segment, second), interval) in &intervals.seconds {
            if segment == self.segment {
                self.merge_second(second, interval);
            } else if (self.series_since_segment..self.segment).contains(&segment) {
                self.merge_into_series(Place { second, segment }, interval);
            }
        }
    }

    /// Opens the next segment at an instant of plan time: everything measured so far no longer counts.
    pub fn reset(&mut self, segment: u32, at_us: u64) {
        let workers = std::mem::take(&mut self.workers);
        let series_since_segment = segment;
        *self = Self { segment, since_us: at_us, until_us: at_us, workers, series_since_segment, ..Self::default() };
    }

    /// Opens the next segment and keeps the time series, so that what came before, such as a warm-up, can still be seen.
    pub fn reset_totals(&mut self, segment: u32, at_us: u64) {
        let (series, since_segment) = (std::mem::take(&mut self.series), self.series_since_segment);
        self.reset(segment, at_us);
        (self.series, self.series_since_segment) = (series, since_segment);
    }

    /// What workers had measured of an earlier segment when it ended and report only now.
    fn merge_into_series(&mut self, place: Place, interval: &MergedInterval) {
        let point = Point { users: self.users(), ..point(interval, &interval.measurements.endpoints) };
        let point = self.series.at(place).map_or(point, |known| known.joined(&point));
        self.series.put(place, point);
    }

    fn merge_second(&mut self, second: u64, interval: &MergedInterval) {
        // A segment begins where the workers cut it, which is a little after the order to do so.
        let first = self.recent.is_empty();
        self.since_us = if first { interval.from_us } else { self.since_us.min(interval.from_us) };
        self.until_us = self.until_us.max(interval.to_us);
        self.total.merge(&interval.measurements);
        for (worker, figures) in &interval.workers {
            self.workers.entry(worker.clone()).or_default().note(second, figures);
        }
        let newest = self.recent.last_key_value().map_or(second, |(newest, _)| second.max(*newest));
        let oldest_kept = newest.saturating_sub(limits::CURRENT_WINDOW.as_secs() + 2);
        if second < oldest_kept {
            let late = point(interval, &interval.measurements.endpoints);
            return self.series.add_late(Place { second, segment: self.segment }, &late);
        }
        let recent = self.recent.entry(second).or_default();
        for (key, measured) in &interval.measurements.endpoints {
            recent.entry(key.clone()).or_default().merge(measured);
        }
        let mut point = point(interval, recent);
        let place = Place { second, segment: self.segment };
        // Workers report a second one after the other.
        if let Some(known) = self.series.at(place) {
            (point.from_us, point.to_us) = (point.from_us.min(known.from_us), point.to_us.max(known.to_us));
        }
        point.users = self.users();
        self.series.put(place, point);
        self.recent = self.recent.split_off(&oldest_kept);
    }

    /// A worker is gone, and its users are. What it measured stays.
    pub fn forget_users_of(&mut self, worker: &WorkerId) {
        if let Some(stats) = self.workers.get_mut(worker) {
            stats.users.clear();
        }
    }

    /// Users that exist.
    fn users(&self) -> u64 {
        self.workers.values().map(|worker| worker.users.iter().sum::<u64>()).sum()
    }

    /// Up to which second of plan time every one of these workers has reported, or should have: a worker that says
    /// nothing for `limits::WATERMARK_WAIT` does not hold the others up.
    #[must_use]
    pub fn complete_s<'a>(&self, workers: impl IntoIterator<Item = &'a WorkerId>) -> u64 {
        let newest_s = self.until_us / limits::INTERVAL.as_micros() as u64;
        let reported = |worker| self.workers.get(worker).map_or(0, |stats: &WorkerStats| stats.until_s);
        let all_s = workers.into_iter().map(reported).min().unwrap_or(newest_s);
        all_s.max(newest_s.saturating_sub(limits::WATERMARK_WAIT.as_secs())).min(newest_s)
    }

    /// Users that exist, per class.
    #[must_use]
    pub fn users_per_class(&self) -> Vec<u64> {
        let mut sum = Vec::new();
        for worker in self.workers.values() {
            sum.resize(sum.len().max(worker.users.len()), 0);
            worker.users.iter().zip(&mut sum).for_each(|(users, sum)| *sum += users);
        }
        sum
    }

    /// What one endpoint measured in the current window (`limits::CURRENT_WINDOW` up to the newest second).
    #[must_use]
    pub fn current(&self, key: &EndpointKey) -> EndpointMeasurements {
        let mut current = EndpointMeasurements::default();
        for endpoints in self.current_seconds() {
            endpoints.get(key).into_iter().for_each(|measured| current.merge(measured));
        }
        current
    }

    /// What all requests measured in the current window.
    #[must_use]
    pub fn current_total(&self) -> EndpointMeasurements {
        let mut current = EndpointMeasurements::default();
        for endpoints in self.current_seconds() {
            requests_of(endpoints).for_each(|measured| current.merge(measured));
        }
        current
    }

    /// The width of the current window in seconds: shorter at the start of a run and in a second that is not over, as
    /// at its end; never 0.
    #[must_use]
    pub fn current_window_s(&self) -> f64 {
        let oldest_us = self.current_oldest_s() * limits::INTERVAL.as_micros() as u64;
        let width_s = self.until_us.saturating_sub(self.since_us.max(oldest_us)) as f64 / 1e6;
        width_s.clamp(f64::MIN_POSITIVE, limits::CURRENT_WINDOW.as_secs_f64())
    }

    fn current_oldest_s(&self) -> u64 {
        let newest = self.recent.last_key_value().map_or(0, |(newest, _)| *newest);
        (newest + 1).saturating_sub(limits::CURRENT_WINDOW.as_secs())
    }

    fn current_seconds(&self) -> impl Iterator<Item = &BTreeMap<EndpointKey, EndpointMeasurements>> {
        self.recent.range(self.current_oldest_s()..).map(|(_, endpoints)| endpoints)
    }
}

impl WorkerStats {
    fn note(&mut self, second: u64, figures: &WorkerFigures) {
        self.until_s = self.until_s.max(second + u64::from(figures.width_s));
        if second >= self.second {
            self.second = second;
            self.users.clone_from(&figures.users);
            self.cpu_permille = figures.cpu_permille;
        }
        self.busy.note(figures.cpu_permille > BUSY_PERMILLE, figures.width_s);
        self.saturated.note(figures.cpu_permille > SATURATED_PERMILLE, figures.width_s);
    }
}

fn requests_of(endpoints: &BTreeMap<EndpointKey, EndpointMeasurements>) -> impl Iterator<Item = &EndpointMeasurements> {
    let requests = endpoints.iter().filter(|(key, _)| key.kind == super::endpoint::EndpointKind::Request);
    requests.map(|(_, measured)| measured)
}

/// The point of what was measured at all endpoints in the span of an interval.
fn point(interval: &MergedInterval, endpoints: &BTreeMap<EndpointKey, EndpointMeasurements>) -> Point {
    let mut total = EndpointMeasurements::default();
    requests_of(endpoints).for_each(|measured| total.merge(measured));
    let latency: Histogram = total.latency();
    let quantile = |quantile| latency.quantile_us(quantile).unwrap_or(0);
    Point {
        from_us: interval.from_us,
        to_us: interval.to_us,
        requests: total.requests(),
        failures: total.failures(),
        users: 0,
        latency_sum_us: latency.sum_us(),
        p50_us: quantile(0.5),
        p95_us: quantile(0.95),
        p99_us: quantile(0.99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(second: u64, latencies_us: &[u64], users: u64) -> Interval {
        let mut measurements = Measurements::default();
        let endpoint = measurements.endpoints.entry(EndpointKey::request("GET", "/")).or_default();
        latencies_us.iter().for_each(|us| endpoint.ok_latency.record(*us));
        Interval {
            from_us: second * 1_000_000,
            to_us: (second + 1) * 1_000_000,
            segment: 0,
            users: vec![users],
            cpu_permille: 100,
            measurements,
        }
    }

    fn worker(name: &str) -> WorkerId {
        WorkerId(name.into())
    }

    fn merged(stats: &mut RunStats, worker_name: &str, interval: &Interval) {
        let mut intervals = MergedIntervals::default();
        intervals.add(&worker(worker_name), interval);
        stats.merge(&intervals);
    }

    #[test]
    fn the_current_window_is_ten_seconds() {
        let mut stats = RunStats::default();
        (0..30).for_each(|second| merged(&mut stats, "w", &interval(second, &vec![second; second as usize], 1)));
        assert_eq!(stats.current_total().requests(), (20..30).sum::<u64>());
        assert!((stats.current_window_s() - 10.0).abs() < 1e-9);
        let last = Interval { to_us: 30_250_000, ..interval(30, &[], 0) };
        merged(&mut stats, "w", &last);
        assert_eq!(stats.current_total().requests(), (21..30).sum::<u64>());
        assert!((stats.current_window_s() - 9.25).abs() < 1e-9, "a second that is not over does not dilute the rate");
        assert_eq!(stats.total.total().requests(), (0..30).sum::<u64>());
    }

    #[test]
    fn workers_merge_in_any_order_to_the_same_statistics() {
        let (mut ab, mut ba) = (RunStats::default(), RunStats::default());
        let (a, b) = (interval(3, &[5, 6], 2), interval(3, &[7], 4));
        merged(&mut ab, "a", &a);
        merged(&mut ab, "b", &b);
        merged(&mut ba, "b", &b);
        merged(&mut ba, "a", &a);
        assert_eq!(ab, ba);
        assert_eq!(ab.users_per_class(), [6]);
        assert_eq!(ab.series.points().map(|(_, point)| (point.requests, point.users)).collect::<Vec<_>>(), [(3, 6)]);
    }

    #[test]
    fn a_reset_forgets_what_came_before_it_and_what_comes_late_from_before() {
        let mut stats = RunStats::default();
        merged(&mut stats, "w", &interval(0, &[1], 1));
        stats.reset(1, 500_000);
        merged(&mut stats, "w", &interval(0, &[1], 1));
        assert!(stats.total.endpoints.is_empty());
        merged(&mut stats, "w", &Interval { segment: 1, ..interval(1, &[1], 1) });
        assert_eq!(stats.total.total().requests(), 1);
    }

    #[test]
    fn an_interval_that_is_very_late_still_counts() {
        let mut stats = RunStats::default();
        (5..40).for_each(|second| merged(&mut stats, "w", &interval(second, &[1], 1)));
        merged(&mut stats, "slow", &interval(6, &[1, 1], 1));
        assert_eq!(stats.total.total().requests(), 37);
        assert_eq!(stats.series.points().map(|(_, point)| point.requests).sum::<u64>(), 37);
    }

    #[test]
    fn a_point_is_as_wide_as_what_the_workers_measured() {
        let mut stats = RunStats::default();
        merged(&mut stats, "a", &Interval { to_us: 3_200_000, ..interval(3, &[1], 1) });
        merged(&mut stats, "b", &Interval { from_us: 3_100_000, to_us: 3_400_000, ..interval(3, &[1], 1) });
        let points: Vec<_> = stats.series.points().map(|(_, point)| (point.requests, point.width_us())).collect();
        assert_eq!(points, [(2, 400_000)]);
    }

    #[test]
    fn a_kept_series_has_a_point_of_each_segment_of_the_second_that_was_cut() {
        let mut stats = RunStats::default();
        let warm_up = Interval { to_us: 3_400_000, ..interval(3, &[5], 2) };
        let counted = Interval { from_us: 3_400_000, segment: 1, ..interval(3, &[1], 2) };
        stats.reset_totals(1, 3_400_000);
        merged(&mut stats, "a", &counted);
        merged(&mut stats, "a", &warm_up);
        let points: Vec<_> = stats.series.points().map(|(_, point)| (point.from_us, point.width_us())).collect();
        assert_eq!(points, [(3_000_000, 400_000), (3_400_000, 600_000)]);
        assert_eq!(stats.total.total().requests(), 1, "the warm-up does not count");
        assert_eq!(stats.since_us, 3_400_000);

        stats.reset(2, 5_000_000);
        merged(&mut stats, "a", &counted);
        assert!(stats.series.is_empty(), "a reset forgets what comes late from before");
    }
}
