//! A worker in the replicated state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, Seq};

/// A worker that has registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Its current life.
    pub incarnation: Incarnation,
    /// What it says of itself.
    pub profile: WorkerProfile,
    /// The last delta of the current run that was applied.
    pub last_seq: Seq,
    /// Whether it is there: registered and not lost since.
    pub is_present: bool,
    /// How often it was lost in mid-run, other than by a goodbye, since it last ended a run in good order.
    pub losses: u32,
}

/// What a worker says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerProfile {
    /// Its tags.
    pub tags: Vec<Arc<str>>,
    /// The most users that it may run; any number if `None`.
    pub users_max: Option<u64>,
    /// Its share of the load beside others with the strategy `weighted`, in thousandths of a core that it may use.
    pub cpu_millis: u32,
    /// The version of its program.
    pub version: Arc<str>,
}

/// Why a worker is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossReason {
    /// It said goodbye.
    Goodbye,
    /// It was not heard of for so long that its lease has surely ended.
    Silence,
    /// Nobody listens at its process any more, or a new life of it has registered.
    Died,
}
