//! What a configuration file says: each value checked by itself and against the others of the file, nothing added.

mod cluster;
mod master;
mod reader;
mod shared;
mod worker;

use std::path::Path;
use std::time::Duration;

use akrida_core::document::cursor::Cursor;
use akrida_core::document::node::{Node, NodeValue};
use akrida_core::document::problem::{Problem, Problems};
use akrida_core::state::command::{LossPolicy, Strategy};

use super::credentials::{Credentials, HashedCredentials, TlsFiles};
use super::logging::{LogFormat, LogLevel};
use super::network::{HostAndPort, TrustedProxy};
use super::secret::Secret;
use super::{ConfigFile, Surroundings, keys};
use reader::Reader;

pub(super) use master::{loss_policy_word, strategy_word};
pub(super) use shared::master_name;
pub use shared::{worker_name, worker_tag};

/// What a master's file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MasterFile {
    /// `master_cluster`.
    pub cluster: WrittenCluster,
    /// `master.bind.host`.
    pub bind_host: Option<String>,
    /// `master.bind.port`.
    pub bind_port: Option<u16>,
    /// `master.web`.
    pub web: WrittenWeb,
    /// `master.workers.expect_workers`.
    pub expect_workers: Option<usize>,
    /// `master.workers.expect_workers_max_wait`; zero waits for ever.
    pub expect_wait: Option<Duration>,
    /// `master.workers.heartbeat_interval`.
    pub heartbeat_interval: Option<Duration>,
    /// `master.workers.heartbeat_liveness`.
    pub heartbeat_liveness: Option<u32>,
    /// `master.load_distribution.strategy`.
    pub strategy: Option<Strategy>,
    /// `master.load_distribution.rebalance_interval`.
    pub rebalance_interval: Option<Duration>,
    /// `master.fault_tolerance.on_loss`.
    pub on_loss: Option<LossPolicy>,
    /// `master.fault_tolerance.worker_timeout`.
    pub worker_timeout: Option<Duration>,
    /// `master.fault_tolerance.retry_failed_workers`.
    pub retry_failed_workers: Option<bool>,
    /// `master.fault_tolerance.max_retries`.
    pub max_retries: Option<u32>,
    /// `master.resources.max_memory_usage`, in bytes.
    pub max_memory_bytes: Option<u64>,
    /// `master.resources.max_cpu_usage`.
    pub max_cpu_percent: Option<u8>,
    /// `master.resources.max_connections`.
    pub max_connections: Option<u32>,
    /// `master.data_dir`.
    pub data_dir: Option<std::path::PathBuf>,
    /// `master.cluster`.
    pub trust: WrittenTrust,
    /// `master.monitoring`.
    pub monitoring: WrittenMonitoring,
    /// `master.logging`.
    pub logging: WrittenLogging,
    /// `master.drills.enabled`.
    pub drills_enabled: Option<bool>,
}

/// What a file says about the group of masters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenCluster {
    /// Whether the masters form a group.
    pub enabled: Option<bool>,
    /// The masters; their names and addresses are distinct.
    pub nodes: Vec<WrittenNode>,
    /// `election.timeout`.
    pub election_timeout: Option<Duration>,
    /// `election.heartbeat_interval`.
    pub election_heartbeat: Option<Duration>,
    /// `synchronization.sync_interval`.
    pub sync_interval: Option<Duration>,
}

/// What a file says about one master.
#[derive(Clone, Debug, PartialEq)]
pub struct WrittenNode {
    /// Its name, which can be that of a folder.
    pub name: String,
    /// Where other masters and workers reach it.
    pub host: String,
    /// Its port for masters and workers.
    pub port: Option<u16>,
    /// Its web port.
    pub web_port: Option<u16>,
    /// Its priority in elections.
    pub priority: Option<i64>,
}

/// What a file says about the web UI.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenWeb {
    /// The address to listen on.
    pub host: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// What stands before every path.
    pub base_path: Option<String>,
    /// Who may log in.
    pub auth_credentials: Option<Credentials>,
    /// The same without the password.
    pub auth_hash: Option<HashedCredentials>,
    /// Whose word about clients is believed.
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// What a worker's file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerFile {
    /// `worker.master.host` and `hosts`.
    pub masters: Vec<HostAndPort>,
    /// `worker.master.port`: of the masters without one of their own.
    pub port: Option<u16>,
    /// `worker.master.connection_timeout`.
    pub connection_timeout: Option<Duration>,
    /// `worker.master.reconnect_interval`.
    pub reconnect_interval: Option<Duration>,
    /// `worker.master.max_reconnect_attempts`.
    pub max_reconnect_attempts: Option<u32>,
    /// `worker.identity.node_id`.
    pub node_id: Option<String>,
    /// `worker.identity.tags`.
    pub tags: Vec<String>,
    /// `worker.resources.max_users`.
    pub max_users: Option<u64>,
    /// `worker.resources.cpu_limit`, in thousandths of a core.
    pub cpu_millis: Option<u32>,
    /// `worker.resources.memory_limit`, in bytes.
    pub memory_bytes: Option<u64>,
    /// `worker.performance.gevent_pool_size`.
    pub gevent_pool_size: Option<u64>,
    /// `worker.performance.connection_pool_size`.
    pub connection_pool_size: Option<u32>,
    /// `worker.performance.dns_cache_size`.
    pub dns_cache_size: Option<u32>,
    /// `worker.monitoring`.
    pub monitoring: WrittenMonitoring,
    /// `worker.logging`.
    pub logging: WrittenLogging,
    /// `worker.cluster`.
    pub trust: WrittenTrust,
}

/// What masters and workers know each other by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenTrust {
    /// `secret`, or what the file `secret_file` holds.
    pub secret: Option<Secret>,
    /// `tls`.
    pub tls: Option<TlsFiles>,
}

/// What a file says about monitoring.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenMonitoring {
    /// `metrics_enabled`.
    pub metrics_enabled: Option<bool>,
    /// `metrics_port`.
    pub metrics_port: Option<u16>,
    /// `health_check_port`.
    pub health_check_port: Option<u16>,
}

/// What a file says about logging.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WrittenLogging {
    /// `level`.
    pub level: Option<LogLevel>,
    /// `format`.
    pub format: Option<LogFormat>,
    /// `file`.
    pub file: Option<std::path::PathBuf>,
    /// `max_size`, in bytes.
    pub max_bytes: Option<u64>,
    /// `backup_count`.
    pub backups: Option<u32>,
}

/// Takes a document apart whose variables are replaced.
pub(super) fn decode(
    document: &Node,
    file: &Path,
    surroundings: &Surroundings<'_>,
    problems: Problems,
) -> Result<ConfigFile, Vec<Problem>> {
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader { problems, surroundings, folder };
    let decoded = whole_file(&mut reader, document);
    let problems = reader.problems;
    decoded.filter(|_| problems.is_empty()).ok_or_else(|| problems.in_order())
}

fn whole_file(reader: &mut Reader<'_>, document: &Node) -> Option<ConfigFile> {
    let cursor = Cursor::document(document);
    let object = reader.problems.object(&cursor, keys::FILE.keys)?;
    let of_masters = object.given(&["master_cluster", "master"]);
    let worker = object.get("worker");
    match (of_masters.is_empty(), worker) {
        (true, Some(worker)) => Some(ConfigFile::Worker(Box::new(worker::decode(reader, &worker)))),
        (false, None) => Some(ConfigFile::Master(Box::new(master::decode(reader, &object)))),
        (false, Some(worker)) => {
            reader.problems.of_node(&worker, "a file configures masters or workers, not both");
            None
        }
        (true, None) => {
            // A misspelt key was reported, which says enough.
            if matches!(&document.value, NodeValue::Map(entries) if entries.is_empty()) {
                reader.problems.wrong_kind(&cursor, "`master_cluster` and `master`, or `worker`");
            }
            None
        }
    }
}
