//! The messages between masters and workers.
//!
//! - [`frame`]: how they are cut out of a stream of bytes
//! - [`body`]: how a message becomes the bytes of a frame
//! - [`handshake`]: who may speak at all
//! - [`refused`]: who was not let in

pub mod body;
pub mod frame;
pub mod handshake;
pub mod refused;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::ranges::RowRange;
use crate::ids::{RunId, Seq};
use crate::plan::Plan;
use crate::plan::classes::ClassShare;
use crate::plan::slots::SlotSet;
use crate::scenario::bundle::Bundle;
use crate::state::command::StopReason;
use crate::state::worker::WorkerProfile;
use crate::stats::delta::Delta;

/// Who leads, as a master announces it to every worker that is attached to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Leadership {
    /// The master leads since this term.
    Leads {
        /// Its term.
        term: u64,
    },
    /// The master does not lead.
    Follows {
        /// The term that it knows.
        term: u64,
    },
}

/// Where a master is, as every master announces it to every worker: those that were added may be in nobody's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterPlace {
    /// Its name.
    pub name: Arc<str>,
    /// Its host name or address.
    pub host: Arc<str>,
    /// Its port for masters and workers.
    pub port: u16,
}

/// What a master tells a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// The worker is registered; deltas up to this one are safe, the ones after it are to be sent again.
    Welcome {
        /// What may be dropped.
        last_seq: Seq,
        /// How long users may go on after the worker sent the last heartbeat that was answered; without end if `None`.
        lease_ms: Option<u64>,
        /// How often to send a heartbeat.
        heartbeat_ms: u64,
    },
    /// Get ready for a run, or go on with it. Said again until the worker says [`FromWorker::Ready`].
    Begin(Box<Assignment>),
    /// The run starts, or has started.
    Launch {
        /// Which run.
        run: RunId,
        /// Plan time when this was sent; negative before its start.
        plan_us: i64,
    },
    /// The slots that the worker owns from now on. It stops the users of those that it no longer owns, says
    /// [`FromWorker::Released`] when none of them is left, and starts those of new ones. Said again until then.
    Slots {
        /// Which run.
        run: RunId,
        /// The number of this distribution of the slots; a lower one than the last is out of date.
        epoch: u64,
        /// All slots that the worker owns.
        slots: SlotSet,
    },
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
    /// A heartbeat was heard by a leader.
    HeartbeatHeard {
        /// The heartbeat's own `sent_us`.
        sent_us: u64,
        /// Plan time of the run under load, when the heartbeat was heard.
        plan: Option<PlanTime>,
    },
    /// Rows of a `unique` feeder; none when no row is left.
    Rows {
        /// Which run.
        run: RunId,
        /// Which feeder, in the order of the scenario.
        feeder: u32,
        /// The request that this answers.
        request: u64,
        /// What was leased.
        rows: Vec<RowRange>,
    },
    /// The run is over for this worker, or was never its: stop all users and forget it.
    Leave {
        /// Which run.
        run: RunId,
    },
    /// The masters end because their run is over: the worker ends too, in good order. Said again until it is gone.
    Quit,
    /// The worker is not wanted now, and why: it forgets the run that it is in, and greets the leader again later.
    NotNow {
        /// For the worker's log.
        reason: Arc<str>,
    },
    /// The worker is not wanted, and why.
    Refused {
        /// For the worker's log.
        reason: Arc<str>,
    },
}

/// A worker's part of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The run.
    pub run: RunId,
    /// The scenario; `None` when the worker has it already.
    pub bundle: Option<Arc<Bundle>>,
    /// The load of all workers together.
    pub plan: Plan,
    /// How many users each class gets.
    pub shares: Vec<ClassShare>,
    /// The worker's slots.
    pub slots: SlotSet,
    /// The number of this distribution of the slots.
    pub epoch: u64,
    /// This worker's number among the participants, from 0; its own for the whole run.
    pub position: usize,
    /// How many participants there are so far.
    pub workers: usize,
    /// The statistics segment.
    pub segment: u32,
    /// Grace for running tasks at the end.
    pub stop_timeout_ms: u64,
}

/// What a worker tells a master. Who says it, and in which life, is known from the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The first message to a leader.
    Hello {
        /// What it is.
        profile: WorkerProfile,
        /// The run that it is in.
        running: Option<Running>,
    },
    /// Ready for a run: its scenario is compiled and its data read.
    Ready {
        /// Which run.
        run: RunId,
    },
    /// The worker cannot take part in a run.
    CannotRun {
        /// Which run.
        run: RunId,
        /// Why.
        reason: Arc<str>,
    },
    /// The worker lives. Answered by [`ToWorker::HeartbeatHeard`].
    Heartbeat {
        /// The worker's own monotonic clock.
        sent_us: u64,
        /// The run that it is in.
        running: Option<Running>,
        /// How it is.
        vitals: Vitals,
    },
    /// No user is left in the slots that the worker does not own in this distribution or an earlier one.
    Released {
        /// Which run.
        run: RunId,
        /// Which distribution.
        epoch: u64,
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
    /// More rows of a `unique` feeder. Said again, with the same number, until it is answered.
    LeaseRows {
        /// Which run.
        run: RunId,
        /// Which feeder, in the order of the scenario.
        feeder: u32,
        /// 1, 2, 3, … of this feeder, in this life of the worker.
        request: u64,
        /// Leased rows that were used and that no user has any more.
        used: Vec<RowRange>,
        /// How many more are wanted.
        want: u64,
    },
    /// The worker is done with a `unique` feeder.
    CloseRows {
        /// Which run.
        run: RunId,
        /// Which feeder.
        feeder: u32,
        /// What it did not use.
        unused: Vec<RowRange>,
    },
    /// The last lines of the worker's log, oldest first, for whoever looks on. Said again to a new leader.
    Log {
        /// The lines.
        lines: Vec<Arc<str>>,
    },
    /// The worker leaves in good order: its users are stopped and its last delta is safe.
    Goodbye,
}

/// Plan time as the leader knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTime {
    /// Of which run.
    pub run: RunId,
    /// Microseconds; negative before the first user starts.
    pub plan_us: i64,
}

/// Where a worker is in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Which run.
    pub run: RunId,
    /// Its plan time when this was sent; `None` before the launch.
    pub plan_us: Option<u64>,
}

/// How a worker is, for whoever looks on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vitals {
    /// Users that exist.
    pub users: u64,
    /// CPU use, in thousandths of what may be used.
    pub cpu_permille: u16,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// What it may use, if that is limited.
    #[serde(default)]
    pub memory_limit_bytes: Option<u64>,
}

impl Vitals {
    /// Whether the worker uses more memory than it may.
    #[must_use]
    pub fn is_short_of_memory(&self) -> bool {
        self.memory_limit_bytes.is_some_and(|limit| self.memory_bytes > limit)
    }
}
