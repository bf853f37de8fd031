//! What a master shows of its group.

use std::sync::Arc;

use akrida_core::ids::{ClusterId, RaftId};
pub use akrida_core::replica::status::{MemberStatus, ReplicaStatus, Role};
use akrida_core::replica::stored::NamedMember;

/// A master and its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftStatus {
    /// Its id.
    pub id: RaftId,
    /// Its configured name.
    pub name: Arc<str>,
    /// What it is doing.
    pub phase: Phase,
    /// The cluster that it belongs to.
    pub cluster: Option<ClusterId>,
    /// The group, once it belongs to one.
    pub group: Option<ReplicaStatus>,
    /// Masters that wait with an empty data folder, as far as this master has heard.
    pub joiners: Vec<NamedMember>,
}

/// What a master is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads its disk.
    Starting,
    /// It belongs to no cluster, for this reason.
    Waiting(String),
    /// It takes part.
    Running,
    /// It was removed from the cluster.
    Removed,
    /// Its raft threads have ended.
    Stopped,
}

impl RaftStatus {
    pub(super) fn starting(name: Arc<str>) -> Self {
        Self { id: RaftId(0), name, phase: Phase::Starting, cluster: None, group: None, joiners: Vec::new() }
    }

    /// Whether this master leads and has handed out the first entry of its term.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.leads)
    }

    /// Who leads, as far as it is known.
    #[must_use]
    pub fn leader(&self) -> Option<&MemberStatus> {
        let group = self.group.as_ref()?;
        let leader = group.leader?;
        group.members.iter().find(|member| member.id == leader)
    }
}
