//! A master: the Raft group, the links, the coordinator and the web port, joined.

mod asking;
mod changes;
mod control;
mod farewell;
mod intent;
mod links;
mod members;
mod offer;
mod own_run;
mod own_start;
mod status;
mod upkeep;
mod watched;

use std::net::TcpListener;
use std::sync::Arc;

use actix::{Actor, Addr, Arbiter, Recipient};
use akrida_actors::coordinator::log::Told;
use akrida_actors::coordinator::{CoordinatorActor, NoLog, OpenLog, Published};
use akrida_actors::link::peers::{PeerOptions, Peers};
use akrida_actors::link::runtime::LinkRuntime;
use akrida_actors::link::server::{LinkServer, ServerOptions};
use akrida_actors::link::session::Attachments;
use akrida_core::coordinator::Settings;
use akrida_core::limits;
use akrida_core::state::command::Distribution;
use akrida_core::view::validity::ValidityLimits;
use anyhow::{Context, bail};
use tokio::sync::oneshot;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use self::control::{Control, Neighbours};
use self::links::{Door, Mouth};
pub(super) use self::members::member_of;
use self::own_run::Part;
use self::upkeep::Upkeep;
use self::watched::Monitoring;
use super::runnable::Origin;
use super::shutdown::Signals;
use super::{link_security, logging, preflight, web_documents, web_parts};
use crate::cli::{Exit, MasterRole};
use crate::config::MasterConfig;
use crate::live::LogLines;
use crate::raft::status::Phase;
use crate::raft::store::{Identity, LogStore, RedbStore};
use crate::raft::{self, RaftHandle, RaftOptions, RaftThread};
use crate::web::{self, ClusterHandle, WebServer, WebSetup};

/// Runs a master until it is told to end.
pub(super) fn run(origin: &Origin, role: &MasterRole) -> anyhow::Result<Exit> {
    let mut part = Part::of(origin, role)?;
    logging::start(&role.options.log, BoxMakeWriter::new(LogLines))?;
    role.config.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    role.config.without_effect().iter().for_each(|warning| tracing::warn!("{warning}"));
    role.options.notices.iter().for_each(|notice| tracing::info!("{notice}"));
    if let Err(error) = preflight::raise_descriptor_limit() {
        tracing::warn!(%error, "the limit of open files is not known");
    }
    actix_rt::System::new().block_on(async {
        let mut signals = Signals::listen()?;
        let master = Master::start(&role.config, origin).await?;
        let exit = tokio::select! {
            exit = part.play(&master.control, &mut signals) => exit,
            () = master.removed() => {
                tracing::warn!("{}", removed_text(&role.config));
                Ok(Exit::Passed)
            }
        };
        tokio::select! {
            () = master.stop() => {}
            () = signals.next() => tracing::warn!("told to end a second time; ending at once"),
        }
        exit
    })
}

/// A running master.
struct Master {
    raft: RaftHandle,
    thread: RaftThread,
    control: Arc<Control>,
    peers: Peers,
    links: LinkServer,
    web: WebServer,
    _monitoring: Monitoring,
    _upkeep: Upkeep,
    /// Dropped last: everything above speaks through it.
    _runtime: LinkRuntime,
}

impl Master {
    async fn start(config: &MasterConfig, origin: &Origin) -> anyhow::Result<Self> {
        let store = RedbStore::open(&config.data_dir).context("the data folder cannot be used")?;
        let ports = Ports::open(config)?;
        let runtime = LinkRuntime::start().context("no thread for links")?;
        let (secrets, tls) =
            (link_security::secrets(config.secret.as_ref())?, link_security::tls(config.tls.as_ref())?);
        let own = links::own_hello(&config.node, identity_in(&store, config)?);
        let door = Arc::new(Door::default());
        let peer_options = PeerOptions {
            secrets: secrets.clone(),
            tls: tls.clone(),
            ..PeerOptions::new(own.subscribe(), members::configured_peers(config))
        };
        let peers = Peers::start(peer_options, &runtime, Arc::clone(&door) as _);
        let (coordinator, published, opened) = start_coordinator(config, store, Mouth(peers.clone()));
        let (raft, thread) = opened.await.context("the coordinator did not start")??;
        door.open(raft.clone());
        let server_options = ServerOptions {
            secrets,
            tls,
            connections_max: config.resources.max_connections as usize,
            ..ServerOptions::new(&config.bind.host, config.bind.port, own.subscribe())
        };
        let sessions = Arbiter::new().handle();
        let links = LinkServer::serve(
            ports.links,
            server_options,
            &runtime,
            sessions,
            attachments(&coordinator),
            Some(peers.clone()),
        )?;
        if let Some(warning) = links.warning() {
            tracing::warn!("{warning}");
        }
        let neighbours = Neighbours { own: own.subscribe(), peers: peers.clone(), strangers: links.strangers() };
        let control = Arc::new(Control::new(config, coordinator, raft.clone(), published.clone(), neighbours));
        let upkeep = Upkeep::start(Arc::clone(&control), own);
        let web = web::start(ports.web, web_setup(config, &control, origin)).context("the web port cannot be used")?;
        let monitoring = watched::start(config, Arc::clone(&control), published)?;
        tracing::info!(name = %config.node.name, links = %links.address(), web = %web.address(), "the master is up");
        Ok(Self {
            raft,
            thread,
            control,
            peers,
            links,
            web,
            _monitoring: monitoring,
            _upkeep: upkeep,
            _runtime: runtime,
        })
    }

    /// Waits until this master has learned that it was removed from the cluster.
    fn removed(&self) -> impl Future<Output = ()> + use<> {
        let mut status = self.control.raft_status();
        async move {
            if status.wait_for(|status| status.phase == Phase::Removed).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends in good order: another master leads before this one is gone, and requests under way are answered.
    async fn stop(self) {
        self.control.drain();
        self.control.hand_over_lead().await;
        self.web.stop().await;
        self.links.stop();
        self.raft.stop();
        self.peers.stop();
        if actix_rt::task::spawn_blocking(move || self.thread.join()).await.is_err() {
            tracing::error!("the raft thread did not end well");
        }
    }
}

fn removed_text(config: &MasterConfig) -> String {
    format!(
        "{} was removed from the cluster and ends; delete its data folder {} before it is added again",
        config.node.name,
        config.data_dir.display()
    )
}

/// The ports of a master.
struct Ports {
    links: TcpListener,
    web: TcpListener,
}

impl Ports {
    /// Opens them before anything else is started: a master that finds out later that one cannot be had would have spoken
    /// with the others already.
    fn open(config: &MasterConfig) -> anyhow::Result<Self> {
        let open = |what: &str, host: &str, port: u16| {
            TcpListener::bind((host, port)).with_context(|| format!("{what} cannot be opened: {host}:{port}"))
        };
        Ok(Self {
            links: open("the port for masters and workers", &config.bind.host, config.bind.port)?,
            web: open("the web port", &config.web.host, config.web.port)?,
        })
    }
}

/// Who the data folder says that this master is; nothing if it is new. A folder that was copied from another master would
/// make one voter of two.
fn identity_in(store: &RedbStore, config: &MasterConfig) -> anyhow::Result<Option<Identity>> {
    let identity = store.identity();
    if let Some(other) = identity.as_ref().filter(|known| *known.name != *config.node.name) {
        let (folder, own) = (config.data_dir.display(), &config.node.name);
        bail!("data folder {folder} belongs to the master {}, and this is {own}: give it an empty folder", other.name);
    }
    Ok(identity)
}

type Opened = oneshot::Receiver<std::io::Result<(RaftHandle, RaftThread)>>;

/// Starts the coordinator on an arbiter of its own; it opens the log when it is there to hear of it.
fn start_coordinator(
    config: &MasterConfig,
    store: RedbStore,
    mouth: Mouth,
) -> (Addr<CoordinatorActor>, Published, Opened) {
    let (sender, opened) = oneshot::channel();
    let options = raft_options(config);
    let open_log: OpenLog = Box::new(move |events: Recipient<Told>| {
        let started = raft::start(options, Box::new(store), Box::new(mouth), events);
        let log = started.as_ref().map(|(handle, _)| Box::new(handle.clone()) as _);
        let log = log.unwrap_or_else(|_| Box::new(NoLog) as _);
        // Whoever waits for it has ended the program otherwise.
        let _ = sender.send(started);
        log
    });
    let (actor, published) =
        CoordinatorActor::new(settings(config), ValidityLimits::default(), fastrand::u64(..), open_log);
    (CoordinatorActor::start_in_arbiter(&Arbiter::new().handle(), move |_| actor), published, opened)
}

fn raft_options(config: &MasterConfig) -> RaftOptions {
    let names = config.nodes.iter().map(|node| node.name.as_str().into()).collect();
    RaftOptions {
        election_timeout: config.election.timeout,
        heartbeat_interval: config.election.heartbeat_interval,
        ..RaftOptions::new(config.node.name.as_str().into(), names, config.node.priority)
    }
}

/// What the configuration asks of a leader. A worker counts as lost only when its users have surely stopped: after its
/// lease, the time that they may take to stop, and the time that an election may have kept the lease from being renewed.
fn settings(config: &MasterConfig) -> Settings {
    let lease_is_over = config.worker_timeout + limits::DRAIN_MAX + config.election.timeout * 2;
    Settings {
        rebalance_every: config.rebalance_interval,
        heartbeat: config.workers.heartbeat_interval,
        lease: Some(config.worker_timeout),
        lost_after: config.worker_lost_after().max(lease_is_over),
        losses_max: if config.retry_failed_workers { config.max_retries } else { 0 },
        expect_workers: config.workers.expect_workers,
        sync_interval: config.sync_interval,
        ..Settings::default()
    }
}

fn attachments(coordinator: &Addr<CoordinatorActor>) -> Attachments {
    Attachments {
        attach: coordinator.clone().recipient(),
        detach: coordinator.clone().recipient(),
        uplink: coordinator.clone().recipient(),
    }
}

fn web_setup(config: &MasterConfig, control: &Arc<Control>, origin: &Origin) -> WebSetup {
    WebSetup {
        name: config.node.name.as_str().into(),
        cluster: ClusterHandle::new(Arc::clone(control)),
        build_spec: web_parts::build_spec_of(origin.clone(), distribution(config)),
        renderers: web_parts::renderers(),
        make_document: web_documents::make_document_of(origin.clone()),
        recent_log: crate::logging::recent_lines,
        base_path: config.web.base_path.as_str().into(),
        hold: limits::WEB_HOLD,
        ready_grace: WebSetup::ready_grace_for(config.election.timeout),
    }
}

/// How runs use workers that do not say so themselves.
fn distribution(config: &MasterConfig) -> Distribution {
    Distribution { strategy: config.strategy, on_loss: config.on_loss, ..Distribution::default() }
}
