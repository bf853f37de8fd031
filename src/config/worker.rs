//! What a worker runs by.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::Surroundings;
use super::credentials::TlsFiles;
use super::logging::{LogLevel, LoggingConfig};
use super::master::defaults;
use super::monitoring::MonitoringConfig;
use super::network::{HostAndPort, MasterAddress};
use super::secret::Secret;
use super::written::WorkerFile;

/// Where masters are looked for if nothing says where they are.
const MASTER_HOST: &str = "127.0.0.1";

/// How long a connection to a master may take.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a worker waits after it has tried all masters.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(1);

/// Everything that a worker runs by.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerConfig {
    /// Where the masters are: at least one, each once. A host may have several addresses.
    pub masters: Vec<MasterAddress>,
    /// How long a connection to a master may take.
    pub connection_timeout: Duration,
    /// How long to wait after all masters were tried.
    pub reconnect_interval: Duration,
    /// How often all masters are tried before the worker gives up; without end if `None`.
    pub max_reconnect_attempts: Option<u32>,
    /// Its name, the same after a restart only if it is configured.
    pub node_id: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The most users that it runs; any number if `None`.
    pub max_users: Option<u64>,
    /// Thousandths of a core that it may use.
    pub cpu_millis: u32,
    /// Memory that it may use.
    pub memory_bytes: Option<u64>,
    /// What its users may use.
    pub performance: Performance,
    /// Where it can be observed.
    pub monitoring: MonitoringConfig,
    /// What it logs.
    pub logging: LoggingConfig,
    /// What everyone in the cluster knows.
    pub secret: Option<Secret>,
    /// Mutual TLS with the masters.
    pub tls: Option<TlsFiles>,
    /// What is allowed but should be known.
    pub warnings: Vec<String>,
}

/// What the users of a worker may use; as much as the program has if `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Performance {
    /// Servers to which one user keeps a connection.
    pub connection_pool_size: Option<u32>,
    /// Names whose addresses are remembered.
    pub dns_cache_size: Option<u32>,
}

/// What the command line and variables say about a worker. It wins over the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerOverrides {
    /// The masters; those of the file if there are none.
    pub masters: Vec<HostAndPort>,
    /// The port of the masters without one of their own.
    pub port: Option<u16>,
    /// Its name.
    pub node_id: Option<String>,
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// What it logs.
    pub log_level: Option<LogLevel>,
    /// Where to.
    pub log_file: Option<PathBuf>,
}

/// Why a file and a command line do not make a worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// Two things would listen on the same port.
    #[error("port {port} is taken twice, by metrics and by health checks")]
    PortTakenTwice {
        /// The port.
        port: u16,
    },
}

impl WorkerFile {
    /// What this worker runs by.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub fn resolve(
        self,
        overrides: WorkerOverrides,
        surroundings: &Surroundings<'_>,
    ) -> Result<WorkerConfig, WorkerError> {
        let written = if overrides.masters.is_empty() { self.masters } else { overrides.masters };
        let port = overrides.port.or(self.port).unwrap_or(defaults::PORT);
        let monitoring = self.monitoring.with_defaults();
        if monitoring.metrics_enabled && monitoring.health_check_port == Some(monitoring.metrics_port) {
            return Err(WorkerError::PortTakenTwice { port: monitoring.metrics_port });
        }
        let max_users = [self.max_users, self.gevent_pool_size].into_iter().flatten().min();
        let all_cores = u32::try_from(surroundings.cores.get()).unwrap_or(u32::MAX).saturating_mul(1_000);
        let mut config = WorkerConfig {
            masters: addresses(written, port),
            connection_timeout: self.connection_timeout.unwrap_or(CONNECTION_TIMEOUT),
            reconnect_interval: self.reconnect_interval.unwrap_or(RECONNECT_INTERVAL),
            max_reconnect_attempts: self.max_reconnect_attempts,
            // Two workers on one machine are two, although nobody gave them names.
            node_id: overrides
                .node_id
                .or(self.node_id)
                .unwrap_or_else(|| format!("{}-{}", surroundings.host_name, surroundings.process_id)),
            tags: overrides.tags.unwrap_or(self.tags),
            max_users,
            cpu_millis: self.cpu_millis.unwrap_or(all_cores),
            memory_bytes: self.memory_bytes,
            performance: Performance {
                connection_pool_size: self.connection_pool_size,
                dns_cache_size: self.dns_cache_size,
            },
            monitoring,
            logging: self.logging.with_defaults(overrides.log_level, overrides.log_file),
            secret: self.trust.secret,
            tls: self.trust.tls,
            warnings: Vec::new(),
        };
        config.warnings = warnings(&config, self.gevent_pool_size.filter(|size| self.max_users > Some(*size)));
        Ok(config)
    }
}

/// Each address once, in order.
fn addresses(written: Vec<HostAndPort>, port: u16) -> Vec<MasterAddress> {
    if written.is_empty() {
        return vec![MasterAddress { host: MASTER_HOST.to_owned(), port }];
    }
    let with_port = |address: HostAndPort| MasterAddress { host: address.host, port: address.port.unwrap_or(port) };
    let mut seen = BTreeSet::new();
    written.into_iter().map(with_port).filter(|address| seen.insert(address.clone())).collect()
}

/// `pool` is the size of a pool that allows fewer users than `max_users`.
fn warnings(config: &WorkerConfig, pool: Option<u64>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(pool) = pool {
        warnings.push(format!("worker.performance.gevent_pool_size allows {pool} users, fewer than max_users"));
    }
    if config.logging.file.is_none() && config.logging.max_bytes.is_some() {
        warnings.push("worker.logging: max_size has no effect without a file".to_owned());
    }
    warnings
}
