//! Who leads, what was said of it, and who should.

use raft::eraftpb::{Message, MessageType};
use raft::{ProgressState, SnapshotStatus};

use super::event::LogEvent;
use super::fail_back::Candidate;
use super::inputs::Replica;
use super::output::Output;
use crate::ids::RaftId;
use crate::limits;

/// Marks the message that ends a transfer which an operator asked for. raft-rs leaves this field alone.
const OPERATOR: &[u8] = b"operator";

/// What is known of the lead.
#[derive(Debug, Default)]
pub(super) struct Leadership {
    said: Option<Said>,
    /// The term in which this replica leads, and the index of its first entry.
    own_first: Option<(u64, u64)>,
    transfer: Option<TransferReason>,
    /// A term in which this replica leads because an operator wants it.
    held: Option<u64>,
}

/// What the shell was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Leads(u64),
    Follows(u64, u64),
}

/// Why the lead is given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TransferReason {
    Operator,
    /// A better master is there, or this one is about to be removed.
    Own,
}

/// What another master last said of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) tick: u64,
    /// Its priority, once it has answered as a follower.
    pub(super) priority: Option<i64>,
}

impl Replica {
    /// Whether this replica leads and has handed out the first entry of its term.
    #[must_use]
    pub fn leads(&self) -> bool {
        !self.removed && self.is_leader() && self.leadership.said == Some(Said::Leads(self.node.raft.term))
    }

    /// Notes a change of role. Comes before entries of the next leader are handed out.
    pub(super) fn note_role(&mut self) {
        let raft = &self.node.raft;
        let term = raft.term;
        if self.is_leader() {
            if self.leadership.own_first.is_none_or(|(of, _)| of != term) {
                self.leadership.own_first = Some((term, raft.raft_log.last_index()));
            }
            return;
        }
        let said = Said::Follows(term, raft.leader_id);
        if self.leadership.said != Some(said) {
            let leader = Some(RaftId(raft.leader_id)).filter(|leader| leader.0 != 0);
            self.leadership.said = Some(said);
            self.out.push(Output::Tell(LogEvent::Follows { term, leader }));
        }
        self.leadership.own_first = None;
        self.leadership.transfer = None;
        self.reads.clear();
        self.snapshots_sent.clear();
        self.change = None;
        self.fail_back.lost_lead();
    }

    /// Says that this replica leads, once the first entry of its term was handed out.
    pub(super) fn announce_lead(&mut self) {
        let Some((term, index)) = self.leadership.own_first else { return };
        if !self.removed && self.is_leader() && !self.leads() && self.window.handed() >= index {
            self.leadership.said = Some(Said::Leads(term));
            self.out.push(Output::Tell(LogEvent::Leads { term }));
        }
    }

    /// This replica was removed. If it leads, as when it was elected between the two steps of its removal, it does no more.
    pub(super) fn stop(&mut self) {
        if self.leads() {
            self.out.push(Output::Tell(LogEvent::Follows { term: self.node.raft.term, leader: None }));
        }
        self.removed = true;
        self.out.push(Output::Removed);
    }

    pub(super) fn transfer_because(&mut self, to: RaftId, reason: TransferReason) {
        let is_voter = self.node.raft.prs().conf().voters().contains(to.0);
        if self.leads() && is_voter && to != self.config.id {
            self.leadership.transfer = Some(reason);
            self.node.transfer_leader(to.0);
        }
    }

    /// Adds what raft-rs does not know to a message that leaves.
    pub(super) fn mark(&self, message: &mut Message) {
        match message.get_msg_type() {
            MessageType::MsgTimeoutNow if self.leadership.transfer == Some(TransferReason::Operator) => {
                message.context = OPERATOR.into();
            }
            MessageType::MsgAppendResponse | MessageType::MsgHeartbeatResponse => {
                message.priority = self.config.priority;
            }
            _ => {}
        }
    }

    /// Notes what a message says of its sender.
    pub(super) fn hear(&mut self, message: &Message) {
        let kind = message.get_msg_type();
        if kind == MessageType::MsgTimeoutNow && message.context == OPERATOR {
            self.leadership.held = Some(message.term + 1);
        }
        if self.node.raft.prs().get(message.from).is_none() {
            return;
        }
        let answers = matches!(kind, MessageType::MsgAppendResponse | MessageType::MsgHeartbeatResponse);
        let before = self.heard.get(&message.from).and_then(|heard| heard.priority);
        let priority = if answers { Some(message.priority) } else { before };
        self.heard.insert(message.from, Heard { tick: self.ticks, priority });
        let prs = self.node.raft.prs();
        self.heard.retain(|member, _| prs.get(*member).is_some());
    }

    /// Whether a member was heard within an election time-out.
    pub(super) fn is_healthy(&self, member: u64) -> bool {
        let since = |heard: &Heard| self.ticks - heard.tick;
        self.heard.get(&member).is_some_and(|heard| since(heard) <= self.config.election_ticks as u64)
    }

    /// Whether a member has confirmed anything at all to this leader.
    pub(super) fn has_answered(&self, member: u64) -> bool {
        self.node.raft.prs().get(member).is_some_and(|progress| progress.matched > 0)
    }

    /// Whether a member has nearly everything that this leader has.
    pub(super) fn is_caught_up(&self, member: u64) -> bool {
        let last = self.node.raft.raft_log.last_index();
        self.node.raft.prs().get(member).is_some_and(|progress| {
            progress.state != ProgressState::Snapshot && progress.matched + limits::RAFT_CAUGHT_UP_ENTRIES >= last
        })
    }

    /// Gives the lead to a better master, if there has been one for long enough.
    pub(super) fn consider_fail_back(&mut self) {
        let Some(rule) = self.config.fail_back else { return };
        let is_held = self.leadership.held == Some(self.node.raft.term);
        if !self.leads() || is_held || self.change.is_some() {
            return;
        }
        let candidates: Vec<Candidate> = self.voters().filter_map(|member| self.candidate(member)).collect();
        if let Some(better) = self.fail_back.decide(rule, self.ticks, self.config.priority, &candidates) {
            self.transfer_because(better, TransferReason::Own);
        }
    }

    fn candidate(&self, member: u64) -> Option<Candidate> {
        let priority = self.heard.get(&member)?.priority?;
        let is_fit = self.is_healthy(member) && self.is_caught_up(member);
        Some(Candidate { id: RaftId(member), priority, is_fit })
    }

    /// The voters of the latest configuration but this replica, in order.
    pub(super) fn voters(&self) -> impl Iterator<Item = u64> + use<> {
        let conf = self.node.raft.prs().conf().to_conf_state();
        let mut voters: Vec<u64> = conf.voters.into_iter().filter(|id| *id != self.config.id.0).collect();
        voters.sort_unstable();
        voters.into_iter()
    }

    /// raft-rs waits for an answer to a snapshot for ever; the answer or the snapshot may be lost. After a while it is
    /// told to find out what the follower has.
    pub(super) fn give_up_silent_snapshots(&mut self) {
        let patience = 10 * self.config.election_ticks as u64;
        let now = self.ticks;
        let silent: Vec<u64> =
            self.snapshots_sent.iter().filter(|(_, since)| now - **since >= patience).map(|(to, _)| *to).collect();
        for member in silent {
            self.snapshots_sent.remove(&member);
            self.node.report_snapshot(member, SnapshotStatus::Finish);
        }
    }

    /// Asks for a snapshot when the log has grown long, or when a follower needs one that is not there.
    pub(super) fn ask_for_snapshot(&mut self) {
        let since = self.node.store().snapshot_index();
        let handed = self.window.handed();
        self.snapshot_needed |= self.node.store().take_wanted();
        // A joiner can use only a snapshot that lists it, so the change that made it a member must be part of it.
        let useful = handed >= self.members.latest_index().max(since + 1);
        let is_needed = self.snapshot_needed && useful;
        let is_long = handed.saturating_sub(since) >= self.config.snapshot_entries
            || self.window.bytes_since_snapshot() >= limits::RAFT_SNAPSHOT_BYTES;
        if !self.snapshot_asked && (is_needed || is_long) {
            self.snapshot_asked = true;
            self.snapshot_needed = false;
            self.window.snapshot_asked();
            self.out.push(Output::Tell(LogEvent::SnapshotWanted));
        }
    }
}
