//! Masters, their disks and the network between them, in virtual time and decided by a seed.
//!
//! What must hold at every step is checked here: one leader a term, the same entry at the same place on every master,
//! and reads that see what was committed before them.

use std::collections::{BTreeMap, BTreeSet};

use akrida_core::ids::{LogIndex, ProposalId, RaftId};
use akrida_core::replica::event::LogEvent;
use akrida_core::replica::fail_back::FailBackRule;
use akrida_core::replica::output::{Send, Write};
use akrida_core::replica::stored::{NamedMember, Stored};
use akrida_core::replica::{Output, Replica, ReplicaConfig};
use bytes::Bytes;
use fastrand::Rng;

pub(crate) const ELECTION: usize = 10;

/// Applied records by index.
pub(crate) type State = BTreeMap<u64, Vec<u8>>;

pub(crate) struct Node {
    pub(crate) replica: Option<Replica>,
    pub(crate) disk: Stored,
    /// Writes that are under way: when they end, and what they do.
    writes: Vec<(u64, Write)>,
    pub(crate) state: State,
    pub(crate) applied: u64,
    pub(crate) config: ReplicaConfig,
    pub(crate) leads: Option<u64>,
    pub(crate) is_removed: bool,
    /// Neither ticks nor hears, like a stopped process.
    pub(crate) is_paused: bool,
    pub(crate) refused: Vec<String>,
    pub(crate) dropped: BTreeSet<u64>,
    pub(crate) restored: usize,
    pub(crate) readable: BTreeSet<u64>,
}

pub(crate) struct World {
    pub(crate) nodes: BTreeMap<u64, Node>,
    pub(crate) random: Rng,
    pub(crate) now: u64,
    flying: Vec<(u64, u64, u64, Bytes)>,
    /// Of 100 messages so many are lost, and so many come twice.
    pub(crate) loss: u8,
    pub(crate) doubled: u8,
    pub(crate) delay: u64,
    pub(crate) disk_delay: u64,
    pub(crate) cut: BTreeSet<(u64, u64)>,
    /// Masters that hear but do not tick.
    pub(crate) stopped_clocks: BTreeSet<u64>,
    ledger: State,
    leaders: BTreeMap<u64, u64>,
    pub(crate) acknowledged: BTreeSet<u64>,
    next: u64,
    asked: BTreeMap<u64, u64>,
    /// What happened, for comparing two worlds.
    pub(crate) trace: Vec<String>,
    /// Every message, to whom it went.
    pub(crate) sent: Vec<(u64, Bytes)>,
}

pub(crate) fn member(id: u64) -> NamedMember {
    NamedMember { id: RaftId(id), name: format!("master-{id}").into() }
}

impl World {
    /// A founded group; each master has a priority.
    pub(crate) fn new(seed: u64, masters: &[(u64, i64)]) -> Self {
        let mut world = Self {
            nodes: BTreeMap::new(),
            random: Rng::with_seed(seed),
            now: 0,
            flying: Vec::new(),
            loss: 0,
            doubled: 0,
            delay: 1,
            disk_delay: 1,
            cut: BTreeSet::new(),
            stopped_clocks: BTreeSet::new(),
            ledger: State::new(),
            leaders: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            next: 0,
            asked: BTreeMap::new(),
            trace: Vec::new(),
            sent: Vec::new(),
        };
        let voters: Vec<NamedMember> = masters.iter().map(|(id, _)| member(*id)).collect();
        for (id, priority) in masters {
            world.add(*id, *priority, Stored::founded(&voters));
        }
        world
    }

    pub(crate) fn add(&mut self, id: u64, priority: i64, disk: Stored) {
        let mut config = ReplicaConfig::new(RaftId(id), ELECTION, 2, priority, self.random.u64(..));
        config.snapshot_entries = 50;
        config.tail_entries = 10;
        let node = Node {
            replica: None,
            disk,
            writes: Vec::new(),
            state: State::new(),
            applied: 0,
            config,
            leads: None,
            is_removed: false,
            is_paused: false,
            refused: Vec::new(),
            dropped: BTreeSet::new(),
            restored: 0,
            readable: BTreeSet::new(),
        };
        self.nodes.insert(id, node);
        self.start(id);
    }

    /// Starts a master from its disk.
    pub(crate) fn start(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.state.clear();
        node.applied = 0;
        node.config.seed = self.random.u64(..);
        node.replica = Some(Replica::new(node.config.clone(), node.disk.clone()).unwrap());
        self.carry_out(id);
    }

    /// A master dies; what it had not written is lost.
    pub(crate) fn crash(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.replica = None;
        node.writes.clear();
        node.leads = None;
    }

    /// Whether a master is writing a snapshot that its leader sent.
    pub(crate) fn is_saving_snapshot(&self, id: u64) -> bool {
        let of_leader = |write: &Write| matches!(write, Write::Log(persist) if persist.snapshot.is_some());
        self.nodes[&id].writes.iter().any(|(_, write)| of_leader(write))
    }

    pub(crate) fn set_fail_back(&mut self, steady_ticks: u64, rest_ticks: u64) {
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for id in ids {
            self.nodes.get_mut(&id).unwrap().config.fail_back = Some(FailBackRule { steady_ticks, rest_ticks });
            self.start(id);
        }
    }

    pub(crate) fn replica(&mut self, id: u64) -> &mut Replica {
        self.nodes.get_mut(&id).unwrap().replica.as_mut().unwrap()
    }

    pub(crate) fn isolate(&mut self, id: u64) {
        let others: Vec<u64> = self.nodes.keys().copied().filter(|other| *other != id).collect();
        for other in others {
            self.cut.insert((id, other));
            self.cut.insert((other, id));
        }
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(crate) fn run(&mut self, ticks: u64) {
        (0..ticks).for_each(|_| self.step());
    }

    /// Runs until something holds.
    pub(crate) fn run_until(&mut self, what: &str, ticks: u64, mut holds: impl FnMut(&mut Self) -> bool) {
        for _ in 0..ticks {
            if holds(self) {
                return;
            }
            self.step();
        }
        let statuses: Vec<_> =
            self.nodes.values().filter_map(|node| node.replica.as_ref()).map(Replica::status).collect();
        panic!("not within {ticks} ticks: {what}: {statuses:#?}");
    }

    fn step(&mut self) {
        self.now += 1;
        self.finish_writes();
        self.deliver();
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for id in ids {
            let node = self.nodes.get_mut(&id).unwrap();
            let ticks = !node.is_paused && !self.stopped_clocks.contains(&id);
            if let Some(replica) = node.replica.as_mut().filter(|_| ticks) {
                replica.tick();
                self.carry_out(id);
            }
        }
    }

    fn deliver(&mut self) {
        let now = self.now;
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flying).into_iter().partition(|m| m.0 <= now);
        self.flying = later;
        for (_, from, to, message) in due {
            if self.cut.contains(&(from, to)) {
                continue;
            }
            let Some(node) = self.nodes.get_mut(&to).filter(|node| !node.is_paused) else { continue };
            let Some(replica) = &mut node.replica else { continue };
            if let Err(refused) = replica.receive(&message) {
                node.refused.push(refused.to_string());
            }
            self.carry_out(to);
        }
    }

    fn finish_writes(&mut self) {
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for id in ids {
            let node = self.nodes.get_mut(&id).unwrap();
            while node.writes.first().is_some_and(|(due, _)| *due <= self.now) {
                let (_, write) = node.writes.remove(0);
                let number = write.number();
                node.disk.write(write);
                if let (Some(number), Some(replica)) = (number, &mut node.replica) {
                    replica.persisted(number);
                }
            }
            self.carry_out(id);
        }
    }

    pub(crate) fn carry_out(&mut self, id: u64) {
        loop {
            let Some(replica) = &mut self.nodes.get_mut(&id).unwrap().replica else { return };
            let due = replica.take();
            if due.is_empty() {
                return;
            }
            for output in due {
                self.trace.push(format!("{} {id} {output:?}", self.now));
                self.carry_out_one(id, output);
            }
        }
    }

    fn carry_out_one(&mut self, id: u64, output: Output) {
        let node = self.nodes.get_mut(&id).unwrap();
        let last_due = node.writes.last().map_or(0, |(due, _)| *due);
        let due = last_due.max(self.now + self.random.u64(0..=self.disk_delay));
        match output {
            Output::Send(send) => self.send(id, send),
            Output::Write(write) => node.writes.push((due, write)),
            Output::Tell(LogEvent::Committed(entries)) => {
                for entry in entries {
                    assert_eq!(entry.index.0, node.applied + 1, "master {id} skips entries");
                    node.applied = entry.index.0;
                    let record = entry.record.to_vec();
                    let agreed = self.ledger.entry(entry.index.0).or_insert_with(|| record.clone());
                    assert_eq!(*agreed, record, "entry {} differs on master {id}", entry.index.0);
                    if let Some(proposal) = proposal_of(&record).filter(|_| record[..8] == id.to_be_bytes()) {
                        self.acknowledged.insert(proposal);
                    }
                    node.state.insert(entry.index.0, record);
                }
                let applied = LogIndex(node.applied);
                self.replica(id).applied(applied);
            }
            Output::Tell(LogEvent::Restored { index, state }) => {
                assert!(index.0 >= node.applied, "master {id} goes back");
                node.state = if state.is_empty() { State::new() } else { rmp_serde::from_slice(&state).unwrap() };
                node.applied = index.0;
                node.restored += 1;
                for (index, record) in &node.state {
                    assert_eq!(self.ledger.get(index), Some(record), "the snapshot of master {id} is false");
                }
                self.replica(id).applied(index);
            }
            Output::Tell(LogEvent::SnapshotWanted) => {
                let state = rmp_serde::to_vec(&node.state).unwrap();
                let applied = LogIndex(node.applied);
                self.replica(id).snapshot(applied, &state);
            }
            Output::Tell(LogEvent::Leads { term }) => {
                node.leads = Some(term);
                let known: BTreeSet<u64> = node.state.values().filter_map(|record| proposal_of(record)).collect();
                assert!(self.acknowledged.is_subset(&known), "master {id} leads but has not applied everything");
                let first = self.leaders.insert(term, id);
                assert_eq!(first, None, "two leaders in term {term}, {id} too: {}", self.trace.join("\n"));
            }
            Output::Tell(LogEvent::Follows { .. }) => node.leads = None,
            Output::Tell(LogEvent::Dropped(proposal)) => {
                node.dropped.insert(proposal.0);
            }
            Output::Tell(LogEvent::Readable { read, index }) => {
                node.readable.insert(read);
                assert!(index.0 >= self.asked[&read], "a stale read on master {id}");
            }
            Output::Removed => {
                node.is_removed = true;
                node.leads = None;
            }
        }
    }

    fn send(&mut self, from: u64, send: Send) {
        self.sent.push((send.to.0, send.message.clone()));
        let copies = match self.random.u8(0..100) {
            chance if chance < self.loss => 0,
            chance if chance >= 100 - self.doubled => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let due = self.now + self.random.u64(1..=self.delay);
            self.flying.push((due, from, send.to.0, send.message.clone()));
        }
    }

    /// The master that says it leads with the highest term, if any.
    pub(crate) fn leader(&self) -> Option<u64> {
        let leading = self.nodes.iter().filter(|(_, node)| node.replica.is_some());
        leading.filter_map(|(id, node)| Some((node.leads?, *id))).max().map(|(_, id)| id)
    }

    pub(crate) fn await_leader(&mut self) -> u64 {
        self.run_until("a leader", 600, |world| world.leader().is_some());
        self.leader().unwrap()
    }

    /// Waits until a particular master leads and nobody else says so.
    pub(crate) fn await_lead_of(&mut self, id: u64, ticks: u64) {
        self.run_until("that master leads", ticks, |world| world.leader() == Some(id));
    }

    pub(crate) fn propose(&mut self, id: u64) -> u64 {
        self.next += 1;
        let proposal = self.next;
        let record = [id.to_be_bytes(), proposal.to_be_bytes()].concat();
        self.replica(id).propose(ProposalId(proposal), record.into());
        self.carry_out(id);
        proposal
    }

    /// Proposes and waits until it is acknowledged.
    pub(crate) fn commit(&mut self, id: u64, count: usize) {
        let all: Vec<u64> = (0..count).map(|_| self.propose(id)).collect();
        self.run_until("acknowledged", 400, |world| all.iter().all(|one| world.acknowledged.contains(one)));
    }

    pub(crate) fn read(&mut self, id: u64) -> u64 {
        self.next += 1;
        let read = self.next;
        self.asked.insert(read, self.ledger.keys().next_back().copied().unwrap_or_default());
        self.replica(id).read(read);
        self.carry_out(id);
        read
    }

    /// Ends all faults, and waits until every living member has applied the same.
    pub(crate) fn settle(&mut self) {
        self.heal();
        self.loss = 0;
        self.doubled = 0;
        self.delay = 1;
        let members: Vec<u64> = self.nodes.iter().filter(|(_, node)| !node.is_removed).map(|(id, _)| *id).collect();
        for id in members {
            let node = self.nodes.get_mut(&id).unwrap();
            node.is_paused = false;
            if node.replica.is_none() {
                self.start(id);
            }
        }
        let leader = self.await_leader();
        self.run(5 * ELECTION as u64);
        let leader = self.leader().unwrap_or(leader);
        self.commit(leader, 1);
        self.run_until("all have applied the same", 1_000, |world| {
            let last = world.ledger.keys().next_back().copied();
            world.nodes.values().filter(|node| !node.is_removed).all(|node| Some(node.applied) == last)
        });
        self.check_acknowledged();
    }

    /// Nothing that was acknowledged is lost, and nothing is there twice.
    pub(crate) fn check_acknowledged(&self) {
        for (id, node) in self.nodes.iter().filter(|(_, node)| !node.is_removed) {
            let records: Vec<u64> = node.state.values().filter_map(|record| proposal_of(record)).collect();
            let unique: BTreeSet<u64> = records.iter().copied().collect();
            assert_eq!(unique.len(), records.len(), "master {id} has a record twice");
            assert!(self.acknowledged.is_subset(&unique), "master {id} lost what was acknowledged");
            assert!(unique.is_disjoint(&node.dropped), "master {id} has a record that was dropped");
        }
    }
}

fn proposal_of(record: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(record.get(8..)?.try_into().ok()?))
}
