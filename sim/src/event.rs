//! Everything that can happen.

use akrida_core::ids::RunId;
use akrida_core::replica::output::Send;
use akrida_core::worker::RunEvent;

use crate::faults::Fault;
use crate::links::ConnectionId;
use crate::master::raft::Inbox;
use crate::workload::{ActionId, Outcome};

/// A machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Master(usize),
    Worker(usize),
}

impl Node {
    pub(crate) fn is_master(self) -> bool {
        matches!(self, Self::Master(_))
    }
}

/// One thing that happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// To a process, unless it has died since; later if it is paused.
    Master {
        at: usize,
        life: u64,
        what: MasterEvent,
    },
    Worker {
        at: usize,
        life: u64,
        what: WorkerEvent,
    },
    /// What is next on a connection may arrive at its master, or at its worker.
    Up(ConnectionId),
    Down(ConnectionId),
    /// Both sides of all connections look whether the other one still says something.
    CheckLinks,
    /// A machine starts its process, if it has none.
    Start(Node),
    /// A paused process goes on.
    Wake(Node, u64),
    /// Something goes wrong, or is over.
    Fault,
    FaultOver(Fault),
    /// The clients of the cluster: the next action, another attempt, an answer.
    NextAction,
    Attempt(ActionId, u64),
    Answered {
        action: ActionId,
        outcome: Outcome,
    },
    /// The operator looks whether a change of members is done.
    Operator,
    /// The world looks whether it has healed.
    LookAtHealing,
}

/// What happens to a master.
#[derive(Debug)]
pub(crate) enum MasterEvent {
    RaftTick,
    /// The oldest write is durable.
    Written,
    /// A write is reported as durable.
    Persisted(u64),
    Peer(Send),
    /// The coordinator says something to the raft thread.
    Raft(Inbox),
    /// The raft thread has said something to the coordinator.
    Log,
    CoordinatorTick,
    Arrived(ConnectionId),
    Order(ActionId),
}

/// What happens to a worker.
#[derive(Debug)]
pub(crate) enum WorkerEvent {
    /// The timer with this number goes off.
    Tick(u64),
    Connect(usize),
    Arrived(ConnectionId),
    /// The preparation with this number is done.
    Prepared(u64),
    OfRun(RunId, RunEvent),
    /// The collectors are drained for the preparation with this number.
    Collect(u64),
    /// A user sends a request.
    Sample(u64),
    /// A user that was told to stop has done so.
    UserEnded(u64),
}

impl MasterEvent {
    /// Whether it is a timer: a process that was paused hears what came meanwhile before its timers go off.
    pub(crate) fn is_timer(&self) -> bool {
        matches!(self, Self::RaftTick | Self::CoordinatorTick)
    }
}
