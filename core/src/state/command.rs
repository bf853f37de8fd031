//! What can be done to the replicated state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::plan::Plan;
use crate::plan::classes::ClassShare;
use crate::plan::rate::SpawnRate;
use crate::stats::run::MergedIntervals;
use crate::threshold::Threshold;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A worker connected.
    RegisterWorker {
        /// Its name.
        worker: WorkerId,
        /// Its current life; a new one starts with no deltas.
        incarnation: Incarnation,
    },
    /// Starts a run with all registered workers.
    StartRun {
        /// The new run.
        run: RunId,
        /// What it is.
        spec: Box<RunSpec>,
    },
    /// Changes the target of the run from an instant of plan time on.
    EditRun {
        /// Which run.
        run: RunId,
        /// From when.
        at_us: u64,
        /// New target.
        users: u64,
        /// Rate to get there.
        rate: SpawnRate,
    },
    /// Opens a new statistics segment at an instant of plan time.
    ResetStatistics {
        /// Which run.
        run: RunId,
        /// From when.
        at_us: u64,
        /// Whether the time series so far stays to be seen, as after a warm-up.
        keep_series: bool,
    },
    /// Ends the plan at an instant of plan time.
    StopRun {
        /// Which run.
        run: RunId,
        /// When.
        at_us: u64,
        /// Why.
        reason: StopReason,
    },
    /// Merges deltas of workers.
    MergeDeltas(Box<DeltaBatch>),
    /// Ends a run although deltas of some workers are missing.
    EndRun {
        /// Which run.
        run: RunId,
        /// Whose last deltas never came.
        missing: Vec<WorkerId>,
    },
}

/// Why a run was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopReason {
    /// Its run time is over.
    RunTime,
    /// Somebody asked for it.
    Requested,
    /// A threshold that stops the run was violated.
    Threshold,
    /// Every row of a data feeder that stops the run was drawn.
    DataExhausted,
}

/// What a run is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// The load.
    pub plan: Plan,
    /// The run time that was asked for; the plan may end earlier because the run was stopped.
    pub run_time_ms: Option<u64>,
    /// The scenario's name.
    pub scenario: Arc<str>,
    /// The host, if it is one for all classes.
    pub host: Option<Arc<str>>,
    /// The label given with `--profile`.
    pub profile: Option<Arc<str>>,
    /// The user classes in the order of the scenario.
    pub classes: Vec<Arc<str>>,
    /// How many users each class gets, in the same order.
    pub shares: Vec<ClassShare>,
    /// Grace for running tasks at the end.
    pub stop_timeout_ms: u64,
    /// Whether the statistics start afresh once all users are spawned.
    pub reset_when_spawned: bool,
    /// How long after the start the statistics start afresh; 0 without a warm-up.
    pub warm_up_ms: u64,
    /// What the run is held to.
    pub thresholds: Vec<Threshold>,
}

/// Deltas of one or more workers, merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaBatch {
    /// The run they belong to.
    pub run: RunId,
    /// Which deltas.
    pub parts: Vec<DeltaPart>,
    /// What they hold, merged.
    pub intervals: MergedIntervals,
}

/// Consecutive deltas of one worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaPart {
    /// The worker.
    pub worker: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// The first delta.
    pub first: Seq,
    /// The last delta.
    pub last: Seq,
    /// Whether the last one is the worker's last of the run.
    pub finished: bool,
}

/// Why a command changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A run is active already.
    #[error("a run is active")]
    RunIsActive,
    /// There is no active run of that id.
    #[error("no such active run")]
    NoSuchRun,
    /// No worker is registered.
    #[error("no workers are connected")]
    NoWorkers,
    /// An edit of a run that is stopping.
    #[error("the run is stopping")]
    RunIsStopping,
    /// An edit of the users of a run whose load is a rate of arrivals.
    #[error("the load of this run is a rate of arrivals, not a number of users")]
    RunIsOpen,
    /// A part of a batch does not continue its worker's last delta.
    #[error("deltas {first:?} of worker {worker} do not follow {expected:?}")]
    OutOfOrder {
        /// The worker.
        worker: WorkerId,
        /// What came.
        first: Seq,
        /// What was expected.
        expected: Seq,
    },
}
