//! What the web port asks of its master.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use akrida_actors::coordinator::{PlacedViewReceiver, ViewReceiver};
use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::Refusal;
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::view::RunView;
use bytes::Bytes;

use crate::api::{AddMember, ClusterStatus, RunListed, StateDigest};

/// An answer that takes a while. It comes, or [`ControlError::TimedOut`] does: it never waits without end.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, ControlError>> + Send + 'a>>;

/// A master as the web port knows it. Nothing here forwards anything: what only a leader can do fails with
/// [`ControlError::NotLeader`] on every other master.
pub trait MasterControl: Send + Sync + 'static {
    /// Who leads, as this master knows at this moment. It neither waits nor asks anybody.
    fn leadership(&self) -> Leadership;

    /// How this process is. It neither waits nor asks anybody.
    fn health(&self) -> Health;

    /// Where the view of the active or last run appears, as this master has applied it.
    fn views(&self) -> ViewReceiver;

    /// The same with its place in the log.
    fn placed_views(&self) -> PlacedViewReceiver;

    /// The cluster as this master knows it. It answers without a leader too.
    fn status(&self) -> Answering<'_, ClusterStatus>;

    /// Carries out an order as the leader; answered when it is applied. A key that was used for the same order before
    /// gives the reply of that one, whatever has become of the run since: the requests that are remembered are looked
    /// at before anything else.
    fn order(&self, order: Order, key: Option<RequestKey>) -> Answering<'_, Reply>;

    /// Proof that this master leads, at a time after the call, and has applied everything that was committed before
    /// it: what it tells next is not out of date.
    fn read_barrier(&self) -> Answering<'_, ()>;

    /// The runs that are remembered, the newest first, as this master has applied them.
    fn runs(&self) -> Answering<'_, Vec<RunListed>>;

    /// One of them; `None` if there is no such run.
    fn run_view(&self, run: RunId) -> Answering<'_, Option<Arc<RunView>>>;

    /// The scenario of runs that bring none, as this master has applied it; `None` if the cluster was given none.
    fn scenario(&self) -> Answering<'_, Option<Arc<Bundle>>>;

    /// The scenario of a run while that goes on, and afterwards that of the masters if it has the same name, as this
    /// master has applied it.
    fn scenario_of(&self, run: RunId) -> Answering<'_, Option<Arc<Bundle>>>;

    /// The last lines of the log of each worker, as far as this master was told: a leader is told by all of them.
    fn worker_logs(&self) -> Answering<'_, BTreeMap<String, Vec<Arc<str>>>>;

    /// Changes who is a master or who leads, as the leader; answered when it is done.
    fn change_members(&self, change: MemberChange, key: Option<RequestKey>) -> Answering<'_, ()>;

    /// A backup of the replicated state as this master has applied it: the bytes of a file.
    fn snapshot(&self) -> Answering<'_, Bytes>;

    /// The same in short.
    fn digest(&self) -> Answering<'_, StateDigest>;
}

/// A master, shared by all that ask it.
#[derive(Clone)]
pub struct ClusterHandle(Arc<dyn MasterControl>);

impl ClusterHandle {
    /// A handle to a master.
    pub fn new(control: impl MasterControl) -> Self {
        Self(Arc::new(control))
    }
}

impl std::ops::Deref for ClusterHandle {
    type Target = dyn MasterControl;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for ClusterHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClusterHandle").field(&self.leadership()).finish()
    }
}

/// Who leads, as one master knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leadership {
    /// The term that it knows.
    pub term: u64,
    /// What it is itself.
    pub role: Role,
    /// How long it has known of no leader: 0 while it knows one, `u64::MAX` before it has known any.
    pub without_leader_ms: u64,
}

/// What a master is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// It leads.
    Leading {
        /// Whether it has applied the first entry of its own term and has heard a quorum since: before that it must not
        /// act.
        is_ready: bool,
    },
    /// It does not lead.
    Following {
        /// Who does, as far as it is known.
        leader: Option<WebAddress>,
    },
}

/// Where the web port of a master is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    /// The master's name.
    pub name: Arc<str>,
    /// Its host.
    pub host: Arc<str>,
    /// Its web port.
    pub port: u16,
}

/// How a master's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Whether its Raft thread has ticked and its disk has answered lately.
    pub is_alive: bool,
    /// Whether it is about to end, and wants no more requests.
    pub is_draining: bool,
}

/// A change of who is a master or who leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// Hand the lead to this master.
    Transfer(String),
    /// Add a master.
    Add(AddMember),
    /// Remove a master.
    Remove(String),
    /// Let a master with an empty data folder take the place of the one of its name.
    Replace(String),
}

/// Why a master did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The state refused it; nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be done, for a reason that a repetition does not mend; nothing has changed.
    #[error("{0}")]
    Impossible(String),
    /// A run would have too few workers; nothing has changed.
    #[error("{connected} of {expected} workers are connected")]
    TooFewWorkers {
        /// How many there are.
        connected: u64,
        /// How many a run needs.
        expected: u64,
    },
    /// This master does not lead, or no longer. What was asked may have been done all the same.
    #[error("this master does not lead")]
    NotLeader,
    /// The master cannot act now. What was asked may have been done all the same.
    #[error("the cluster cannot act at the moment")]
    Unavailable,
    /// It took too long. What was asked may still be done.
    #[error("the cluster did not answer in time")]
    TimedOut,
}

impl ControlError {
    /// Whether it may go better in a moment, here or on another master.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::NotLeader | Self::Unavailable | Self::TimedOut)
    }
}
