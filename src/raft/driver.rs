//! The raft thread of a master that belongs to a cluster.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use akrida_actors::coordinator::log::{LogEvent, Told};
use akrida_core::ids::{ClusterId, LogIndex, RaftId};
use akrida_core::limits;
use akrida_core::replica::change::MemberChange;
use akrida_core::replica::formation::{FormationMessage, answer};
use akrida_core::replica::output::{Send, Write};
use akrida_core::replica::stored::NamedMember;
use akrida_core::replica::{Output, Replica};
use akrida_core::wire::refused::RefusedCallers;
use bytes::Bytes;

use super::clock::TickClock;
use super::handle::ReplaceRefused;
use super::inbox::Inbox;
use super::joiners::Joiners;
use super::peers::PeerFrame;
use super::status::{MemberStatus, Phase, Role};
use super::thread::Life;

/// How long the thread waits for the disk when too much is to be written.
const DISK_PAUSE: Duration = Duration::from_millis(1);

/// Carries between the replica and the world.
pub(super) struct Driver {
    life: Life,
    replica: Replica,
    cluster: ClusterId,
    clock: TickClock,
    jobs: SyncSender<Write>,
    jobs_sent: u64,
    /// Names of masters that the group does not know, as a joiner hears them.
    learned: BTreeMap<RaftId, Arc<str>>,
    joiners: Joiners,
    /// A leader that has said that this master is no member. It may be wrong if it is not the leader any more.
    excluded_by: Option<Arc<str>>,
    refused: RefusedCallers,
    started: Instant,
    next_look: Instant,
    is_stopping: bool,
}

impl Driver {
    pub(super) fn new(life: Life, replica: Replica, cluster: ClusterId, jobs: SyncSender<Write>) -> Self {
        let now = Instant::now();
        let clock = TickClock::new(life.options.tick, life.options.election_ticks(), now);
        Self {
            life,
            replica,
            cluster,
            clock,
            jobs,
            jobs_sent: 0,
            learned: BTreeMap::new(),
            joiners: Joiners::default(),
            excluded_by: None,
            refused: RefusedCallers::default(),
            started: now,
            next_look: now,
            is_stopping: false,
        }
    }

    /// Runs until it is stopped.
    pub(super) fn run(mut self) -> Life {
        self.carry_out();
        while !self.is_stopping {
            self.take_turn();
            self.take_shared();
            for _ in 0..self.clock.due(Instant::now()) {
                self.replica.tick();
            }
            self.carry_out();
            self.look(Instant::now());
        }
        self.life
    }

    /// Takes what is in the inbox, waiting until the next tick at most. Messages come before ticks: what a leader said
    /// while this thread stood still must count before its silence does.
    fn take_turn(&mut self) {
        let wait = self.clock.until_next(Instant::now());
        let under_way = self.jobs_sent - self.life.shared.writes_done.load(Ordering::Acquire);
        if under_way >= limits::RAFT_WRITES_MAX as u64 / 2 {
            std::thread::sleep(DISK_PAUSE.min(wait));
            return;
        }
        match self.life.inbox.recv_timeout(wait) {
            Ok(first) => self.take(first),
            Err(RecvTimeoutError::Timeout) => return,
            Err(RecvTimeoutError::Disconnected) => self.is_stopping = true,
        }
        for _ in 1..limits::RAFT_TURN {
            let Ok(next) = self.life.inbox.try_recv() else { return };
            self.take(next);
        }
    }

    fn take_shared(&mut self) {
        let shared = self.life.shared.clone();
        let persisted = shared.persisted.load(Ordering::Acquire);
        self.replica.persisted(persisted);
        self.replica.applied(LogIndex(shared.applied.load(Ordering::Acquire)));
        if let Some((index, state)) = shared.take_snapshot() {
            self.replica.snapshot(index, &state);
        }
    }

    fn take(&mut self, what: Inbox) {
        match what {
            Inbox::Wake => {}
            Inbox::Peer { from, kind: PeerFrame::Raft, body } => self.hear(from, &body),
            Inbox::Peer { from, kind: PeerFrame::Formation, body } => self.answer(from, &body),
            Inbox::Ended(name) => self.ended(&name),
            Inbox::Propose(proposal, record) => self.replica.propose(proposal, record),
            Inbox::Read(read) => self.replica.read(read),
            Inbox::Transfer(to) => self.replica.transfer(to),
            Inbox::SetPriority(priority) => self.replica.set_priority(priority),
            Inbox::Change(change, reply) => {
                // Nobody may wait for the answer any more.
                let _ = reply.send(self.replica.change(change));
            }
            Inbox::Replace(name, reply) => {
                let _ = reply.send(self.replace(name));
            }
            Inbox::Stop => self.is_stopping = true,
        }
    }

    fn ended(&mut self, name: &str) {
        let leader = self.replica.status().leader;
        let Some(leader) = leader.filter(|leader| self.name_of(*leader).as_deref() == Some(name)) else { return };
        if self.replica.ended(leader) {
            tracing::warn!(master = name, "the process of the leader has ended; another one is elected at once");
        }
    }

    fn hear(&mut self, from: Arc<str>, body: &[u8]) {
        let id = match self.replica.receive(body) {
            Ok(id) => id,
            Err(refused) => return self.log_refusal(&from, &refused.to_string()),
        };
        if self.replica.leads() && !self.replica.has_member(id) {
            // Somebody who was removed while he was away does not know it.
            let message = answer(self.cluster, self.replica.id(), id, false);
            self.life.peers.send(&from, PeerFrame::Formation, message.to_bytes().into());
        }
        if self.replica.name_of(id).is_none() {
            if self.learned.len() >= limits::MASTERS_MAX {
                self.learned.clear();
            }
            self.learned.insert(id, from);
        }
    }

    /// A master without data asks. A leader that tells a member of the same cluster what it tells those without data says
    /// that it is none. Others only answer each other's questions of long ago.
    fn answer(&mut self, from: Arc<str>, body: &[u8]) {
        match FormationMessage::from_bytes(body) {
            Ok(FormationMessage::Empty { id, .. }) => {
                let is_member = self.replica.has_member(id);
                let message = answer(self.cluster, self.replica.id(), id, is_member);
                self.life.peers.send(&from, PeerFrame::Formation, message.to_bytes().into());
                if is_member {
                    self.joiners.joined(&from);
                } else {
                    self.joiners.asks(from, id, Instant::now());
                }
            }
            Ok(FormationMessage::Member { cluster, .. }) if cluster == self.cluster => {
                if self.excluded_by.is_none() && self.replica.status().leader.is_none() {
                    tracing::warn!("{}", excluded_text(&from, cluster));
                    self.excluded_by = Some(from);
                }
            }
            Ok(_) => {}
            Err(error) => self.log_refusal(&from, &error.to_string()),
        }
    }

    /// Says that messages of another master are refused, but not for each of them.
    fn log_refusal(&mut self, from: &str, reason: &str) {
        let now = self.started.elapsed();
        if let Some(times) = self.refused.note(from, reason, now) {
            tracing::warn!(from, times, "messages of another master are refused: {reason}");
        }
    }

    fn replace(&mut self, name: Arc<str>) -> Result<(), ReplaceRefused> {
        let members = self.replica.status().members;
        // A change of leader may have left one half-way that has learned of the group since, and asks no more.
        let is_half_way = |member: &&MemberStatus| !member.is_voter && member.name.as_ref() == Some(&name);
        let half_way = members.iter().find(is_half_way).map(|member| member.id);
        let waits = self.joiners.id_of(&name, Instant::now()).or(half_way);
        let id = waits.ok_or_else(|| ReplaceRefused::NobodyWaits(name.clone()))?;
        let is_old = |member: &NamedMember| member.name == name && member.id != id;
        let named = members.into_iter().filter_map(|member| Some(NamedMember { id: member.id, name: member.name? }));
        let remove = named.filter(is_old).map(|member| member.id).collect();
        let add = vec![NamedMember { id, name: name.clone() }];
        tracing::info!(%name, %id, "a master with an empty data folder takes the place of the one that it was");
        Ok(self.replica.change(MemberChange { add, remove })?)
    }

    fn carry_out(&mut self) {
        loop {
            let due = self.replica.take();
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|output| self.carry_out_one(output));
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::Send(send) => self.send(send),
            Output::Write(write) => self.write(write),
            // Those that are under way are bounded by the replica's window, and by what the actor itself asks for.
            Output::Tell(event) => {
                self.note(&event);
                self.life.events.do_send(Told(event));
            }
            Output::Removed => {
                tracing::warn!("this master was removed from the cluster");
                self.next_look = Instant::now();
            }
        }
    }

    /// Logs who leads, and has it shown soon.
    fn note(&mut self, event: &LogEvent) {
        match event {
            LogEvent::Leads { term } => tracing::info!(term, "this master leads"),
            LogEvent::Follows { term, leader } => {
                let name = leader.and_then(|leader| self.name_of(leader));
                tracing::info!(term, leader = name.as_deref().unwrap_or("nobody known"), "this master follows");
            }
            _ => return,
        }
        self.next_look = Instant::now();
    }

    fn write(&mut self, write: Write) {
        self.jobs_sent += 1;
        // The writer ends the process rather than itself.
        let _ = self.jobs.send(write);
    }

    fn send(&mut self, send: Send) {
        let Send { to, message, is_snapshot } = send;
        if message.len() > limits::FRAME_BYTES_MAX {
            let (bytes, most) = (message.len(), limits::FRAME_BYTES_MAX);
            tracing::error!(
                bytes,
                most,
                "the state is too large to be sent: a master that lags behind cannot catch up"
            );
        }
        let name = self.name_of(to);
        let is_sent = name.is_some_and(|name| self.send_to(&name, message));
        if !is_sent {
            self.replica.not_sent(to, is_snapshot);
        }
    }

    fn send_to(&self, name: &str, message: Bytes) -> bool {
        self.life.peers.send(name, PeerFrame::Raft, message)
    }

    fn name_of(&self, member: RaftId) -> Option<Arc<str>> {
        self.replica.name_of(member).or_else(|| self.learned.get(&member)).cloned()
    }

    /// Shows the group to others, now and then.
    fn look(&mut self, now: Instant) {
        if now < self.next_look {
            return;
        }
        self.next_look = now + limits::RAFT_STATUS_EVERY;
        let group = self.replica.status();
        if group.leader.is_some() {
            self.excluded_by = None;
        }
        let phase = match &self.excluded_by {
            _ if group.role == Role::Removed => Phase::Removed,
            Some(leader) => Phase::Waiting(excluded_text(leader, self.cluster)),
            None => Phase::Running,
        };
        self.joiners.forget_members(|id| self.replica.has_member(id));
        let joiners = self.joiners.list(now);
        self.life.show.change(|status| {
            status.phase = phase;
            status.cluster = Some(self.cluster);
            status.group = Some(group);
            status.joiners = joiners;
        });
    }
}

fn excluded_text(leader: &str, cluster: ClusterId) -> String {
    format!(
        "{leader} leads cluster {cluster} and says that this master is no member of it any more: it was removed while it \
         was away; stop it, and delete its data folder before it is added again"
    )
}
