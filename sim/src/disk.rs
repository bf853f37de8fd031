//! The disk of a master: what is durable, and what is being written.
//!
//! It keeps the promises of `LogStore`: entries and ballot are written in one step, a snapshot is a file of its own, and
//! writes become durable in order. A crash loses what is being written, or any beginning of it.

use std::collections::VecDeque;

use akrida_core::replica::output::Write;
use akrida_core::replica::stored::{Entry, Stored};
use fastrand::Rng;

use crate::clock::MS;

/// A disk.
#[derive(Debug)]
pub(crate) struct Disk {
    durable: Stored,
    under_way: VecDeque<Write>,
    /// When the last write that was taken ends.
    busy_until_us: u64,
    /// The longest that a write usually takes.
    pub(crate) write_us: u64,
}

/// How long writes to a disk in good order take at most.
pub(crate) const GOOD_WRITE_US: u64 = 4 * MS;

impl Disk {
    /// A disk that holds this.
    pub(crate) fn with(stored: Stored) -> Self {
        Self { durable: stored, under_way: VecDeque::new(), busy_until_us: 0, write_us: GOOD_WRITE_US }
    }

    /// What a process that starts finds.
    pub(crate) fn load(&self) -> Stored {
        self.durable.clone()
    }

    /// Takes a write; tells when it is durable.
    pub(crate) fn take(&mut self, write: Write, now_us: u64, random: &mut Rng) -> u64 {
        self.under_way.push_back(write);
        self.busy_until_us = self.busy_until_us.max(now_us) + random.u64(50..=self.write_us.max(50));
        self.busy_until_us
    }

    /// Nothing more is written until then.
    pub(crate) fn stall(&mut self, until_us: u64) {
        self.busy_until_us = self.busy_until_us.max(until_us);
    }

    /// For whom this master has voted, in which term, as far as it is durable.
    pub(crate) fn vote(&self) -> (u64, u64) {
        (self.durable.hard_state.term, self.durable.hard_state.vote)
    }

    /// The oldest write is durable; gives its number if it has one.
    pub(crate) fn written(&mut self) -> Option<u64> {
        let write = self.under_way.pop_front()?;
        let number = write.number();
        self.durable.write(write);
        number
    }

    /// The process dies. Of what was being written a beginning may be there, its last part torn.
    pub(crate) fn crash(&mut self, now_us: u64, random: &mut Rng) {
        let whole = random.usize(0..=self.under_way.len());
        for write in self.under_way.drain(..whole) {
            self.durable.write(write);
        }
        if let Some(Write::Log(mut torn)) = self.under_way.pop_front() {
            let has_snapshot = torn.snapshot.is_some();
            let appends = torn.entries.first().is_some_and(|first| first.index == self.durable.last_index() + 1);
            let kept = if has_snapshot || !appends { 0 } else { random.usize(0..=torn.entries.len()) };
            torn.entries.truncate(kept);
            torn.hard_state = None;
            self.durable.write(Write::Log(torn));
        }
        self.under_way.clear();
        self.busy_until_us = now_us;
    }

    /// Term and vote are those of long ago.
    pub(crate) fn forget_vote(&mut self) {
        let hard_state = &mut self.durable.hard_state;
        (hard_state.vote, hard_state.term) = (0, 1);
    }

    /// Whether an entry is durable here, by itself or as part of a snapshot.
    pub(crate) fn holds(&self, index: u64, record: &[u8]) -> bool {
        if self.durable.snapshot.as_ref().is_some_and(|snapshot| snapshot.index >= index) {
            return true;
        }
        let entry = self.entry(index);
        entry.is_some_and(|entry| record.is_empty() || &entry.data[..] == record)
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        let first = self.durable.entries.first()?.index;
        self.durable.entries.get(index.checked_sub(first)? as usize)
    }
}
