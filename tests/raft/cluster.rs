//! Masters of one process, whose messages are calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use actix::Actor;
use akrida::raft::peers::{PeerFrame, PeerSender};
use akrida::raft::status::RaftStatus;
use akrida::raft::store::{
    HardState, Identity, LogStore, MemoryStore, RedbStore, StoreError, Stored, StoredEntry, StoredSnapshot,
};
use akrida::raft::{FailBackAfter, RaftHandle, RaftOptions, RaftThread, ReplaceRefused, start};
use bytes::Bytes;
use tempfile::TempDir;

use crate::machine::Machine;

/// Longer than anything here takes, even on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

type Links = Arc<Mutex<BTreeMap<String, RaftHandle>>>;

/// A disk that outlives its master.
#[derive(Clone, Default)]
struct MemoryDisk(Arc<Mutex<MemoryStore>>);

/// Where a master keeps its log.
enum Disk {
    Memory(MemoryDisk),
    Folder(TempDir),
}

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
    /// When the last of the names gets the lead back, which has the highest priority.
    pub(crate) fail_back: Option<FailBackAfter>,
    next: u64,
}

impl Cluster {
    pub(crate) fn new(names: &[&str]) -> Self {
        Self::with_disks(names, || Disk::Memory(MemoryDisk::default()))
    }

    /// With logs in real files.
    pub(crate) fn on_disk(names: &[&str]) -> Self {
        Self::with_disks(names, || Disk::Folder(TempDir::new().expect("a folder")))
    }

    fn with_disks(names: &[&str], disk: impl Fn() -> Disk) -> Self {
        let disks = names.iter().map(|name| ((*name).to_owned(), disk())).collect();
        let names = names.iter().map(|name| Arc::from(*name)).collect();
        Self { names, links: Links::default(), disks, running: BTreeMap::new(), fail_back: None, next: 0 }
    }

    pub(crate) fn start(&mut self, name: &str) {
        let priority = self.names.iter().position(|known| **known == *name).expect("a name") as i64;
        let mut options = RaftOptions::new(name.into(), self.names.clone(), priority);
        options.tick = Duration::from_millis(10);
        options.election_timeout = Duration::from_millis(500);
        options.heartbeat_interval = Duration::from_millis(100);
        options.fail_back = self.fail_back;
        let machine = Machine::default();
        let links = Link { from: name.to_owned(), links: self.links.clone() };
        let disk: Box<dyn LogStore> = match &self.disks[name] {
            Disk::Memory(disk) => Box::new(disk.clone()),
            Disk::Folder(folder) => Box::new(RedbStore::open(folder.path()).expect("a data folder")),
        };
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
        let empty = match self.disks[name] {
            Disk::Memory(_) => Disk::Memory(MemoryDisk::default()),
            Disk::Folder(_) => Disk::Folder(TempDir::new().expect("a folder")),
        };
        self.disks.insert(name.to_owned(), empty);
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

    /// Gives the lead to a master, whoever has it.
    pub(crate) async fn transfer(&self, to: &str) {
        let id = self.status(to).id;
        while !self.leads(to) {
            let leader = self.leader().await;
            self.running[&leader].handle.transfer(id).expect("room");
            self.until("the lead moves", |cluster| cluster.leads(to) || !cluster.leads(&leader)).await;
        }
    }

    pub(crate) async fn replace(&self, at: &str, name: &str) -> Result<(), ReplaceRefused> {
        self.running[at].handle.replace(name).await.expect("an answer")
    }

    /// As an operator would: asks whoever leads, again if the lead changes, until all three have a vote.
    pub(crate) async fn replace_until_done(&self, name: &str) {
        let joiner = self.status(name).id;
        let is_done = |cluster: &Self, leader: &str| {
            let group = cluster.status(leader).group;
            group.is_some_and(|group| {
                let voters: Vec<_> = group.members.iter().filter(|member| member.is_voter).collect();
                !group.is_changing && voters.len() == 3 && voters.iter().any(|voter| voter.id == joiner)
            })
        };
        loop {
            let leader = self.leader().await;
            self.until("the leader knows who waits", |cluster| {
                let status = cluster.status(&leader);
                !cluster.leads(&leader) || is_done(cluster, &leader) || !status.joiners.is_empty()
            })
            .await;
            let _ = self.replace(&leader, name).await;
            self.until("the change ends", |cluster| !cluster.leads(&leader) || is_done(cluster, &leader)).await;
            if is_done(self, &leader) {
                return;
            }
        }
    }

    /// A read that is answered, by whoever leads.
    pub(crate) async fn read(&self) {
        loop {
            let leader = self.leader().await;
            let read = self.machine(&leader).read();
            let is_answered = |cluster: &Self| cluster.machine(&leader).was_answered(read);
            self.until("the read is answered", |cluster| is_answered(cluster) || !cluster.leads(&leader)).await;
            if is_answered(self) {
                return;
            }
        }
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

    /// Proposes records until each is applied by the leader. Whoever leads gets what is still missing.
    pub(crate) async fn commit(&mut self, count: usize) -> BTreeSet<Vec<u8>> {
        let all: Vec<Vec<u8>> = (0..count).map(|_| self.next_record()).collect();
        for chunk in all.chunks(1_000) {
            let wanted: BTreeSet<Vec<u8>> = chunk.iter().cloned().collect();
            loop {
                let leader = self.leader().await;
                for record in self.machine(&leader).missing(&wanted) {
                    self.next += 1;
                    self.machine(&leader).propose(self.next, record);
                }
                self.until("applied by the leader", |cluster| {
                    let machine = cluster.machine(&leader);
                    machine.has_dropped() || !machine.leads() || machine.has_all(&wanted)
                })
                .await;
                if self.machine(&leader).has_all(&wanted) {
                    break;
                }
                self.machine(&leader).forget_dropped();
            }
        }
        all.into_iter().collect()
    }

    fn next_record(&mut self) -> Vec<u8> {
        self.next += 1;
        format!("record {}", self.next).into_bytes()
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

impl MemoryDisk {
    fn with<T>(&self, act: impl FnOnce(&mut MemoryStore) -> T) -> T {
        act(&mut self.0.lock().expect("nobody panicked"))
    }
}

impl LogStore for MemoryDisk {
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
