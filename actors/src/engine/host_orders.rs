//! What the host of an arbiter's users is told.

use std::sync::Arc;

use actix::Message;
use akrida_core::ids::UserIndex;
use akrida_core::plan::slots::SlotSet;

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
