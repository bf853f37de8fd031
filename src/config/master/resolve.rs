//! From what is written to what one master runs by: which of the masters it is, what the command line says, and
//! defaults for the rest.

use std::path::PathBuf;
use std::time::Duration;

use akrida_core::limits::REBALANCE_EVERY;

use super::{Election, MasterConfig, NodeConfig, ResourceLimits, WebConfig, WorkersConfig, defaults, warnings};
use crate::config::Surroundings;
use crate::config::logging::{LogLevel, LoggingConfig};
use crate::config::monitoring::MonitoringConfig;
use crate::config::network::{SocketBind, is_every_address};
use crate::config::written::{MasterFile, WrittenLogging, WrittenMonitoring, WrittenNode, master_name};

/// What the command line and variables say about a master. It wins over the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MasterOverrides {
    /// The name of this master.
    pub node: Option<String>,
    /// Where it listens for masters and workers.
    pub bind_host: Option<String>,
    /// On which port.
    pub bind_port: Option<u16>,
    /// Where its web UI listens.
    pub web_host: Option<String>,
    /// On which port.
    pub web_port: Option<u16>,
    /// What stands before every path of its web UI.
    pub web_base_path: Option<String>,
    /// How many workers a run waits for.
    pub expect_workers: Option<usize>,
    /// How long; zero for ever.
    pub expect_wait: Option<Duration>,
    /// The folder in which it has its folder of data.
    pub data_dir: Option<PathBuf>,
    /// What it logs.
    pub log_level: Option<LogLevel>,
    /// Where to.
    pub log_file: Option<PathBuf>,
}

/// Why a file and a command line do not make a master.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MasterError {
    /// There is no master of that name.
    #[error("no master is named {name:?}{}; allowed: {}", meant(.name, .known), .known.join(", "))]
    UnknownNode {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// It is not said which of the masters it is.
    #[error("the configuration has several masters; say which one this is, allowed: {}", .known.join(", "))]
    NodeNotNamed {
        /// The names that there are.
        known: Vec<String>,
    },
    /// The name of a master without a list is also that of its folder.
    #[error("{name:?} is no name of a master; allowed: letters, digits, dots, `-` and `_`")]
    BadName {
        /// The name.
        name: String,
    },
    /// Two things would listen on the same port.
    #[error("port {port} is taken twice, by {first} and by {second}")]
    PortTakenTwice {
        /// The port.
        port: u16,
        /// What takes it.
        first: &'static str,
        /// And what else.
        second: &'static str,
    },
}

fn meant(name: &str, known: &[String]) -> String {
    let alike = akrida_core::document::closest(name, known.iter().map(String::as_str));
    alike.map(|alike| format!(", did you mean {alike}?")).unwrap_or_default()
}

impl MasterFile {
    /// The names of the masters in the file.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.cluster.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// What this master runs by. Without a name the only master of the file is meant, or the one that is named as this
    /// machine is.
    ///
    /// # Errors
    /// See [`MasterError`].
    pub fn resolve(
        self,
        overrides: MasterOverrides,
        surroundings: &Surroundings<'_>,
    ) -> Result<MasterConfig, MasterError> {
        let position = self.position(overrides.node.as_deref(), surroundings.host_name)?;
        let (bind, web) = self.listening(position, &overrides);
        let (node, nodes) = self.masters(position, overrides.node, (&bind, &web), surroundings.host_name);
        let root = overrides.data_dir.or(self.data_dir).unwrap_or_else(|| surroundings.data_root.to_owned());
        let mut config = MasterConfig {
            data_dir: root.join(&node.name),
            node,
            nodes,
            bind,
            web,
            election: Election {
                timeout: self.cluster.election_timeout.unwrap_or(defaults::ELECTION_TIMEOUT),
                heartbeat_interval: self.cluster.election_heartbeat.unwrap_or(defaults::ELECTION_HEARTBEAT),
            },
            sync_interval: self.cluster.sync_interval.unwrap_or(defaults::SYNC_INTERVAL),
            workers: WorkersConfig {
                expect_workers: overrides.expect_workers.or(self.expect_workers).unwrap_or(defaults::EXPECT_WORKERS),
                expect_wait: overrides.expect_wait.or(self.expect_wait).filter(|wait| !wait.is_zero()),
                heartbeat_interval: self.heartbeat_interval.unwrap_or(defaults::WORKER_HEARTBEAT),
                heartbeat_liveness: self.heartbeat_liveness.unwrap_or(defaults::WORKER_LIVENESS),
            },
            strategy: self.strategy.unwrap_or_default(),
            rebalance_interval: self.rebalance_interval.unwrap_or(REBALANCE_EVERY),
            on_loss: self.on_loss.unwrap_or_default(),
            worker_timeout: self.worker_timeout.unwrap_or(defaults::WORKER_TIMEOUT),
            retry_failed_workers: self.retry_failed_workers.unwrap_or(true),
            max_retries: self.max_retries.unwrap_or(defaults::MAX_RETRIES),
            resources: ResourceLimits {
                max_memory_bytes: self.max_memory_bytes,
                max_cpu_percent: self.max_cpu_percent,
                max_connections: self.max_connections.unwrap_or(defaults::MAX_CONNECTIONS),
            },
            secret: self.trust.secret,
            tls: self.trust.tls,
            monitoring: self.monitoring.with_defaults(),
            drills_enabled: self.drills_enabled.unwrap_or(false),
            logging: self.logging.with_defaults(overrides.log_level, overrides.log_file),
            warnings: Vec::new(),
        };
        refuse_ports_taken_twice(&config)?;
        config.warnings = warnings::of(&config, self.bind_port, self.worker_timeout.is_some());
        Ok(config)
    }

    /// Where the master at this position of the list listens.
    fn listening(&self, position: Option<usize>, overrides: &MasterOverrides) -> (SocketBind, WebConfig) {
        let listed = position.map(|at| &self.cluster.nodes[at]);
        let host = |typed: &Option<String>, written: &Option<String>| {
            typed.as_ref().or(written.as_ref()).map_or(defaults::HOST, String::as_str).to_owned()
        };
        let own_port = listed.and_then(|node| node.port);
        let own_web_port = listed.and_then(|node| node.web_port);
        let bind = SocketBind {
            host: host(&overrides.bind_host, &self.bind_host),
            port: overrides.bind_port.or(own_port).or(self.bind_port).unwrap_or(defaults::PORT),
        };
        let web = WebConfig {
            host: host(&overrides.web_host, &self.web.host),
            port: overrides.web_port.or(own_web_port).or(self.web.port).unwrap_or(defaults::WEB_PORT),
            base_path: overrides.web_base_path.as_ref().or(self.web.base_path.as_ref()).cloned().unwrap_or_default(),
            auth_credentials: self.web.auth_credentials.clone(),
            auth_hash: self.web.auth_hash.clone(),
            trusted_proxies: self.web.trusted_proxies.clone(),
        };
        (bind, web)
    }

    /// This master, and all of its cluster.
    fn masters(
        &self,
        position: Option<usize>,
        name: Option<String>,
        (bind, web): (&SocketBind, &WebConfig),
        host_name: &str,
    ) -> (NodeConfig, Vec<NodeConfig>) {
        let Some(position) = position else {
            // A master that no list names.
            let host = if is_every_address(&bind.host) { host_name } else { &bind.host };
            let node = NodeConfig {
                name: name.unwrap_or_else(|| defaults::NAME.to_owned()),
                host: host.to_owned(),
                port: bind.port,
                web_port: web.port,
                priority: defaults::PRIORITY_FIRST,
            };
            return (node.clone(), vec![node]);
        };
        let port = self.bind_port.unwrap_or(defaults::PORT);
        let web_port = self.web.port.unwrap_or(defaults::WEB_PORT);
        let with_defaults = |(at, node): (usize, &WrittenNode)| NodeConfig {
            name: node.name.clone(),
            host: node.host.clone(),
            port: node.port.unwrap_or(port),
            web_port: node.web_port.unwrap_or(web_port),
            priority: node.priority.unwrap_or(defaults::PRIORITY_FIRST - defaults::PRIORITY_STEP * at as i64),
        };
        let nodes: Vec<NodeConfig> = self.cluster.nodes.iter().enumerate().map(with_defaults).collect();
        let own = nodes[position].clone();
        if self.cluster.enabled == Some(false) { (own.clone(), vec![own]) } else { (own, nodes) }
    }

    /// Which of the masters of the file this is; `None` if it is one alone that the file does not list.
    fn position(&self, name: Option<&str>, host_name: &str) -> Result<Option<usize>, MasterError> {
        let nodes = &self.cluster.nodes;
        let is_alone = nodes.is_empty();
        let position = |wanted: &str| nodes.iter().position(|node| node.name == wanted);
        match (name, &nodes[..]) {
            (Some(name), _) if is_alone && master_name(name).is_err() => {
                Err(MasterError::BadName { name: name.to_owned() })
            }
            (_, []) => Ok(None),
            (Some(name), _) => position(name).map(Some).ok_or_else(|| {
                let known = self.names();
                MasterError::UnknownNode { name: name.to_owned(), known }
            }),
            (None, [_]) => Ok(Some(0)),
            (None, _) => {
                let first_label = host_name.split('.').next().unwrap_or(host_name);
                let position = position(host_name).or_else(|| position(first_label));
                match position {
                    None if self.cluster.enabled == Some(false) => Ok(None),
                    None => Err(MasterError::NodeNotNamed { known: self.names() }),
                    Some(position) => Ok(Some(position)),
                }
            }
        }
    }
}

fn refuse_ports_taken_twice(config: &MasterConfig) -> Result<(), MasterError> {
    let every = defaults::HOST;
    let MonitoringConfig { metrics_enabled, metrics_port, health_check_port } = config.monitoring;
    let taken = [
        ("masters and workers", config.bind.host.as_str(), Some(config.bind.port)),
        ("the web UI", config.web.host.as_str(), Some(config.web.port)),
        ("metrics", every, metrics_enabled.then_some(metrics_port)),
        ("health checks", every, health_check_port),
    ];
    for (index, (second, host, port)) in taken.iter().enumerate() {
        let Some(port) = port.filter(|port| *port > 0) else { continue };
        let meets = |other: &str| other == *host || is_every_address(other) || is_every_address(host);
        let first = taken[..index].iter().find(|(_, other, taken)| *taken == Some(port) && meets(other));
        if let Some((first, ..)) = first {
            return Err(MasterError::PortTakenTwice { port, first, second });
        }
    }
    Ok(())
}

impl WrittenMonitoring {
    /// What holds: nothing is served that was not asked for.
    pub(in crate::config) fn with_defaults(self) -> MonitoringConfig {
        MonitoringConfig {
            metrics_enabled: self.metrics_enabled.unwrap_or(false),
            metrics_port: self.metrics_port.unwrap_or(defaults::METRICS_PORT),
            health_check_port: self.health_check_port,
        }
    }
}

impl WrittenLogging {
    /// What holds, with what the command line says.
    pub(in crate::config) fn with_defaults(self, level: Option<LogLevel>, file: Option<PathBuf>) -> LoggingConfig {
        LoggingConfig {
            level: level.or(self.level).unwrap_or_default(),
            format: self.format.unwrap_or_default(),
            file: file.or(self.file),
            max_bytes: self.max_bytes,
            backups: self.backups.unwrap_or(defaults::LOG_BACKUPS),
        }
    }
}
