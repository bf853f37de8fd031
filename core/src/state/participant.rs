//! A worker's part in one run.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::worker::{LossReason, Worker};
use crate::ids::{Incarnation, WorkerId};

/// A life of a worker in a run. It keeps its place in the list for the whole run; a worker that comes back gets a new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The worker.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// Where it stands.
    pub state: ParticipantState,
    /// Thousandths of a core that it may use.
    pub cpu_millis: u32,
    /// The most users that it may run.
    pub users_max: Option<u64>,
}

/// Where a participant stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParticipantState {
    /// It came after the start and gets ready; it has no slots.
    Joining,
    /// It takes part: its slots are its own, its deltas are merged.
    Live,
    /// Its last delta is merged.
    Finished,
    /// It was lost; deltas of it are no longer taken.
    Lost(LossReason),
    /// It was left out, and why.
    Excluded(Arc<str>),
    /// The run stopped before it was ready.
    Dismissed,
}

impl Participant {
    pub(super) fn new(id: &WorkerId, worker: &Worker, state: ParticipantState) -> Self {
        Self {
            worker: id.clone(),
            incarnation: worker.incarnation,
            state,
            cpu_millis: worker.profile.cpu_millis,
            users_max: worker.profile.users_max,
        }
    }

    /// Whether it takes part: not getting ready, not done, not gone.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state == ParticipantState::Live
    }

    /// Whether it takes part or gets ready to.
    #[must_use]
    pub fn is_in(&self) -> bool {
        matches!(self.state, ParticipantState::Joining | ParticipantState::Live)
    }
}

/// A worker that was lost in mid-run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerLoss {
    /// Which.
    pub worker: WorkerId,
    /// Up to where the statistics of the run were when it was given up, in plan time.
    pub at_us: u64,
    /// Up to where its own figures are in the statistics, in plan time. What it did after that is unknown.
    pub reported_until_us: u64,
    /// Why it was given up.
    pub reason: LossReason,
}
