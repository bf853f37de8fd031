//! An actor that applies what is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use actix::{Actor, Context, Handler};
use akrida::raft::RaftHandle;
use akrida_actors::coordinator::log::{LogEvent, ReplicatedLog, Told};
use akrida_core::ids::{LogIndex, ProposalId};
use bytes::Bytes;

/// What the actor knows, for the test to see.
#[derive(Clone, Default)]
pub(crate) struct Machine(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    handle: Option<RaftHandle>,
    state: BTreeMap<u64, Vec<u8>>,
    applied: u64,
    leads: bool,
    dropped: BTreeSet<u64>,
    readable: BTreeSet<u64>,
    asked: u64,
    snapshots: usize,
    restores: usize,
}

impl Machine {
    pub(crate) fn give(&self, handle: RaftHandle) {
        self.known().handle = Some(handle);
    }

    pub(crate) fn leads(&self) -> bool {
        self.known().leads
    }

    pub(crate) fn has_all(&self, records: &BTreeSet<Vec<u8>>) -> bool {
        self.missing(records).is_empty()
    }

    pub(crate) fn propose(&self, proposal: u64, record: Vec<u8>) {
        let handle = self.known().handle.clone();
        handle.expect("started").propose(ProposalId(proposal), record.into());
    }

    pub(crate) fn missing(&self, records: &BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
        let known = self.known();
        let applied: BTreeSet<&Vec<u8>> = known.state.values().collect();
        records.iter().filter(|record| !applied.contains(record)).cloned().collect()
    }

    pub(crate) fn has_dropped(&self) -> bool {
        !self.known().dropped.is_empty()
    }

    pub(crate) fn forget_dropped(&self) {
        self.known().dropped.clear();
    }

    pub(crate) fn read(&self) -> u64 {
        let mut known = self.known();
        known.asked += 1;
        let asked = known.asked;
        known.handle.as_mut().expect("started").read(asked);
        asked
    }

    pub(crate) fn was_answered(&self, read: u64) -> bool {
        self.known().readable.contains(&read)
    }

    pub(crate) fn snapshots(&self) -> usize {
        self.known().snapshots
    }

    pub(crate) fn restores(&self) -> usize {
        self.known().restores
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("nobody panicked")
    }
}

impl Actor for Machine {
    type Context = Context<Self>;
}

impl Handler<Told> for Machine {
    type Result = ();

    fn handle(&mut self, Told(event): Told, _: &mut Self::Context) {
        let mut known = self.known();
        match event {
            LogEvent::Committed(entries) => {
                for entry in entries {
                    assert_eq!(entry.index.0, known.applied + 1, "entries come in order");
                    known.applied = entry.index.0;
                    known.state.insert(entry.index.0, entry.record.to_vec());
                }
                let applied = LogIndex(known.applied);
                known.handle.as_mut().expect("started").applied(applied);
            }
            LogEvent::Restored { index, state } => {
                known.state = rmp_serde::from_slice(&state).expect("a state of this test");
                known.applied = index.0;
                known.restores += 1;
                known.handle.as_mut().expect("started").applied(index);
            }
            LogEvent::SnapshotWanted => {
                let state = Bytes::from(rmp_serde::to_vec(&known.state).expect("bytes"));
                let applied = LogIndex(known.applied);
                known.snapshots += 1;
                known.handle.as_mut().expect("started").snapshot(applied, state);
            }
            LogEvent::Leads { .. } => known.leads = true,
            LogEvent::Follows { .. } => known.leads = false,
            LogEvent::Dropped(proposal) => {
                known.dropped.insert(proposal.0);
            }
            LogEvent::Readable { read, .. } => {
                known.readable.insert(read);
            }
        }
    }
}
