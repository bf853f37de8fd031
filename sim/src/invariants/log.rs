//! E: masters that have applied the same entries have the same state.

use std::collections::BTreeMap;

use akrida_core::ids::RunId;
use akrida_core::state::ClusterState;
use akrida_core::state::run::RunPhase;

use crate::trace::hash_of;

/// States are compared at every so many entries.
const COMPARED_EVERY: u64 = 32;

/// The log as it was committed first, and states along it.
#[derive(Debug, Default)]
pub(crate) struct LogWatch {
    /// Hashes of the records by index, from 1.
    records: Vec<u64>,
    /// Up to where any master has applied.
    pub(crate) applied: u64,
    states: BTreeMap<u64, u64>,
    /// The run as the master that is ahead has it.
    pub(crate) run: Option<(RunId, RunPhase)>,
}

impl LogWatch {
    /// Whether nobody has known an entry to be committed so far.
    pub(crate) fn is_new(&self, index: u64) -> bool {
        self.records.get(index as usize - 1).is_none_or(|known| *known == 0)
    }

    /// A master knows that an entry is committed.
    pub(crate) fn committed(&mut self, index: u64, record: &[u8]) -> Result<(), String> {
        let (at, hash) = (index as usize - 1, hash_of(record));
        match self.records.get(at) {
            None => {
                // A master that was restored may be the first to hear of an entry.
                self.records.resize(at, 0);
                self.records.push(hash);
                Ok(())
            }
            Some(0) => {
                self.records[at] = hash;
                Ok(())
            }
            Some(known) if *known == hash => Ok(()),
            Some(_) => Err(format!("entry {index} is another one elsewhere")),
        }
    }

    /// A master has applied an entry. Tells whether it is the first.
    pub(crate) fn applied(&mut self, state: &ClusterState) -> Result<bool, String> {
        let index = state.applied().0;
        if index.is_multiple_of(COMPARED_EVERY) {
            self.compare(state)?;
        }
        if index <= self.applied {
            return Ok(false);
        }
        if index != self.applied + 1 {
            return Err(format!("entry {index} was applied after entry {}", self.applied));
        }
        self.applied = index;
        self.run = state.run().map(|run| (run.id(), run.phase()));
        Ok(true)
    }

    /// A master's state was replaced.
    pub(crate) fn restored(&mut self, state: &ClusterState) -> Result<(), String> {
        if state.applied().0 > self.applied {
            return Err(format!("a state as of entry {}, which nobody has applied", state.applied().0));
        }
        self.compare(state)
    }

    /// The state of a master, beside that of others that have applied as much.
    pub(crate) fn compare(&mut self, state: &ClusterState) -> Result<(), String> {
        let (index, hash) = (state.applied().0, hash_of(&state.to_bytes()));
        let known = *self.states.entry(index).or_insert(hash);
        if known == hash { Ok(()) } else { Err(format!("states as of entry {index} differ")) }
    }
}
