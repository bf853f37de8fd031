//! The cluster over HTTP.

use serde::{Deserialize, Serialize};

use super::RunListed;

/// The state of a cluster as one master knows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The cluster's id.
    pub cluster_id: String,
    /// The master that tells this.
    pub name: String,
    /// What that master is.
    pub role: MasterRole,
    /// The term that it knows.
    pub term: u64,
    /// Who leads, as far as it is known.
    #[serde(default)]
    pub leader: Option<LeaderAddress>,
    /// Whether there is a leader that can act.
    #[serde(default)]
    pub ready: bool,
    /// The masters, in the order of their names.
    #[serde(default)]
    pub members: Vec<MemberStatus>,
    /// The workers, in the order of their names.
    #[serde(default)]
    pub workers: Vec<WorkerStatus>,
    /// How many workers a run needs to start.
    #[serde(default)]
    pub expected_workers: u64,
    /// The active run, or the last one.
    #[serde(default)]
    pub run: Option<RunListed>,
    /// The last entry of the log that this master has applied.
    #[serde(default)]
    pub applied: u64,
    /// The last entry of the log that this master knows to be committed.
    #[serde(default)]
    pub committed: u64,
    /// What an operator should look at.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// What a master is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MasterRole {
    /// It leads.
    Leader,
    /// It follows a leader, or waits for one.
    #[default]
    Follower,
    /// It wants to lead.
    Candidate,
    /// Its data folder is empty, and it waits to be let in.
    Waiting,
}

impl MasterRole {
    /// In a word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Leader => "leader",
            Self::Follower => "follower",
            Self::Candidate => "candidate",
            Self::Waiting => "waiting",
        }
    }
}

/// Where the leader is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaderAddress {
    /// Its name.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Its web port.
    pub web_port: u16,
}

/// A master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberStatus {
    /// Its name.
    pub name: String,
    /// Its id in the group: 16 hexadecimal digits.
    pub raft_id: String,
    /// Where others reach it.
    pub host: String,
    /// Its port for masters and workers.
    pub port: u16,
    /// Its web port.
    pub web_port: u16,
    /// Of two masters that could lead, the one with the higher priority does.
    pub priority: i64,
    /// What it is, as far as it is known.
    pub role: MasterRole,
    /// The last entry of the log that it is known to have; only a leader knows.
    #[serde(default)]
    pub match_index: Option<u64>,
    /// Entries that it lacks; only a leader knows.
    #[serde(default)]
    pub lag: Option<u64>,
    /// Whether it answers; only a leader knows.
    #[serde(default)]
    pub is_reachable: Option<bool>,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerStatus {
    /// Its name.
    pub name: String,
    /// Where it stands: `ready`, `running`, `missing`, …
    pub state: String,
    /// Users that it runs.
    #[serde(default)]
    pub users: u64,
    /// CPU use in percent of what it may use; not known to followers.
    #[serde(default)]
    pub cpu_percent: Option<f64>,
    /// Resident memory in bytes; not known to followers.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// The memory that it may use, in bytes, if that is limited; not known to followers.
    #[serde(default)]
    pub memory_limit_bytes: Option<u64>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The version of its program.
    #[serde(default)]
    pub version: String,
    /// How often it was lost.
    #[serde(default)]
    pub losses: u32,
}

impl WorkerStatus {
    /// Its state in Locust's words, which are fewer.
    #[must_use]
    pub fn locust_state(&self) -> &str {
        match &*self.state {
            "preparing" | "stopped" => "ready",
            "quarantined" => "missing",
            state => state,
        }
    }

    /// Whether it can take part in a run.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.locust_state() != "missing"
    }
}

/// What a master has applied, in short: masters that have applied the same have the same digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateDigest {
    /// The last entry of the log that is applied.
    pub applied: u64,
    /// The SHA-256 of the whole replicated state, in hexadecimal.
    pub digest: String,
}

/// Hands the lead to this master.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Its name.
    pub to: String,
}

/// A master to add. It waits with an empty data folder, and knows the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddMember {
    /// Its name.
    pub name: String,
    /// Where others reach it.
    pub host: String,
    /// Its port for masters and workers.
    pub port: u16,
    /// Its web port.
    pub web_port: u16,
    /// Of two masters that could lead, the one with the higher priority does.
    #[serde(default)]
    pub priority: i64,
}

/// A master to remove or to replace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedMember {
    /// Its name.
    pub name: String,
}
