//! What a replicated log tells whoever applies it: a replica of a group, or the log of a group of one.

use bytes::Bytes;

use crate::ids::{LogIndex, ProposalId, RaftId};

/// What a log tells whoever applies it, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// These are committed: apply them.
    Committed(Vec<Committed>),
    /// The state as of this index replaces what was applied.
    Restored {
        /// The last entry that is part of it.
        index: LogIndex,
        /// What the log was given as a snapshot.
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
