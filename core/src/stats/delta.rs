//! What a worker seals once an interval: an immutable, numbered piece of its statistics.

use serde::{Deserialize, Serialize};

use super::measurements::Measurements;
use crate::ids::{Incarnation, RunId, Seq, WorkerId};

/// A sealed delta. Its identity is `(run, worker, incarnation, seq)`; once sealed it never changes, it is resent in
/// order until acknowledged, and it is counted exactly once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The run.
    pub run: RunId,
    /// The worker.
    pub worker: WorkerId,
    /// Which life of the worker.
    pub incarnation: Incarnation,
    /// Its number: 1, 2, 3, …
    pub seq: Seq,
    /// What it holds.
    pub interval: Interval,
    /// Whether it is the worker's last one of the run.
    pub last: bool,
}

/// An interval of plan time and what was measured in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Start, in microseconds of plan time.
    pub from_us: u64,
    /// End, exclusive.
    pub to_us: u64,
    /// The statistics segment: each reset opens the next.
    pub segment: u32,
    /// Users that exist at the end, per class in the order of the scenario.
    pub users: Vec<u64>,
    /// CPU that the generator used, in thousandths of what it may use.
    pub cpu_permille: u16,
    /// What was measured.
    pub measurements: Measurements,
}
