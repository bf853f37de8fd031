//! A master: its disk, and while its process lives a replica and a coordinator, as in the program.
//!
//! - [`raft`]: what the raft thread does
//! - [`shell`]: what the coordinator does; [`proposals`] are what it waits for, [`orders`] what clients ask of it

pub(crate) mod orders;
pub(crate) mod proposals;
pub(crate) mod raft;
pub(crate) mod shell;

use std::collections::VecDeque;
use std::sync::Arc;

use akrida_core::coordinator::Now;
use akrida_core::ids::{RaftId, WorkerId};
use akrida_core::replica::event::LogEvent;
use akrida_core::replica::stored::{NamedMember, Stored};
use akrida_core::replica::{Replica, ReplicaConfig};
use akrida_core::state::command::Command;
use akrida_core::state::record::Record;
use bytes::Bytes;

use crate::bugs::Bug;
use crate::clock::{Clock, MS, Monotonic};
use crate::disk::Disk;
use crate::event::{Event, MasterEvent, Node};
use crate::links::{ConnectionId, Up};
use crate::world::World;
use raft::Inbox;
use shell::{Deed, Shell};

/// How finely the raft thread counts time, and how often the coordinator looks at the clock.
pub(crate) const RAFT_TICK_US: u64 = 50 * MS;
const COORDINATOR_TICK_US: u64 = 100 * MS;
/// Election time-outs are one to two times as long: 0.5 to 1 s.
pub(crate) const ELECTION_TICKS: usize = 10;
const HEARTBEAT_TICKS: usize = 2;

/// A master by its place.
#[derive(Debug)]
pub(crate) struct Master {
    pub(crate) name: Arc<str>,
    /// Its id in the group; another one with each new disk.
    pub(crate) id: RaftId,
    pub(crate) priority: i64,
    pub(crate) clock: Clock,
    /// The number of its last process.
    pub(crate) life: u64,
    pub(crate) disk: Disk,
    /// Whether it belongs to the cluster, or is to.
    pub(crate) is_in_use: bool,
    pub(crate) process: Option<Process>,
    pub(crate) dies_after_vote: bool,
    /// The longest that the coordinator usually takes to hear of something.
    pub(crate) lag_us: u64,
}

/// The process of a master.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) replica: Replica,
    pub(crate) shell: Shell,
    mono: Monotonic,
    next_tick_us: u64,
    /// What the raft thread said to the coordinator, and what the coordinator said to it, in order.
    log: VecDeque<LogEvent>,
    log_due_us: u64,
    raft_due_us: u64,
    /// What came while it was paused.
    pub(crate) frozen: Option<Vec<MasterEvent>>,
}

impl Master {
    /// A machine without data.
    pub(crate) fn new(at: usize, clock: Clock) -> Self {
        Self {
            name: format!("master-{at}").into(),
            id: RaftId(0),
            priority: at as i64,
            clock,
            life: 0,
            disk: Disk::with(Stored::default()),
            is_in_use: false,
            process: None,
            dies_after_vote: false,
            lag_us: MS,
        }
    }

    /// It gets a new disk with this on it, and takes part. Gives the one that it had.
    pub(crate) fn equip(&mut self, id: RaftId, stored: Stored) -> Disk {
        (self.id, self.is_in_use) = (id, true);
        std::mem::replace(&mut self.disk, Disk::with(stored))
    }

    pub(crate) fn named(&self) -> NamedMember {
        NamedMember { id: self.id, name: Arc::clone(&self.name) }
    }

    /// Whether its process lives and is not paused.
    pub(crate) fn is_awake(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.frozen.is_none())
    }

    /// The same for a particular life of it.
    pub(crate) fn is_awake_in(&self, life: u64) -> bool {
        self.life == life && self.is_awake()
    }

    /// Its clocks, for its coordinator.
    pub(crate) fn now(&self, now_us: u64) -> Now {
        let mono_us = self.process.as_ref().map_or(0, |process| process.mono.at(now_us));
        Now { mono_us, unix_ms: self.clock.unix_ms(now_us) }
    }
}

impl World {
    /// Starts a master's process from its disk.
    pub(crate) fn start_master(&mut self, at: usize) {
        let now_us = self.schedule.now_us();
        if !self.masters[at].is_in_use || self.masters[at].process.is_some() {
            return;
        }
        let config = self.replica_config(at);
        let master = &mut self.masters[at];
        master.life += 1;
        let replica = match Replica::new(config, master.disk.load()) {
            Ok(replica) => replica,
            Err(error) => panic!("{} does not start: {error}", master.name),
        };
        let process = Process {
            replica,
            shell: Shell::new(self.settings.clone(), self.random.u64(..), self.bug),
            mono: Monotonic::started(master.clock, now_us),
            next_tick_us: RAFT_TICK_US,
            log: VecDeque::new(),
            log_due_us: 0,
            raft_due_us: 0,
            frozen: None,
        };
        master.process = Some(process);
        self.note(format_args!("master {at} starts"));
        self.plan_at_master(at, RAFT_TICK_US, MasterEvent::RaftTick);
        self.plan_at_master(at, COORDINATOR_TICK_US, MasterEvent::CoordinatorTick);
        self.carry_out_raft(at);
    }

    fn replica_config(&mut self, at: usize) -> ReplicaConfig {
        let (id, priority, seed) = (self.masters[at].id, self.masters[at].priority, self.random.u64(..));
        let mut config = ReplicaConfig::new(id, ELECTION_TICKS, HEARTBEAT_TICKS, priority, seed);
        config.snapshot_entries = self.pace.snapshot_entries;
        config.tail_entries = self.pace.tail_entries;
        config.fail_back = self.pace.fail_back;
        config
    }

    /// A master's process dies.
    pub(crate) fn crash_master(&mut self, at: usize, is_clean: bool) {
        let now_us = self.schedule.now_us();
        let master = &mut self.masters[at];
        if master.process.take().is_none() {
            return;
        }
        master.disk.crash(now_us, &mut self.random);
        if self.bug == Some(Bug::ForgetVote) {
            master.disk.forget_vote();
        }
        let life = master.life;
        self.note(format_args!("master {at} dies"));
        self.close_all_of(Node::Master(at), life, is_clean);
        if is_clean {
            self.tell_of_end(at);
        }
    }

    /// Most others learn that nobody listens any more where a master was.
    fn tell_of_end(&mut self, of: usize) {
        let id = self.masters[of].id;
        for at in (0..self.masters.len()).filter(|at| *at != of) {
            if self.random.u32(..4) > 0 {
                let wait_us = self.random.u64(..20 * MS);
                self.plan_at_master(at, wait_us, MasterEvent::Raft(Inbox::Ended(id)));
            }
        }
    }

    pub(crate) fn plan_at_master(&mut self, at: usize, wait_us: u64, what: MasterEvent) {
        let life = self.masters[at].life;
        self.schedule.after(wait_us, Event::Master { at, life, what });
    }

    /// Something happens to a master: now, after its pause, or never.
    pub(crate) fn happen_at_master(&mut self, at: usize, life: u64, what: MasterEvent) {
        let master = &mut self.masters[at];
        let Some(process) = master.process.as_mut().filter(|_| master.life == life) else { return };
        if let Some(frozen) = &mut process.frozen {
            return frozen.push(what);
        }
        match what {
            MasterEvent::RaftTick => self.raft_tick(at),
            MasterEvent::Written => self.raft_written(at),
            MasterEvent::Persisted(number) => self.raft_persisted(at, number),
            MasterEvent::Peer(send) => self.raft_receive(at, &send),
            MasterEvent::Raft(inbox) => self.raft_take(at, inbox),
            MasterEvent::Log => self.coordinator_hears(at),
            MasterEvent::CoordinatorTick => {
                self.plan_at_master(at, COORDINATOR_TICK_US, MasterEvent::CoordinatorTick);
                self.with_shell(at, |shell, now| shell.tick(now));
            }
            MasterEvent::Arrived(link) => self.master_reads(at, link),
            MasterEvent::Order(action) => self.master_takes_order(at, action),
        }
    }

    /// Has the coordinator do something, and carries out what it does.
    pub(crate) fn with_shell(&mut self, at: usize, act: impl FnOnce(&mut Shell, Now)) {
        let now = self.masters[at].now(self.schedule.now_us());
        let Some(process) = &mut self.masters[at].process else { return };
        act(&mut process.shell, now);
        self.carry_out_deeds(at);
    }

    fn coordinator_hears(&mut self, at: usize) {
        let now = self.masters[at].now(self.schedule.now_us());
        let Some(process) = &mut self.masters[at].process else { return };
        let Some(event) = process.log.pop_front() else { return };
        self.oracle.at_us(self.schedule.now_us());
        if let LogEvent::Leads { .. } | LogEvent::Follows { .. } = event {
            self.oracle.terms.told(at, matches!(event, LogEvent::Leads { .. }));
        }
        process.shell.hear_log(event, now, &mut self.oracle);
        self.carry_out_deeds(at);
    }

    /// Whether a proposal is made twice, as one is that was wrongly taken for lost. Batches and requests with a key must bear
    /// it.
    fn is_repeated(&mut self, record: &Bytes) -> bool {
        if self.random.u32(..1_000) >= self.pace.repeated_permille {
            return false;
        }
        let record = Record::from_bytes(record).expect("written a moment ago");
        record.request.is_some() || matches!(record.command, Command::MergeDeltas(_))
    }

    fn carry_out_deeds(&mut self, at: usize) {
        let Some(process) = &mut self.masters[at].process else { return };
        for deed in process.shell.take() {
            match deed {
                Deed::Propose(proposal, record, action) => {
                    self.oracle.actions.proposed(proposal, action);
                    let times = if self.is_repeated(&record) { 2 } else { 1 };
                    (0..times).for_each(|_| self.tell_raft(at, Inbox::Propose(proposal, record.clone())));
                }
                Deed::Applied(index) => self.tell_raft(at, Inbox::Applied(index)),
                Deed::Snapshot(index, state) => self.tell_raft(at, Inbox::Snapshot(index, state)),
                Deed::Tell(link, what) => {
                    self.note(format_args!("master {at} > {link}: {what:?}"));
                    self.send_down(link, what);
                }
                Deed::Answer(action, outcome) => self.answer_client(at, action, outcome),
                Deed::Acted { term } => self.oracle.acted(at, term, self.schedule.now_us()),
                Deed::Acknowledged { worker, message } => self.oracle.acknowledges(&worker, &message),
            }
        }
    }

    /// The raft thread says something to the coordinator, which takes its time.
    pub(crate) fn tell_coordinator(&mut self, at: usize, event: LogEvent) {
        let (now_us, lag_us) = (self.schedule.now_us(), self.masters[at].lag_us);
        let due_us = now_us + self.random.u64(20..=lag_us.max(20));
        let Some(process) = &mut self.masters[at].process else { return };
        process.log.push_back(event);
        process.log_due_us = process.log_due_us.max(due_us);
        let (due_us, life) = (process.log_due_us, self.masters[at].life);
        self.schedule.at(due_us, Event::Master { at, life, what: MasterEvent::Log });
    }

    fn tell_raft(&mut self, at: usize, inbox: Inbox) {
        let due_us = self.schedule.now_us() + self.random.u64(10..300);
        let Some(process) = &mut self.masters[at].process else { return };
        process.raft_due_us = process.raft_due_us.max(due_us);
        let (due_us, life) = (process.raft_due_us, self.masters[at].life);
        self.schedule.at(due_us, Event::Master { at, life, what: MasterEvent::Raft(inbox) });
    }

    fn master_reads(&mut self, at: usize, link: ConnectionId) {
        let Some(connection) = self.links.connections.get(&link) else { return };
        let (worker, incarnation) = (self.worker_id(connection.worker), connection.incarnation);
        let Some(what) = self.take_up(link) else { return };
        self.note(format_args!("master {at} < {link} {worker}: {what:?}"));
        match what {
            Up::Attach => self.with_shell(at, |shell, _| shell.attach(worker, incarnation, link)),
            Up::Closed => self.close_at_master(link, false),
            Up::Message(message) => {
                if let Some(connection) = self.links.connections.get_mut(&link) {
                    connection.said_goodbye |= message == akrida_core::wire::FromWorker::Goodbye;
                }
                self.with_shell(at, |shell, now| shell.hear_worker(worker, incarnation, message, now));
            }
        }
    }

    /// The master's side of a link is closed.
    pub(crate) fn master_lost_link(
        &mut self,
        at: usize,
        link: ConnectionId,
        worker: usize,
        incarnation: akrida_core::ids::Incarnation,
        died: bool,
    ) {
        let worker: WorkerId = self.worker_id(worker);
        self.with_shell(at, |shell, now| shell.detach(worker, incarnation, link, died, now));
    }
}
