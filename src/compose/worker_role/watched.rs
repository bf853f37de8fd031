//! A worker as those see it who watch it.

use actix::Addr;
use akrida_actors::worker::{Look, WorkerActor, WorkerSight};

use crate::compose::monitoring;
use crate::config::WorkerConfig;
use crate::logging;
use crate::monitoring::{Answering, Figures, MonitoringServer, Watched, WorkerFigures};

/// Opens the ports that the configuration asks for.
///
/// # Errors
/// When one cannot be listened on.
pub(super) fn start(config: &WorkerConfig, worker: Addr<WorkerActor>) -> anyhow::Result<MonitoringServer> {
    let watched = WatchedWorker { users_max: config.max_users, worker };
    monitoring::start(&config.node_id, &config.monitoring, watched)
}

struct WatchedWorker {
    users_max: Option<u64>,
    worker: Addr<WorkerActor>,
}

impl WatchedWorker {
    async fn look(&self) -> Option<WorkerSight> {
        self.worker.send(Look).await.ok()
    }
}

impl Watched for WatchedWorker {
    fn figures(&self) -> Answering<'_, Option<Figures>> {
        Box::pin(async {
            let sight = self.look().await?;
            Some(Figures::Worker(WorkerFigures {
                users: sight.vitals.users,
                users_max: self.users_max,
                is_connected: sight.is_welcomed,
                masters_linked: sight.masters_linked as u64,
                unsafe_deltas: sight.unsafe_deltas as u64,
                cpu_ratio: f64::from(sight.vitals.cpu_permille) / 1_000.0,
                memory_limit_bytes: sight.vitals.memory_limit_bytes,
                log_lines_lost: logging::lines_lost(),
            }))
        })
    }

    fn is_alive(&self) -> Answering<'_, bool> {
        Box::pin(async { self.look().await.is_some() })
    }

    fn is_ready(&self) -> Answering<'_, bool> {
        Box::pin(async { self.look().await.is_some_and(|sight| sight.is_welcomed) })
    }
}
