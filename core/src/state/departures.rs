//! Workers that leave a run: lost, or left out.

use std::sync::Arc;

use super::command::{LossPolicy, Refusal, StopReason};
use super::participant::{Participant, ParticipantState, WorkerLoss};
use super::run::{Run, RunPhase};
use super::worker::LossReason;
use super::{ClusterState, Effect};
use crate::ids::{Incarnation, RunId, WorkerId};
use crate::limits;

impl ClusterState {
    pub(super) fn lose_worker(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        reason: LossReason,
    ) -> Result<Vec<Effect>, Refusal> {
        let present = |known: &&mut super::Worker| known.incarnation == incarnation && known.is_present;
        let Some(known) = self.workers.get_mut(worker).filter(present) else {
            return Err(Refusal::UnknownWorker { worker: worker.clone() });
        };
        known.is_present = false;
        let time_ms = self.clock_ms;
        let Some(run) = self.unfinished_run() else { return Ok(Vec::new()) };
        let Ok(position) = run.position_of(worker, incarnation, Participant::is_in) else { return Ok(Vec::new()) };
        let was_under_load = run.was_launched() && run.participants[position].is_live();
        let effects = run.lose(position, reason, time_ms);
        if was_under_load && reason != LossReason::Goodbye {
            self.workers.entry(worker.clone()).and_modify(|known| known.losses = known.losses.saturating_add(1));
        }
        self.honour_the_finished();
        Ok(effects)
    }

    pub(super) fn exclude_worker(
        &mut self,
        run: RunId,
        worker: &WorkerId,
        reason: &Arc<str>,
    ) -> Result<Vec<Effect>, Refusal> {
        let time_ms = self.clock_ms;
        let active = self.active_run(run)?;
        let is_it = |(_, known): &(usize, &Participant)| known.worker == *worker && known.is_in();
        let found = active.participants.iter().enumerate().rev().find(is_it).map(|(position, _)| position);
        let position = found.ok_or_else(|| Refusal::UnknownWorker { worker: worker.clone() })?;
        let mut effects = vec![Effect::Leave { run, worker: worker.clone() }];
        effects.extend(active.depart(position, ParticipantState::Excluded(Arc::clone(reason)), time_ms));
        self.honour_the_finished();
        Ok(effects)
    }

    /// Who ended a run in good order is trusted again.
    pub(super) fn honour_the_finished(&mut self) {
        let Some(run) = self.run.as_ref().filter(|run| run.phase() == RunPhase::Ended) else { return };
        for participant in run.participants.iter().filter(|known| known.state == ParticipantState::Finished) {
            let same_life = |known: &&mut super::Worker| known.incarnation == participant.incarnation;
            if let Some(known) = self.workers.get_mut(&participant.worker).filter(same_life) {
                known.losses = 0;
            }
        }
    }
}

impl Run {
    fn lose(&mut self, position: usize, reason: LossReason, time_ms: u64) -> Vec<Effect> {
        let participant = &self.participants[position];
        if self.was_launched() && participant.is_live() {
            let loss = WorkerLoss {
                worker: participant.worker.clone(),
                at_us: self.stats.until_us,
                reported_until_us: self.reported_until_us(&participant.worker),
                reason,
            };
            if self.losses.len() < limits::INCIDENTS_KEPT_MAX {
                self.losses.push(loss);
            }
        }
        self.depart(position, ParticipantState::Lost(reason), time_ms)
    }

    /// A participant goes: its users are gone, its deltas are no longer taken, its slots pass on.
    fn depart(&mut self, position: usize, state: ParticipantState, time_ms: u64) -> Vec<Effect> {
        let participant = &mut self.participants[position];
        let was_live = participant.is_live();
        participant.state = state;
        let worker = participant.worker.clone();
        self.stats.forget_users_of(&worker);
        self.rows.iter_mut().flatten().for_each(|feeder| feeder.lose(&worker));
        let mut effects = Vec::new();
        if was_live {
            effects.extend(self.replace(position, time_ms));
        }
        effects.extend(self.end_if_nobody_is_left(time_ms));
        effects
    }

    fn replace(&mut self, position: usize, time_ms: u64) -> Vec<Effect> {
        match (self.phase(), self.spec.distribution.on_loss) {
            (RunPhase::Preparing, _) => self.deal_afresh(),
            (RunPhase::Active, LossPolicy::Replace) => self.pass_on(position, true),
            (RunPhase::Active, LossPolicy::Fail) => {
                let mut effects = self.pass_on(position, false);
                effects.extend(self.stop(self.stats.until_us, StopReason::WorkerLost, time_ms));
                effects
            }
            (RunPhase::Active, LossPolicy::Continue) | (RunPhase::Stopping, _) => self.pass_on(position, false),
            (RunPhase::Ended, _) => Vec::new(),
        }
    }

    fn pass_on(&mut self, position: usize, to_others: bool) -> Vec<Effect> {
        let shares = if to_others { self.shares() } else { Vec::new() };
        let users = self.plan().users_max();
        let concerned = self.slots.pass_on(position, &shares, users);
        self.slots_changed(concerned)
    }

    /// Ends the run when nobody takes part in it any more.
    pub(super) fn end_if_nobody_is_left(&mut self, time_ms: u64) -> Vec<Effect> {
        let goes_on = self.participants.iter().any(Participant::is_live);
        if goes_on || self.phase() == RunPhase::Ended {
            return Vec::new();
        }
        let is_through = self.participants.iter().any(|known| known.state == ParticipantState::Finished);
        match self.phase() {
            RunPhase::Preparing => _ = self.stop_reason.get_or_insert(StopReason::NoWorkerReady),
            RunPhase::Active if !is_through => _ = self.stop_reason.get_or_insert(StopReason::WorkerLost),
            RunPhase::Active | RunPhase::Stopping | RunPhase::Ended => {}
        }
        self.end(time_ms, &[])
    }

    /// Up to where a worker's own figures are in the statistics, in plan time.
    fn reported_until_us(&self, worker: &WorkerId) -> u64 {
        let second_us = limits::INTERVAL.as_micros() as u64;
        self.stats.workers.get(worker).map_or(0, |stats| stats.until_s.saturating_mul(second_us))
    }
}
