//! A master as its web port asks it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix::Addr;
use akrida_actors::coordinator::messages::{Dismiss, Give, Look, Propose, ProveLeadership, Sight};
use akrida_actors::coordinator::{CoordinatorActor, OrderError, Published, ViewReceiver};
use akrida_actors::link::peers::Peers;
use akrida_core::coordinator::Order;
use akrida_core::ids::{RaftId, RunId};
use akrida_core::limits;
use akrida_core::replica::change::{ChangeRefused, MemberChange as GroupChange};
use akrida_core::replica::stored::NamedMember;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::{Command, Refusal};
use akrida_core::state::member::Member;
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{members, status};
use crate::api::{AddMember, ClusterStatus, RunListed, StateDigest};
use crate::config::{MasterConfig, NodeConfig};
use crate::monitoring::resources::Resources;
use crate::raft::status::{Phase, RaftStatus};
use crate::raft::{RaftHandle, ReplaceRefused, Unanswered};
use crate::web::{Answering, ControlError, Health, Leadership, MasterControl, MemberChange, Role, WebAddress};

/// How long the coordinator may take to answer before the master counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How often a change of the group is looked at until it is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a change of the members may take. What takes longer goes on by itself.
const CHANGE_WAIT: Duration = Duration::from_secs(20);

/// How long a master that ends waits for another one to lead.
const HAND_OVER_WAIT: Duration = Duration::from_secs(3);

/// A master, for whoever asks it.
pub(super) struct Control {
    node: NodeConfig,
    nodes: Vec<NodeConfig>,
    expect_workers: usize,
    coordinator: Addr<CoordinatorActor>,
    raft: RaftHandle,
    published: Published,
    peers: Peers,
    resources: Resources,
    is_draining: AtomicBool,
    without_leader_since: Mutex<Option<Instant>>,
    coordinator_answered: Mutex<Instant>,
}

impl Control {
    pub(super) fn new(
        config: &MasterConfig,
        coordinator: Addr<CoordinatorActor>,
        raft: RaftHandle,
        published: Published,
        peers: Peers,
    ) -> Self {
        Self {
            node: config.node.clone(),
            nodes: config.nodes.clone(),
            expect_workers: config.workers.expect_workers,
            coordinator,
            raft,
            published,
            peers,
            resources: resources(config),
            is_draining: AtomicBool::new(false),
            without_leader_since: Mutex::new(Some(Instant::now())),
            coordinator_answered: Mutex::new(Instant::now()),
        }
    }

    /// What this master uses and may use.
    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The group, now and from now on.
    pub(super) fn raft_status(&self) -> watch::Receiver<RaftStatus> {
        self.raft.status()
    }

    /// From now on this master wants no more requests.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Takes note of whether there is a leader.
    pub(super) fn note_leader(&self) {
        let has_leader = self.raft.status().borrow().leader().is_some();
        let mut since = self.without_leader_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if has_leader { None } else { since.or_else(|| Some(Instant::now())) };
    }

    /// Gives the lead to the best other master, if this one has it, and waits until that one leads.
    pub(super) async fn hand_over_lead(&self) {
        let Some(heir) = self.heir() else { return };
        if self.raft.transfer(heir).is_err() {
            return;
        }
        let mut status = self.raft.status();
        let handed_over = status.wait_for(|status| !status.leads());
        if timeout(HAND_OVER_WAIT, handed_over).await.is_err() {
            tracing::warn!("no other master took the lead in time; one is elected when this one is gone");
        }
    }

    fn heir(&self) -> Option<RaftId> {
        let status = self.raft.status().borrow().clone();
        let group = status.group.filter(|group| group.leads)?;
        let others = group.members.iter().filter(|member| member.id != group.id && member.is_voter);
        others.filter(|member| member.is_healthy).min_by_key(|member| member.lag.unwrap_or(u64::MAX)).map(|m| m.id)
    }

    /// Calls the masters that the state names, and as the leader names those of the group.
    pub(super) async fn look_after_members(&self) {
        let Ok(known) = self.members().await else { return };
        self.peers.set(members::all_peers(&self.nodes, &known));
        let status = self.raft.status().borrow().clone();
        let Some(group) = status.group.filter(|group| group.leads && !group.is_changing) else { return };
        let wanted = members::wanted(&group.members, &self.nodes, &known);
        if wanted != known {
            // If it fails, the next look finds the difference again.
            let _ = self.propose_members(wanted).await;
        }
    }

    async fn members(&self) -> Result<Vec<Member>, ControlError> {
        self.look(|sight| sight.state.members().to_vec()).await
    }

    async fn propose_members(&self, members: Vec<Member>) -> Result<(), ControlError> {
        self.propose(Command::SetMembers(members)).await.map(|_| ())
    }

    /// Proposes a command as the leader.
    pub(super) async fn propose(&self, command: Command) -> Result<Reply, ControlError> {
        answered(self.coordinator.send(Propose(command))).await?.map_err(control_error)
    }

    /// Has the workers end that this master leads; how many are still attached.
    pub(super) async fn dismiss(&self) -> Result<usize, ControlError> {
        answered(self.coordinator.send(Dismiss)).await
    }

    /// Looks at the state.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(Sight<'_>) -> T + Send + 'static,
    ) -> Result<T, ControlError> {
        let seen = answered(self.coordinator.send(Look(Box::new(look)))).await?;
        *self.coordinator_answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        Ok(seen)
    }

    /// Whether the order with this key was carried out, or refused, before.
    async fn has_outcome_of(&self, key: Option<RequestKey>) -> Result<bool, ControlError> {
        let Some(key) = key else { return Ok(false) };
        self.look(move |sight| sight.state.outcome_of(&key).is_some()).await
    }

    fn address_of(&self, name: &str) -> Option<WebAddress> {
        let node = self.nodes.iter().find(|node| node.name == name);
        if let Some(node) = node {
            return Some(WebAddress { name: name.into(), host: node.host.as_str().into(), port: node.web_port });
        }
        let added = self.published.members.borrow();
        let member = added.iter().find(|member| &*member.name == name)?;
        Some(WebAddress { name: Arc::clone(&member.name), host: Arc::clone(&member.host), port: member.web_port })
    }

    async fn change(&self, change: MemberChange) -> Result<(), ControlError> {
        if !self.raft.status().borrow().leads() {
            return Err(ControlError::NotLeader);
        }
        match change {
            MemberChange::Transfer(name) => self.transfer(&name).await,
            MemberChange::Add(member) => self.add(member).await,
            MemberChange::Remove(name) => self.remove(&name).await,
            MemberChange::Replace(name) => self.replace(&name).await,
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

    async fn add(&self, added: AddMember) -> Result<(), ControlError> {
        let AddMember { name, host, port, web_port, priority } = added;
        if self.id_of(&name).is_ok() {
            return Err(ControlError::Impossible(format!("{name} is a master already")));
        }
        let name: Arc<str> = name.as_str().into();
        let mut known = self.members().await?;
        known.retain(|member| member.name != name);
        let id = members::NOT_YET;
        known.push(Member { id, name: Arc::clone(&name), host: host.as_str().into(), port, web_port, priority });
        self.propose_members(known).await?;
        let joiner = |status: &RaftStatus| status.joiners.iter().find(|joiner| joiner.name == name).cloned();
        if self.await_group(|status| joiner(status).is_some()).await.is_err() {
            let reason = format!("{name} does not ask to join; start it with an empty data folder and try again");
            return Err(ControlError::Impossible(reason));
        }
        let joiner: NamedMember = joiner(&self.raft.status().borrow()).ok_or(ControlError::Unavailable)?;
        let id = joiner.id;
        self.change_group(GroupChange { add: vec![joiner], remove: Vec::new() }).await?;
        self.await_group(|status| is_voter(status, id)).await
    }

    async fn remove(&self, name: &str) -> Result<(), ControlError> {
        let id = self.id_of(name)?;
        self.change_group(GroupChange { add: Vec::new(), remove: vec![id] }).await?;
        self.await_group(|status| !is_member(status, id)).await
    }

    async fn replace(&self, name: &str) -> Result<(), ControlError> {
        let old = self.id_of(name)?;
        match self.raft.replace(name).await.map_err(unanswered)? {
            Ok(()) => self.await_group(|status| !is_member(status, old)).await,
            Err(ReplaceRefused::Change(refused)) => Err(change_error(refused)),
            Err(refused @ ReplaceRefused::NobodyWaits(_)) => Err(ControlError::Impossible(refused.to_string())),
        }
    }

    async fn change_group(&self, change: GroupChange) -> Result<(), ControlError> {
        self.raft.change_members(change).await.map_err(unanswered)?.map_err(change_error)
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
        let look = async {
            loop {
                if wanted(&self.raft.status().borrow()) {
                    return;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        timeout(CHANGE_WAIT, look).await.map_err(|_| ControlError::TimedOut)
    }
}

fn resources(config: &MasterConfig) -> Resources {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Resources::new(config.resources.max_memory_bytes, config.resources.max_cpu_percent, cores)
}

fn is_member(status: &RaftStatus, id: RaftId) -> bool {
    status.group.as_ref().is_some_and(|group| group.members.iter().any(|member| member.id == id))
}

fn is_voter(status: &RaftStatus, id: RaftId) -> bool {
    let group = status.group.as_ref();
    group.is_some_and(|group| group.members.iter().any(|member| member.id == id && member.is_voter))
}

/// Waits for an answer of the coordinator, but not without end.
async fn answered<T>(asked: impl Future<Output = Result<T, actix::MailboxError>>) -> Result<T, ControlError> {
    match timeout(limits::PROPOSAL_WAIT + Duration::from_secs(1), asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(ControlError::Unavailable),
        Err(_) => Err(ControlError::TimedOut),
    }
}

fn control_error(error: OrderError) -> ControlError {
    match error {
        OrderError::Refused(Refusal::TooFewWorkers { present, expected }) => {
            ControlError::TooFewWorkers { connected: present as u64, expected: expected as u64 }
        }
        OrderError::Refused(refusal) => ControlError::Refused(refusal),
        OrderError::NotLeading => ControlError::NotLeader,
        OrderError::Unknown => ControlError::Unavailable,
    }
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

impl MasterControl for Arc<Control> {
    fn leadership(&self) -> Leadership {
        let status = self.raft.status().borrow().clone();
        let term = status.group.as_ref().map_or(0, |group| group.term);
        let leader = status.leader().map(|leader| leader.id);
        let role = if leader == Some(status.id) {
            Role::Leading { is_ready: status.leads() && self.published.leads.borrow().is_some() }
        } else {
            let name = status.leader().and_then(|leader| leader.name.clone());
            Role::Following { leader: name.and_then(|name| self.address_of(&name)) }
        };
        let since = *self.without_leader_since.lock().unwrap_or_else(PoisonError::into_inner);
        let without_leader_ms = match leader {
            Some(_) => 0,
            None => since.map_or(0, |since| since.elapsed().as_millis() as u64),
        };
        Leadership { term, role, without_leader_ms }
    }

    fn health(&self) -> Health {
        let answered = *self.coordinator_answered.lock().unwrap_or_else(PoisonError::into_inner);
        let has_ended = matches!(self.raft.status().borrow().phase, Phase::Removed | Phase::Stopped);
        Health {
            is_alive: !has_ended && answered.elapsed() < STUCK_AFTER,
            is_draining: self.is_draining.load(Ordering::Relaxed),
        }
    }

    fn views(&self) -> ViewReceiver {
        self.published.views.clone()
    }

    fn status(&self) -> Answering<'_, ClusterStatus> {
        Box::pin(async {
            let seen = self.look(status::Seen::of).await?;
            let raft = self.raft.status().borrow().clone();
            let mut status = status::cluster_status(&raft, &self.node, &self.nodes, seen, self.expect_workers);
            status.warnings.extend(self.resources.warnings());
            Ok(status)
        })
    }

    fn order(&self, order: Order, key: Option<RequestKey>) -> Answering<'_, Reply> {
        Box::pin(async {
            if let (Order::Start(..), Some(shortage)) = (&order, self.resources.shortage())
                && !self.has_outcome_of(key.clone()).await?
            {
                return Err(ControlError::Impossible(shortage));
            }
            let given = self.coordinator.send(Give { order, request: key });
            answered(given).await?.map_err(control_error)
        })
    }

    fn read_barrier(&self) -> Answering<'_, ()> {
        Box::pin(async { answered(self.coordinator.send(ProveLeadership)).await?.map_err(control_error) })
    }

    fn runs(&self) -> Answering<'_, Vec<RunListed>> {
        Box::pin(async {
            self.look(|sight| {
                let limits = ValidityLimits::default();
                sight.state.runs().map(|run| RunListed::of(&RunView::of(run, &limits))).collect()
            })
            .await
        })
    }

    fn run_view(&self, run: RunId) -> Answering<'_, Option<Arc<RunView>>> {
        Box::pin(async move {
            self.look(move |sight| {
                let found = sight.state.find_run(run);
                found.map(|run| Arc::new(RunView::of(run, &ValidityLimits::default())))
            })
            .await
        })
    }

    fn scenario(&self) -> Answering<'_, Option<Arc<Bundle>>> {
        Box::pin(async { self.look(|sight| sight.state.scenario().cloned()).await })
    }

    fn change_members(&self, change: MemberChange, _: Option<RequestKey>) -> Answering<'_, ()> {
        Box::pin(self.change(change))
    }

    fn snapshot(&self) -> Answering<'_, Bytes> {
        Box::pin(async { self.look(|sight| sight.state.to_bytes().into()).await })
    }

    fn digest(&self) -> Answering<'_, StateDigest> {
        Box::pin(async {
            let (applied, state) = self.look(|sight| (sight.state.applied().0, sight.state.to_bytes())).await?;
            let digest = Sha256::digest(state).iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(StateDigest { applied, digest })
        })
    }
}
