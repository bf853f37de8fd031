//! A run in the replicated state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Effect;
use super::command::{Refusal, RunSpec, StopReason};
use super::participant::{Participant, ParticipantState, WorkerLoss};
use super::rows::FeederRows;
use super::slots::Slots;
use super::snapshot;
use crate::ids::{Incarnation, RunId, WorkerId};
use crate::limits;
use crate::plan::Plan;
use crate::plan::arrivals::Distribution;
use crate::plan::rate::SpawnRate;
use crate::stats::run::{MergedIntervals, RunStats};
use crate::threshold::evaluate::{Figures, ThresholdWatch};
use crate::threshold::result::ThresholdResult;

/// A run: its plan, its workers, its statistics and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub(super) id: RunId,
    pub(super) spec: RunSpec,
    pub(super) created_unix_ms: u64,
    pub(super) launched_unix_ms: Option<u64>,
    pub(super) ended_unix_ms: Option<u64>,
    pub(super) stop_reason: Option<StopReason>,
    pub(super) participants: Vec<Participant>,
    pub(super) slots: Slots,
    pub(super) stats: RunStats,
    pub(super) watch: ThresholdWatch,
    pub(super) missing: Vec<WorkerId>,
    pub(super) losses: Vec<WorkerLoss>,
    pub(super) elections_us: Vec<u64>,
    pub(super) idle_users_max: u64,
    /// By feeder; `None` for those that are not `unique`.
    pub(super) rows: Vec<Option<FeederRows>>,
    pub(super) burnt_rows: u64,
    /// Its size in a snapshot, once it is a run of the past; 0 before.
    #[serde(default)]
    pub(super) kept_bytes: u64,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunPhase {
    /// Its workers get ready.
    Preparing,
    /// Load is generated.
    Active,
    /// Users were told to stop; the last deltas are awaited.
    Stopping,
    /// All deltas are merged, or given up by name.
    Ended,
}

impl Run {
    pub(super) fn new(id: RunId, spec: RunSpec, participants: Vec<Participant>, time_ms: u64) -> Self {
        let rows = spec.distribution.unique_rows.iter().map(|unique| unique.map(FeederRows::new)).collect();
        let mut run = Self {
            id,
            spec,
            created_unix_ms: time_ms,
            launched_unix_ms: None,
            ended_unix_ms: None,
            stop_reason: None,
            participants,
            slots: Slots::default(),
            stats: RunStats::default(),
            watch: ThresholdWatch::default(),
            missing: Vec::new(),
            losses: Vec::new(),
            elections_us: Vec::new(),
            idle_users_max: 0,
            rows,
            burnt_rows: 0,
            kept_bytes: 0,
        };
        run.deal_afresh();
        run
    }

    pub(super) fn launch(&mut self, time_ms: u64) -> Result<Vec<Effect>, Refusal> {
        if self.phase() != RunPhase::Preparing {
            return Err(Refusal::NoSuchRun);
        }
        self.launched_unix_ms = Some(time_ms);
        self.note_idle_users();
        Ok(vec![Effect::LaunchRun(self.live().map(|(position, _)| position).collect())])
    }

    pub(super) fn edit(&mut self, at_us: u64, users: u64, rate: SpawnRate) -> Result<Vec<Effect>, Refusal> {
        if self.stop_reason.is_some() {
            return Err(Refusal::RunIsStopping);
        }
        if self.spec.plan.arrivals().is_some() {
            return Err(Refusal::RunIsOpen);
        }
        self.spec.plan = self.spec.plan.edited(at_us, users, rate);
        let mut effects = vec![Effect::UpdateRun];
        effects.extend(self.keep_within_bounds());
        Ok(effects)
    }

    pub(super) fn reset(&mut self, at_us: u64, keep_series: bool) -> Result<Vec<Effect>, Refusal> {
        if self.phase() == RunPhase::Preparing {
            return Err(Refusal::RunIsPreparing);
        }
        let next = self.stats.segment + 1;
        if keep_series {
            self.stats.reset_totals(next, at_us)
        } else {
            self.stats.reset(next, at_us)
        }
        Ok(vec![Effect::UpdateRun])
    }

    /// Ends the plan. A run that was not launched is over then.
    pub(super) fn stop(&mut self, at_us: u64, reason: StopReason, time_ms: u64) -> Vec<Effect> {
        let was_preparing = self.phase() == RunPhase::Preparing;
        self.spec.plan = self.spec.plan.ended_at(at_us);
        self.stop_reason.get_or_insert(reason);
        if was_preparing {
            return self.end(time_ms, &[]);
        }
        let mut effects = vec![Effect::UpdateRun];
        effects.extend(self.dismiss_joiners());
        effects
    }

    /// Merges intervals and judges the thresholds behind the watermark. Gives what follows if one of them stops the run.
    pub(super) fn merge(&mut self, intervals: &MergedIntervals) -> Vec<Effect> {
        self.stats.merge(intervals);
        if self.phase() != RunPhase::Active {
            return Vec::new();
        }
        // Seconds in which users were told to stop say nothing about the target.
        let end_s = self.spec.plan.ends_at_us().map_or(u64::MAX, |end_us| end_us / 1_000_000);
        let reporting = self.live().map(|(_, participant)| &participant.worker);
        let complete_s = self.stats.complete_s(reporting).min(end_s);
        let figures = Figures { stats: &self.stats, missed_arrivals: self.missed_arrivals() };
        self.watch.advance(&self.spec.thresholds, &figures, complete_s);
        if self.watch.aborting(&self.spec.thresholds).is_none() {
            return Vec::new();
        }
        self.stop(self.stats.until_us, StopReason::Threshold, 0)
    }

    /// When it ended, as the clock of the launch would have it: the clock may have jumped since, or be another master's.
    /// Where it does not fit what was measured, the end of that counts.
    fn sensible_end_ms(&self, time_ms: u64) -> u64 {
        let Some(launched_ms) = self.launched_unix_ms else { return time_ms.max(self.created_unix_ms) };
        let measured_ms = launched_ms.saturating_add(self.stats.until_us / 1_000);
        let waits_ms = (limits::LOST_AFTER + limits::LAST_DELTAS_WAIT).as_millis() as u64 + self.spec.stop_timeout_ms;
        let is_sensible = (measured_ms..=measured_ms.saturating_add(waits_ms)).contains(&time_ms);
        if is_sensible { time_ms } else { measured_ms }
    }

    /// The last entry of a run: its result is final. What only a run that goes on needs is dropped.
    pub(super) fn end(&mut self, time_ms: u64, missing: &[WorkerId]) -> Vec<Effect> {
        let mut effects = self.dismiss_joiners();
        let left_over = |participant: &&Participant| participant.is_live();
        let leave = |participant: &Participant| Effect::Leave { run: self.id, worker: participant.worker.clone() };
        effects.extend(self.participants.iter().filter(left_over).map(leave));
        self.ended_unix_ms = Some(self.sensible_end_ms(time_ms));
        self.stop_reason.get_or_insert(StopReason::RunTime);
        self.missing = missing.to_vec();
        self.burnt_rows = self.burnt_rows();
        self.rows = Vec::new();
        self.slots = Slots::default();
        self.spec.bundle = None;
        effects.push(Effect::RunEnded);
        effects
    }

    pub(super) fn note_election(&mut self, at_us: u64) -> Result<Vec<Effect>, Refusal> {
        if self.phase() == RunPhase::Preparing {
            return Err(Refusal::RunIsPreparing);
        }
        if self.elections_us.len() < limits::INCIDENTS_KEPT_MAX {
            self.elections_us.push(at_us);
        }
        Ok(Vec::new())
    }

    /// Keeps of an ended run what is looked up later.
    pub(super) fn thin(&mut self) {
        self.stats.recent.clear();
        self.kept_bytes = snapshot::size_of(self);
    }

    fn dismiss_joiners(&mut self) -> Vec<Effect> {
        let (run, mut effects) = (self.id, Vec::new());
        for participant in &mut self.participants {
            if participant.state == ParticipantState::Joining {
                participant.state = ParticipantState::Dismissed;
                effects.push(Effect::Leave { run, worker: participant.worker.clone() });
            }
        }
        effects
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

    /// All who took part at any time. The place of each is its position.
    #[must_use]
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// Those who take part, with their positions.
    pub fn live(&self) -> impl Iterator<Item = (usize, &Participant)> {
        self.participants.iter().enumerate().filter(|(_, participant)| participant.is_live())
    }

    /// The latest place of a life of a worker in the run.
    #[must_use]
    pub fn participant(&self, worker: &WorkerId, incarnation: Incarnation) -> Option<(usize, &Participant)> {
        let is_it = |(_, known): &(usize, &Participant)| known.worker == *worker && known.incarnation == incarnation;
        self.participants.iter().enumerate().rev().find(is_it)
    }

    /// Who has which slots; nobody any once it has ended.
    #[must_use]
    pub fn slots(&self) -> &Slots {
        &self.slots
    }

    /// Its load.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.spec.plan
    }

    /// Where it stands.
    #[must_use]
    pub fn phase(&self) -> RunPhase {
        match (self.ended_unix_ms, self.stop_reason, self.launched_unix_ms) {
            (Some(_), _, _) => RunPhase::Ended,
            (None, Some(_), _) => RunPhase::Stopping,
            (None, None, Some(_)) => RunPhase::Active,
            (None, None, None) => RunPhase::Preparing,
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

    /// Its start, milliseconds since the Unix epoch: when it was launched, or before that, when it was asked for.
    #[must_use]
    pub fn started_unix_ms(&self) -> u64 {
        self.launched_unix_ms.unwrap_or(self.created_unix_ms)
    }

    /// Whether its load has begun at any time.
    #[must_use]
    pub fn was_launched(&self) -> bool {
        self.launched_unix_ms.is_some()
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

    /// Workers that were lost while there was load, at most `limits::INCIDENTS_KEPT_MAX`.
    #[must_use]
    pub fn losses(&self) -> &[WorkerLoss] {
        &self.losses
    }

    /// Workers that were left out, and why.
    pub fn excluded(&self) -> impl Iterator<Item = (&WorkerId, &Arc<str>)> {
        self.participants.iter().filter_map(|participant| match &participant.state {
            ParticipantState::Excluded(reason) => Some((&participant.worker, reason)),
            _ => None,
        })
    }

    /// When another master took the lead while there was load, in plan time; at most `limits::INCIDENTS_KEPT_MAX`.
    #[must_use]
    pub fn elections_us(&self) -> &[u64] {
        &self.elections_us
    }

    /// The most users of the plan that no worker was to run at a time: because workers were lost and the others were not
    /// to take over, or because all have as many as they may.
    #[must_use]
    pub fn idle_users_max(&self) -> u64 {
        self.idle_users_max
    }

    /// Rows of `unique` feeders that went with lost workers: nobody knows whether they were used.
    #[must_use]
    pub fn burnt_rows(&self) -> u64 {
        self.burnt_rows + self.rows.iter().flatten().map(|feeder| feeder.leases().burnt()).sum::<u64>()
    }
}
