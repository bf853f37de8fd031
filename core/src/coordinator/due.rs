//! What time demands.

use std::time::Duration;

use super::plan_clock::Known;
use super::{At, Coordinator, Output};
use crate::ids::{RunId, WorkerId};
use crate::limits;
use crate::state::command::{Command, StopReason};
use crate::state::participant::ParticipantState;
use crate::state::run::{Run, RunPhase};
use crate::state::worker::LossReason;
use crate::wire::PlanTime;

impl Coordinator {
    pub(super) fn tick(&mut self, at: At<'_>) -> Vec<Output> {
        let mut outputs = self.give_up_the_silent(at);
        self.settle_clock(at);
        let Some(run) = at.run() else { return outputs };
        outputs.extend(self.note_takeover(run));
        outputs.extend(self.give_up_the_unready(run, at));
        outputs.extend(self.launch_if_all_are_ready(at));
        outputs.extend(self.due_by_plan(run, at));
        outputs.extend(self.release_slots(at));
        outputs.extend(self.even_out(run, at));
        outputs.extend(self.remind(run, at));
        outputs.extend(self.propose_batch(at));
        outputs
    }

    pub(super) fn settle_clock(&mut self, at: At<'_>) {
        if let Some(run) = at.run() {
            self.clock.settle(Known { live: run.live().count(), until_us: run.stats().until_us }, at.now);
        }
    }

    fn give_up_the_silent(&mut self, at: At<'_>) -> Vec<Output> {
        let mut outputs = Vec::new();
        for (id, worker) in at.state.workers().filter(|(_, worker)| worker.is_present) {
            let session = self.sessions.get(id).filter(|session| session.incarnation == worker.incarnation);
            let heard_us = session.map_or(self.led_us, |session| session.heard_us);
            if is_over(heard_us, self.settings.lost_after, at) {
                outputs.extend(self.lose(id, worker.incarnation, LossReason::Silence));
            }
        }
        outputs
    }

    /// Has it noted that this leader took the lead in mid-run, as soon as it knows when that was.
    fn note_takeover(&mut self, run: &Run) -> Vec<Output> {
        let Some(id) = self.took_over.filter(|id| *id == run.id()) else { return Vec::new() };
        let Some(at_us) = self.clock.plan_us(id, self.led_us) else { return Vec::new() };
        self.propose(Command::NoteElection { run: id, at_us: at_us.max(0) as u64 })
    }

    fn give_up_the_unready(&mut self, run: &Run, at: At<'_>) -> Vec<Output> {
        let mut late = Vec::new();
        for participant in run.participants().iter().filter(|participant| participant.is_in()) {
            let session = self.sessions.get(&participant.worker);
            let begun = session.and_then(|session| session.begun).filter(|begun| begun.run == run.id());
            let since_us = match (&participant.state, run.phase()) {
                (ParticipantState::Joining, _) => begun.map_or(self.led_us, |begun| begun.first_us),
                (_, RunPhase::Preparing) => self.preparing_since_us,
                _ => continue,
            };
            let is_ready = session.is_some_and(|session| session.is_ready(run.id()));
            if !is_ready && is_over(since_us, self.settings.ready_wait, at) {
                late.push(participant.worker.clone());
            }
        }
        let reason = format!("not ready within {} s", self.settings.ready_wait.as_secs());
        let exclude =
            |worker: WorkerId| Command::ExcludeWorker { run: run.id(), worker, reason: reason.as_str().into() };
        late.into_iter().flat_map(|worker| self.propose(exclude(worker))).collect()
    }

    pub(super) fn launch_if_all_are_ready(&mut self, at: At<'_>) -> Vec<Output> {
        let Some(run) = at.run().filter(|run| run.phase() == RunPhase::Preparing) else { return Vec::new() };
        let is_ready = |worker: &WorkerId| self.sessions.get(worker).is_some_and(|session| session.is_ready(run.id()));
        if run.live().all(|(_, participant)| is_ready(&participant.worker)) {
            return self.propose(Command::LaunchRun { run: run.id() });
        }
        Vec::new()
    }

    /// What plan time demands of a run.
    fn due_by_plan(&mut self, run: &Run, at: At<'_>) -> Vec<Output> {
        let Some(now_us) = self.plan_now_us(run.id(), at) else { return Vec::new() };
        let due = match run.phase() {
            RunPhase::Active => due_while_active(run, now_us),
            // Workers must have had the time to find a leader that has only just taken the lead.
            RunPhase::Stopping if !is_over(self.led_us, limits::LAST_DELTAS_WAIT, at) => None,
            RunPhase::Stopping if self.is_any_on_its_way(run, at) => None,
            RunPhase::Stopping => due_while_stopping(run, now_us),
            RunPhase::Preparing | RunPhase::Ended => None,
        };
        due.map(|command| self.propose(command)).unwrap_or_default()
    }

    /// Whether deltas still come of a worker that has not ended: it is behind, but gets there.
    fn is_any_on_its_way(&self, run: &Run, at: At<'_>) -> bool {
        let sessions = run.live().filter_map(|(_, participant)| self.sessions.get(&participant.worker));
        sessions.filter_map(|session| session.delta_us).any(|last_us| !is_over(last_us, limits::LAST_DELTAS_WAIT, at))
    }

    /// Plan time, 0 before the first user; `None` as long as it is not known.
    pub(super) fn plan_now_us(&self, run: RunId, at: At<'_>) -> Option<u64> {
        self.clock.plan_us(run, at.now.mono_us).map(|plan_us| plan_us.max(0) as u64)
    }

    /// Plan time of the run under load, as far as it is known.
    pub(super) fn plan_time(&self, at: At<'_>) -> Option<PlanTime> {
        let run = at.run().filter(|run| run.was_launched())?.id();
        Some(PlanTime { run, plan_us: self.clock.plan_us(run, at.now.mono_us)? })
    }

    /// Takes slots from workers that have said that they gave them up.
    pub(super) fn release_slots(&mut self, at: At<'_>) -> Vec<Output> {
        let Some(run) = at.run().filter(|run| run.slots().is_moving()) else { return Vec::new() };
        let mut outputs = Vec::new();
        for position in run.slots().givers() {
            let Some(participant) = run.participants().get(position).filter(|known| known.is_live()) else { continue };
            let (worker, incarnation) = (participant.worker.clone(), participant.incarnation);
            let Some(session) = self.sessions.get(&worker) else { continue };
            let epoch = session.confirmed(run.id());
            if session.incarnation == incarnation && epoch >= run.slots().changed(position) {
                outputs.extend(self.propose(Command::ReleaseSlots { run: run.id(), worker, incarnation, epoch }));
            }
        }
        outputs
    }

    fn even_out(&mut self, run: &Run, at: At<'_>) -> Vec<Output> {
        if run.phase() != RunPhase::Active || !is_over(self.balanced_us, self.settings.rebalance_every, at) {
            return Vec::new();
        }
        self.balanced_us = at.now.mono_us;
        if run.slots().is_moving() || !at.state.needs_rebalance() {
            return Vec::new();
        }
        self.propose(Command::Rebalance { run: run.id() })
    }

    /// Says again what workers have not confirmed.
    fn remind(&mut self, run: &Run, at: At<'_>) -> Vec<Output> {
        let there = run.participants().iter().enumerate().filter(|(_, participant)| participant.is_in());
        there.flat_map(|(position, _)| self.remind_of_run(run, position, at)).collect()
    }

    fn remind_of_run(&mut self, run: &Run, position: usize, at: At<'_>) -> Vec<Output> {
        let participant = &run.participants()[position];
        let worker = &participant.worker;
        let there = self.sessions.get(worker).filter(|session| session.is_linked);
        let Some(session) = there.filter(|session| session.incarnation == participant.incarnation).cloned() else {
            return Vec::new();
        };
        if !session.is_ready(run.id()) {
            let knows_run = session.in_run(run.id()).is_some();
            let every = if knows_run { limits::REMIND_EVERY } else { limits::SEND_SCENARIO_AGAIN };
            let begun = session.begun.filter(|begun| begun.run == run.id());
            let is_due = begun.is_none_or(|begun| is_over(begun.sent_us, every, at));
            return if is_due { vec![self.begin(worker, run, position, at)] } else { Vec::new() };
        }
        if run.phase() == RunPhase::Preparing || !participant.is_live() {
            return Vec::new();
        }
        let mut outputs = Vec::new();
        if is_over(session.launch_sent_us, limits::REMIND_EVERY, at) {
            outputs.extend(self.launch(worker, run, at));
        }
        let knows_slots = session.confirmed(run.id()) >= run.slots().changed(position);
        if !knows_slots && is_over(session.slots_sent_us, limits::REMIND_EVERY, at) {
            outputs.push(self.slots(worker, run, position, at));
        }
        if is_over(session.plan_sent_us, limits::REPEAT_PLAN_EVERY, at) {
            outputs.push(self.update(worker, run, at));
        }
        if is_over(session.progress_us, limits::DELTAS_OVERDUE, at) {
            outputs.push(self.welcome(worker, at));
        }
        outputs
    }
}

fn is_over(since_us: u64, wait: Duration, at: At<'_>) -> bool {
    at.now.mono_us.saturating_sub(since_us) >= wait.as_micros() as u64
}

fn due_while_active(run: &Run, now_us: u64) -> Option<Command> {
    if let Some(at_us) = run.plan().ends_at_us().filter(|end| now_us >= *end) {
        return Some(Command::StopRun { run: run.id(), at_us, reason: StopReason::RunTime });
    }
    let is_due = run.stats().segment == 0 && first_reset_us(run, now_us).is_some_and(|at_us| now_us >= at_us);
    let keep_series = run.spec().warm_up_ms > 0;
    is_due.then_some(Command::ResetStatistics { run: run.id(), at_us: now_us, keep_series })
}

fn due_while_stopping(run: &Run, now_us: u64) -> Option<Command> {
    let wait_us = run.spec().stop_timeout_ms * 1_000 + limits::LAST_DELTAS_WAIT.as_micros() as u64;
    let ended_us = run.plan().ends_at_us().unwrap_or(0);
    let missing = run.live().map(|(_, participant)| participant.worker.clone());
    (now_us > ended_us.saturating_add(wait_us)).then(|| Command::EndRun { run: run.id(), missing: missing.collect() })
}

/// When the statistics start afresh by themselves: after the warm-up, or when all users are spawned, or both.
fn first_reset_us(run: &Run, now_us: u64) -> Option<u64> {
    let warm_up_us = Some(run.spec().warm_up_ms * 1_000).filter(|us| *us > 0);
    let spawned_us = run.spec().reset_when_spawned.then(|| run.plan().target_reached_us(now_us));
    warm_up_us.max(spawned_us)
}
