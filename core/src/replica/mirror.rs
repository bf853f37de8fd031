//! The log in memory, as raft-rs reads it: what was loaded at the start and what was handed out to be written.

use std::cell::Cell;
use std::collections::VecDeque;

use raft::eraftpb::{ConfState, Entry, Snapshot};
use raft::util::limit_size;
use raft::{Error, GetEntriesContext, RaftState, Storage, StorageError};

use super::config::ReplicaError;
use super::members::contains;
use super::stored::{FOUNDING_TERM, Stored, StoredSnapshot};

/// A log without gaps, behind a base that is compacted away.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    initial: RaftState,
    /// Index and term of the entry before the first one.
    base: (u64, u64),
    entries: VecDeque<Entry>,
    snapshot: Option<StoredSnapshot>,
    /// Whether a follower needs a snapshot that is not there.
    wanted: Cell<bool>,
}

impl Mirror {
    /// The log as it was stored. Entries that do not continue the snapshot are left out.
    ///
    /// # Errors
    /// When entries are missing.
    pub(super) fn load(stored: Stored) -> Result<Self, ReplicaError> {
        let mut entries = VecDeque::from(stored.entries);
        let mut base = (0, 0);
        if let Some(snapshot) = &stored.snapshot {
            let at_snapshot = entries.iter().find(|entry| entry.index == snapshot.index);
            let continues = at_snapshot.is_some_and(|entry| entry.term == snapshot.term)
                || entries.front().is_some_and(|first| first.index == snapshot.index + 1);
            if !continues {
                entries.clear();
            }
            base = (snapshot.index, snapshot.term);
            if entries.front().is_some_and(|first| first.index == 1) {
                base = (0, 0);
            } else if entries.front().is_some_and(|first| first.index <= snapshot.index) {
                // The term of the entry before the first is not known, so the first one becomes the base.
                base = entries.pop_front().map_or(base, |first| (first.index, first.term));
            }
        }
        if (base.0 + 1..).zip(&entries).any(|(index, entry)| entry.index != index) {
            return Err(ReplicaError::Inconsistent("entries are missing".to_owned()));
        }
        let last = base.0 + entries.len() as u64;
        let mut hard_state = stored.hard_state;
        let committed = stored.snapshot.as_ref().map_or(0, |snapshot| snapshot.index);
        hard_state.commit = hard_state.commit.clamp(committed, last.max(committed));
        // The process may have died between writing a snapshot or entries and writing their term.
        let of_snapshot = stored.snapshot.as_ref().map_or(0, |snapshot| snapshot.term);
        let of_log = entries.back().map_or(FOUNDING_TERM, |entry| entry.term);
        let least = of_log.max(of_snapshot).max(FOUNDING_TERM);
        if hard_state.term < least {
            (hard_state.term, hard_state.vote) = (least, 0);
        }
        let conf_state = stored.snapshot.as_ref().map(|snapshot| snapshot.conf_state.clone()).unwrap_or_default();
        let initial = RaftState { hard_state, conf_state };
        Ok(Self { initial, base, entries, snapshot: stored.snapshot, wanted: Cell::new(false) })
    }

    pub(super) fn initial_conf_state(&self) -> &ConfState {
        &self.initial.conf_state
    }

    pub(super) fn latest_snapshot(&self) -> Option<&StoredSnapshot> {
        self.snapshot.as_ref()
    }

    pub(super) fn snapshot_index(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.index)
    }

    /// Whether a follower needs a snapshot that is not there; asking forgets it.
    pub(super) fn take_wanted(&self) -> bool {
        self.wanted.take()
    }

    /// Appends entries in the place of those that they conflict with.
    pub(super) fn append(&mut self, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let kept = first.index.saturating_sub(self.base.0 + 1) as usize;
        debug_assert!(kept <= self.entries.len(), "a gap in the log");
        self.entries.truncate(kept);
        self.entries.extend(entries.iter().cloned());
    }

    /// The log begins behind this snapshot, which came from the leader.
    pub(super) fn restore(&mut self, snapshot: StoredSnapshot) {
        self.base = (snapshot.index, snapshot.term);
        self.entries.clear();
        self.snapshot = Some(snapshot);
    }

    /// Takes a snapshot of this replica's own state, and drops entries that a tail before it does not need. Tells up to
    /// where.
    pub(super) fn compact(&mut self, snapshot: StoredSnapshot, tail_entries: u64, tail_bytes: usize) -> u64 {
        let mut floor = snapshot.index;
        let mut bytes = 0;
        for index in (self.base.0 + 1..=snapshot.index).rev() {
            bytes += self.get(index).map_or(0, |entry| entry.data.len());
            if snapshot.index - index >= tail_entries.max(1) || (bytes > tail_bytes && index < snapshot.index) {
                break;
            }
            floor = index - 1;
        }
        self.snapshot = Some(snapshot);
        while self.base.0 < floor {
            let Some(entry) = self.entries.pop_front() else { break };
            self.base = (entry.index, entry.term);
        }
        self.base.0
    }

    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(index.checked_sub(self.base.0 + 1)? as usize)
    }

    fn last(&self) -> u64 {
        self.base.0 + self.entries.len() as u64
    }
}

impl Storage for Mirror {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(self.initial.clone())
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low <= self.base.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 {
            return Err(Error::Store(StorageError::Unavailable));
        }
        let place = |index: u64| (index - self.base.0 - 1) as usize;
        let max_size = max_size.into();
        // Measured before anything is copied: a follower may be far behind.
        let mut taken = Vec::new();
        let mut bytes = 0_u64;
        for entry in self.entries.range(place(low)..place(high)) {
            bytes += entry.data.len() as u64;
            if !taken.is_empty() && max_size.is_some_and(|max| bytes > max) {
                break;
            }
            taken.push(entry.clone());
        }
        limit_size(&mut taken, max_size);
        Ok(taken)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        if index == self.base.0 {
            return Ok(self.base.1);
        }
        if let Some(snapshot) = self.snapshot.as_ref().filter(|snapshot| snapshot.index == index) {
            return Ok(snapshot.term);
        }
        if index < self.base.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        self.get(index).map(|entry| entry.term).ok_or(Error::Store(StorageError::Unavailable))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.base.0 + 1)
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    /// A replica ignores a snapshot whose members do not include it. One that joined after the latest snapshot therefore
    /// waits for a new one.
    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<Snapshot> {
        let fits =
            |snapshot: &&StoredSnapshot| snapshot.index >= request_index.max(1) && contains(&snapshot.conf_state, to);
        match self.snapshot.as_ref().filter(fits) {
            Some(snapshot) => Ok(snapshot.to_raft()),
            None => {
                self.wanted.set(true);
                Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable))
            }
        }
    }
}

impl StoredSnapshot {
    pub(super) fn to_raft(&self) -> Snapshot {
        let mut snapshot = Snapshot { data: self.data.clone(), ..Snapshot::default() };
        let metadata = snapshot.mut_metadata();
        metadata.index = self.index;
        metadata.term = self.term;
        metadata.set_conf_state(self.conf_state.clone());
        snapshot
    }

    pub(super) fn of_raft(snapshot: &Snapshot) -> Self {
        let metadata = snapshot.get_metadata();
        Self {
            index: metadata.index,
            term: metadata.term,
            conf_state: metadata.get_conf_state().clone(),
            data: snapshot.data.clone(),
        }
    }
}
