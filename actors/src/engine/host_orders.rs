//! What the host of an arbiter's users is told, and what it does then.

use std::sync::Arc;

use actix::{Context, Handler, Message, ResponseFuture};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::plan::slots::SlotSet;

use super::host::UserHost;
use crate::clock::PlanClock;
use crate::user::context::{StopMode, UserSpec};

/// Starts the clock, and in an open model the arrivals.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Launch {
    /// The clock of the run.
    pub(super) clock: PlanClock,
    /// The worker's slots.
    pub(super) slots: SlotSet,
    /// Arrivals that are due earlier are not served.
    pub(super) from_us: u64,
}

/// Starts users.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StartUsers(pub(super) Vec<UserSpec>);

/// Stops some users, as far as they are this arbiter's.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StopUsers {
    /// Which.
    pub(super) users: Arc<[UserIndex]>,
    /// How.
    pub(super) mode: StopMode,
}

/// Changes the worker's slots; answered when no user is left in others.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct MoveSlots {
    /// All slots of the worker.
    pub(super) slots: SlotSet,
    /// Arrivals that are due from then on are those of these slots.
    pub(super) at_us: u64,
    /// How users stop that are no longer the worker's.
    pub(super) mode: StopMode,
}

/// Stops all users and lets no arrivals in; answered when none is left.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct SuspendUsers(pub(super) StopMode);

/// Lets arrivals in again.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Resume {
    /// Those that are due earlier are not served.
    pub(super) from_us: u64,
}

/// Stops all users for good; answered when none is left.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StopAllUsers(pub(super) StopMode);

impl Handler<Launch> for UserHost {
    type Result = ();

    fn handle(&mut self, Launch { clock, slots, from_us }: Launch, context: &mut Context<Self>) {
        self.context.clock.anchor(clock);
        if let Some(load) = &mut self.load {
            load.move_to(slots, from_us);
        }
        self.arm(context);
    }
}

impl Handler<StartUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StartUsers, context: &mut Context<Self>) {
        order.0.into_iter().for_each(|spec| self.start_user(spec, context));
    }
}

impl Handler<StopUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StopUsers, _: &mut Context<Self>) {
        let users = order.users.iter().filter_map(|user| self.users.get(user));
        users.for_each(|user| Self::stop(user, order.mode));
    }
}

impl Handler<MoveSlots> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, MoveSlots { slots, at_us, mode }: MoveSlots, context: &mut Context<Self>) -> Self::Result {
        if self.context.desk.is_none() {
            let all = self.users.iter().chain(self.replaced.iter().map(|(index, user)| (index, user)));
            let others = all.clone().filter(|(index, _)| !slots.owns_user(index.0));
            others.for_each(|(_, user)| Self::stop(user, mode));
            let indices: Vec<UserIndex> = all.map(|(index, _)| *index).collect();
            return self.waiting.for_others(slots, indices.into_iter());
        }
        let has_room = self.waiting.for_room();
        self.trim_mode = mode;
        match &mut self.load {
            Some(load) => load.move_to(slots, at_us),
            None => self.waiting.has_room(),
        }
        if let Some(load) = self.load.as_mut().filter(|_| self.is_suspended) {
            load.move_now();
            self.make_users_fit();
        }
        self.arm(context);
        has_room
    }
}

impl Handler<SuspendUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, SuspendUsers(mode): SuspendUsers, context: &mut Context<Self>) -> Self::Result {
        self.is_suspended = true;
        if let Some(load) = &mut self.load {
            load.move_now();
        }
        self.arm(context);
        self.drop_waiting_arrivals();
        let none_left = self.waiting.for_none();
        self.stop_all(mode);
        self.make_users_fit();
        self.tell_if_none_is_left();
        none_left
    }
}

impl Handler<Resume> for UserHost {
    type Result = ();

    fn handle(&mut self, Resume { from_us }: Resume, context: &mut Context<Self>) {
        self.is_suspended = false;
        if let Some(load) = &mut self.load {
            load.skip_to(from_us);
        }
        self.arm(context);
    }
}

impl Handler<StopAllUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, order: StopAllUsers, context: &mut Context<Self>) -> Self::Result {
        let none_left = self.waiting.for_none();
        self.end_arrivals(context);
        let mode = match (order.0, &self.context.desk) {
            // What was due before the end is still served, in the time that requests in flight get.
            (StopMode::Now, Some(_)) => StopMode::AfterTask(limits::STOP_GRACE),
            (mode, _) => mode,
        };
        self.stop_all(mode);
        self.tell_if_none_is_left();
        none_left
    }
}
