//! What `akrida cluster status` shows, from what the master knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use akrida_actors::coordinator::messages::Sight;
use akrida_core::coordinator::Now;
use akrida_core::ids::WorkerId;
use akrida_core::limits;
use akrida_core::state::member::Member;
use akrida_core::state::run::Run;
use akrida_core::state::worker::Worker;
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use akrida_core::view::workers::{WorkerState, WorkerView};
use akrida_core::wire::refused::RefusedCaller;

use super::members;
use crate::api::{ClusterStatus, LeaderAddress, MasterRole, MemberStatus, RunListed, WorkerStatus};
use crate::config::NodeConfig;
use crate::raft::status::{MemberStatus as InGroup, Phase, RaftStatus, Role};

/// What was seen of the coordinator.
pub(super) struct Seen {
    applied: u64,
    members: Vec<Member>,
    workers: Vec<WorkerStatus>,
    run: Option<RunListed>,
    excluded: Vec<(WorkerId, Arc<str>)>,
    contested: Vec<WorkerId>,
}

/// What the links of this master know.
pub(super) struct Links {
    /// Why other masters cannot be reached.
    pub(super) troubles: BTreeMap<Arc<str>, String>,
    /// Who was not let in of late.
    pub(super) refused: Vec<RefusedCaller>,
}

/// What the configuration of this master says.
pub(super) struct Configured<'a> {
    /// Which of the masters it is.
    pub(super) own: &'a NodeConfig,
    /// All of them.
    pub(super) nodes: &'a [NodeConfig],
    /// How many workers a run needs.
    pub(super) workers: usize,
}

impl Seen {
    pub(super) fn of(sight: Sight<'_>) -> Self {
        let limits = ValidityLimits::default();
        let now = Now { mono_us: sight.now_us, unix_ms: 0 };
        let excluded = sight.state.run().into_iter().flat_map(Run::excluded);
        let contested = sight.core.into_iter().flat_map(|core| core.contested_names(now));
        Self {
            excluded: excluded.map(|(worker, reason)| (worker.clone(), Arc::clone(reason))).collect(),
            contested: contested.cloned().collect(),
            applied: sight.state.applied().0,
            members: sight.state.members().to_vec(),
            workers: workers(&sight),
            run: sight.state.run().map(|run| RunListed::of(&RunView::of(run, &limits))),
        }
    }
}

fn workers(sight: &Sight<'_>) -> Vec<WorkerStatus> {
    let now = Now { mono_us: sight.now_us, unix_ms: 0 };
    match sight.core {
        Some(core) => core.workers_view(now, sight.state).into_iter().map(worker_status).collect(),
        None => sight.state.workers().map(|(id, worker)| worker_status(unheard_of(id, worker))).collect(),
    }
}

/// A worker as a follower knows it, to which it does not speak.
fn unheard_of(id: &WorkerId, worker: &Worker) -> WorkerView {
    WorkerView {
        worker: id.clone(),
        incarnation: worker.incarnation,
        profile: worker.profile.clone(),
        state: if worker.is_present { WorkerState::Idle } else { WorkerState::Gone },
        heard_ms_ago: None,
        vitals: None,
        slots: 0,
        losses: worker.losses,
    }
}

fn worker_status(worker: WorkerView) -> WorkerStatus {
    let vitals = worker.vitals;
    let state = match worker.state {
        WorkerState::Idle => "ready",
        WorkerState::Preparing => "preparing",
        WorkerState::Running => "running",
        WorkerState::Finished => "stopped",
        WorkerState::Gone => "missing",
        WorkerState::Quarantined => "quarantined",
    };
    WorkerStatus {
        name: worker.worker.to_string(),
        state: state.to_owned(),
        users: vitals.map_or(0, |vitals| vitals.users),
        cpu_percent: vitals.map(|vitals| f64::from(vitals.cpu_permille) / 10.0),
        memory_bytes: vitals.map(|vitals| vitals.memory_bytes),
        memory_limit_bytes: vitals.and_then(|vitals| vitals.memory_limit_bytes),
        tags: worker.profile.tags.iter().map(ToString::to_string).collect(),
        version: worker.profile.version.to_string(),
        losses: worker.losses,
    }
}

/// The whole of it.
pub(super) fn cluster_status(
    raft: &RaftStatus,
    configured: &Configured<'_>,
    seen: Seen,
    links: &Links,
) -> ClusterStatus {
    let nodes = configured.nodes;
    let warnings = warnings(raft, nodes, &links.troubles).into_iter().chain(seen.warnings()).chain(links.warnings());
    let warnings = warnings.chain(short_of_memory(&seen.workers)).collect();
    let group = raft.group.as_ref();
    let leader = raft.leader();
    let leader_name = leader.and_then(|leader| leader.name.as_deref());
    let mut members: Vec<MemberStatus> = group
        .into_iter()
        .flat_map(|group| &group.members)
        .map(|member| member_status(member, raft, nodes, &seen.members))
        .collect();
    members.sort_by(|one, other| one.name.cmp(&other.name));
    let leader = leader_name.and_then(|name| members.iter().find(|member| member.name == name));
    let leader = leader.map(|member| LeaderAddress {
        name: member.name.clone(),
        host: member.host.clone(),
        web_port: member.web_port,
    });
    ClusterStatus {
        cluster_id: raft.cluster.map(|cluster| cluster.to_string()).unwrap_or_default(),
        name: configured.own.name.clone(),
        role: own_role(raft),
        term: group.map_or(0, |group| group.term),
        ready: leader.is_some(),
        leader,
        members,
        warnings,
        workers: seen.workers,
        expected_workers: configured.workers as u64,
        run: seen.run,
        applied: seen.applied,
        committed: group.map_or(0, |group| group.commit),
    }
}

fn short_of_memory(workers: &[WorkerStatus]) -> Vec<String> {
    let warning = |worker: &WorkerStatus| {
        let (used, limit) = (worker.memory_bytes?, worker.memory_limit_bytes?);
        (used > limit).then(|| {
            let (name, used, limit) = (&worker.name, used / 1_000_000, limit / 1_000_000);
            format!("{name} uses {used} MB of memory, more than its memory_limit ({limit} MB): it joins no run")
        })
    };
    workers.iter().filter_map(warning).collect()
}

fn own_role(raft: &RaftStatus) -> MasterRole {
    match raft.group.as_ref().map(|group| group.role) {
        Some(Role::Leader) => MasterRole::Leader,
        Some(Role::Candidate) => MasterRole::Candidate,
        Some(Role::Follower) => MasterRole::Follower,
        Some(Role::Learner | Role::Removed) | None => MasterRole::Waiting,
    }
}

fn member_status(member: &InGroup, raft: &RaftStatus, nodes: &[NodeConfig], known: &[Member]) -> MemberStatus {
    let name = member.name.as_deref().unwrap_or_default();
    let place = members::find(name, member.id, nodes, known);
    let place = place.as_ref();
    let leads = raft.leader().is_some_and(|leader| leader.id == member.id);
    MemberStatus {
        name: name.to_owned(),
        raft_id: member.id.to_string(),
        host: place.map(|place| place.host.to_string()).unwrap_or_default(),
        port: place.map_or(0, |place| place.port),
        web_port: place.map_or(0, |place| place.web_port),
        priority: place.map_or(0, |place| place.priority),
        role: match (leads, member.is_voter) {
            (true, _) => MasterRole::Leader,
            (false, true) => MasterRole::Follower,
            (false, false) => MasterRole::Waiting,
        },
        match_index: member.matched,
        lag: member.lag,
        is_reachable: raft.leads().then_some(member.is_healthy),
    }
}

impl Seen {
    fn warnings(&self) -> Vec<String> {
        let left_out =
            self.excluded.iter().map(|(worker, reason)| format!("{worker} was left out of the run: {reason}"));
        let twice = self.contested.iter().map(|worker| {
            format!("node id {worker} is in use by another process; a second one that has it is turned away")
        });
        left_out.chain(twice).collect()
    }
}

impl Links {
    fn warnings(&self) -> Vec<String> {
        let shown = self.refused.iter().take(limits::REFUSED_SHOWN_MAX);
        let told = shown.map(|RefusedCaller { caller, reason, times }| match times {
            1 => format!("a connection was not accepted: {caller}: {reason}"),
            times => format!("{times} connections were not accepted: {caller}: {reason}"),
        });
        let more = self.refused.len().saturating_sub(limits::REFUSED_SHOWN_MAX);
        told.chain((more > 0).then(|| format!("and {more} more callers were not accepted"))).collect()
    }
}

fn warnings(raft: &RaftStatus, nodes: &[NodeConfig], troubles: &BTreeMap<Arc<str>, String>) -> Vec<String> {
    let mut warnings = Vec::new();
    match &raft.phase {
        Phase::Waiting(reason) => warnings.push(reason.clone()),
        Phase::Removed => warnings.push("this master was removed from the cluster, and ends".to_owned()),
        Phase::Starting | Phase::Running | Phase::Stopped => {}
    }
    let members = raft.group.as_ref().map(|group| &group.members[..]).unwrap_or_default();
    let is_member = |name: &str| members.iter().any(|member| member.name.as_deref() == Some(name));
    let waits = |name: &str| raft.joiners.iter().any(|joiner| &*joiner.name == name);
    if raft.group.is_some() {
        let strangers = nodes.iter().filter(|node| !is_member(&node.name) && !waits(&node.name));
        warnings.extend(strangers.map(|node| {
            format!(
                "{0} is in the configuration of {1} but no member: take it out there, or start it with an empty data \
                 folder and let it in with 'akrida cluster replace {0}'",
                node.name, raft.name
            )
        }));
        warnings.extend(quorum(raft, members));
        warnings.extend(even_number(members));
        let silent = members.iter().filter(|member| raft.leads() && !member.is_healthy);
        let known = silent.filter_map(|member| troubles.get_key_value(member.name.as_deref()?));
        warnings.extend(known.map(|(name, why)| format!("{name}: {why}")));
    }
    warnings.extend(raft.joiners.iter().map(|joiner| {
        format!("{0} waits with an empty data folder; let it in with 'akrida cluster replace {0}'", joiner.name)
    }));
    warnings
}

/// One master more costs as much and survives no more.
fn even_number(members: &[InGroup]) -> Option<String> {
    let voters = members.iter().filter(|member| member.is_voter).count();
    (voters > 0 && voters.is_multiple_of(2)).then(|| {
        let (survives, fewer) = ((voters - 1) / 2, voters - 1);
        format!(
            "an even number of masters ({voters}) survives the loss of {survives}, as {fewer} would; use an odd number"
        )
    })
}

/// Who does not answer, and what that means for the cluster.
fn quorum(raft: &RaftStatus, members: &[InGroup]) -> Option<String> {
    let voters = members.iter().filter(|member| member.is_voter);
    let (all, healthy) = (voters.clone().count(), voters.filter(|member| member.is_healthy).count());
    let needed = all / 2 + 1;
    if raft.leader().is_none() {
        return Some(format!("nobody leads; that takes {needed} of the {all} masters"));
    }
    let name = |member: &InGroup| member.name.as_deref().unwrap_or("a master without a name").to_owned();
    let silent: Vec<String> = members.iter().filter(|member| !member.is_healthy).map(name).collect();
    if !raft.leads() || silent.is_empty() {
        return None;
    }
    let more = match healthy.saturating_sub(needed) {
        0 => "the loss of one more stops the cluster".to_owned(),
        spare => format!("the cluster survives the loss of {spare} more"),
    };
    let (silent, verb) = (silent.join(", "), if silent.len() == 1 { "does" } else { "do" });
    Some(format!("{silent} {verb} not answer; {healthy} of {all} masters do, and {more}"))
}
