//! A worker's decisions: which users to start and stop, when to seal, what to say to whom, and when to say it again.
//!
//! - [`WorkerCore`]: hears the leader, the clock and the engine, and says what to do
//! - `session`: the conversation with the leader that is there
//! - `lease`: how long users may go on without word from a leader
//! - `run`: the worker's part of one run; `users` are those of its slots, `sealing` is about their statistics
//! - [`outbox`]: sealed deltas that are not yet known to be safe
//! - `rows`: requests for rows that only one user may have
//!
//! All times are microseconds of the worker's own monotonic clock unless they are called plan time.

mod event;
mod lease;
pub mod outbox;
mod rows;
mod run;
mod sealing;
mod session;
mod users;

use std::sync::Arc;

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::state::worker::WorkerProfile;
use crate::wire::{Assignment, FromWorker, PlanTime, Running, ToWorker};
pub use event::{Input, Output, RunEvent, Sealed, UserStart};
use lease::Lease;
use run::ActiveRun;
use session::Session;

/// What a worker knows.
#[derive(Debug)]
pub struct WorkerCore {
    id: WorkerId,
    incarnation: Incarnation,
    profile: WorkerProfile,
    now_us: u64,
    session: Session,
    lease: Lease,
    run: Option<ActiveRun>,
    stay: Stay,
}

/// Whether the worker goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stay {
    /// It does.
    Staying,
    /// It leaves once its last deltas are safe, at this time at the latest.
    Retiring { until_us: u64 },
    /// No master can be reached any more: it leaves once its users have stopped.
    Unreachable { reason: Arc<str> },
    /// It has left.
    Gone,
}

impl WorkerCore {
    /// A worker without a leader and without a run.
    #[must_use]
    pub fn new(id: WorkerId, incarnation: Incarnation, profile: WorkerProfile) -> Self {
        Self {
            id,
            incarnation,
            profile,
            now_us: 0,
            session: Session::NONE,
            lease: Lease::ENDLESS,
            run: None,
            stay: Stay::Staying,
        }
    }

    /// Decides what to do about an input. Time never goes back: an earlier one counts as the last.
    ///
    /// The lease is looked at before anything else, so that after a pause of the process users are stopped before a
    /// message that waited meanwhile can have any effect.
    pub fn step(&mut self, input: Input, now_us: u64) -> Vec<Output> {
        self.now_us = self.now_us.max(now_us);
        if self.stay == Stay::Gone {
            return Vec::new();
        }
        let (lease, now_us) = (self.lease, self.now_us);
        let drain = self.run.as_mut().and_then(|run| run.check_lease(&lease, now_us));
        let mut outputs: Vec<_> = drain.into_iter().chain(self.take(input)).collect();
        outputs.extend(self.leave_if_due());
        let is_heard = self.session.is_welcomed();
        outputs.retain(|output| is_heard || !matches!(output, Output::Send(message) if !is_greeting(message)));
        if let Some(run) = self.run.as_mut().filter(|_| is_heard) {
            outputs
                .extend(run.outbox.take_due(now_us).into_iter().map(|delta| say(FromWorker::Delta(Box::new(delta)))));
        }
        outputs
    }

    /// When to tick next; `None` when nothing is due before the next other input.
    #[must_use]
    pub fn next_tick_us(&self) -> Option<u64> {
        let deadline = match self.stay {
            Stay::Retiring { until_us } => Some(until_us),
            Stay::Gone => return None,
            Stay::Staying | Stay::Unreachable { .. } => None,
        };
        let run = self.run.as_ref().and_then(|run| run.next_us(&self.lease, self.now_us));
        [self.session.next_us(), run, deadline].into_iter().flatten().min().map(|next| next.max(self.now_us))
    }

    /// Until when users may send requests; `u64::MAX` without end. Whoever sends one looks at it before: a process that
    /// was paused may find its lease ended before it finds the time for a tick.
    #[must_use]
    pub fn may_send_until_us(&self) -> u64 {
        self.run.as_ref().map_or(self.lease.until_us(), |run| run.may_send_until_us(&self.lease))
    }

    /// Whether a leader knows the worker and listens to it.
    #[must_use]
    pub fn is_welcomed(&self) -> bool {
        self.session.is_welcomed()
    }

    /// Sealed deltas that are not known to be safe.
    #[must_use]
    pub fn unsafe_deltas(&self) -> usize {
        self.run.as_ref().map_or(0, |run| run.outbox.len())
    }

    /// Whether nothing is lost if the worker ends now: no leader listens, no user may run any more, and all that was
    /// measured is safe.
    #[must_use]
    pub fn may_give_up(&self) -> bool {
        let is_idle = |run: &ActiveRun| !self.lease.holds(self.now_us) && run.has_nothing_to_lose();
        !self.is_welcomed() && self.run.as_ref().is_none_or(is_idle)
    }

    fn take(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::LeaderFound => {
                self.session.greet(self.now_us);
                // Slots may have been dealt to others since another leader said so; this one tells of them before.
                self.run.iter_mut().for_each(|run| run.to_launch_since_us = None);
                vec![self.hello()]
            }
            Input::LeaderLost => {
                self.session.lose();
                Vec::new()
            }
            Input::Message(message) => self.hear(message),
            Input::Tick => self.tick(),
            Input::Retire => self.retire(),
            Input::Unreachable { reason } => {
                self.stay = match self.stay {
                    // Nobody will take its last deltas.
                    Stay::Retiring { .. } => Stay::Retiring { until_us: self.now_us },
                    _ => Stay::Unreachable { reason },
                };
                Vec::new()
            }
            Input::OfRun { run, event } => self.happen(run, event),
        }
    }

    fn happen(&mut self, run: RunId, event: RunEvent) -> Vec<Output> {
        let now_us = self.now_us;
        let Some(active) = self.run.as_mut().filter(|active| active.id == run) else { return Vec::new() };
        match event {
            RunEvent::Prepared(outcome) => active.prepared(outcome, now_us),
            RunEvent::Sealed(sealed) => active.sealed(&self.id, self.incarnation, *sealed),
            RunEvent::Drained => {
                active.drained();
                Vec::new()
            }
            RunEvent::UsersStopped => active.users_stopped(now_us).into_iter().collect(),
            RunEvent::SlotsLeft { epoch } => active.slots_left(epoch).into_iter().collect(),
            RunEvent::DataExhausted => active.data_exhausted(now_us).into_iter().collect(),
            RunEvent::RowsWanted { feeder, used, want } => vec![say(active.rows.ask(run, feeder, used, want))],
            RunEvent::RowsClosed { feeder, unused } => vec![say(active.rows.close(run, feeder, unused))],
        }
    }

    fn hear(&mut self, message: ToWorker) -> Vec<Output> {
        let now_us = self.now_us;
        match message {
            ToWorker::Welcome { last_seq, lease_ms, heartbeat_ms } => self.welcome(last_seq, lease_ms, heartbeat_ms),
            ToWorker::HeartbeatHeard { sent_us, plan } => {
                let sent_us = self.session.heartbeat_heard(sent_us, now_us);
                self.lease.renew(sent_us);
                let takes_any = self.run.as_ref().is_some_and(|run| run.takes_any_answer_to(sent_us, now_us));
                let is_recent = takes_any || self.session.is_recent(sent_us, now_us);
                plan.map_or_else(Vec::new, |plan| self.take_plan_time(plan, is_recent, (now_us - sent_us) / 2))
            }
            ToWorker::Begin(assignment) => self.begin(*assignment),
            ToWorker::Acknowledge { run, seq } => self.acknowledge(run, seq),
            ToWorker::Leave { run } => self.leave(run),
            ToWorker::Quit => self.retire(),
            ToWorker::NotNow { reason } => {
                self.session.put_off(now_us);
                let run = self.run.as_ref().map(|run| run.id);
                let left = run.into_iter().flat_map(|run| self.leave(run)).collect::<Vec<_>>();
                left.into_iter().chain([Output::PutOff { reason }]).collect()
            }
            ToWorker::Refused { reason } => {
                self.stay = Stay::Gone;
                self.abandon().into_iter().chain([Output::Rejected { reason }]).collect()
            }
            ToWorker::Launch { run, plan_us } => {
                let is_recent = self.session.is_recent(self.session.answered_us(), now_us);
                let active = self.run.iter_mut().filter(|active| active.id == run);
                active.for_each(|active| _ = active.to_launch_since_us.get_or_insert(now_us));
                self.take_plan_time(PlanTime { run, plan_us }, is_recent, self.session.one_way_us())
            }
            ToWorker::Slots { run, .. } | ToWorker::Update { run, .. } | ToWorker::Rows { run, .. } => {
                match self.run.as_mut().filter(|active| active.id == run) {
                    Some(active) => active.hear(message),
                    None => Vec::new(),
                }
            }
        }
    }

    /// Takes plan time as it was known at a leader so long ago. If it may be out of date, a heartbeat asks for it.
    fn take_plan_time(&mut self, plan: PlanTime, is_recent: bool, one_way_us: u64) -> Vec<Output> {
        let now_us = self.now_us;
        let is_awaited = |active: &&mut ActiveRun| active.id == plan.run && active.awaits_plan_time();
        match self.run.as_mut().filter(is_awaited) {
            Some(active) if is_recent => active.launch(plan.plan_us, one_way_us, now_us).into_iter().collect(),
            Some(_) => {
                self.session.hasten_heartbeat(now_us);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn welcome(&mut self, last_seq: Seq, lease_ms: Option<u64>, heartbeat_ms: u64) -> Vec<Output> {
        self.session.welcome(heartbeat_ms, self.now_us);
        self.lease.set_length(lease_ms);
        self.lease.renew(self.session.answered_us());
        let now_us = self.now_us;
        let Some(run) = &mut self.run else { return Vec::new() };
        run.acknowledge(last_seq, now_us);
        let outputs = run.say_all();
        outputs.into_iter().chain(self.finish()).collect()
    }

    fn begin(&mut self, assignment: Assignment) -> Vec<Output> {
        let id = assignment.run;
        if self.stay != Stay::Staying {
            return vec![say(FromWorker::CannotRun { run: id, reason: "the worker is leaving".into() })];
        }
        if let Some(active) = self.run.as_mut().filter(|active| active.id == id) {
            return active.begin_again(assignment);
        }
        let abandoned = self.abandon();
        // A run that it was in before as well: it has a new place in it, where deltas are numbered from 1.
        self.run = Some(ActiveRun::new(&assignment));
        abandoned.into_iter().chain([Output::Prepare(Box::new(assignment))]).collect()
    }

    fn acknowledge(&mut self, run: RunId, seq: Seq) -> Vec<Output> {
        let now_us = self.now_us;
        if let Some(active) = self.run.as_mut().filter(|active| active.id == run) {
            active.acknowledge(seq, now_us);
        }
        self.finish()
    }

    fn leave(&mut self, run: RunId) -> Vec<Output> {
        let is_in = self.run.as_ref().is_some_and(|active| active.id == run);
        if is_in { self.abandon().into_iter().collect() } else { Vec::new() }
    }

    /// Forgets the run, whatever state it is in.
    fn abandon(&mut self) -> Option<Output> {
        self.run.take().map(|run| Output::Abandon { run: run.id, lost_deltas: run.outbox.len() })
    }

    fn finish(&mut self) -> Vec<Output> {
        let over = self.run.take_if(|run| run.is_finished());
        over.map(|run| Output::Finished(run.id)).into_iter().collect()
    }

    fn tick(&mut self) -> Vec<Output> {
        let now_us = self.now_us;
        let mut outputs = Vec::new();
        if self.session.takes_heartbeat(now_us) {
            outputs.push(Output::Heartbeat { sent_us: now_us, running: self.running() });
        }
        if self.session.takes_say_again(now_us) {
            outputs.extend(self.session.is_greeting().then(|| self.hello()));
            outputs.extend(self.run.iter_mut().flat_map(|run| run.say_again(now_us)));
        }
        let lease = self.lease;
        outputs.extend(self.run.iter_mut().flat_map(|run| run.tick(&lease, now_us)));
        outputs
    }

    fn retire(&mut self) -> Vec<Output> {
        if self.stay != Stay::Staying {
            return Vec::new();
        }
        self.stay = Stay::Retiring { until_us: self.now_us + limits::RETIRE_WAIT.as_micros() as u64 };
        let now_us = self.now_us;
        match &mut self.run {
            Some(run) if run.has_begun(now_us) => run.retire().into_iter().collect(),
            _ => self.abandon().into_iter().collect(),
        }
    }

    /// Ends the worker once there is nothing left to wait for.
    fn leave_if_due(&mut self) -> Vec<Output> {
        match &self.stay {
            Stay::Retiring { until_us } => {
                let is_late = self.now_us >= *until_us;
                if self.run.is_some() && !is_late {
                    return Vec::new();
                }
                let lost_deltas = self.run.as_ref().map_or(0, |run| run.outbox.len());
                // One that stops its users only now has not left in good order.
                let goodbye = self.run.is_none().then(|| say(FromWorker::Goodbye));
                self.stay = Stay::Gone;
                self.abandon().into_iter().chain(goodbye).chain([Output::Retired { lost_deltas }]).collect()
            }
            Stay::Unreachable { reason } if !self.run.as_ref().is_some_and(ActiveRun::has_load) => {
                let rejected = Output::Rejected { reason: Arc::clone(reason) };
                self.stay = Stay::Gone;
                self.abandon().into_iter().chain([rejected]).collect()
            }
            Stay::Staying | Stay::Unreachable { .. } | Stay::Gone => Vec::new(),
        }
    }

    fn hello(&self) -> Output {
        say(FromWorker::Hello { profile: self.profile.clone(), running: self.running() })
    }

    fn running(&self) -> Option<Running> {
        self.run.as_ref().map(|run| run.running(self.now_us))
    }
}

fn say(message: FromWorker) -> Output {
    Output::Send(message)
}

fn is_greeting(message: &FromWorker) -> bool {
    matches!(message, FromWorker::Hello { .. })
}

#[cfg(test)]
mod tests;
