//! What a coordinator needs of a replicated log, and what the log tells it.

use actix::Message;
use akrida_core::ids::{LogIndex, ProposalId, RaftId};
use bytes::Bytes;

/// A log that masters agree on. Nothing here waits; what comes of it arrives as [`LogEvent`]s.
pub trait ReplicatedLog: Send {
    /// Proposes a record. It is committed at most once, and [`LogEvent::Committed`] brings it back; otherwise comes
    /// [`LogEvent::Dropped`], or nothing at all when the leader changes before anybody knows.
    fn propose(&mut self, proposal: ProposalId, record: Bytes);

    /// Asks for [`LogEvent::Readable`]: proof that this master led at a time after the call.
    fn read(&mut self, read: u64);

    /// Everything up to here is applied.
    fn applied(&mut self, index: LogIndex);

    /// The state as of `index`, after [`LogEvent::SnapshotWanted`].
    fn snapshot(&mut self, index: LogIndex, state: Bytes);
}

/// What a log tells its coordinator, in order.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum LogEvent {
    /// These are committed: apply them.
    Committed(Vec<Committed>),
    /// The state as of this index replaces what was applied.
    Restored {
        /// The last entry that is part of it.
        index: LogIndex,
        /// What [`ReplicatedLog::snapshot`] was given.
        state: Bytes,
    },
    /// A snapshot of what is applied is wanted.
    SnapshotWanted,
    /// This master leads, and the first entry of its own term was among the committed ones.
    Leads {
        /// Its term.
        term: u64,
    },
    /// This master does not lead.
    Follows {
        /// The term that it knows.
        term: u64,
        /// Who leads, as far as it is known.
        leader: Option<RaftId>,
    },
    /// A proposal was not taken and never will be.
    Dropped(ProposalId),
    /// A read is linearizable once this index is applied.
    Readable {
        /// Which read.
        read: u64,
        /// What must be applied first.
        index: LogIndex,
    },
}

/// A committed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its place.
    pub index: LogIndex,
    /// What was proposed; empty for the entries that the log makes for itself.
    pub record: Bytes,
}
