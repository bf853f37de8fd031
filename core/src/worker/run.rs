//! A worker's part of one run, from getting ready to the last delta.

mod due;
mod saying;

use std::sync::Arc;

use super::lease::Lease;
use super::outbox::Outbox;
use super::rows::RowRequests;
use super::sealing::{Pressure, Sealing};
use super::users::Users;
use super::{Output, Sealed};
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::plan::Plan;
use crate::plan::classes::ClassSequence;
use crate::plan::slots::SlotSet;
use crate::state::command::StopReason;
use crate::wire::{Assignment, FromWorker, Running, ToWorker};

/// A run that a worker takes part in.
#[derive(Debug)]
pub(super) struct ActiveRun {
    pub(super) id: RunId,
    plan: Plan,
    users: Users,
    phase: Phase,
    /// Since when the leader that is there wants load.
    pub(super) to_launch_since_us: Option<u64>,
    /// When plan time is 0, on the worker's clock; may lie before its start.
    anchor_us: Option<i64>,
    epoch: u64,
    release: Release,
    sealing: Sealing,
    pub(super) outbox: Outbox,
    pub(super) rows: RowRequests,
    /// By when users must be gone whose lease has ended.
    drained_by_us: Option<u64>,
    /// Deltas that were sealed since then.
    sealed_since_drained: u32,
    /// Since when a data feeder is exhausted that ends the run, in plan time.
    exhausted_at_us: Option<u64>,
    /// Whether the users were stopped because the worker leaves, not because the plan is over.
    retires: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// The scenario is being compiled.
    Preparing,
    /// It could not be.
    Failed(Arc<str>),
    /// The launch is awaited.
    Ready,
    /// Users follow the plan.
    Running,
    /// The lease has ended; users stop.
    Draining,
    /// The lease has ended, and no user is left.
    Drained,
    /// The plan is over here; users stop.
    Stopping,
    /// No user is left; the last delta is due, or sealed.
    Stopped,
}

/// Whether users are left in slots that the worker has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Release {
    /// No slot has changed hands.
    Nothing,
    /// There may be some.
    Pending,
    /// There are none, and this was said so often.
    Done { said: u32 },
}

impl ActiveRun {
    /// A run that is to be prepared.
    pub(super) fn new(assignment: &Assignment) -> Self {
        let classes = ClassSequence::new(&assignment.shares);
        Self {
            id: assignment.run,
            plan: assignment.plan.clone(),
            users: Users::none(classes, assignment.slots.clone()),
            phase: Phase::Preparing,
            to_launch_since_us: None,
            anchor_us: None,
            epoch: assignment.epoch,
            release: Release::Nothing,
            sealing: Sealing::new(assignment.segment),
            outbox: Outbox::default(),
            rows: RowRequests::default(),
            drained_by_us: None,
            sealed_since_drained: 0,
            exhausted_at_us: None,
            retires: false,
        }
    }

    /// Where the run stands, for a leader.
    pub(super) fn running(&self, now_us: u64) -> Running {
        Running { run: self.id, plan_us: self.plan_us(now_us) }
    }

    /// A leader says something about the run.
    pub(super) fn hear(&mut self, message: ToWorker) -> Vec<Output> {
        match message {
            ToWorker::Slots { epoch, slots, .. } => self.move_slots(epoch, slots),
            ToWorker::Update { plan, segment, .. } => {
                self.update(plan, segment);
                Vec::new()
            }
            ToWorker::Rows { feeder, request, rows, .. } => {
                let is_awaited = self.rows.answered(feeder, request);
                is_awaited.then_some(Output::GiveRows { feeder, rows }).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// A leader gives the run again: it may know more than the last one.
    pub(super) fn begin_again(&mut self, assignment: Assignment) -> Vec<Output> {
        self.update(assignment.plan, assignment.segment);
        let moved = if assignment.epoch > self.epoch { self.take(assignment.epoch, assignment.slots) } else { vec![] };
        self.readiness().into_iter().chain(moved).collect()
    }

    /// What the engine says of the preparation.
    pub(super) fn prepared(&mut self, outcome: Result<(), Arc<str>>, now_us: u64) -> Vec<Output> {
        if self.phase != Phase::Preparing {
            return Vec::new();
        }
        self.phase = outcome.map_or_else(Phase::Failed, |()| Phase::Ready);
        self.readiness().into_iter().chain(self.start(now_us)).collect()
    }

    /// Whether load is wanted, and plan time is not known.
    pub(super) fn awaits_plan_time(&self) -> bool {
        self.to_launch_since_us.is_some() && self.anchor_us.is_none()
    }

    /// Whether the answer to what was sent at this time is believed, however old it may be: no better one comes.
    pub(super) fn takes_any_answer_to(&self, sent_us: u64, now_us: u64) -> bool {
        let wait_us = limits::LAUNCH_WAIT.as_micros() as u64;
        self.to_launch_since_us
            .is_some_and(|since_us| sent_us >= since_us && now_us >= since_us.saturating_add(wait_us))
    }

    /// Plan time was `plan_us` at a leader `one_way_us` ago.
    pub(super) fn launch(&mut self, plan_us: i64, one_way_us: u64, now_us: u64) -> Option<Output> {
        let now = i64::try_from(now_us).unwrap_or(i64::MAX);
        let one_way_us = i64::try_from(one_way_us).unwrap_or(0);
        self.anchor_us = Some(now.saturating_sub(plan_us).saturating_sub(one_way_us));
        self.start(now_us)
    }

    fn start(&mut self, now_us: u64) -> Option<Output> {
        let anchor_us = self.anchor_us.filter(|_| self.phase == Phase::Ready)?;
        self.phase = Phase::Running;
        if let Some(plan_us) = self.plan_us(now_us) {
            self.users.miss_all(&self.plan, plan_us);
            self.sealing.open_at(plan_us);
        }
        Some(Output::Launch { anchor_us, slots: self.users.slots().clone() })
    }

    /// The plan or the statistics segment is this one from now on.
    fn update(&mut self, plan: Plan, segment: u32) {
        self.plan = plan;
        self.sealing.open_segment(segment);
    }

    /// The slots are these from now on, unless that is out of date.
    fn move_slots(&mut self, epoch: u64, slots: SlotSet) -> Vec<Output> {
        match epoch.cmp(&self.epoch) {
            std::cmp::Ordering::Less => Vec::new(),
            std::cmp::Ordering::Equal if self.release == Release::Pending => Vec::new(),
            std::cmp::Ordering::Equal => vec![self.released()],
            std::cmp::Ordering::Greater => self.take(epoch, slots),
        }
    }

    fn take(&mut self, epoch: u64, slots: SlotSet) -> Vec<Output> {
        self.epoch = epoch;
        self.users.move_to(slots.clone());
        if self.is_launched() {
            self.release = Release::Pending;
            return vec![Output::MoveSlots { epoch, slots }];
        }
        self.release = Release::Done { said: 1 };
        vec![self.released()]
    }

    /// No user is left in slots that were lost by this distribution.
    pub(super) fn slots_left(&mut self, epoch: u64) -> Option<Output> {
        let done = epoch == self.epoch && self.release == Release::Pending;
        done.then(|| {
            self.release = Release::Done { said: 1 };
            self.released()
        })
    }

    fn released(&self) -> Output {
        Output::Send(FromWorker::Released { run: self.id, epoch: self.epoch })
    }

    /// Stops the users if their lease has ended.
    pub(super) fn check_lease(&mut self, lease: &Lease, now_us: u64) -> Option<Output> {
        let has_users = matches!(self.phase, Phase::Running | Phase::Stopping);
        if lease.holds(now_us) || !has_users || self.drained_by_us.is_some() {
            return None;
        }
        if self.phase == Phase::Running {
            self.phase = Phase::Draining;
        }
        self.drained_by_us = Some(lease.drained_by_us());
        Some(Output::Drain { within_us: lease.drained_by_us().saturating_sub(now_us) })
    }

    /// Until when users may send requests. Those that were told to stop may end what they are at.
    pub(super) fn may_send_until_us(&self, lease: &Lease) -> u64 {
        lease.until_us().max(self.drained_by_us.unwrap_or(0))
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, lease: &Lease, now_us: u64) -> Vec<Output> {
        let Some(plan_us) = self.plan_us(now_us).filter(|_| self.is_launched()) else { return Vec::new() };
        // What was measured up to now, users included, is of the interval that is over.
        let sealed = self.seal_if_due(plan_us);
        sealed.into_iter().chain(self.follow_plan(plan_us, lease.holds(now_us))).collect()
    }

    fn follow_plan(&mut self, plan_us: u64, lease_holds: bool) -> Vec<Output> {
        if !matches!(self.phase, Phase::Running | Phase::Draining | Phase::Drained) {
            return Vec::new();
        }
        if self.is_plan_over(plan_us) {
            self.phase = Phase::Stopping;
            return vec![Output::EndLoad];
        }
        let mut outputs = Vec::new();
        if self.phase == Phase::Drained && lease_holds {
            self.phase = Phase::Running;
            self.drained_by_us = None;
            self.users.miss_all(&self.plan, plan_us);
            outputs.push(Output::Resume);
        }
        if self.phase == Phase::Running {
            outputs.extend(self.users.follow(&self.plan, plan_us, self.catches_up()));
        }
        outputs
    }

    /// After [`Output::Drain`]: no user is left.
    pub(super) fn drained(&mut self) {
        if self.phase == Phase::Draining {
            (self.phase, self.sealed_since_drained) = (Phase::Drained, 0);
        }
    }

    /// After [`Output::EndLoad`]: no user is left.
    pub(super) fn users_stopped(&mut self, now_us: u64) -> Option<Output> {
        if self.phase != Phase::Stopping {
            return None;
        }
        self.phase = Phase::Stopped;
        self.seal_if_due(self.plan_us(now_us).unwrap_or(0))
    }

    /// Whether the load has begun: then there are statistics to be sealed.
    pub(super) fn has_begun(&self, now_us: u64) -> bool {
        self.is_launched() && self.plan_us(now_us).is_some()
    }

    /// The worker leaves: its users stop, although the plan goes on.
    pub(super) fn retire(&mut self) -> Option<Output> {
        let goes_on = matches!(self.phase, Phase::Running | Phase::Draining | Phase::Drained);
        goes_on.then(|| {
            (self.phase, self.retires) = (Phase::Stopping, true);
            Output::EndLoad
        })
    }

    /// A data feeder has no row left that ends the run.
    pub(super) fn data_exhausted(&mut self, now_us: u64) -> Option<Output> {
        if self.exhausted_at_us.is_some() {
            return None;
        }
        self.exhausted_at_us = self.plan_us(now_us);
        self.wish_to_stop()
    }

    /// What the leader is told of exhausted data, until the plan has an end: it may have missed it.
    fn wish_to_stop(&self) -> Option<Output> {
        let at_us = self.exhausted_at_us.filter(|_| self.phase == Phase::Running)?;
        Some(Output::Send(FromWorker::StopRun { run: self.id, at_us, reason: StopReason::DataExhausted }))
    }

    /// Seals what was drained.
    pub(super) fn sealed(&mut self, worker: &WorkerId, incarnation: Incarnation, sealed: Sealed) -> Vec<Output> {
        let Some(delta) = self.sealing.seal((worker, incarnation, self.id), sealed, !self.retires) else {
            return Vec::new();
        };
        let to_us = delta.interval.to_us;
        self.outbox.push(delta);
        self.sealed_since_drained += 1;
        self.wish_to_stop().into_iter().chain(self.seal_if_due(to_us)).collect()
    }

    fn seal_if_due(&mut self, plan_us: u64) -> Option<Output> {
        let pressure = self.pressure();
        self.sealing.takes_end(plan_us, pressure).then_some(Output::Seal)
    }

    fn pressure(&self) -> Pressure {
        match self.phase {
            Phase::Stopped => Pressure::Closing,
            _ if self.outbox.is_full() => Pressure::Full,
            _ => Pressure::Regular,
        }
    }

    /// Deltas up to this one are safe.
    pub(super) fn acknowledge(&mut self, seq: Seq, now_us: u64) {
        self.outbox.acknowledge(seq, now_us);
    }

    /// Whether everything is sealed and safe.
    pub(super) fn is_finished(&self) -> bool {
        self.sealing.is_over() && self.outbox.is_empty()
    }

    /// Whether users run, or may run without anything further from a leader.
    pub(super) fn has_load(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Draining | Phase::Stopping)
            || (self.phase == Phase::Stopped && !self.sealing.is_over())
    }

    /// Whether no user is left or may start, and all that was measured is safe.
    pub(super) fn has_nothing_to_lose(&self) -> bool {
        match self.phase {
            Phase::Preparing | Phase::Failed(_) | Phase::Ready => true,
            // The first seal may have been under way when the last user stopped; behind the second nothing is open.
            Phase::Drained => self.sealed_since_drained >= 2 && self.outbox.is_without_samples(),
            Phase::Running | Phase::Draining | Phase::Stopping | Phase::Stopped => false,
        }
    }

    fn is_plan_over(&self, plan_us: u64) -> bool {
        self.plan.ends_at_us().is_some_and(|end| plan_us >= end)
    }

    /// Users of slots that were just gained wait until the ones that were lost are empty: they may be the same.
    fn catches_up(&self) -> bool {
        self.release != Release::Pending
    }

    fn is_launched(&self) -> bool {
        !matches!(self.phase, Phase::Preparing | Phase::Failed(_) | Phase::Ready)
    }

    /// Plan time; `None` before it begins.
    fn plan_us(&self, now_us: u64) -> Option<u64> {
        let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
        u64::try_from(now_us.saturating_sub(self.anchor_us?)).ok()
    }

    /// The worker's clock at a plan time.
    fn mono_us(&self, plan_us: u64) -> u64 {
        let plan_us = i64::try_from(plan_us).unwrap_or(i64::MAX);
        u64::try_from(plan_us.saturating_add(self.anchor_us.unwrap_or(0))).unwrap_or(0)
    }
}
