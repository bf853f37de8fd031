//! A master as its web port asks it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::Addr;
use akrida_actors::coordinator::messages::{Dismiss, Give, Look, Propose, ProveLeadership, Sight};
use akrida_actors::coordinator::{CoordinatorActor, PlacedViewReceiver, Published, ViewReceiver};
use akrida_actors::link::peers::{PeerAddress, Peers};
use akrida_actors::link::strangers::Strangers;
use akrida_core::coordinator::Order;
use akrida_core::ids::{Incarnation, RaftId, RunId};
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::Command;
use akrida_core::state::intended::Present;
use akrida_core::state::member::Member;
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use akrida_core::wire::handshake::PeerHello;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::timeout;

use super::asking::{answered, control_error};
use super::changes::Changes;
use super::{members, status};
use crate::api::{ClusterStatus, RunListed, StateDigest};
use crate::config::{MasterConfig, NodeConfig};
use crate::monitoring::resources::Resources;
use crate::raft::RaftHandle;
use crate::raft::status::{Phase, RaftStatus};
use crate::raft::store::StoredSnapshot;
use crate::raft::store::backup::{self, Origin};
use crate::web::{Answering, ControlError, Health, Leadership, MasterControl, MemberChange, Role, WebAddress};

/// How long the coordinator may take to answer before the master counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How long a master that is no member any more is still called: it has to hear that it was removed.
const CALLED_LONGER: Duration = Duration::from_secs(10);

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
    neighbours: Neighbours,
    resources: Resources,
    changes: Changes,
    /// Who is called, and when each was last named as a master.
    called: Mutex<BTreeMap<Arc<str>, (PeerAddress, Instant)>>,
    is_draining: AtomicBool,
    /// `None` while there is a leader.
    without_leader_since: Mutex<Option<Since>>,
    coordinator_answered: Mutex<Instant>,
}

/// What a master knows of the links with others.
pub(super) struct Neighbours {
    /// What it says of itself.
    pub(super) own: watch::Receiver<PeerHello>,
    pub(super) peers: Peers,
    pub(super) strangers: Strangers,
}

/// Since when a master has known of no leader.
#[derive(Clone, Copy, Debug)]
enum Since {
    /// It has never known one.
    Start,
    /// It lost the one that it knew.
    Loss(Instant),
}

impl Since {
    fn elapsed_ms(self) -> u64 {
        match self {
            Self::Start => u64::MAX,
            Self::Loss(since) => since.elapsed().as_millis() as u64,
        }
    }
}

impl Control {
    pub(super) fn new(
        config: &MasterConfig,
        coordinator: Addr<CoordinatorActor>,
        raft: RaftHandle,
        published: Published,
        neighbours: Neighbours,
    ) -> Self {
        let changes = Changes::new(config.nodes.clone(), raft.clone(), coordinator.clone());
        Self {
            node: config.node.clone(),
            nodes: config.nodes.clone(),
            expect_workers: config.workers.expect_workers,
            coordinator,
            raft,
            published,
            neighbours,
            resources: resources(config),
            changes,
            called: Mutex::default(),
            is_draining: AtomicBool::new(false),
            without_leader_since: Mutex::new(Some(Since::Start)),
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

    /// This master, and which life of it this is.
    pub(super) fn life(&self) -> (Arc<str>, Incarnation) {
        let own = self.neighbours.own.borrow();
        (Arc::clone(&own.name), own.incarnation)
    }

    /// The masters that are there, this one among them.
    pub(super) fn present(&self) -> Present {
        let others = self.neighbours.peers.present().into_iter().map(|peer| (peer.name, peer.incarnation));
        others.chain([self.life()]).collect()
    }

    /// From now on this master wants no more requests.
    pub(super) fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Takes note of whether there is a leader.
    pub(super) fn note_leader(&self) {
        let has_leader = self.raft.status().borrow().leader().is_some();
        let mut since = self.without_leader_since.lock().unwrap_or_else(PoisonError::into_inner);
        *since = if has_leader { None } else { since.or_else(|| Some(Since::Loss(Instant::now()))) };
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
        let Ok(known) = self.changes.members().await else { return };
        self.note_answer();
        self.neighbours.peers.set(self.to_be_called(members::all_peers(&self.nodes, &known), Instant::now()));
        let status = self.raft.status().borrow().clone();
        let Some(group) = status.group.filter(|group| group.leads && !group.is_changing) else { return };
        let wanted = members::wanted(&group.members, &self.nodes, &known);
        if wanted != known {
            // If it fails, the next look finds the difference again.
            let _ = self.changes.propose_members(wanted).await;
        }
    }

    fn to_be_called(&self, named: Vec<PeerAddress>, now: Instant) -> Vec<PeerAddress> {
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        called.extend(named.into_iter().map(|peer| (Arc::clone(&peer.name), (peer, now))));
        called.retain(|_, (_, since)| now - *since <= CALLED_LONGER);
        called.values().map(|(peer, _)| peer.clone()).collect()
    }

    /// Proposes a command as the leader.
    pub(super) async fn propose(&self, command: Command) -> Result<Reply, ControlError> {
        answered(self.coordinator.send(Propose { command, request: None })).await?.map_err(control_error)
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
        self.note_answer();
        Ok(seen)
    }

    /// Whether the order with this key was carried out, or refused, before.
    async fn has_outcome_of(&self, key: Option<RequestKey>) -> Result<bool, ControlError> {
        let Some(key) = key else { return Ok(false) };
        self.look(move |sight| sight.state.outcome_of(&key).is_some()).await
    }

    fn note_answer(&self) {
        *self.coordinator_answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn address_of(&self, name: &str, id: RaftId) -> Option<WebAddress> {
        let Member { name, host, web_port, .. } =
            members::find(name, id, &self.nodes, &self.published.members.borrow())?;
        Some(WebAddress { name, host, port: web_port })
    }
}

fn resources(config: &MasterConfig) -> Resources {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Resources::new(config.resources.max_memory_bytes, config.resources.max_cpu_percent, cores)
}

impl MasterControl for Arc<Control> {
    fn leadership(&self) -> Leadership {
        let status = self.raft.status().borrow().clone();
        let term = status.group.as_ref().map_or(0, |group| group.term);
        let leader = status.leader().map(|leader| leader.id);
        let role = if leader == Some(status.id) {
            Role::Leading { is_ready: status.leads() && self.published.leads.borrow().is_some() }
        } else {
            let named = status.leader().and_then(|leader| Some((leader.name.as_deref()?, leader.id)));
            Role::Following { leader: named.and_then(|(name, id)| self.address_of(name, id)) }
        };
        let since = *self.without_leader_since.lock().unwrap_or_else(PoisonError::into_inner);
        let without_leader_ms = match leader {
            Some(_) => 0,
            None => since.map_or(0, Since::elapsed_ms),
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

    fn placed_views(&self) -> PlacedViewReceiver {
        self.published.placed_views.clone()
    }

    fn status(&self) -> Answering<'_, ClusterStatus> {
        Box::pin(async {
            let seen = self.look(status::Seen::of).await?;
            let raft = self.raft.status().borrow().clone();
            let links = status::Links {
                troubles: self.neighbours.peers.troubles(),
                refused: self.neighbours.strangers.recent(),
            };
            let configured = status::Configured { own: &self.node, nodes: &self.nodes, workers: self.expect_workers };
            let mut status = status::cluster_status(&raft, &configured, seen, &links);
            status.warnings.extend(self.resources.warnings());
            if self.is_draining.load(Ordering::Relaxed) {
                status.warnings.push(format!("{} is about to end", self.node.name));
            }
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

    fn scenario_of(&self, run: RunId) -> Answering<'_, Option<Arc<Bundle>>> {
        Box::pin(async move {
            self.look(move |sight| {
                let spec = sight.state.find_run(run)?.spec();
                let of_masters = || sight.state.scenario().filter(|bundle| bundle.name == spec.scenario);
                spec.bundle.as_ref().or_else(of_masters).cloned()
            })
            .await
        })
    }

    fn worker_logs(&self) -> Answering<'_, BTreeMap<String, Vec<Arc<str>>>> {
        Box::pin(async {
            self.look(|sight| {
                let logs = sight.worker_logs.iter();
                logs.map(|(worker, lines)| (worker.to_string(), lines.to_vec())).collect()
            })
            .await
        })
    }

    fn change_members(&self, change: MemberChange, key: Option<RequestKey>) -> Answering<'_, ()> {
        Box::pin(self.changes.make(change, key))
    }

    fn snapshot(&self) -> Answering<'_, Bytes> {
        Box::pin(async {
            let raft = self.raft.status().borrow().clone();
            // What a master without a cluster knows is nothing, and nobody must take it for a backup.
            let (Some(cluster), Some(group)) = (raft.cluster, raft.group) else {
                return Err(ControlError::Unavailable);
            };
            let (index, members, data) = self
                .look(|sight| (sight.state.applied().0, sight.state.members().to_vec(), sight.state.to_bytes().into()))
                .await?;
            let made_unix_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
            let origin = Origin { cluster, master: self.node.name.clone(), made_unix_ms, members };
            // The term of that entry is not known here. It is not a later one, and nothing else matters to a new cluster.
            let snapshot = StoredSnapshot { index, term: group.term, conf_state: Default::default(), data };
            let backup = backup::to_bytes(&snapshot, &origin);
            backup.map(Bytes::from).map_err(|error| ControlError::Impossible(error.to_string()))
        })
    }

    fn digest(&self) -> Answering<'_, StateDigest> {
        Box::pin(async {
            let (applied, state) = self.look(|sight| (sight.state.applied().0, sight.state.to_bytes())).await?;
            let digest = Sha256::digest(state).iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(StateDigest { applied, digest })
        })
    }
}
