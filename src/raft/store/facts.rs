//! The one record of the log file that is not an entry.

use raft::eraftpb::HardState;
use serde::{Deserialize, Serialize};

use super::Identity;

/// An entry's place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) index: u64,
    pub(super) term: u64,
}

/// The term that a master knows, its vote in that term, and what it knows to be committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ballot {
    pub(super) term: u64,
    pub(super) vote: u64,
    pub(super) commit: u64,
}

/// What is known beside the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Transactions so far, the one that wrote this included.
    pub(super) writes: u64,
    /// The hard state.
    pub(super) ballot: Ballot,
    /// The last entry that is not there any more: the log begins after it.
    pub(super) start: Position,
    /// The newest snapshot that was saved.
    pub(super) snapshot: Option<Position>,
    /// Whose store it is.
    pub(super) identity: Option<Identity>,
    /// Everything was forgotten, but files of snapshots may still be there.
    pub(super) purging: bool,
}

impl Facts {
    /// Where the newest snapshot that was saved ends; 0 without one.
    pub(super) fn snapshot_index(&self) -> u64 {
        self.snapshot.unwrap_or_default().index
    }
}

impl From<&HardState> for Ballot {
    fn from(state: &HardState) -> Self {
        Self { term: state.term, vote: state.vote, commit: state.commit }
    }
}

impl From<Ballot> for HardState {
    fn from(ballot: Ballot) -> Self {
        Self { term: ballot.term, vote: ballot.vote, commit: ballot.commit, ..Self::default() }
    }
}
