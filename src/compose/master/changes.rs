//! Changes of who is a master and who leads, as an operator asks the leader for them.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use akrida_actors::coordinator::CoordinatorActor;
use akrida_actors::coordinator::messages::{Look, Propose, ProveLeadership};
use akrida_core::ids::RaftId;
use akrida_core::replica::change::{ChangeRefused, MemberChange as GroupChange};
use akrida_core::replica::stored::NamedMember;
use akrida_core::state::command::Command;
use akrida_core::state::member::Member;
use akrida_core::state::request::RequestKey;
use tokio::time::timeout;

use super::asking::{answered, control_error};
use super::members;
use crate::api::AddMember;
use crate::config::NodeConfig;
use crate::raft::status::RaftStatus;
use crate::raft::{RaftHandle, ReplaceRefused, Unanswered};
use crate::web::{ControlError, MemberChange};

/// How long a change of the members may take. What takes longer goes on by itself.
const CHANGE_WAIT: Duration = Duration::from_secs(20);

/// Changes the members of a group.
pub(super) struct Changes {
    nodes: Vec<NodeConfig>,
    raft: RaftHandle,
    coordinator: Addr<CoordinatorActor>,
}

impl Changes {
    pub(super) fn new(nodes: Vec<NodeConfig>, raft: RaftHandle, coordinator: Addr<CoordinatorActor>) -> Self {
        Self { nodes, raft, coordinator }
    }

    /// Makes a change, and waits until it is done.
    pub(super) async fn make(&self, change: MemberChange, key: Option<RequestKey>) -> Result<(), ControlError> {
        if !self.raft.status().borrow().leads() {
            return Err(ControlError::NotLeader);
        }
        let is_repeat = match key {
            Some(key) => self.begin(&change, key).await?,
            None => false,
        };
        match change {
            MemberChange::Transfer(name) => self.transfer(&name).await,
            MemberChange::Add(member) => self.add(member, is_repeat).await,
            MemberChange::Remove(name) => self.remove(&name, is_repeat).await,
            MemberChange::Replace(name) => self.replace(&name, is_repeat).await,
        }
    }

    /// Notes in the state that a request is carried out, before it is. Whoever leads when it comes again knows by that: what
    /// it wants may be so already, and is no reason to refuse it then. Whether it is such a repeat.
    async fn begin(&self, change: &MemberChange, key: RequestKey) -> Result<bool, ControlError> {
        answered(self.coordinator.send(ProveLeadership)).await?.map_err(control_error)?;
        let looked_up = key.clone();
        let known = Look(Box::new(move |sight| sight.state.outcome_of(&looked_up)));
        match answered(self.coordinator.send(known)).await? {
            Some(outcome) => return outcome.map(|_| true).map_err(ControlError::Refused),
            None => self.check(change).await?,
        }
        self.propose(self.members().await?, Some(key)).await?;
        Ok(false)
    }

    /// Refuses a change that makes no sense.
    async fn check(&self, change: &MemberChange) -> Result<(), ControlError> {
        match change {
            MemberChange::Add(AddMember { name, .. }) if self.has_vote(name) => Err(is_master_already(name)),
            MemberChange::Remove(name) if self.is_awaited(name).await? => Ok(()),
            MemberChange::Replace(name) if self.is_configured(name) => Ok(()),
            MemberChange::Remove(name) | MemberChange::Replace(name) | MemberChange::Transfer(name) => {
                self.id_of(name).map(|_| ())
            }
            MemberChange::Add(_) => Ok(()),
        }
    }

    async fn transfer(&self, name: &str) -> Result<(), ControlError> {
        let to = self.id_of(name)?;
        if to == self.raft.status().borrow().id {
            return Ok(());
        }
        self.raft.transfer(to).map_err(unanswered)?;
        self.await_group(|status| status.leader().is_some_and(|leader| leader.id == to)).await
    }

    async fn add(&self, added: AddMember, is_repeat: bool) -> Result<(), ControlError> {
        let AddMember { name, host, port, web_port, priority } = added;
        let known_as = self.id_of(&name);
        let name: Arc<str> = name.as_str().into();
        match known_as {
            Ok(id) if !is_voter(&self.raft.status().borrow(), id) => {
                return self.give_vote(NamedMember { id, name }).await;
            }
            Ok(_) if is_repeat => return Ok(()),
            Ok(_) => return Err(is_master_already(&name)),
            Err(_) => {}
        }
        // From now on, all masters call it and let it in.
        let id = members::NOT_YET;
        let awaited = Member { id, name: Arc::clone(&name), host: host.as_str().into(), port, web_port, priority };
        let mut known = self.members().await?;
        known.retain(|member| member.name != name);
        known.push(awaited);
        self.propose_members(known).await?;
        let asks = self.await_group(|status| joiner(status, &name).is_some()).await;
        let Some(joiner) = asks.ok().and_then(|()| joiner(&self.raft.status().borrow(), &name)) else {
            self.forget_awaited(&name).await?;
            let reason = format!(
                "{name} does not ask to join from {host}:{port}; start it with an empty data folder and a \
                 configuration that lists all masters and itself, and try again"
            );
            return Err(ControlError::Impossible(reason));
        };
        self.give_vote(joiner).await
    }

    /// Lets a master learn the log and then vote. A change of leader may have left one half-way: then it goes on.
    async fn give_vote(&self, joiner: NamedMember) -> Result<(), ControlError> {
        let id = joiner.id;
        self.change_group(GroupChange { add: vec![joiner], remove: Vec::new() }).await?;
        self.await_group(|status| is_voter(status, id)).await
    }

    /// Takes a master out of the state that was to be added. Whether there was one.
    async fn forget_awaited(&self, name: &str) -> Result<bool, ControlError> {
        let known = self.members().await?;
        let left: Vec<Member> = known.iter().filter(|member| !awaits(name, member)).cloned().collect();
        let was_awaited = left.len() < known.len();
        if was_awaited {
            self.propose_members(left).await?;
        }
        Ok(was_awaited)
    }

    async fn is_awaited(&self, name: &str) -> Result<bool, ControlError> {
        Ok(self.members().await?.iter().any(|member| awaits(name, member)))
    }

    fn is_configured(&self, name: &str) -> bool {
        self.nodes.iter().any(|node| node.name == name)
    }

    async fn remove(&self, name: &str, is_repeat: bool) -> Result<(), ControlError> {
        let id = match self.id_of(name) {
            Ok(id) => id,
            Err(_) if self.forget_awaited(name).await? || is_repeat => return Ok(()),
            Err(unknown) => return Err(unknown),
        };
        self.change_group(GroupChange { add: Vec::new(), remove: vec![id] }).await?;
        self.await_group(|status| !is_member(status, id)).await
    }

    /// A master that the configuration names need not have been a member: after a disaster, none of the others is.
    async fn replace(&self, name: &str, is_repeat: bool) -> Result<(), ControlError> {
        let old = self.id_of(name);
        if let Err(unknown) = &old
            && !self.is_configured(name)
        {
            return Err(unknown.clone());
        }
        let waits = joiner(&self.raft.status().borrow(), name);
        match self.raft.replace(name).await.map_err(unanswered)? {
            Ok(()) => {}
            Err(ReplaceRefused::Change(refused)) => return Err(change_error(refused)),
            // It would not answer if it were still to be replaced.
            Err(ReplaceRefused::NobodyWaits(_)) if is_repeat && self.answers(name) => return Ok(()),
            Err(refused @ ReplaceRefused::NobodyWaits(_)) => return Err(ControlError::Impossible(refused.to_string())),
        }
        self.await_group(|status| {
            let is_gone = old.as_ref().is_ok_and(|old| !is_member(status, *old));
            is_gone || waits.as_ref().is_some_and(|joiner| is_voter(status, joiner.id))
        })
        .await
    }

    async fn change_group(&self, change: GroupChange) -> Result<(), ControlError> {
        self.raft.change_members(change).await.map_err(unanswered)?.map_err(change_error)
    }

    /// What the state says of the masters.
    pub(super) async fn members(&self) -> Result<Vec<Member>, ControlError> {
        answered(self.coordinator.send(Look(Box::new(|sight| sight.state.members().to_vec())))).await
    }

    /// Has the state say this of the masters.
    pub(super) async fn propose_members(&self, members: Vec<Member>) -> Result<(), ControlError> {
        self.propose(members, None).await
    }

    async fn propose(&self, members: Vec<Member>, request: Option<RequestKey>) -> Result<(), ControlError> {
        let proposed = self.coordinator.send(Propose { command: Command::SetMembers(members), request });
        answered(proposed).await?.map(|_| ()).map_err(control_error)
    }

    fn has_vote(&self, name: &str) -> bool {
        let id = self.id_of(name);
        id.is_ok_and(|id| is_voter(&self.raft.status().borrow(), id))
    }

    /// Whether a master has a vote, and answers the leader.
    fn answers(&self, name: &str) -> bool {
        let status = self.raft.status().borrow().clone();
        let mut members = status.group.into_iter().flat_map(|group| group.members);
        members.any(|member| member.name.as_deref() == Some(name) && member.is_voter && member.is_healthy)
    }

    fn id_of(&self, name: &str) -> Result<RaftId, ControlError> {
        let status = self.raft.status().borrow().clone();
        let members = status.group.map(|group| group.members).unwrap_or_default();
        let found = members.iter().find(|member| member.name.as_deref() == Some(name)).map(|member| member.id);
        found.ok_or_else(|| {
            let names: Vec<_> = members.iter().filter_map(|member| member.name.as_deref()).collect();
            ControlError::Impossible(format!("no master is named {name}; there are {}", names.join(", ")))
        })
    }

    /// Waits until the group is as wanted. This master may lose the lead meanwhile; the change goes on without it.
    async fn await_group(&self, wanted: impl Fn(&RaftStatus) -> bool) -> Result<(), ControlError> {
        let mut status = self.raft.status();
        let reached = timeout(CHANGE_WAIT, status.wait_for(|status| wanted(status))).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(ControlError::Unavailable),
            Err(_) => Err(ControlError::TimedOut),
        }
    }
}

fn is_master_already(name: &str) -> ControlError {
    ControlError::Impossible(format!("{name} is a master already"))
}

/// Whether this is a master of the name that was added and has not been let in yet.
fn awaits(name: &str, member: &Member) -> bool {
    &*member.name == name && member.id == members::NOT_YET
}

fn joiner(status: &RaftStatus, name: &str) -> Option<NamedMember> {
    status.joiners.iter().find(|joiner| &*joiner.name == name).cloned()
}

fn is_member(status: &RaftStatus, id: RaftId) -> bool {
    status.group.as_ref().is_some_and(|group| group.members.iter().any(|member| member.id == id))
}

fn is_voter(status: &RaftStatus, id: RaftId) -> bool {
    let group = status.group.as_ref();
    group.is_some_and(|group| group.members.iter().any(|member| member.id == id && member.is_voter))
}

fn change_error(refused: ChangeRefused) -> ControlError {
    match refused {
        ChangeRefused::NotLeader | ChangeRefused::RemovesLeader => ControlError::NotLeader,
        ChangeRefused::UnderWay => ControlError::Unavailable,
        ChangeRefused::Senseless(_) => ControlError::Impossible(refused.to_string()),
    }
}

fn unanswered(_: Unanswered) -> ControlError {
    ControlError::Unavailable
}
