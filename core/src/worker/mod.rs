//! A worker's decisions: which users to start and stop, when to seal, what to send again.

pub mod outbox;

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::plan::Plan;
use crate::plan::classes::ClassSequence;
use crate::plan::slots::{Dealing, SlotSet};
use crate::state::command::StopReason;
use crate::state::worker::WorkerProfile;
use crate::stats::delta::{Delta, Interval};
use crate::stats::measurements::Measurements;
use crate::wire::{Assignment, FromWorker, ToWorker};
use outbox::Outbox;

/// What a worker knows.
#[derive(Debug)]
pub struct WorkerCore {
    id: WorkerId,
    incarnation: Incarnation,
    run: Option<ActiveRun>,
    outbox: Outbox,
}

/// What happens to a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A master said something.
    Message(ToWorker),
    /// Time has passed; plan time of the current run.
    Tick {
        /// Now.
        now_us: u64,
    },
    /// What [`Output::Seal`] asked for.
    Sealed(Box<Sealed>),
    /// After [`Output::StopAll`]: no user is left.
    UsersStopped {
        /// Now.
        now_us: u64,
    },
    /// A data feeder that ends the run has no row left.
    DataExhausted {
        /// Which run.
        run: RunId,
        /// Now.
        now_us: u64,
    },
}

/// What the collectors gave when they were drained.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// Users that exist, per class.
    pub users: Vec<u64>,
    /// CPU used since the last time, in thousandths of what may be used.
    pub cpu_permille: u16,
    /// What was measured since the last time.
    pub measurements: Measurements,
}

/// What a worker does.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Say something to the leader.
    Send(FromWorker),
    /// Get ready for a run; its plan time is 0 now.
    Prepare(Box<Assignment>),
    /// Start users.
    Start(Vec<UserStart>),
    /// Stop users, in this order, with the run's stop time-out.
    Stop(Vec<u64>),
    /// Stop all users with the run's stop time-out, and say when none is left.
    StopAll,
    /// Drain the collectors and give what they have as [`Input::Sealed`].
    Seal,
    /// Everything of the run is safe; forget it.
    Finished(RunId),
}

/// A user to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStart {
    /// Its index in the plan.
    pub index: u64,
    /// Its class.
    pub class: usize,
    /// When the plan wanted it to start.
    pub intended_start_us: u64,
}

#[derive(Debug)]
struct ActiveRun {
    run: RunId,
    plan: Plan,
    slots: SlotSet,
    classes: ClassSequence,
    phase: Phase,
    /// All own users below this index were started and not stopped.
    live_below: u64,
    seq: Seq,
    segment: u32,
    /// A segment that opens once what belongs to the current one is sealed.
    next_segment: Option<u32>,
    /// Start of the open delta.
    open_from_us: u64,
    sealing: Option<Sealing>,
    /// Since when a data feeder is exhausted that ends the run.
    exhausted_at_us: Option<u64>,
}

/// A seal that was asked for.
#[derive(Clone, Copy, Debug)]
struct Sealing {
    to_us: u64,
    last: bool,
    opens_segment: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Stopping,
    /// No user is left; the last delta is due.
    Stopped,
    /// The last delta is sealed.
    Sealed,
}

const INTERVAL_US: u64 = limits::INTERVAL.as_micros() as u64;

impl WorkerCore {
    /// A worker without a run.
    #[must_use]
    pub fn new(id: WorkerId, incarnation: Incarnation) -> Self {
        Self { id, incarnation, run: None, outbox: Outbox::default() }
    }

    /// The first message to a master.
    #[must_use]
    pub fn hello(&self) -> FromWorker {
        FromWorker::Hello { profile: WorkerProfile::default(), running: None }
    }

    /// Decides what to do about an input.
    pub fn step(&mut self, input: Input) -> Vec<Output> {
        match input {
            Input::Message(message) => self.hear(message),
            Input::Tick { now_us } => self.tick(now_us),
            Input::Sealed(sealed) => self.sealed(*sealed),
            Input::UsersStopped { now_us } => self.users_stopped(now_us),
            Input::DataExhausted { run, now_us } => self.data_exhausted(run, now_us),
        }
    }

    /// When to tick next, in plan time; `None` when nothing is due before the next other input.
    #[must_use]
    pub fn next_tick_us(&self, now_us: u64) -> Option<u64> {
        let run = self.run.as_ref()?;
        let next = [run.next_change_us(now_us), run.next_seal_us(self.outbox.is_full())];
        next.into_iter().flatten().min().map(|next| next.max(now_us))
    }

    fn hear(&mut self, message: ToWorker) -> Vec<Output> {
        match message {
            ToWorker::Welcome { last_seq, .. } => {
                self.outbox.acknowledge(last_seq);
                self.outbox.iter().cloned().map(send).collect()
            }
            ToWorker::Begin(assignment) => self.begin(assignment),
            ToWorker::Update { run, plan, segment } => {
                if let Some(active) = self.run.as_mut().filter(|active| active.run == run) {
                    active.plan = plan;
                    active.next_segment = (segment != active.segment).then_some(segment);
                }
                Vec::new()
            }
            ToWorker::Acknowledge { run, seq } => {
                if self.run.as_ref().is_some_and(|active| active.run == run) {
                    self.outbox.acknowledge(seq);
                }
                self.finish()
            }
            ToWorker::Launch { .. }
            | ToWorker::Slots { .. }
            | ToWorker::HeartbeatHeard { .. }
            | ToWorker::Rows { .. }
            | ToWorker::Leave { .. }
            | ToWorker::Refused { .. } => Vec::new(),
        }
    }

    fn begin(&mut self, assignment: Box<Assignment>) -> Vec<Output> {
        if self.run.as_ref().is_some_and(|active| active.run == assignment.run) {
            return Vec::new();
        }
        let slots = Dealing::round_robin(assignment.workers).set_of(assignment.position);
        self.outbox = Outbox::default();
        self.run = Some(ActiveRun {
            run: assignment.run,
            plan: assignment.plan.clone(),
            slots,
            classes: ClassSequence::new(&assignment.shares),
            phase: Phase::Running,
            live_below: 0,
            seq: Seq::default(),
            segment: assignment.segment,
            next_segment: None,
            open_from_us: 0,
            sealing: None,
            exhausted_at_us: None,
        });
        vec![Output::Prepare(assignment)]
    }

    fn tick(&mut self, now_us: u64) -> Vec<Output> {
        let Some(run) = &mut self.run else { return Vec::new() };
        // What was measured up to now, users included, is of the interval that is over.
        let sealed = run.seal_if_due(now_us, self.outbox.is_full());
        sealed.into_iter().chain(run.follow_plan(now_us)).collect()
    }

    fn users_stopped(&mut self, now_us: u64) -> Vec<Output> {
        let Some(run) = self.run.as_mut().filter(|run| run.phase == Phase::Stopping) else { return Vec::new() };
        run.phase = Phase::Stopped;
        run.seal_if_due(now_us, false).into_iter().collect()
    }

    fn data_exhausted(&mut self, run: RunId, now_us: u64) -> Vec<Output> {
        let Some(active) = self.run.as_mut().filter(|active| active.run == run) else { return Vec::new() };
        if active.exhausted_at_us.is_some() {
            return Vec::new();
        }
        active.exhausted_at_us = Some(now_us);
        active.wish_to_stop().into_iter().collect()
    }

    fn sealed(&mut self, sealed: Sealed) -> Vec<Output> {
        let Some(run) = &mut self.run else { return Vec::new() };
        let Some(sealing) = run.sealing.take() else { return Vec::new() };
        run.seq = run.seq.next();
        let interval = Interval {
            from_us: run.open_from_us,
            to_us: sealing.to_us,
            segment: run.segment,
            users: sealed.users,
            cpu_permille: sealed.cpu_permille,
            measurements: sealed.measurements,
        };
        let delta = Delta {
            run: run.run,
            worker: self.id.clone(),
            incarnation: self.incarnation,
            seq: run.seq,
            interval,
            last: sealing.last,
        };
        run.open_from_us = sealing.to_us;
        if let Some(segment) = sealing.opens_segment {
            run.segment = segment;
            run.next_segment = run.next_segment.filter(|next| *next != segment);
        }
        if sealing.last {
            run.phase = Phase::Sealed;
        }
        self.outbox.push(delta.clone());
        let mut outputs = vec![send(delta)];
        outputs.extend(run.wish_to_stop());
        outputs.extend(run.seal_if_due(sealing.to_us, self.outbox.is_full()));
        outputs
    }

    fn finish(&mut self) -> Vec<Output> {
        let over = self.outbox.is_empty() && self.run.as_ref().is_some_and(|run| run.phase == Phase::Sealed);
        if !over {
            return Vec::new();
        }
        self.run.take().map(|run| Output::Finished(run.run)).into_iter().collect()
    }
}

fn send(delta: Delta) -> Output {
    Output::Send(FromWorker::Delta(Box::new(delta)))
}

impl ActiveRun {
    /// What the leader is told of exhausted data, until the plan has an end: it may have missed it.
    fn wish_to_stop(&self) -> Option<Output> {
        let at_us = self.exhausted_at_us.filter(|_| self.phase == Phase::Running)?;
        Some(Output::Send(FromWorker::StopRun { run: self.run, at_us, reason: StopReason::DataExhausted }))
    }

    fn wanted_at(&self, now_us: u64) -> u64 {
        let users = self.plan.users_at(now_us);
        self.classes.users_max().map_or(users, |most| users.min(most))
    }

    fn next_change_us(&self, now_us: u64) -> Option<u64> {
        match self.phase {
            Phase::Running if self.live_below != self.wanted_at(now_us) => Some(now_us),
            Phase::Running => self.plan.next_change_us(now_us),
            Phase::Stopping | Phase::Stopped | Phase::Sealed => None,
        }
    }

    fn next_seal_us(&self, outbox_is_full: bool) -> Option<u64> {
        if self.sealing.is_some() || self.phase == Phase::Sealed {
            return None;
        }
        if self.next_segment.is_some() || self.phase == Phase::Stopped {
            return Some(self.open_from_us);
        }
        (!outbox_is_full).then(|| (self.open_from_us / INTERVAL_US + 1) * INTERVAL_US)
    }

    fn follow_plan(&mut self, now_us: u64) -> Vec<Output> {
        if self.phase != Phase::Running {
            return Vec::new();
        }
        if self.plan.ends_at_us().is_some_and(|end| now_us >= end) {
            self.phase = Phase::Stopping;
            return vec![Output::StopAll];
        }
        let wanted = self.wanted_at(now_us);
        if wanted >= self.live_below {
            self.start_up_to(wanted.min(self.live_below + limits::USERS_CHANGED_PER_TICK_MAX), now_us)
        } else {
            self.stop_down_to(wanted.max(self.live_below.saturating_sub(limits::USERS_CHANGED_PER_TICK_MAX)))
        }
    }

    fn start_up_to(&mut self, wanted: u64, now_us: u64) -> Vec<Output> {
        let own = (self.live_below..wanted).filter(|user| self.slots.owns_user(*user));
        let starts: Vec<_> = own
            .filter_map(|index| {
                let class = self.classes.class_of(index)?;
                Some(UserStart { index, class, intended_start_us: self.plan.intended_start_us(index, now_us) })
            })
            .collect();
        self.live_below = wanted;
        if starts.is_empty() { Vec::new() } else { vec![Output::Start(starts)] }
    }

    fn stop_down_to(&mut self, wanted: u64) -> Vec<Output> {
        let stops: Vec<_> = (wanted..self.live_below).rev().filter(|user| self.slots.owns_user(*user)).collect();
        self.live_below = wanted;
        if stops.is_empty() { Vec::new() } else { vec![Output::Stop(stops)] }
    }

    fn seal_if_due(&mut self, now_us: u64, outbox_is_full: bool) -> Option<Output> {
        if self.sealing.is_some() || self.phase == Phase::Sealed {
            return None;
        }
        let last = self.phase == Phase::Stopped;
        let boundary_us = now_us / INTERVAL_US * INTERVAL_US;
        let regular = boundary_us > self.open_from_us && !outbox_is_full;
        if !last && self.next_segment.is_none() && !regular {
            return None;
        }
        let to_us = if last || self.next_segment.is_some() { now_us.max(self.open_from_us) } else { boundary_us };
        self.sealing = Some(Sealing { to_us, last, opens_segment: self.next_segment });
        Some(Output::Seal)
    }
}

#[cfg(test)]
mod tests;
