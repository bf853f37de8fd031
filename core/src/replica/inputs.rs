//! What a replica is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Message, MessageType};
use raft::{RawNode, SnapshotStatus, StateRole};

use super::change::ChangePlan;
use super::config::{ReplicaConfig, ReplicaError};
use super::event::LogEvent;
use super::fail_back::FailBack;
use super::farewell::Farewell;
use super::leadership::{Heard, Leadership, TransferReason};
use super::members::{Members, contains};
use super::mirror::Mirror;
use super::output::{Output, Write};
use super::ready::Writes;
use super::screen::{Refused, screen};
use super::snapshots;
use super::stored::{Stored, StoredSnapshot};
use super::timeouts::Timeouts;
use super::window::Window;
use crate::ids::{LogIndex, ProposalId, RaftId};
use crate::limits;

/// A master's part in the group. After each call, [`take`](Self::take) tells what follows from it.
pub struct Replica {
    pub(super) config: ReplicaConfig,
    pub(super) node: RawNode<Mirror>,
    pub(super) timeouts: Timeouts,
    pub(super) members: Members,
    pub(super) writes: Writes,
    pub(super) window: Window,
    /// Everything up to here is committed and stored, and may be handed out.
    pub(super) committed: u64,
    pub(super) leadership: Leadership,
    pub(super) change: Option<ChangePlan>,
    pub(super) fail_back: FailBack,
    /// Members that were removed and may not know it.
    pub(super) farewells: Vec<Farewell>,
    /// When each member was last heard, and what it said of itself.
    pub(super) heard: BTreeMap<u64, Heard>,
    /// Since when each follower has been without an answer to a snapshot.
    pub(super) snapshots_sent: BTreeMap<u64, u64>,
    pub(super) reads: BTreeMap<u64, u64>,
    pub(super) reads_asked: u64,
    pub(super) snapshot_asked: bool,
    pub(super) snapshot_needed: bool,
    pub(super) ticks: u64,
    pub(super) was_member: bool,
    pub(super) removed: bool,
    pub(super) out: Vec<Output>,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Replica {
    /// A replica with what its disk holds.
    ///
    /// # Errors
    /// When the configuration makes no sense, or what was stored does not fit together.
    pub fn new(config: ReplicaConfig, stored: Stored) -> Result<Self, ReplicaError> {
        let inconsistent = |what: &str| ReplicaError::Inconsistent(what.to_owned());
        let mirror = Mirror::load(stored)?;
        let conf = mirror.initial_conf_state().clone();
        let restored = match mirror.latest_snapshot() {
            None => None,
            Some(snapshot) => {
                if !super::members::is_sound(&conf) {
                    return Err(inconsistent("the members in the snapshot"));
                }
                let body = snapshots::decode(&snapshot.data);
                Some((snapshot.index, body.ok_or_else(|| inconsistent("the data of the snapshot"))?))
            }
        };
        let applied = mirror.snapshot_index();
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let node = RawNode::new(&config.of_raft(applied), mirror, &logger)
            .map_err(|error| ReplicaError::Config(error.to_string()))?;
        let mut replica = Self {
            timeouts: Timeouts::new(config.seed, config.election_ticks),
            members: Members::default(),
            writes: Writes::default(),
            window: Window::default(),
            committed: applied,
            leadership: Leadership::default(),
            change: None,
            fail_back: FailBack::default(),
            farewells: Vec::new(),
            heard: BTreeMap::new(),
            snapshots_sent: BTreeMap::new(),
            reads: BTreeMap::new(),
            reads_asked: 0,
            snapshot_asked: false,
            snapshot_needed: false,
            ticks: 0,
            was_member: contains(&conf, config.id.0),
            removed: false,
            out: Vec::new(),
            config,
            node,
        };
        if let Some((index, (names, state))) = restored {
            replica.members = Members::restored(index, conf, names);
            replica.hand_out_state(index, state);
        }
        replica.proceed();
        Ok(replica)
    }

    /// What must be carried out, in order. Empties it.
    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// A tick of time has passed.
    pub fn tick(&mut self) {
        self.ticks += 1;
        if self.is_deaf() || self.would_win_unwritten() {
            return;
        }
        self.node.tick();
        self.timeouts.ticked(&self.node);
        self.proceed();
        if self.removed {
            return;
        }
        self.give_up_silent_snapshots();
        self.repeat_farewells();
        self.go_on_with_change();
        self.consider_fail_back();
        self.proceed();
    }

    /// A message of another master has come; tells whose. While a snapshot is being written, messages are lost.
    ///
    /// # Errors
    /// When it is garbage, not for this replica, or says what cannot be: as when this master lost entries that it had
    /// confirmed. It was ignored.
    pub fn receive(&mut self, message: &[u8]) -> Result<RaftId, Refused> {
        let mut message = Message::parse_from_bytes(message).map_err(|error| Refused::Malformed(error.to_string()))?;
        let from = RaftId(message.from);
        if self.is_deaf() {
            return Ok(from);
        }
        screen(&message, &self.node)?;
        if message.get_msg_type() == MessageType::MsgTimeoutNow && self.would_win_unwritten() {
            return Ok(from);
        }
        self.hear(&message);
        if message.context == raft::CAMPAIGN_TRANSFER {
            // Whoever is given the lead gets every vote, also from better masters.
            message.priority = i64::MAX;
        }
        // A message from a stranger is not an error: members come and go.
        let _ = self.node.step(message);
        self.proceed();
        Ok(from)
    }

    /// Proposes a record. It comes back as committed, or as [`LogEvent::Dropped`], or not at all if the lead is lost
    /// before anybody knows. Only a replica that has said [`LogEvent::Leads`] takes proposals.
    pub fn propose(&mut self, proposal: ProposalId, record: Bytes) {
        let takes = self.leads() && !record.is_empty() && record.len() <= limits::RAFT_RECORD_BYTES_MAX;
        if !takes || self.node.propose(Vec::new(), record.to_vec()).is_err() {
            self.out.push(Output::Tell(LogEvent::Dropped(proposal)));
        }
        self.proceed();
    }

    /// Asks for [`LogEvent::Readable`]. Nothing comes of it if this replica does not lead, or loses the lead.
    pub fn read(&mut self, read: u64) {
        if !self.leads() || self.reads.len() >= limits::RAFT_READS_MAX {
            return;
        }
        self.reads_asked += 1;
        self.reads.insert(self.reads_asked, read);
        self.node.read_index(self.reads_asked.to_be_bytes().to_vec());
        self.proceed();
    }

    /// Gives the lead to another voter, as an operator wants it: nobody takes it back until the next election. Ignored
    /// unless this replica leads.
    pub fn transfer(&mut self, to: RaftId) {
        self.transfer_because(to, TransferReason::Operator);
        self.proceed();
    }

    /// Makes this replica a better or worse leader. One that should not lead must have a low priority: as a voter it
    /// refuses candidates with a lower one, so otherwise nobody might be elected.
    pub fn set_priority(&mut self, priority: i64) {
        self.config.priority = priority;
        self.node.set_priority(priority);
    }

    /// Everything in writes up to this number is durable.
    pub fn persisted(&mut self, number: u64) {
        self.writes.durable_up_to(number);
        if !self.removed {
            self.proceed();
        }
    }

    /// Everything that was handed out up to here is applied.
    pub fn applied(&mut self, index: LogIndex) {
        self.window.apply(index.0);
        if !self.removed {
            self.proceed();
        }
    }

    /// The state as of `index`, which was handed out. Older ones than the latest snapshot are ignored.
    pub fn snapshot(&mut self, index: LogIndex, state: &[u8]) {
        let index = index.0;
        self.snapshot_asked = false;
        if index <= self.node.store().snapshot_index() || index > self.window.handed() || self.is_deaf() {
            return;
        }
        let Ok(term) = raft::Storage::term(self.node.store(), index) else { return };
        let (conf_state, names) = self.members.as_of(index);
        let snapshot = StoredSnapshot { index, term, conf_state, data: snapshots::encode(&names, state) };
        self.members.forget_before(index);
        self.out.push(Output::Write(Write::Snapshot(snapshot.clone())));
        let tail = self.config.tail_entries;
        let up_to = self.node.mut_store().compact(snapshot, tail, limits::RAFT_TAIL_BYTES);
        if up_to > 0 {
            self.out.push(Output::Write(Write::Compact(up_to)));
        }
        self.proceed();
    }

    /// The process of this member has ended, as far as can be told from outside. If it led, a new leader is elected at once
    /// rather than after a time-out. It may be wrong: then the others, which still hear the leader, give no votes; and if all
    /// were wrong, a living leader is replaced as by a transfer. Tells whether this changes anything.
    pub fn ended(&mut self, member: RaftId) -> bool {
        let follows_it = self.node.raft.state == StateRole::Follower && self.node.raft.leader_id == member.0;
        !self.is_deaf() && follows_it && self.timeouts.hasten(&mut self.node)
    }

    /// A message could not be sent to this member.
    pub fn not_sent(&mut self, to: RaftId, is_snapshot: bool) {
        if self.is_deaf() {
            return;
        }
        self.node.report_unreachable(to.0);
        if is_snapshot && self.snapshots_sent.remove(&to.0).is_some() {
            self.node.report_snapshot(to.0, SnapshotStatus::Failure);
        }
        self.proceed();
    }

    /// Its own id.
    #[must_use]
    pub fn id(&self) -> RaftId {
        self.config.id
    }

    /// The configured name of a member.
    #[must_use]
    pub fn name_of(&self, member: RaftId) -> Option<&Arc<str>> {
        self.members.name_of(member.0)
    }

    /// Whether a master belongs to the group, as far as this replica knows.
    #[must_use]
    pub fn has_member(&self, member: RaftId) -> bool {
        contains(&self.node.raft.prs().conf().to_conf_state(), member.0)
    }

    /// Whether it must not touch raft-rs: it was removed, or raft-rs has handed out a snapshot that is not yet written
    /// and would panic if it had to campaign meanwhile.
    pub(super) fn is_deaf(&self) -> bool {
        self.removed || self.writes.has_snapshot()
    }

    /// Whether an election would make it leader at once although entries of its log are not yet written, on which
    /// raft-rs panics. Only the vote of others takes so long that they are.
    fn would_win_unwritten(&self) -> bool {
        let alone = self.node.raft.prs().is_singleton() && self.node.raft.promotable();
        alone && self.node.raft.state != StateRole::Leader && !self.writes.is_empty()
    }
}
