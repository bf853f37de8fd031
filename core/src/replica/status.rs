//! What a master shows of the group.

use std::sync::Arc;

use raft::StateRole;

use super::inputs::Replica;
use super::members::ids;
use crate::ids::RaftId;

/// A master's view of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaStatus {
    /// This master.
    pub id: RaftId,
    /// What it is in the group.
    pub role: Role,
    /// Whether it leads and has handed out the first entry of its term.
    pub leads: bool,
    /// The term that it knows.
    pub term: u64,
    /// Who leads, as far as it knows.
    pub leader: Option<RaftId>,
    /// The last entry that it knows to be committed.
    pub commit: u64,
    /// The last entry that was applied.
    pub applied: u64,
    /// The last entry of its log.
    pub last_index: u64,
    /// The last entry of its latest snapshot; 0 if there is none.
    pub snapshot_index: u64,
    /// Its priority as it is now.
    pub priority: i64,
    /// Whether members are being changed.
    pub is_changing: bool,
    /// The members by id.
    pub members: Vec<MemberStatus>,
}

/// What a master is in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It decides what is in the log.
    Leader,
    /// It follows a leader, or waits for one.
    Follower,
    /// It asks for votes.
    Candidate,
    /// It has no vote: it is new, or does not know the group yet.
    Learner,
    /// It was removed.
    Removed,
}

/// A member as this master sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its id.
    pub id: RaftId,
    /// Its configured name, if it is known.
    pub name: Option<Arc<str>>,
    /// Whether it has a vote.
    pub is_voter: bool,
    /// The last entry that it is known to have; only a leader knows.
    pub matched: Option<u64>,
    /// How many entries it lacks; only a leader knows.
    pub lag: Option<u64>,
    /// Whether it was heard within an election time-out; only a leader hears everybody.
    pub is_healthy: bool,
}

impl Replica {
    /// The group as this replica sees it.
    #[must_use]
    pub fn status(&self) -> ReplicaStatus {
        let raft = &self.node.raft;
        ReplicaStatus {
            id: self.config.id,
            role: self.role(),
            leads: self.leads(),
            term: raft.term,
            leader: Some(RaftId(raft.leader_id)).filter(|leader| leader.0 != 0),
            commit: raft.raft_log.committed,
            applied: self.window.applied(),
            last_index: raft.raft_log.last_index(),
            snapshot_index: self.node.store().snapshot_index(),
            priority: self.config.priority,
            is_changing: self.is_changing(),
            members: self.member_statuses(),
        }
    }

    fn role(&self) -> Role {
        match self.node.raft.state {
            _ if self.removed => Role::Removed,
            StateRole::Leader => Role::Leader,
            StateRole::Candidate | StateRole::PreCandidate => Role::Candidate,
            StateRole::Follower if self.node.raft.promotable() => Role::Follower,
            StateRole::Follower => Role::Learner,
        }
    }

    fn member_statuses(&self) -> Vec<MemberStatus> {
        let conf = self.node.raft.prs().conf().to_conf_state();
        let mut members: Vec<u64> = ids(&conf).collect();
        members.sort_unstable();
        members.dedup();
        members.into_iter().map(|id| self.member_status(id)).collect()
    }

    fn member_status(&self, id: u64) -> MemberStatus {
        let raft = &self.node.raft;
        let is_self = id == self.config.id.0;
        let matched = raft.prs().get(id).filter(|_| self.is_leader()).map(|progress| progress.matched);
        MemberStatus {
            id: RaftId(id),
            name: self.name_of(RaftId(id)).cloned(),
            is_voter: raft.prs().conf().voters().contains(id),
            matched,
            lag: matched.map(|matched| raft.raft_log.last_index().saturating_sub(matched)),
            is_healthy: is_self || self.is_healthy(id),
        }
    }
}
