//! What the shell must carry out for a replica, in order.

use bytes::Bytes;

use super::event::LogEvent;
use super::stored::{Entry, HardState, StoredSnapshot};
use crate::ids::RaftId;

/// One thing to carry out.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// To be sent as soon as possible. It may be lost, doubled or overtaken.
    Send(Send),
    /// To be written durably, in the order in which these come.
    Write(Write),
    /// For whoever applies what is committed. After [`LogEvent::Committed`] and [`LogEvent::Restored`] the replica is told
    /// with `applied`, after [`LogEvent::SnapshotWanted`] with `snapshot`.
    Tell(LogEvent),
    /// This master was removed from the group. The replica does nothing any more.
    Removed,
}

/// A message to another master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// To whom.
    pub to: RaftId,
    /// What, for its `receive`.
    pub message: Bytes,
    /// Whether it carries a snapshot: if it cannot be sent, the replica wants to know.
    pub is_snapshot: bool,
}

/// One thing to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Something of the log; then the replica is told with `persisted`.
    Log(Persist),
    /// A snapshot of this replica's own state. Nobody waits for it.
    Snapshot(StoredSnapshot),
    /// Entries up to this one may go from the disk, once the snapshots before this are written.
    Compact(u64),
}

impl Write {
    /// What the replica is told with `persisted` once it is durable, if it waits for it.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Log(persist) => Some(persist.number),
            Self::Snapshot(_) | Self::Compact(_) => None,
        }
    }
}

/// What must be written before the replica may go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Persist {
    /// For `persisted`. They grow; the last of several that were written together stands for all of them.
    pub number: u64,
    /// To be written first, if there is one: it replaces the log.
    pub snapshot: Option<StoredSnapshot>,
    /// New entries; stored ones of the same or a higher index are dropped.
    pub entries: Vec<Entry>,
    /// Term, vote and commit index, if they changed.
    pub hard_state: Option<HardState>,
}
