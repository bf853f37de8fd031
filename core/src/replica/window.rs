//! How much was handed out that is not applied: a slow state machine must not fill the memory with events.

use std::collections::VecDeque;

use crate::limits::{RAFT_UNAPPLIED_BYTES_MAX, RAFT_UNAPPLIED_ENTRIES_MAX};

/// Entries that were handed out.
#[derive(Debug, Default)]
pub(super) struct Window {
    handed: u64,
    applied: u64,
    sizes: VecDeque<(u64, usize)>,
    bytes: usize,
    /// Handed out since a snapshot was asked for.
    bytes_since_snapshot: usize,
}

impl Window {
    /// A state as of `index` was handed out; it counts as one entry until it is applied.
    pub(super) fn restored(&mut self, index: u64) {
        self.handed = self.handed.max(index);
    }

    pub(super) fn handed(&self) -> u64 {
        self.handed
    }

    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    pub(super) fn has_room(&self) -> bool {
        (self.sizes.len() as u64) < RAFT_UNAPPLIED_ENTRIES_MAX && self.bytes < RAFT_UNAPPLIED_BYTES_MAX
    }

    pub(super) fn hand_out(&mut self, index: u64, bytes: usize) {
        self.handed = index;
        self.sizes.push_back((index, bytes));
        self.bytes += bytes;
        self.bytes_since_snapshot += bytes;
    }

    pub(super) fn bytes_since_snapshot(&self) -> usize {
        self.bytes_since_snapshot
    }

    pub(super) fn snapshot_asked(&mut self) {
        self.bytes_since_snapshot = 0;
    }

    /// Everything up to here is applied. What was never handed out cannot be.
    pub(super) fn apply(&mut self, index: u64) {
        self.applied = self.applied.max(index.min(self.handed));
        while let Some((index, bytes)) = self.sizes.front().copied().filter(|(index, _)| *index <= self.applied) {
            debug_assert!(index <= self.handed);
            self.bytes -= bytes;
            self.sizes.pop_front();
        }
    }
}
