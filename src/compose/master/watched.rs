//! A master as those see it who watch it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use akrida_actors::coordinator::Published;
use akrida_core::ids::RaftId;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::control::Control;
use crate::compose::monitoring;
use crate::config::MasterConfig;
use crate::logging;
use crate::monitoring::figures::RunFigures;
use crate::monitoring::{Answering, Figures, LeaderFigures, MasterFigures, MonitoringServer, Watched};
use crate::raft::status::RaftStatus;
use crate::web::{self, MasterControl, Role, WebSetup};

/// The ports of a master that is watched. They close when this is dropped.
#[derive(Debug)]
pub(super) struct Monitoring {
    _ports: MonitoringServer,
    counting: JoinHandle<()>,
}

impl Drop for Monitoring {
    fn drop(&mut self) {
        self.counting.abort();
    }
}

/// Opens the ports that the configuration asks for.
///
/// # Errors
/// When one cannot be listened on.
pub(super) fn start(config: &MasterConfig, control: Arc<Control>, published: Published) -> anyhow::Result<Monitoring> {
    let leader_changes = Arc::new(AtomicU64::new(0));
    let counting = actix_rt::spawn(count_changes(control.raft_status(), Arc::clone(&leader_changes)));
    let watched = WatchedMaster {
        control,
        published,
        leader_changes,
        workers_expected: config.workers.expect_workers as u64,
        memory_limit_bytes: config.resources.max_memory_bytes,
        ready_grace: WebSetup::ready_grace_for(config.election.timeout),
    };
    let ports = monitoring::start(&config.node.name, &config.monitoring, watched)?;
    Ok(Monitoring { _ports: ports, counting })
}

/// Counts how often another one leads than before, or the same in a later term.
async fn count_changes(mut status: watch::Receiver<RaftStatus>, changes: Arc<AtomicU64>) {
    let mut known: Option<(RaftId, u64)> = None;
    loop {
        let now = {
            let status = status.borrow_and_update();
            let term = status.group.as_ref().map_or(0, |group| group.term);
            status.leader().map(|leader| (leader.id, term))
        };
        if now.is_some() && now != known {
            let first = known.is_none();
            known = now;
            if !first {
                changes.fetch_add(1, Ordering::Relaxed);
            }
        }
        if status.changed().await.is_err() {
            return;
        }
    }
}

struct WatchedMaster {
    control: Arc<Control>,
    published: Published,
    leader_changes: Arc<AtomicU64>,
    workers_expected: u64,
    memory_limit_bytes: Option<u64>,
    ready_grace: Duration,
}

impl WatchedMaster {
    fn master(&self) -> MasterFigures {
        let raft = self.control.raft_status().borrow().clone();
        let group = raft.group.as_ref();
        let leads = matches!(self.control.leadership().role, Role::Leading { is_ready: true });
        MasterFigures {
            is_leader: leads,
            has_leader: raft.leader().is_some(),
            term: group.map_or(0, |group| group.term),
            last_index: group.map_or(0, |group| group.last_index),
            commit_index: group.map_or(0, |group| group.commit),
            applied_index: group.map_or(0, |group| group.applied),
            leader_changes: self.leader_changes.load(Ordering::Relaxed),
            memory_limit_bytes: self.memory_limit_bytes,
            log_lines_lost: logging::lines_lost(),
            leader: leads.then(|| self.leader()),
        }
    }

    fn leader(&self) -> LeaderFigures {
        let view = self.published.views.borrow().clone();
        LeaderFigures {
            workers_connected: *self.published.workers.borrow() as u64,
            workers_expected: self.workers_expected,
            run: view.map(|view| RunFigures::of(&view)).unwrap_or_default(),
        }
    }
}

impl Watched for WatchedMaster {
    fn figures(&self) -> Answering<'_, Option<Figures>> {
        Box::pin(async { Some(Figures::Master(self.master())) })
    }

    fn is_alive(&self) -> Answering<'_, bool> {
        Box::pin(async { self.control.health().is_alive })
    }

    fn is_ready(&self) -> Answering<'_, bool> {
        let (health, leadership) = (self.control.health(), self.control.leadership());
        Box::pin(async move { web::is_ready(health, &leadership, self.ready_grace) })
    }
}
