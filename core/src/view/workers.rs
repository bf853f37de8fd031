//! The workers as `cluster status` shows them.

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, WorkerId};
use crate::state::worker::WorkerProfile;
use crate::wire::Vitals;

/// A worker as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Its name.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// What it says of itself.
    pub profile: WorkerProfile,
    /// Where it stands.
    pub state: WorkerState,
    /// Milliseconds since this leader heard of it; `None` if it never has.
    pub heard_ms_ago: Option<u64>,
    /// How it is, as it said last.
    pub vitals: Option<Vitals>,
    /// Slots of the run that it owns.
    pub slots: u64,
    /// How often it was lost in mid-run.
    pub losses: u32,
}

/// Where a worker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerState {
    /// It was there and is not.
    Gone,
    /// It was lost too often and is no longer taken.
    Quarantined,
    /// It is there and in no run.
    Idle,
    /// It gets ready for a run.
    Preparing,
    /// It generates load.
    Running,
    /// It is there, its part of the run is over.
    Finished,
}

impl WorkerView {
    /// Whether it is there.
    #[must_use]
    pub fn is_present(&self) -> bool {
        !matches!(self.state, WorkerState::Gone | WorkerState::Quarantined)
    }
}
