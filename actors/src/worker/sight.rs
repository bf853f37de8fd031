//! How a worker is, for whoever looks on.

use actix::{Context, Handler, Message, MessageResult};
use akrida_core::wire::Vitals;

use super::actor::WorkerActor;

/// Asks the worker how it is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "WorkerSight")]
pub struct Look;

/// How a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSight {
    /// Whether a leader knows it and listens to it.
    pub is_welcomed: bool,
    /// Masters that it has a link to.
    pub masters_linked: usize,
    /// Its users, and what it takes of the machine.
    pub vitals: Vitals,
    /// Sealed deltas that are not known to be safe.
    pub unsafe_deltas: usize,
    /// Whether nothing is lost if it ends now: no leader listens, no user may run any more, and all that was measured is
    /// safe.
    pub may_give_up: bool,
}

impl Handler<Look> for WorkerActor {
    type Result = MessageResult<Look>;

    fn handle(&mut self, _: Look, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.sight())
    }
}
