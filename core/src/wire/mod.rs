//! The messages between masters and workers.

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::plan::Plan;
use crate::plan::classes::ClassShare;
use crate::state::command::StopReason;
use crate::stats::delta::Delta;

/// What a master tells a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// The worker is registered; deltas up to this one are safe, the ones after it are to be sent again.
    Welcome {
        /// What may be dropped.
        last_seq: Seq,
    },
    /// Take part in a run.
    Begin(Box<Assignment>),
    /// The plan or the statistics segment of the run has changed.
    Update {
        /// Which run.
        run: RunId,
        /// The plan as it is now.
        plan: Plan,
        /// The statistics segment as it is now.
        segment: u32,
    },
    /// Deltas up to this one are safe.
    Acknowledge {
        /// Which run.
        run: RunId,
        /// What may be dropped.
        seq: Seq,
    },
}

/// A worker's part of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The run.
    pub run: RunId,
    /// The load of all workers together.
    pub plan: Plan,
    /// How many users each class gets.
    pub shares: Vec<ClassShare>,
    /// This worker's place among the workers that the slots are dealt to.
    pub position: usize,
    /// How many workers that are.
    pub workers: usize,
    /// The statistics segment.
    pub segment: u32,
    /// Grace for running tasks at the end.
    pub stop_timeout_ms: u64,
}

/// What a worker tells a master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// Its first message.
    Hello {
        /// Its name.
        worker: WorkerId,
        /// Its current life.
        incarnation: Incarnation,
    },
    /// A sealed delta.
    Delta(Box<Delta>),
    /// The run cannot go on here and should stop everywhere. Said again while the plan goes on.
    StopRun {
        /// Which run.
        run: RunId,
        /// Since when, in plan time.
        at_us: u64,
        /// Why.
        reason: StopReason,
    },
}
