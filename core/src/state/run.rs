//! A run in the replicated state.

use serde::{Deserialize, Serialize};

use super::command::{Refusal, RunSpec, StopReason};
use crate::ids::{RunId, WorkerId};
use crate::plan::Plan;
use crate::plan::arrivals::Distribution;
use crate::plan::rate::SpawnRate;
use crate::stats::run::{MergedIntervals, RunStats};
use crate::threshold::evaluate::{Figures, ThresholdWatch};
use crate::threshold::result::ThresholdResult;

/// A run: its plan, its statistics and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    id: RunId,
    spec: RunSpec,
    started_unix_ms: u64,
    ended_unix_ms: Option<u64>,
    stop_reason: Option<StopReason>,
    participants: Vec<WorkerId>,
    stats: RunStats,
    watch: ThresholdWatch,
    missing: Vec<WorkerId>,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// Load is generated.
    Active,
    /// Users were told to stop; the last deltas are awaited.
    Stopping,
    /// All deltas are merged, or given up by name.
    Ended,
}

impl Run {
    pub(super) fn new(id: RunId, spec: RunSpec, participants: Vec<WorkerId>, time_ms: u64) -> Self {
        Self {
            id,
            spec,
            started_unix_ms: time_ms,
            ended_unix_ms: None,
            stop_reason: None,
            participants,
            stats: RunStats::default(),
            watch: ThresholdWatch::default(),
            missing: Vec::new(),
        }
    }

    pub(super) fn edit(&mut self, at_us: u64, users: u64, rate: SpawnRate) -> Result<(), Refusal> {
        if self.stop_reason.is_some() {
            return Err(Refusal::RunIsStopping);
        }
        if self.spec.plan.arrivals().is_some() {
            return Err(Refusal::RunIsOpen);
        }
        self.spec.plan = self.spec.plan.edited(at_us, users, rate);
        Ok(())
    }

    pub(super) fn reset(&mut self, at_us: u64, keep_series: bool) -> Result<(), Refusal> {
        let next = self.stats.segment + 1;
        if keep_series {
            self.stats.reset_totals(next, at_us)
        } else {
            self.stats.reset(next, at_us)
        }
        Ok(())
    }

    pub(super) fn stop(&mut self, at_us: u64, reason: StopReason) -> Result<(), Refusal> {
        self.spec.plan = self.spec.plan.ended_at(at_us);
        self.stop_reason.get_or_insert(reason);
        Ok(())
    }

    /// Merges intervals and judges the thresholds behind the watermark. True when one of them stops the run now.
    pub(super) fn merge(&mut self, intervals: &MergedIntervals) -> bool {
        self.stats.merge(intervals);
        if self.phase() != RunPhase::Active {
            return false;
        }
        // Seconds in which users were told to stop say nothing about the target.
        let end_s = self.spec.plan.ends_at_us().map_or(u64::MAX, |end_us| end_us / 1_000_000);
        let complete_s = self.stats.complete_s(&self.participants).min(end_s);
        let figures = Figures { stats: &self.stats, missed_arrivals: self.missed_arrivals() };
        self.watch.advance(&self.spec.thresholds, &figures, complete_s);
        if self.watch.aborting(&self.spec.thresholds).is_none() {
            return false;
        }
        self.spec.plan = self.spec.plan.ended_at(self.stats.until_us);
        self.stop_reason = Some(StopReason::Threshold);
        true
    }

    pub(super) fn end(&mut self, time_ms: u64, missing: &[WorkerId]) {
        self.ended_unix_ms = Some(time_ms);
        self.stop_reason.get_or_insert(StopReason::RunTime);
        self.missing = missing.to_vec();
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RunId {
        self.id
    }

    /// What it is; the plan includes all edits.
    #[must_use]
    pub fn spec(&self) -> &RunSpec {
        &self.spec
    }

    /// The workers that take part, in the order in which the slots are dealt to them.
    #[must_use]
    pub fn participants(&self) -> &[WorkerId] {
        &self.participants
    }

    /// Its load.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.spec.plan
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> RunPhase {
        match (self.ended_unix_ms, self.stop_reason) {
            (Some(_), _) => RunPhase::Ended,
            (None, Some(_)) => RunPhase::Stopping,
            (None, None) => RunPhase::Active,
        }
    }

    /// Why it stops or stopped.
    #[must_use]
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stop_reason
    }

    /// What came of the thresholds, or would if the run ended now.
    #[must_use]
    pub fn threshold_results(&self) -> Vec<ThresholdResult> {
        let figures = Figures { stats: &self.stats, missed_arrivals: self.missed_arrivals() };
        self.watch.results(&self.spec.thresholds, &figures)
    }

    /// Arrivals of an open model that were due since the start of the statistics. With even gaps the plan says how many
    /// that are; those of a Poisson process are counted as they come.
    #[must_use]
    pub fn arrivals_due(&self) -> u64 {
        match self.spec.plan.arrivals().map(|arrivals| arrivals.distribution) {
            Some(Distribution::Uniform) => self.spec.plan.arrivals_due(self.stats.since_us, self.stats.until_us),
            Some(Distribution::Poisson) => self.stats.total.arrivals.due,
            None => 0,
        }
    }

    /// Arrivals of an open model that were due and that nobody reported as started or dropped. While the run goes on,
    /// those that wait for a user are not among them.
    #[must_use]
    pub fn missed_arrivals(&self) -> u64 {
        let arrivals = self.stats.total.arrivals;
        let waiting = if self.phase() == RunPhase::Ended { 0 } else { arrivals.late };
        self.arrivals_due().saturating_sub(arrivals.started).saturating_sub(arrivals.dropped).saturating_sub(waiting)
    }

    /// Its statistics.
    #[must_use]
    pub fn stats(&self) -> &RunStats {
        &self.stats
    }

    /// Its start, milliseconds since the Unix epoch.
    #[must_use]
    pub fn started_unix_ms(&self) -> u64 {
        self.started_unix_ms
    }

    /// Its end.
    #[must_use]
    pub fn ended_unix_ms(&self) -> Option<u64> {
        self.ended_unix_ms
    }

    /// Workers whose last deltas never came: their share of the last seconds is missing from the statistics.
    #[must_use]
    pub fn missing(&self) -> &[WorkerId] {
        &self.missing
    }
}
