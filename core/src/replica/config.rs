//! What a replica is told at the start.

use super::fail_back::FailBackRule;
use crate::ids::RaftId;
use crate::limits;

/// How a replica behaves. Times are counted in ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaConfig {
    /// Its id.
    pub id: RaftId,
    /// Lower bound of the election time-out: each is drawn from one to two times as many ticks.
    pub election_ticks: usize,
    /// Ticks between heartbeats.
    pub heartbeat_ticks: usize,
    /// Of two masters that could lead, the one with the higher priority does. Different for each master: equal ones may
    /// split the vote.
    pub priority: i64,
    /// Decides the election time-outs. Different for each master.
    pub seed: u64,
    /// Entries in one message; a larger entry travels alone.
    pub max_size_per_msg: u64,
    /// When a better master gets the lead; `None` for never.
    pub fail_back: Option<FailBackRule>,
    /// Entries after which a snapshot is taken.
    pub snapshot_entries: u64,
    /// Entries before a snapshot that stay in the log.
    pub tail_entries: u64,
}

impl ReplicaConfig {
    /// The limits of the program, and no fail-back.
    #[must_use]
    pub fn new(id: RaftId, election_ticks: usize, heartbeat_ticks: usize, priority: i64, seed: u64) -> Self {
        Self {
            id,
            election_ticks,
            heartbeat_ticks,
            priority,
            seed,
            max_size_per_msg: limits::RAFT_MESSAGE_BYTES_MAX,
            fail_back: None,
            snapshot_entries: limits::RAFT_SNAPSHOT_ENTRIES,
            tail_entries: limits::RAFT_TAIL_ENTRIES,
        }
    }

    pub(super) fn of_raft(&self, applied: u64) -> raft::Config {
        raft::Config {
            id: self.id.0,
            election_tick: self.election_ticks,
            heartbeat_tick: self.heartbeat_ticks,
            min_election_tick: self.election_ticks,
            max_election_tick: 2 * self.election_ticks,
            applied,
            max_size_per_msg: self.max_size_per_msg,
            max_inflight_msgs: limits::RAFT_INFLIGHT_MESSAGES_MAX,
            check_quorum: true,
            pre_vote: true,
            read_only_option: raft::ReadOnlyOption::Safe,
            priority: self.priority,
            max_uncommitted_size: limits::RAFT_UNCOMMITTED_BYTES_MAX.max(self.max_size_per_msg),
            max_committed_size_per_ready: limits::RAFT_UNAPPLIED_BYTES_MAX as u64,
            ..raft::Config::default()
        }
    }
}

/// A replica cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The configuration makes no sense.
    #[error("the Raft group is not configured correctly: {0}")]
    Config(String),
    /// What was stored does not fit together.
    #[error("the stored log does not fit together: {0}")]
    Inconsistent(String),
}
