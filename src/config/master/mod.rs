//! What a master runs by.

pub mod defaults;
pub mod resolve;
mod warnings;
mod without_effect;

use std::path::PathBuf;
use std::time::Duration;

use akrida_core::state::command::{LossPolicy, Strategy};

use super::credentials::{Credentials, HashedCredentials, TlsFiles};
use super::logging::LoggingConfig;
use super::monitoring::MonitoringConfig;
use super::network::{SocketBind, TrustedProxy};
use super::secret::Secret;

/// Everything that one master runs by.
#[derive(Clone, Debug, PartialEq)]
pub struct MasterConfig {
    /// This master.
    pub node: NodeConfig,
    /// All masters of the cluster in the order of the file, this one among them; only this one if it is alone.
    pub nodes: Vec<NodeConfig>,
    /// Where it listens for masters and workers.
    pub bind: SocketBind,
    /// Its web UI.
    pub web: WebConfig,
    /// How the masters elect their leader.
    pub election: Election,
    /// How long statistics may wait at most before they reach all masters; nothing is lost by it.
    pub sync_interval: Duration,
    /// How it deals with workers.
    pub workers: WorkersConfig,
    /// How the users of a run are dealt to the workers.
    pub strategy: Strategy,
    /// How often workers that came later are taken into a run, at most.
    pub rebalance_interval: Duration,
    /// What happens to the users of a lost worker.
    pub on_loss: LossPolicy,
    /// How long a silent worker stays part of its run at least; see [`Self::worker_lost_after`].
    pub worker_timeout: Duration,
    /// Whether a worker that was lost may come back.
    pub retry_failed_workers: bool,
    /// How often it may come back before it is put in quarantine.
    pub max_retries: u32,
    /// What it may use.
    pub resources: ResourceLimits,
    /// Its own folder of data: the log, snapshots and files.
    pub data_dir: PathBuf,
    /// What everyone in the cluster knows.
    pub secret: Option<Secret>,
    /// Mutual TLS with masters and workers.
    pub tls: Option<TlsFiles>,
    /// Where it can be observed.
    pub monitoring: MonitoringConfig,
    /// Whether drills may be asked for.
    pub drills_enabled: bool,
    /// What it logs.
    pub logging: LoggingConfig,
    /// What is allowed but should be known.
    pub warnings: Vec<String>,
}

impl MasterConfig {
    /// Whether there is no other master.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.nodes.len() == 1
    }

    /// After how much silence a worker counts as lost: the missed heartbeats or `worker_timeout`, whichever is longer.
    #[must_use]
    pub fn worker_lost_after(&self) -> Duration {
        let WorkersConfig { heartbeat_interval, heartbeat_liveness, .. } = self.workers;
        heartbeat_interval.saturating_mul(heartbeat_liveness).max(self.worker_timeout)
    }
}

/// One master of a cluster, as the others know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Its name.
    pub name: String,
    /// Where masters and workers reach it.
    pub host: String,
    /// Its port for masters and workers.
    pub port: u16,
    /// Its web port.
    pub web_port: u16,
    /// Of two masters that could lead, the one with the higher priority does.
    pub priority: i64,
}

/// The web UI of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// The address to listen on; `0.0.0.0` for all.
    pub host: String,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// What stands before every path in addresses for people, such as `/locust`; "" for nothing.
    pub base_path: String,
    /// Who may log in; without any of the two, everybody is let in.
    pub auth_credentials: Option<Credentials>,
    /// The same with a hash in place of the password.
    pub auth_hash: Option<HashedCredentials>,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// How masters elect their leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Election {
    /// The least silence of a leader after which another one is elected; at most the double.
    pub timeout: Duration,
    /// How often a leader is heard.
    pub heartbeat_interval: Duration,
}

/// How a master deals with workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkersConfig {
    /// How many workers a run that starts by itself waits for.
    pub expect_workers: usize,
    /// How long it waits; for ever if `None`.
    pub expect_wait: Option<Duration>,
    /// How often workers send heartbeats.
    pub heartbeat_interval: Duration,
    /// How many heartbeats in a row are missed before a worker may count as lost.
    pub heartbeat_liveness: u32,
}

/// What a master may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Memory of its process.
    pub max_memory_bytes: Option<u64>,
    /// Share of the machine's processors.
    pub max_cpu_percent: Option<u8>,
    /// Connections from masters, workers and browsers.
    pub max_connections: u32,
}
