//! What a master keeps on its disk of the group: entries, a snapshot, and its vote.

use std::sync::Arc;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeType, EntryType};
pub use raft::eraftpb::{ConfState, Entry, HardState};

use super::members::MemberNames;
use super::output::{Persist, Write};
use super::snapshots;
use crate::ids::RaftId;

/// The term of the entries that found a group. It is not 0, because raft refuses to answer a pre-vote at term 0 when
/// priorities differ.
pub const FOUNDING_TERM: u64 = 1;

/// The state of a replica as of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// The last entry that is part of it.
    pub index: u64,
    /// The term of that entry.
    pub term: u64,
    /// Who belonged to the group then.
    pub conf_state: ConfState,
    /// The state and the names of the members; only a replica reads it.
    pub data: Bytes,
}

/// What was on the disk when a master started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// Term, vote and commit index.
    pub hard_state: HardState,
    /// The latest snapshot.
    pub snapshot: Option<StoredSnapshot>,
    /// The entries that were not compacted away, in order and without gaps. Some may be part of the snapshot.
    pub entries: Vec<Entry>,
}

/// A master of a group by the two names that it has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct NamedMember {
    /// Its id in the group.
    pub id: RaftId,
    /// Its configured name.
    pub name: Arc<str>,
}

impl Stored {
    /// The log with which every founding master starts: one entry for each voter, committed. All founders must give the
    /// same voters in the same order.
    #[must_use]
    pub fn founded(voters: &[NamedMember]) -> Self {
        let entries: Vec<Entry> = (1..).zip(voters).map(|(index, voter)| founding_entry(index, voter)).collect();
        let mut hard_state = Self::joining().hard_state;
        hard_state.commit = entries.len() as u64;
        Self { hard_state, snapshot: None, entries }
    }

    /// The empty log with which a master joins a group that exists: the leader brings it everything.
    #[must_use]
    pub fn joining() -> Self {
        let hard_state = HardState { term: FOUNDING_TERM, ..HardState::default() };
        Self { hard_state, snapshot: None, entries: Vec::new() }
    }

    /// The log of the first master of a new cluster that goes on with a state from elsewhere: a snapshot with this
    /// master as the only member. `index` and `term` are those of the last entry that is part of the state.
    #[must_use]
    pub fn begun_anew(founder: &NamedMember, index: u64, term: u64, state: &[u8]) -> Self {
        let (index, term) = (index.max(1), term.max(FOUNDING_TERM));
        let names = MemberNames::of(vec![founder.clone()]);
        let conf_state = ConfState { voters: vec![founder.id.0], ..ConfState::default() };
        let snapshot = StoredSnapshot { index, term, conf_state, data: snapshots::encode(&names, state) };
        let hard_state = HardState { term, commit: index, ..HardState::default() };
        Self { hard_state, snapshot: Some(snapshot), entries: Vec::new() }
    }

    /// Whether there is nothing at all: not even a vote.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The index of the last entry; 0 if there is none.
    #[must_use]
    pub fn last_index(&self) -> u64 {
        let of_snapshot = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.index);
        self.entries.last().map_or(of_snapshot, |entry| entry.index.max(of_snapshot))
    }

    /// What is there after something was written.
    pub fn write(&mut self, write: Write) {
        match write {
            Write::Log(Persist { snapshot, entries, hard_state, .. }) => {
                if let Some(snapshot) = snapshot {
                    self.save_snapshot(snapshot);
                }
                self.append(&entries, hard_state);
            }
            Write::Snapshot(snapshot) => self.save_snapshot(snapshot),
            Write::Compact(up_to) => self.compact(up_to),
        }
    }

    /// What is there after entries, and the term, vote and commit index, were written in one step: entries of the same or
    /// a higher index than the first of these are gone.
    pub fn append(&mut self, entries: &[Entry], hard_state: Option<HardState>) {
        if let Some(first) = entries.first() {
            self.entries.retain(|entry| entry.index < first.index);
            self.entries.extend_from_slice(entries);
        }
        if let Some(hard_state) = hard_state {
            self.hard_state = hard_state;
        }
    }

    /// What is there after a snapshot was written. If there is no entry of its index and term, the log is no beginning of
    /// what the snapshot continues, and all entries are gone. One that is not newer than the newest changes nothing.
    pub fn save_snapshot(&mut self, snapshot: StoredSnapshot) {
        if self.snapshot.as_ref().is_some_and(|newest| newest.index >= snapshot.index) {
            return;
        }
        let continues = |entry: &Entry| entry.index == snapshot.index && entry.term == snapshot.term;
        if !self.entries.iter().any(continues) {
            self.entries.clear();
        }
        self.snapshot = Some(snapshot);
    }

    /// What is there after the entries up to this index, which the snapshot covers, were dropped.
    pub fn compact(&mut self, up_to: u64) {
        self.entries.retain(|entry| entry.index > up_to);
    }
}

fn founding_entry(index: u64, voter: &NamedMember) -> Entry {
    let change = ConfChange {
        change_type: ConfChangeType::AddNode,
        node_id: voter.id.0,
        context: MemberNames::encode(std::slice::from_ref(voter)),
        ..ConfChange::default()
    };
    let data = change.write_to_bytes().expect("a message without required fields can be written");
    Entry { entry_type: EntryType::EntryConfChange, term: FOUNDING_TERM, index, data: data.into(), ..Entry::default() }
}
