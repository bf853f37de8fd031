//! A worker: users, and links to all masters.

mod patience;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr, Arbiter};
use akrida_actors::engine::{Compile, EngineOptions, Prepared, RowOrigin};
use akrida_actors::http::{HttpOptions, KeptMax};
use akrida_actors::link::addresses::MasterAddress;
use akrida_actors::link::masters::{MasterLinks, MasterLinksOptions};
use akrida_actors::worker::{AwaitEnd, Retire, WorkerActor, WorkerEnd};
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::worker::WorkerProfile;
use anyhow::{Context, anyhow};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::runnable::Origin;
use super::shutdown::Signals;
use super::{http_setup, link_security, logging, preflight};
use crate::cli::{Exit, RunOptions, WorkerRole};
use crate::config::WorkerConfig;
use crate::config::worker::Performance;

/// How long a worker that is told to end waits for its last deltas to be safe.
const RETIRE_WAIT: Duration = Duration::from_secs(60);

/// Runs a worker until it is told to end, or no master wants it.
pub(super) fn run(origin: &Origin, role: &WorkerRole) -> anyhow::Result<Exit> {
    logging::start(&role.options.log, BoxMakeWriter::new(std::io::stderr))?;
    role.config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    role.options.notices.iter().for_each(|notice| tracing::info!("{notice}"));
    if let Err(error) = preflight::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of open files is not known");
    }
    actix_rt::System::new().block_on(async {
        let mut signals = Signals::listen()?;
        let incarnation = Incarnation(fastrand::u64(1..));
        let links_options = links(&role.config, incarnation)?;
        let worker = start_worker(origin, role, incarnation);
        let links = MasterLinks::start(links_options, worker.clone().recipient()).await;
        let _monitoring = watched::start(&role.config, worker.clone())?;
        let worker_end = worker.send(AwaitEnd);
        tokio::pin!(worker_end);
        let end = tokio::select! {
            end = &mut worker_end => end.context("the worker has stopped")?,
            end = patience::give_up(&links, &worker, role.config.max_reconnect_attempts) => end,
            () = signals.next() => {
                tracing::info!("the worker ends once its last samples are safe; told once more, it ends at once");
                worker.do_send(Retire);
                tokio::select! {
                    end = timeout(RETIRE_WAIT, &mut worker_end) => match end {
                        Ok(end) => end.context("the worker has stopped")?,
                        Err(_) => WorkerEnd::Rejected { reason: "no master took the last samples in time".into() },
                    },
                    () = signals.next() => WorkerEnd::Rejected { reason: "told to end a second time".into() },
                }
            }
        };
        links.close().await;
        Ok(exit_of(&end))
    })
}

fn exit_of(end: &WorkerEnd) -> Exit {
    match end {
        WorkerEnd::Retired { lost_deltas: 0 } => Exit::Passed,
        WorkerEnd::Retired { lost_deltas } => {
            tracing::error!(lost_deltas, "samples may be missing from the result");
            Exit::Failed { code: 1 }
        }
        WorkerEnd::Rejected { reason } => {
            tracing::error!("{reason}");
            Exit::Failed { code: 1 }
        }
    }
}

fn start_worker(origin: &Origin, role: &WorkerRole, incarnation: Incarnation) -> Addr<WorkerActor> {
    let id = WorkerId(role.config.node_id.as_str().into());
    let options = engine(origin, &role.options, role.config.performance, incarnation);
    let (profile, memory_bytes) = (profile(&role.config), role.config.memory_bytes);
    let masters = role.config.masters.len();
    WorkerActor::start_in_arbiter(&Arbiter::new().handle(), move |_| {
        let worker = WorkerActor::new(id, incarnation, options).with_profile(profile);
        worker.with_masters(masters).with_memory_limit(memory_bytes).with_log(crate::logging::recent_lines)
    })
}

fn profile(config: &WorkerConfig) -> WorkerProfile {
    WorkerProfile {
        tags: config.tags.iter().map(|tag| tag.as_str().into()).collect(),
        users_max: config.max_users,
        cpu_millis: config.cpu_millis,
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// Every run brings its scenario; how users connect is this worker's matter.
fn engine(origin: &Origin, options: &RunOptions, performance: Performance, incarnation: Incarnation) -> EngineOptions {
    let (compile_options, arbiters, kept) = (options.clone(), options.processes.get(), kept(performance));
    let natives = origin.natives();
    let origin = origin.clone();
    EngineOptions {
        scenario: None,
        natives,
        http: HttpOptions::default(),
        arbiters,
        seed: incarnation.0,
        compile: Some(Compile(Arc::new(move |bundle| {
            compiled(&origin, bundle, &compile_options, kept).map_err(|error| format!("{error:#}"))
        }))),
        row_origin: RowOrigin::Leader,
    }
}

fn kept(performance: Performance) -> KeptMax {
    let or = |asked: Option<u32>, otherwise: usize| asked.map_or(otherwise, |asked| asked as usize);
    let KeptMax { idle_servers, names } = KeptMax::default();
    KeptMax {
        idle_servers: or(performance.connection_pool_size, idle_servers),
        names: or(performance.dns_cache_size, names),
    }
}

/// Called on a thread that may wait.
fn compiled(origin: &Origin, bundle: &Bundle, options: &RunOptions, kept: KeptMax) -> anyhow::Result<Prepared> {
    let scenario = origin.bundled(bundle)?;
    let http = Handle::current().block_on(http_setup::http_options(&scenario, options))?;
    Ok(Prepared { scenario, http: HttpOptions { kept, ..http } })
}

fn links(config: &WorkerConfig, incarnation: Incarnation) -> anyhow::Result<MasterLinksOptions> {
    let masters: Vec<_> = config
        .masters
        .iter()
        .map(|master| MasterAddress { host: master.host.as_str().into(), port: master.port })
        .collect();
    if masters.is_empty() {
        return Err(anyhow!("no master is named"));
    }
    Ok(MasterLinksOptions {
        secret: link_security::secret(config.secret.as_ref())?,
        tls: link_security::tls(config.tls.as_ref())?,
        reconnect_interval: config.reconnect_interval,
        connect_timeout: config.connection_timeout,
        ..MasterLinksOptions::new(masters, WorkerId(config.node_id.as_str().into()), incarnation)
    })
}
