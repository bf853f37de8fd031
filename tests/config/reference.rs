//! The files of the reference, as they stand there.

use std::time::Duration;

use akrida::config::logging::{LogFormat, LogLevel};
use akrida::config::master::{Election, NodeConfig, ResourceLimits, WorkersConfig};
use akrida::config::monitoring::MonitoringConfig;
use akrida::config::network::{MasterAddress, SocketBind};
use akrida::config::worker::Performance;
use akrida_core::state::command::{LossPolicy, Strategy};

use super::machine::Machine;

pub(crate) const MASTER: &str = include_str!("reference/master-ha.yml");
pub(crate) const WORKER: &str = include_str!("reference/worker.yml");

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn every_value_of_the_masters_file_arrives() {
    let config = Machine::default().master(MASTER, "master-2");
    let node = |number: u8, host: &str, priority| NodeConfig {
        name: format!("master-{number}"),
        host: host.to_owned(),
        port: 5_557,
        web_port: 8_089,
        priority,
    };
    let nodes = [node(1, "10.0.1.10", 100), node(2, "10.0.1.11", 90), node(3, "10.0.1.12", 80)];
    assert_eq!(config.nodes, nodes);
    assert_eq!(config.node, nodes[1]);
    assert_eq!(config.bind, SocketBind { host: "0.0.0.0".to_owned(), port: 5_557 });
    assert_eq!((config.web.host.as_str(), config.web.port), ("0.0.0.0", 8_089));
    let credentials = config.web.auth_credentials.as_ref().unwrap();
    assert_eq!((credentials.user.as_str(), credentials.password.expose()), ("admin", "secure_password"));
    assert_eq!(config.election, Election { timeout: seconds(30), heartbeat_interval: seconds(5) });
    assert_eq!(config.sync_interval, seconds(10));
    let workers = WorkersConfig {
        expect_workers: 60,
        expect_wait: Some(seconds(120)),
        heartbeat_interval: seconds(3),
        heartbeat_liveness: 60,
    };
    assert_eq!(config.workers, workers);
    assert_eq!((config.strategy, config.rebalance_interval), (Strategy::RoundRobin, seconds(30)));
    assert_eq!((config.on_loss, config.worker_timeout), (LossPolicy::Replace, seconds(60)));
    assert_eq!((config.retry_failed_workers, config.max_retries), (true, 3));
    let resources =
        ResourceLimits { max_memory_bytes: Some(4_000_000_000), max_cpu_percent: Some(80), max_connections: 10_000 };
    assert_eq!(config.resources, resources);
    assert_eq!(config.data_dir, std::path::Path::new("data/master-2"));
    assert_eq!(config.worker_lost_after(), seconds(180));
}

#[test]
fn the_masters_file_is_warned_of() {
    let warnings = Machine::default().master(MASTER, "master-1").warnings;
    let expected = [
        "an election takes from 30s to 1m: ",
        "THE PASSWORD OF THE WEB UI IS THE ONE OF THE EXAMPLE",
        "whoever reaches port 5557 can join",
        "a silent worker counts as lost after 3m, not after the 1m of worker_timeout",
    ];
    assert_eq!(warnings.len(), expected.len(), "{warnings:#?}");
    for (warning, start) in warnings.iter().zip(expected) {
        assert!(warning.starts_with(start), "{warning}");
    }
}

#[test]
fn every_value_of_the_workers_file_arrives() {
    let config = Machine::default().worker(WORKER);
    assert_eq!(config.masters, [MasterAddress { host: "master.locust.local".to_owned(), port: 5_557 }]);
    assert_eq!((config.connection_timeout, config.reconnect_interval), (seconds(30), seconds(5)));
    assert_eq!(config.max_reconnect_attempts, Some(10));
    assert_eq!(config.node_id, "machine");
    assert_eq!(config.tags, ["region:us-west", "zone:a", "type:standard"]);
    assert_eq!((config.max_users, config.cpu_millis, config.memory_bytes), (Some(1_000), 1_000, Some(2 << 30)));
    let performance = Performance { connection_pool_size: Some(100), dns_cache_size: Some(1_000) };
    assert_eq!(config.performance, performance);
    let monitoring = MonitoringConfig { metrics_enabled: true, metrics_port: 9_090, health_check_port: Some(8_080) };
    assert_eq!(config.monitoring, monitoring);
    assert_eq!((config.logging.level, config.logging.format), (LogLevel::Info, LogFormat::Json));
    assert_eq!(config.logging.file.as_deref(), Some(std::path::Path::new("/var/log/locust/worker.log")));
    assert_eq!((config.logging.max_bytes, config.logging.backups), (Some(100_000_000), 5));
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn the_variable_of_the_host_name_counts_if_it_is_set() {
    assert_eq!(Machine::default().variable("HOSTNAME", "pod-3").worker(WORKER).node_id, "pod-3");
}
