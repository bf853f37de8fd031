//! What workers say.

use std::sync::Arc;

use super::deltas::Receipt;
use super::greet::{belongs, has_lost_its_run};
use super::{At, Coordinator, Intent, Output, Session, to};
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::state::command::Command;
use crate::state::participant::ParticipantState;
use crate::state::run::RunPhase;
use crate::state::worker::LossReason;
use crate::stats::delta::Delta;
use crate::wire::{FromWorker, Running, ToWorker, Vitals};

impl Coordinator {
    /// Anything but the first message.
    pub(super) fn hear(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        message: FromWorker,
        at: At<'_>,
    ) -> Vec<Output> {
        if let Some(turned_away) = self.turn_away_rival(worker, incarnation, at) {
            return turned_away;
        }
        let known = at.state.worker(worker).filter(|known| known.incarnation == incarnation);
        if self.sessions.get(worker).is_none_or(|session| session.incarnation != incarnation) {
            if known.is_none() {
                return Vec::new();
            }
            self.sessions.insert(worker.clone(), Session::heard(incarnation, at.now));
        }
        if let Some(session) = self.sessions.get_mut(worker) {
            session.hear(at.now);
        }
        if !known.is_some_and(|known| known.is_present) {
            return self.hear_of_stranger(worker, incarnation, message, at);
        }
        match message {
            FromWorker::Hello { .. } => Vec::new(),
            FromWorker::Heartbeat { sent_us, running, vitals } => {
                let mut outputs = vec![to(worker, ToWorker::HeartbeatHeard { sent_us, plan: self.plan_time(at) })];
                outputs.extend(self.heartbeat(worker, incarnation, running, vitals, at));
                outputs
            }
            FromWorker::Ready { run } => self.ready(worker, incarnation, run, at),
            FromWorker::Delta(delta) => self.receive(*delta, at),
            FromWorker::Released { run, epoch } => self.released(worker, run, epoch, at),
            FromWorker::Goodbye => self.lose(worker, incarnation, LossReason::Goodbye),
            other => self.hear_of_run(worker, incarnation, other, at),
        }
    }

    /// A worker that is not registered in this life, or was lost.
    fn hear_of_stranger(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        message: FromWorker,
        at: At<'_>,
    ) -> Vec<Output> {
        match message {
            FromWorker::Heartbeat { running, vitals, .. } => {
                if let Some(session) = self.sessions.get_mut(worker) {
                    (session.running, session.vitals) = (running, Some(vitals));
                }
                let refused = self.quarantine(worker, incarnation, at);
                refused.unwrap_or_else(|| self.welcome_or_register(worker, incarnation, at))
            }
            FromWorker::Delta(delta) => self.receive(*delta, at),
            _ => Vec::new(),
        }
    }

    fn heartbeat(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        running: Option<Running>,
        vitals: Vitals,
        at: At<'_>,
    ) -> Vec<Output> {
        if let Some(session) = self.sessions.get_mut(worker) {
            (session.running, session.vitals) = (running, Some(vitals));
        }
        self.report(worker, running, at);
        if has_lost_its_run(worker, incarnation, running, at) {
            return self.lose(worker, incarnation, LossReason::Died);
        }
        match running {
            Some(running) if !belongs(worker, incarnation, running.run, at) => {
                vec![to(worker, ToWorker::Leave { run: running.run })]
            }
            Some(_) | None => Vec::new(),
        }
    }

    fn ready(&mut self, worker: &WorkerId, incarnation: Incarnation, run: RunId, at: At<'_>) -> Vec<Output> {
        let Some((active, position, participant)) = at.place(worker, incarnation).filter(|place| place.0.id() == run)
        else {
            return Vec::new();
        };
        if let Some(session) = self.sessions.get_mut(worker) {
            session.ready = Some(run);
        }
        match (&participant.state, active.phase()) {
            (ParticipantState::Joining, _) => {
                self.propose(Command::AdmitWorker { run, worker: worker.clone(), incarnation })
            }
            (_, RunPhase::Preparing) => self.launch_if_all_are_ready(at),
            _ => self.set_off(worker, active, position, at),
        }
    }

    fn released(&mut self, worker: &WorkerId, run: RunId, epoch: u64, at: At<'_>) -> Vec<Output> {
        if let Some(session) = self.sessions.get_mut(worker) {
            session.confirm(run, epoch);
        }
        self.release_slots(at)
    }

    /// Passes on what workers say that concerns the run that they are in.
    fn hear_of_run(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        message: FromWorker,
        at: At<'_>,
    ) -> Vec<Output> {
        let Some(active) = at.run() else { return Vec::new() };
        let takes_part = at.place(worker, incarnation).is_some();
        let worker = worker.clone();
        match message {
            FromWorker::CannotRun { run, reason } if takes_part && run == active.id() => {
                self.propose(Command::ExcludeWorker { run, worker, reason: one_line(&reason) })
            }
            FromWorker::StopRun { run, at_us, reason } if takes_part && run == active.id() => {
                let command = Command::StopRun { run, at_us, reason };
                if active.phase() == RunPhase::Active { self.propose(command) } else { Vec::new() }
            }
            FromWorker::LeaseRows { run, feeder, request, used, want } if takes_part && run == active.id() => {
                self.propose(Command::LeaseRows { run, worker, incarnation, feeder, request, used, want })
            }
            FromWorker::CloseRows { run, feeder, unused } if run == active.id() => {
                self.propose(Command::CloseRows { run, worker, incarnation, feeder, unused })
            }
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, delta: Delta, at: At<'_>) -> Vec<Output> {
        let (worker, run) = (delta.worker.clone(), delta.run);
        let place = at.state.run().filter(|known| known.id() == run);
        let place = place.and_then(|known| known.participant(&worker, delta.incarnation));
        let known = at.state.worker(&worker).filter(|known| known.incarnation == delta.incarnation);
        let applied = known.map_or(Seq::default(), |known| known.last_seq);
        match place.map(|(_, participant)| &participant.state) {
            Some(ParticipantState::Live) if at.run().is_some() => {}
            Some(ParticipantState::Finished) => return vec![to(&worker, ToWorker::Acknowledge { run, seq: applied })],
            Some(ParticipantState::Joining) => return Vec::new(),
            // Nothing is added to a final result, or taken of who was given up.
            _ => return vec![to(&worker, ToWorker::Leave { run })],
        }
        match self.deltas.receive(delta, applied, at.now.mono_us) {
            Receipt::Kept => {
                self.sessions.entry(worker).and_modify(|session| {
                    (session.progress_us, session.delta_us) = (at.now.mono_us, Some(at.now.mono_us));
                });
                self.propose_batch(at)
            }
            Receipt::Safe => vec![to(&worker, ToWorker::Acknowledge { run, seq: applied })],
            Receipt::Gap => self.welcome_again(&worker, at),
            Receipt::UnderWay | Receipt::TurnedAway => Vec::new(),
        }
    }

    /// Asks a worker for what is missing, unless it was asked just now.
    fn welcome_again(&mut self, worker: &WorkerId, at: At<'_>) -> Vec<Output> {
        let asked_us = self.sessions.get(worker).map_or(0, |session| session.welcomed_us);
        let is_due = at.now.mono_us.saturating_sub(asked_us) >= limits::REMIND_EVERY.as_micros() as u64;
        if asked_us == 0 || is_due { vec![self.welcome(worker, at)] } else { Vec::new() }
    }

    pub(super) fn propose_batch(&mut self, at: At<'_>) -> Vec<Output> {
        if self.under_way.contains(&Intent::Merge) {
            return Vec::new();
        }
        match self.deltas.next_batch(at.now.mono_us, self.settings.sync_interval) {
            Some(batch) => self.propose(Command::MergeDeltas(Box::new(batch))),
            None => Vec::new(),
        }
    }

    /// After a refused or lost batch: forget what is buffered and let every worker send what is not safe.
    pub(super) fn start_over(&mut self, at: At<'_>) -> Vec<Output> {
        self.deltas.forget();
        let Some(run) = at.run() else { return Vec::new() };
        run.live().map(|(_, participant)| self.welcome(&participant.worker, at)).collect()
    }

    pub(super) fn resend_turned_away(&mut self, at: At<'_>) -> Vec<Output> {
        self.deltas.take_turned_away().iter().map(|worker| self.welcome(worker, at)).collect()
    }
}

/// A worker's own words, as they may stand in logs and in the state.
fn one_line(text: &str) -> Arc<str> {
    let chars = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    chars.take(limits::REASON_CHARS_MAX).collect::<String>().into()
}
