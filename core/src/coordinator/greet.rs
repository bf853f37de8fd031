//! Telling a worker where it stands: all of it is derived from the state, so that it can be said at any time.

use super::{At, Coordinator, Output, to};
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::state::command::{Command, Refusal};
use crate::state::participant::{Participant, ParticipantState};
use crate::state::run::{Run, RunPhase};
use crate::state::worker::{LossReason, WorkerProfile};
use crate::wire::{Assignment, Running, ToWorker};

impl Coordinator {
    /// A worker's first message to this leader on a link.
    pub(super) fn hello(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        profile: WorkerProfile,
        running: Option<Running>,
        at: At<'_>,
    ) -> Vec<Output> {
        if let Some(turned_away) = self.turn_away_rival(worker, incarnation, at) {
            return turned_away;
        }
        if let Some(refused) = self.quarantine(worker, incarnation, at) {
            return refused;
        }
        let mut session = super::Session::heard(incarnation, at.now);
        (session.profile, session.running) = (Some(profile), running);
        self.sessions.insert(worker.clone(), session);
        self.report(worker, running, at);
        self.welcome_or_register(worker, incarnation, at)
    }

    /// Welcomes a worker that is registered as it is, and registers any other.
    pub(super) fn welcome_or_register(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        at: At<'_>,
    ) -> Vec<Output> {
        let Some(session) = self.sessions.get(worker) else { return Vec::new() };
        let known = at.state.worker(worker).filter(|known| known.incarnation == incarnation);
        let profile = session.profile.as_ref().or(known.map(|known| &known.profile));
        if known.is_some_and(|known| known.is_present && profile.is_none_or(|profile| *profile == known.profile)) {
            return self.greet(worker, at);
        }
        let still_in = session.running.filter(|running| at.run().is_some_and(|run| run.id() == running.run));
        if let (Some(running), Some(false)) = (still_in, known.map(|known| known.is_present)) {
            // It has to forget the run that it was lost in before it can come back to it.
            return vec![to(worker, ToWorker::Leave { run: running.run })];
        }
        let Some(profile) = profile.cloned() else { return Vec::new() };
        self.propose(Command::RegisterWorker { worker: worker.clone(), incarnation, profile })
    }

    /// Tells a registered worker what is safe and what it is to do.
    pub(super) fn greet(&mut self, worker: &WorkerId, at: At<'_>) -> Vec<Output> {
        let mut outputs = vec![self.welcome(worker, at)];
        outputs.extend(self.sync(worker, at));
        outputs
    }

    pub(super) fn welcome(&mut self, worker: &WorkerId, at: At<'_>) -> Output {
        if let Some(session) = self.sessions.get_mut(worker) {
            (session.welcomed_us, session.progress_us) = (at.now.mono_us, at.now.mono_us);
        }
        let last_seq = at.state.worker(worker).map_or(Seq::default(), |known| known.last_seq);
        let lease_ms = self.settings.lease.map(|lease| lease.as_millis() as u64);
        let heartbeat_ms = self.settings.heartbeat.as_millis() as u64;
        to(worker, ToWorker::Welcome { last_seq, lease_ms, heartbeat_ms })
    }

    /// What a worker is to do now, all of it.
    fn sync(&mut self, worker: &WorkerId, at: At<'_>) -> Vec<Output> {
        let Some(session) = self.sessions.get(worker) else { return Vec::new() };
        let (incarnation, running) = (session.incarnation, session.running);
        let mut outputs = Vec::new();
        if let Some(running) = running.filter(|running| !belongs(worker, incarnation, running.run, at)) {
            outputs.push(to(worker, ToWorker::Leave { run: running.run }));
        }
        if has_lost_its_run(worker, incarnation, running, at) {
            return self.lose(worker, incarnation, LossReason::Died);
        }
        let Some((run, position, participant)) = at.place(worker, incarnation) else { return outputs };
        if !session.is_ready(run.id()) {
            outputs.push(self.begin(worker, run, position, at));
            return outputs;
        }
        if participant.is_live() && run.phase() != RunPhase::Preparing {
            outputs.extend(self.set_off(worker, run, position, at));
        }
        outputs
    }

    /// Has a worker that is ready generate load. It hears of its slots before, so that it begins with none that were dealt
    /// to others meanwhile.
    pub(super) fn set_off(&mut self, worker: &WorkerId, run: &Run, position: usize, at: At<'_>) -> Vec<Output> {
        let mut outputs = vec![self.slots(worker, run, position, at), self.update(worker, run, at)];
        outputs.extend(self.launch(worker, run, at));
        outputs
    }

    /// Has a worker get ready. One that is in the run has the scenario already.
    pub(super) fn begin(&mut self, worker: &WorkerId, run: &Run, position: usize, at: At<'_>) -> Output {
        let mut has_bundle = false;
        if let Some(session) = self.sessions.get_mut(worker) {
            has_bundle = session.in_run(run.id()).is_some();
            session.begin(run.id(), at.now);
        }
        to(worker, ToWorker::Begin(Box::new(assignment(run, position, has_bundle))))
    }

    /// Has a worker generate load, unless it says that it does. Nothing as long as plan time is not known.
    pub(super) fn launch(&mut self, worker: &WorkerId, run: &Run, at: At<'_>) -> Option<Output> {
        let plan_us = self.clock.plan_us(run.id(), at.now.mono_us)?;
        let session = self.sessions.get_mut(worker)?;
        if session.in_run(run.id()).is_some_and(|running| running.plan_us.is_some()) {
            return None;
        }
        session.launch_sent_us = at.now.mono_us;
        Some(to(worker, ToWorker::Launch { run: run.id(), plan_us }))
    }

    pub(super) fn update(&mut self, worker: &WorkerId, run: &Run, at: At<'_>) -> Output {
        if let Some(session) = self.sessions.get_mut(worker) {
            session.plan_sent_us = at.now.mono_us;
        }
        let (plan, segment) = (run.plan().clone(), run.stats().segment);
        to(worker, ToWorker::Update { run: run.id(), plan, segment })
    }

    pub(super) fn slots(&mut self, worker: &WorkerId, run: &Run, position: usize, at: At<'_>) -> Output {
        if let Some(session) = self.sessions.get_mut(worker) {
            session.slots_sent_us = at.now.mono_us;
        }
        let (epoch, slots) = (run.slots().epoch(), run.slots().kept_by(position));
        to(worker, ToWorker::Slots { run: run.id(), epoch, slots })
    }

    /// Notes where a worker is in the run.
    pub(super) fn report(&mut self, worker: &WorkerId, running: Option<Running>, at: At<'_>) {
        if let Some(Running { run, plan_us }) = running {
            self.clock.report(worker, run, plan_us, at.now);
            self.settle_clock(at);
        }
    }

    /// The answer to a worker that was lost too often.
    pub(super) fn quarantine(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        at: At<'_>,
    ) -> Option<Vec<Output>> {
        let known = at.state.worker(worker)?;
        let dies_now = known.incarnation != incarnation && known.is_present;
        let under_load =
            |(run, _, participant): (&Run, usize, &Participant)| run.was_launched() && participant.is_live();
        let one_more = dies_now && at.place(worker, known.incarnation).is_some_and(under_load);
        let losses = known.losses + u32::from(one_more);
        if losses <= self.settings.losses_max || (known.is_present && !one_more) {
            return None;
        }
        let lost = known.incarnation;
        let mut outputs = if one_more { self.lose(worker, lost, LossReason::Died) } else { Vec::new() };
        let reason = Refusal::Quarantined { worker: worker.clone(), losses }.to_string().into();
        outputs.push(Output::SendTo(worker.clone(), incarnation, ToWorker::Refused { reason }));
        Some(outputs)
    }
}

/// Whether a worker's life is rightly in a run: it takes part, or is done and only waits to hear that all of it is safe.
pub(super) fn belongs(worker: &WorkerId, incarnation: Incarnation, id: RunId, at: At<'_>) -> bool {
    let run = at.run().filter(|run| run.id() == id);
    let participant = run.and_then(|run| run.participant(worker, incarnation));
    participant.is_some_and(|(_, known)| known.is_in() || known.state == ParticipantState::Finished)
}

/// Whether a worker that has reported figures of the run says that it is not in it: it cannot go on where it was.
pub(super) fn has_lost_its_run(
    worker: &WorkerId,
    incarnation: Incarnation,
    running: Option<Running>,
    at: At<'_>,
) -> bool {
    let Some((run, _, participant)) = at.place(worker, incarnation) else { return false };
    let has_reported = at.state.worker(worker).is_some_and(|known| known.last_seq > Seq::default());
    participant.is_live() && has_reported && running.is_none_or(|running| running.run != run.id())
}

fn assignment(run: &Run, position: usize, has_bundle: bool) -> Assignment {
    let spec = run.spec();
    Assignment {
        run: run.id(),
        bundle: spec.bundle.clone().filter(|_| !has_bundle),
        plan: run.plan().clone(),
        shares: spec.shares.clone(),
        slots: run.slots().kept_by(position),
        epoch: run.slots().epoch(),
        position,
        workers: run.participants().len(),
        segment: run.stats().segment,
        stop_timeout_ms: spec.stop_timeout_ms,
    }
}
