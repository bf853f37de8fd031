//! Whether the generator itself spoiled a run.
//!
//! A measuring instrument that was overloaded must say so: the verdict comes from how late planned work started, from
//! the generator's CPU use, and from what it could not do for lack of descriptors or ports.

use serde::{Deserialize, Serialize};

use super::{ArrivalsView, Incidents, LostWorkerView};
use crate::ids::WorkerId;
use crate::state::command::StopReason;
use crate::state::worker::LossReason;
use crate::stats::run::RunStats;

/// The verdict, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing disturbed the measurement.
    Valid,
    /// Something did, to a degree that matters when figures are compared.
    Degraded,
    /// The figures do not describe the target.
    Invalid,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "VALID",
            Self::Degraded => "DEGRADED",
            Self::Invalid => "INVALID",
        }
    }
}

/// A verdict with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The verdict: the worst of the reasons.
    pub verdict: Verdict,
    /// Why, each with its weight; empty when valid.
    pub reasons: Vec<(Verdict, String)>,
}

/// The limits that the verdict is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidityLimits {
    /// 99th percentile of the schedule lag above which a run is degraded.
    pub lag_degraded_us: u64,
    /// 99th percentile of the schedule lag above which a run is invalid.
    pub lag_invalid_us: u64,
    /// Seconds without a break of CPU use above 80 % from which a run is degraded.
    pub busy_s: u32,
    /// Seconds without a break of CPU use above 95 % from which a run is invalid.
    pub saturated_s: u32,
    /// Missed and dropped arrivals per thousand due ones above which a run is invalid; any make it degraded.
    pub lost_arrivals_permille: u64,
    /// Generator errors per thousand requests above which a run is invalid; any makes it degraded.
    pub generator_errors_permille: u64,
}

impl Default for ValidityLimits {
    fn default() -> Self {
        Self {
            lag_degraded_us: 10_000,
            lag_invalid_us: 100_000,
            busy_s: 10,
            saturated_s: 30,
            lost_arrivals_permille: 10,
            generator_errors_permille: 10,
        }
    }
}

impl Validity {
    /// Judges a run.
    #[must_use]
    pub fn judge(stats: &RunStats, arrivals: Option<ArrivalsView>, limits: &ValidityLimits) -> Self {
        let lost = arrivals.and_then(|arrivals| lost_arrivals(arrivals, limits));
        let reasons: Vec<_> = [lag(stats, limits), lost, generator_errors(stats, limits)]
            .into_iter()
            .flatten()
            .chain(cpu(stats, limits))
            .collect();
        let verdict = reasons.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Valid);
        Self { verdict, reasons }
    }

    /// The same for a run that ended without the last figures of some workers: what they did is not in the statistics.
    #[must_use]
    pub fn without_figures_of(mut self, missing: &[WorkerId]) -> Self {
        for worker in missing {
            self.verdict = Verdict::Invalid;
            let reason = format!("worker {worker} did not report its last figures in time");
            self.reasons.push((Verdict::Invalid, reason));
        }
        self
    }

    /// The same for a run that stopped for this reason: one that no worker could prepare measured nothing.
    #[must_use]
    pub fn of_run_that_stopped(mut self, reason: Option<StopReason>, incidents: &Incidents) -> Self {
        if reason == Some(StopReason::NoWorkerReady) {
            self.verdict = Verdict::Invalid;
            let workers = incidents.excluded_workers.iter();
            let reasons = workers.map(|(worker, why)| format!("worker {worker} could not take part: {why}"));
            self.reasons.push((Verdict::Invalid, "no worker could take part".to_owned()));
            self.reasons.extend(reasons.map(|reason| (Verdict::Invalid, reason)));
        }
        self
    }

    /// The same after what happened to the cluster in mid-run, for a plan with `users_max` users.
    #[must_use]
    pub fn after(mut self, incidents: &Incidents, users_max: u64) -> Self {
        let changes = incidents.leader_changes_s.iter().map(|at_s| format!("leader changed at {at_s:.1} s"));
        let mut reasons: Vec<String> = incidents.lost_workers.iter().map(loss).chain(changes).collect();
        if incidents.idle_users_max > 0 {
            let idle = incidents.idle_users_max;
            reasons.push(format!("up to {idle} of {users_max} users did not run: no worker could take them"));
        }
        if !reasons.is_empty() {
            self.verdict = self.verdict.max(Verdict::Degraded);
        }
        self.reasons.extend(reasons.into_iter().map(|reason| (Verdict::Degraded, reason)));
        self
    }
}

fn loss(lost: &LostWorkerView) -> String {
    let LostWorkerView { worker, at_s, reported_until_s, reason } = lost;
    match reason {
        LossReason::Goodbye => format!("worker {worker} left at {at_s:.1} s"),
        LossReason::Silence => format!(
            "worker {worker} fell silent and was given up at {at_s:.1} s; its figures end at {reported_until_s:.1} s"
        ),
        LossReason::Died => {
            format!("worker {worker} died at {at_s:.1} s; its figures end at {reported_until_s:.1} s")
        }
    }
}

fn lag(stats: &RunStats, limits: &ValidityLimits) -> Option<(Verdict, String)> {
    let p99_us = stats.total.schedule_lag.as_ref()?.quantile_us(0.99)?;
    let (verdict, limit_us) = match p99_us {
        us if us > limits.lag_invalid_us => (Verdict::Invalid, limits.lag_invalid_us),
        us if us > limits.lag_degraded_us => (Verdict::Degraded, limits.lag_degraded_us),
        _ => return None,
    };
    let (p99_ms, limit_ms) = (p99_us as f64 / 1e3, limit_us as f64 / 1e3);
    Some((
        verdict,
        format!("the generator started planned work late: schedule lag p99 {p99_ms:.1} ms, limit {limit_ms} ms"),
    ))
}

fn lost_arrivals(arrivals: ArrivalsView, limits: &ValidityLimits) -> Option<(Verdict, String)> {
    let lost = arrivals.missed + arrivals.dropped;
    let invalid = lost.saturating_mul(1_000) > arrivals.due.saturating_mul(limits.lost_arrivals_permille);
    let verdict = if invalid { Verdict::Invalid } else { Verdict::Degraded };
    let ArrivalsView { due, dropped, missed, .. } = arrivals;
    (lost > 0)
        .then(|| (verdict, format!("of {due} arrivals that were due, {dropped} were dropped and {missed} missed")))
}

fn cpu(stats: &RunStats, limits: &ValidityLimits) -> Vec<(Verdict, String)> {
    let judged = stats.workers.iter().filter_map(|(name, worker)| {
        let (verdict, percent, seconds) = if worker.saturated.longest_s >= limits.saturated_s {
            (Verdict::Invalid, 95, worker.saturated.longest_s)
        } else if worker.busy.longest_s >= limits.busy_s {
            (Verdict::Degraded, 80, worker.busy.longest_s)
        } else {
            return None;
        };
        Some((verdict, format!("worker {name} used more than {percent} % of its CPU for {seconds} s")))
    });
    judged.collect()
}

fn generator_errors(stats: &RunStats, limits: &ValidityLimits) -> Option<(Verdict, String)> {
    let count = stats.total.generator_errors.values().sum::<u64>();
    if count == 0 {
        return None;
    }
    let attempted = stats.total.total().requests() + count;
    let invalid = count.saturating_mul(1_000) > attempted.saturating_mul(limits.generator_errors_permille);
    let kinds: Vec<_> = stats.total.generator_errors.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    let verdict = if invalid { Verdict::Invalid } else { Verdict::Degraded };
    Some((verdict, format!("the generator could not send {count} requests: {}", kinds.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::arrivals::{ArrivalRate, Distribution};
    use crate::stats::histogram::Histogram;
    use crate::stats::run::Streak;

    fn judge(stats: &RunStats) -> Validity {
        Validity::judge(stats, None, &ValidityLimits::default())
    }

    fn lagging(us: u64) -> RunStats {
        let mut stats = RunStats::default();
        stats.total.schedule_lag.get_or_insert_with(|| Histogram::new(2)).record(us);
        stats
    }

    #[test]
    fn an_undisturbed_run_is_valid_without_reasons() {
        assert_eq!(judge(&lagging(9_000)), Validity { verdict: Verdict::Valid, reasons: Vec::new() });
    }

    #[test]
    fn lag_degrades_and_then_invalidates() {
        assert_eq!(judge(&lagging(20_000)).verdict, Verdict::Degraded);
        assert_eq!(judge(&lagging(200_000)).verdict, Verdict::Invalid);
    }

    #[test]
    fn cpu_counts_only_when_it_lasts() {
        let mut stats = RunStats::default();
        let worker = stats.workers.entry(WorkerId("w".into())).or_default();
        worker.busy = Streak { now_s: 0, longest_s: 9 };
        assert_eq!(judge(&stats).verdict, Verdict::Valid);
        let worker = stats.workers.entry(WorkerId("w".into())).or_default();
        worker.busy.longest_s = 10;
        assert_eq!(judge(&stats).verdict, Verdict::Degraded);
        let worker = stats.workers.entry(WorkerId("w".into())).or_default();
        worker.saturated.longest_s = 30;
        assert_eq!(judge(&stats).verdict, Verdict::Invalid);
    }

    #[test]
    fn lost_arrivals_degrade_and_many_invalidate() {
        let peak = ArrivalRate::per_second(100.0).expect("a rate");
        let distribution = Distribution::Uniform;
        let (due, late, missed) = (1_000, 0, 0);
        let arrivals =
            |dropped| ArrivalsView { peak, distribution, due, started: due - dropped, late, dropped, missed };
        let judge = |dropped| {
            Validity::judge(&RunStats::default(), Some(arrivals(dropped)), &ValidityLimits::default()).verdict
        };
        assert_eq!([0, 1, 10, 11].map(judge), [Verdict::Valid, Verdict::Degraded, Verdict::Degraded, Verdict::Invalid]);
    }

    #[test]
    fn a_run_that_no_worker_could_take_part_in_says_why() {
        let excluded_workers = vec![(WorkerId("w".into()), "no memory".into())];
        let incidents = Incidents { excluded_workers, ..Incidents::default() };
        let judged = |reason| judge(&RunStats::default()).of_run_that_stopped(reason, &incidents);
        assert_eq!(judged(Some(StopReason::RunTime)).verdict, Verdict::Valid);
        let none = judged(Some(StopReason::NoWorkerReady));
        assert_eq!(none.verdict, Verdict::Invalid);
        assert!(none.reasons.iter().any(|(_, why)| why == "worker w could not take part: no memory"), "{none:?}");
    }

    #[test]
    fn any_generator_error_degrades_and_many_invalidate() {
        let mut stats = RunStats::default();
        stats.total.generator_errors.insert("out of file descriptors".into(), 1);
        let judged = judge(&stats);
        assert_eq!(judged.verdict, Verdict::Invalid, "the only request was not sent");
        assert!(judged.reasons[0].1.contains("out of file descriptors (1)"));
    }
}
