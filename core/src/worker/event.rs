//! What happens to a worker, and what it does about it.

use std::sync::Arc;

use crate::data::ranges::RowRange;
use crate::ids::RunId;
use crate::plan::slots::SlotSet;
use crate::stats::measurements::Measurements;
use crate::wire::{Assignment, FromWorker, Running, ToWorker};

/// What happens to a worker.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A leader is there: another one than before, or the same again after its link was down or in a later term.
    LeaderFound,
    /// No leader is there.
    LeaderLost,
    /// The leader said something.
    Message(ToWorker),
    /// Time has passed.
    Tick,
    /// The worker shall leave in good order.
    Retire,
    /// No master will be reached any more.
    Unreachable {
        /// Why not.
        reason: Arc<str>,
    },
    /// Something happened in a run. It is ignored if that is not the worker's run any more.
    OfRun {
        /// Which run.
        run: RunId,
        /// What.
        event: RunEvent,
    },
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEvent {
    /// After [`Output::Prepare`]: it is ready, or why it cannot be.
    Prepared(Result<(), Arc<str>>),
    /// What [`Output::Seal`] asked for.
    Sealed(Box<Sealed>),
    /// After [`Output::Drain`]: no user is left.
    Drained,
    /// After [`Output::EndLoad`]: no user is left.
    UsersStopped,
    /// After [`Output::MoveSlots`]: no user is left in slots that the worker does not own.
    SlotsLeft {
        /// Which distribution of the slots.
        epoch: u64,
    },
    /// A data feeder that ends the run has no row left.
    DataExhausted,
    /// Users want rows of a `unique` feeder.
    RowsWanted {
        /// Which feeder.
        feeder: u32,
        /// Leased rows that were used and that no user has any more.
        used: Vec<RowRange>,
        /// How many more are wanted.
        want: u64,
    },
    /// Users are done with a `unique` feeder.
    RowsClosed {
        /// Which feeder.
        feeder: u32,
        /// Leased rows that were not used.
        unused: Vec<RowRange>,
    },
}

/// What the collectors gave when they were drained.
#[derive(Clone, Debug, PartialEq)]
pub struct Sealed {
    /// Users that exist, per class.
    pub users: Vec<u64>,
    /// CPU used since the last time, in thousandths of what may be used.
    pub cpu_permille: u16,
    /// What was measured since the last time.
    pub measurements: Measurements,
}

/// What a worker does.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Say something to the leader.
    Send(FromWorker),
    /// Say to the leader that the worker lives, and how it is.
    Heartbeat {
        /// The worker's clock.
        sent_us: u64,
        /// Its run.
        running: Option<Running>,
    },
    /// Get ready for a run; the answer is [`RunEvent::Prepared`].
    Prepare(Box<Assignment>),
    /// The run starts. Arrivals of an open model that are due from now on are the worker's.
    Launch {
        /// When plan time is 0, on the worker's clock; may lie before its start.
        anchor_us: i64,
        /// The worker's slots by now.
        slots: SlotSet,
    },
    /// Start users.
    Start(Vec<UserStart>),
    /// Stop users, in this order, with the run's stop time-out.
    Stop(Vec<u64>),
    /// Stop the users of all slots but these with the run's stop time-out, and say [`RunEvent::SlotsLeft`] when none of
    /// them is left. Arrivals of an open model are those of these slots from shortly on.
    MoveSlots {
        /// The number of this distribution of the slots.
        epoch: u64,
        /// All slots that the worker owns.
        slots: SlotSet,
    },
    /// The lease has ended: stop all users so that none is left within this time, let no arrivals in, and say
    /// [`RunEvent::Drained`]. The run goes on.
    Drain {
        /// The time for it.
        within_us: u64,
    },
    /// The lease was renewed after [`Output::Drain`]: arrivals of an open model that are due from now on are served.
    Resume,
    /// The load is over: stop all users with the run's stop time-out, and say [`RunEvent::UsersStopped`] when none is
    /// left.
    EndLoad,
    /// Drain the collectors and give what they have as [`RunEvent::Sealed`].
    Seal,
    /// These rows of a `unique` feeder were leased; none when no row is left.
    GiveRows {
        /// Which feeder.
        feeder: u32,
        /// The rows.
        rows: Vec<RowRange>,
    },
    /// Everything of the run is safe; forget it.
    Finished(RunId),
    /// Stop all users of a run at once and forget it.
    Abandon {
        /// Which run.
        run: RunId,
        /// Sealed deltas of it that are not known to be safe, and are given up.
        lost_deltas: usize,
    },
    /// The worker has left in good order, or could not in time.
    Retired {
        /// Sealed deltas that are not known to be safe.
        lost_deltas: usize,
    },
    /// The leader does not want the worker now, and is asked again later. Told each time.
    PutOff {
        /// Why.
        reason: Arc<str>,
    },
    /// The worker is not wanted, or cannot reach any master: its process is to end with an error.
    Rejected {
        /// Why.
        reason: Arc<str>,
    },
}

/// A user to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserStart {
    /// Its index in the plan.
    pub index: u64,
    /// Its class.
    pub class: usize,
    /// When it should start, in plan time.
    pub intended_start_us: u64,
}
