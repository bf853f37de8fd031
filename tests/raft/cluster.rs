//! Masters of one process, whose messages are calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix::Actor;
use akrida::raft::peers::{PeerFrame, PeerSender};
use akrida::raft::status::RaftStatus;
use akrida::raft::store::{
    HardState, Identity, LogStore, MemoryStore, StoreError, Stored, StoredEntry, StoredSnapshot,
};
use akrida::raft::{RaftHandle, RaftOptions, RaftThread, ReplaceRefused, start};
use bytes::Bytes;

use crate::machine::Machine;

/// Longer than anything here takes, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

type Links = Arc<Mutex<BTreeMap<String, RaftHandle>>>;

/// A disk that outlives its master.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<MemoryStore>>);

struct Running {
    handle: RaftHandle,
    thread: RaftThread,
    machine: Machine,
}

pub(crate) struct Cluster {
    names: Vec<Arc<str>>,
    links: Links,
    disks: BTreeMap<String, Disk>,
    running: BTreeMap<String, Running>,
    next: u64,
}

impl Cluster {
    pub(crate) fn new(names: &[&str]) -> Self {
        let disks = names.iter().map(|name| ((*name).to_owned(), Disk::default())).collect();
        let names = names.iter().map(|name| Arc::from(*name)).collect();
        Self { names, links: Links::default(), disks, running: BTreeMap::new(), next: 0 }
    }

    pub(crate) fn start(&mut self, name: &str) {
        let priority = self.names.iter().position(|known| **known == *name).expect("a name") as i64;
        let mut options = RaftOptions::new(name.into(), self.names.clone(), priority);
        options.tick = Duration::from_millis(10);
        options.election_timeout = Duration::from_millis(250);
        options.heartbeat_interval = Duration::from_millis(50);
        let machine = Machine::default();
        let links = Link { from: name.to_owned(), links: self.links.clone() };
        let disk = Box::new(self.disks[name].clone());
        let mut thread = None;
        Machine::create(|context| {
            let events = actix::AsyncContext::address(context).recipient();
            let (handle, started) = start(options, disk, Box::new(links), events).expect("threads");
            machine.give(handle.clone());
            thread = Some((handle, started));
            machine.clone()
        });
        let (handle, thread) = thread.expect("started");
        self.links.lock().expect("nobody panicked").insert(name.to_owned(), handle.clone());
        self.running.insert(name.to_owned(), Running { handle, thread, machine });
    }

    pub(crate) fn start_all(&mut self) {
        self.names.clone().iter().for_each(|name| self.start(name));
    }

    pub(crate) fn stop(&mut self, name: &str) {
        self.links.lock().expect("nobody panicked").remove(name);
        let running = self.running.remove(name).expect("it runs");
        running.handle.stop();
        running.thread.join();
    }

    pub(crate) fn stop_all(&mut self) {
        let names: Vec<String> = self.running.keys().cloned().collect();
        names.iter().for_each(|name| self.stop(name));
    }

    pub(crate) fn lose_disk(&mut self, name: &str) {
        self.disks.insert(name.to_owned(), Disk::default());
    }

    pub(crate) fn status(&self, name: &str) -> RaftStatus {
        self.running[name].handle.status().borrow().clone()
    }

    pub(crate) fn machine(&self, name: &str) -> &Machine {
        &self.running[name].machine
    }

    pub(crate) fn leads(&self, name: &str) -> bool {
        self.machine(name).leads()
    }

    pub(crate) fn transfer(&self, from: &str, to: &str) {
        let id = self.status(to).id;
        self.running[from].handle.transfer(id).expect("room");
    }

    pub(crate) async fn replace(&self, at: &str, name: &str) -> Result<(), ReplaceRefused> {
        self.running[at].handle.replace(name).await.expect("an answer")
    }

    pub(crate) fn another_than(&self, name: &str) -> String {
        self.running.keys().find(|other| *other != name).expect("another").clone()
    }

    pub(crate) fn all_have(&self, records: &BTreeSet<Vec<u8>>) -> bool {
        self.running.values().all(|running| running.machine.has_all(records))
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            let statuses: Vec<RaftStatus> =
                self.running.values().map(|running| running.handle.status().borrow().clone()).collect();
            assert!(start.elapsed() < PATIENCE, "still not: {what}: {statuses:#?}");
            actix::clock::sleep(Duration::from_millis(2)).await;
        }
    }

    pub(crate) async fn leader(&self) -> String {
        self.until("a leader", |cluster| cluster.running.keys().any(|name| cluster.leads(name))).await;
        self.running.keys().find(|name| self.leads(name)).expect("a leader").clone()
    }

    /// Proposes records until each is applied by the leader; those that are dropped are proposed again.
    pub(crate) async fn commit(&mut self, leader: &str, count: usize) -> BTreeSet<Vec<u8>> {
        let mut records = BTreeMap::new();
        for _ in 0..count {
            self.next += 1;
            records.insert(self.next, format!("record {}", self.next).into_bytes());
        }
        let all: BTreeSet<Vec<u8>> = records.values().cloned().collect();
        for chunk in records.iter().collect::<Vec<_>>().chunks(1_000) {
            let wanted = chunk.iter().map(|(_, record)| (*record).clone()).collect();
            chunk.iter().for_each(|(id, record)| self.machine(leader).propose(**id, (*record).clone()));
            self.until("applied by the leader", |cluster| {
                let dropped = cluster.machine(leader).take_dropped();
                dropped.iter().for_each(|id| cluster.machine(leader).propose(*id, records[id].clone()));
                cluster.machine(leader).has_all(&wanted)
            })
            .await;
        }
        all
    }
}

struct Link {
    from: String,
    links: Links,
}

impl PeerSender for Link {
    fn send(&self, to: &str, kind: PeerFrame, body: Bytes) -> bool {
        let handle = self.links.lock().expect("nobody panicked").get(to).cloned();
        handle.is_some_and(|handle| handle.deliver(&self.from, kind, body))
    }
}

impl Disk {
    fn with<T>(&self, act: impl FnOnce(&mut MemoryStore) -> T) -> T {
        act(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl LogStore for Disk {
    fn load(&mut self) -> Result<Stored, StoreError> {
        self.with(MemoryStore::load)
    }

    fn append(&mut self, entries: &[StoredEntry], hard_state: Option<HardState>) -> Result<(), StoreError> {
        self.with(|store| store.append(entries, hard_state))
    }

    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.with(|store| store.save_snapshot(snapshot))
    }

    fn compact(&mut self, up_to: u64) -> Result<(), StoreError> {
        self.with(|store| store.compact(up_to))
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        self.with(MemoryStore::purge)
    }

    fn identity(&self) -> Option<Identity> {
        self.with(|store| store.identity())
    }

    fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        self.with(|store| store.set_identity(identity))
    }
}
