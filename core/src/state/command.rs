//! What can be done to the replicated state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::intended::Present;
use super::member::Member;
use super::worker::{LossReason, WorkerProfile};
use crate::data::ranges::RowRange;
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::plan::Plan;
use crate::plan::classes::ClassShare;
use crate::plan::rate::SpawnRate;
use crate::scenario::bundle::Bundle;
use crate::stats::run::MergedIntervals;
use crate::threshold::Threshold;

/// One change of the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// A worker connected.
    RegisterWorker {
        /// Its name.
        worker: WorkerId,
        /// Its current life; a new one starts with no deltas, and proves that the one before is dead.
        incarnation: Incarnation,
        /// What it says of itself.
        profile: WorkerProfile,
    },
    /// A worker is no longer there, and none of its users is.
    LoseWorker {
        /// Which.
        worker: WorkerId,
        /// Which life of it; another one is not touched.
        incarnation: Incarnation,
        /// Why.
        reason: LossReason,
    },
    /// Keeps a scenario for runs that bring none.
    SetScenario {
        /// The scenario.
        bundle: Arc<Bundle>,
        /// Whether it takes the place of another one.
        replaces: bool,
    },
    /// Notes that masters start a run by themselves once its workers are there.
    IntendRun {
        /// Its id, unless the same command is carried out already.
        run: RunId,
        /// A hash of what is to be run.
        command: u64,
        /// The masters that are there.
        present: Present,
    },
    /// Gives up a run that masters were to start; nothing once it was started.
    CancelIntended {
        /// Which run.
        run: RunId,
        /// Why.
        reason: Arc<str>,
    },
    /// Prepares a run with the registered workers that it selects.
    StartRun {
        /// The new run.
        run: RunId,
        /// What it is.
        spec: Box<RunSpec>,
    },
    /// Starts the load of a run whose participants are ready.
    LaunchRun {
        /// Which run.
        run: RunId,
    },
    /// Leaves a worker out of a run that it cannot take part in.
    ExcludeWorker {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
        /// Why.
        reason: Arc<str>,
    },
    /// Has workers that registered since the start get ready for a run, and evens out the slots.
    Rebalance {
        /// Which run.
        run: RunId,
    },
    /// Gives a worker that joins a run, and is ready, its share of the slots.
    AdmitWorker {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
        /// Its life.
        incarnation: Incarnation,
    },
    /// Notes that another master took the lead in mid-run.
    NoteElection {
        /// Which run.
        run: RunId,
        /// When, in plan time.
        at_us: u64,
    },
    /// A worker has no users left in the slots that it was to give up.
    ReleaseSlots {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
        /// Its life.
        incarnation: Incarnation,
        /// The distribution of the slots that it knew.
        epoch: u64,
    },
    /// Leases rows of a `unique` feeder to a worker.
    LeaseRows {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
        /// Its life.
        incarnation: Incarnation,
        /// Which feeder.
        feeder: u32,
        /// The number of the request: a repeat of the last one gets the same answer.
        request: u64,
        /// Rows that were used.
        used: Vec<RowRange>,
        /// How many more are wanted.
        want: u64,
    },
    /// Takes back what a worker did not use of a `unique` feeder.
    CloseRows {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
        /// Its life.
        incarnation: Incarnation,
        /// Which feeder.
        feeder: u32,
        /// What it did not use.
        unused: Vec<RowRange>,
    },
    /// Names the masters. Who votes is decided by the group itself; this says where they are.
    SetMembers(Vec<Member>),
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
    /// A worker was lost, and the run was to fail then; or none was left.
    WorkerLost,
    /// No participant could prepare it.
    NoWorkerReady,
}

/// What happens to the users of a worker that is lost in mid-run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LossPolicy {
    /// The other workers take them over.
    #[default]
    Replace,
    /// The run goes on with those that are left.
    Continue,
    /// The run stops.
    Fail,
}

/// How the slots of a run are dealt to its workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// To each as many.
    #[default]
    RoundRobin,
    /// To each as many, and fewer to one that is busier than the others, at the next rebalance.
    LeastLoaded,
    /// By the cores that each may use.
    Weighted,
}

/// How a run uses the workers of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// How the slots are dealt.
    pub strategy: Strategy,
    /// What happens when a worker is lost.
    pub on_loss: LossPolicy,
    /// Only workers with all these tags take part; all if there are none.
    pub select_tags: Vec<Arc<str>>,
    /// Rows of each feeder of the scenario that is `unique`, and whether they recycle; `None` for the other feeders.
    pub unique_rows: Vec<Option<UniqueFeeder>>,
}

/// A `unique` feeder as the leader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueFeeder {
    /// Its rows.
    pub rows: u64,
    /// Whether they are used again when all were.
    pub recycles: bool,
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
    /// The scenario as workers get it; `None` when they have it.
    pub bundle: Option<Arc<Bundle>>,
    /// How it uses the workers.
    pub distribution: Distribution,
}

impl RunSpec {
    /// A run of one class of users, of which nothing is asked but its load.
    #[must_use]
    pub fn of_one_class(scenario: &str, class: &str, plan: Plan) -> Self {
        Self {
            plan,
            run_time_ms: None,
            scenario: scenario.into(),
            host: None,
            profile: None,
            classes: vec![class.into()],
            shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
            stop_timeout_ms: 0,
            reset_when_spawned: false,
            warm_up_ms: 0,
            thresholds: Vec::new(),
            bundle: None,
            distribution: Distribution::default(),
        }
    }
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
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refusal {
    /// A run is active already.
    #[error("a run is active")]
    RunIsActive,
    /// The start of a run that was given up.
    #[error("the start of this run was cancelled")]
    RunIsCancelled,
    /// The start of a run that was started before.
    #[error("the run was started before")]
    RunWasStarted,
    /// There is no active run of that id.
    #[error("no such active run")]
    NoSuchRun,
    /// No worker is registered.
    #[error("no workers are connected")]
    NoWorkers,
    /// An edit of a run that is stopping.
    #[error("the run is stopping")]
    RunIsStopping,
    /// The run has not begun yet.
    #[error("the run is being prepared")]
    RunIsPreparing,
    /// Fewer workers than a run needs.
    #[error("{present} of {expected} workers are connected")]
    TooFewWorkers {
        /// How many could take part.
        present: usize,
        /// How many are needed.
        expected: usize,
    },
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
    /// The key of the request was used for another one.
    #[error("this idempotency key was used for another request")]
    KeyReused,
    /// The worker is not registered in this life, or not part of the run.
    #[error("worker {worker} is not known in this life")]
    UnknownWorker {
        /// The worker.
        worker: WorkerId,
    },
    /// A worker was lost too often.
    #[error("worker {worker} was lost {losses} times and is in quarantine")]
    Quarantined {
        /// The worker.
        worker: WorkerId,
        /// How often.
        losses: u32,
    },
    /// The scenario has no `unique` feeder of that number.
    #[error("no such feeder of unique rows")]
    NoSuchFeeder,
    /// A worker named rows that it does not hold.
    #[error(transparent)]
    NotLeased(#[from] crate::data::leases::NotLeased),
}
