//! Defaults, which of the masters is meant, and what wins.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akrida::config::master::resolve::MasterError;
use akrida::config::network::{MasterAddress, SocketBind};
use akrida::config::written::{MasterFile, WorkerFile};
use akrida::config::{MasterOverrides, WorkerOverrides};
use proptest::prelude::*;

use super::machine::Machine;
use super::reference;

const THREE: &str = "
master_cluster:
  nodes:
    - { name: a, host: 10.0.0.1, port: 1000, web_port: 1001 }
    - { name: machine, host: 10.0.0.2 }
    - { name: c, host: 10.0.0.3, priority: 7 }
master:
  bind: { port: 2000 }
  web: { host: 127.0.0.1, port: 2001 }
";

#[test]
fn without_a_file_a_master_is_alone_with_defaults() {
    let config = Machine::default()
        .with(|surroundings| MasterFile::default().resolve(MasterOverrides::default(), surroundings))
        .unwrap();
    assert!(config.is_alone());
    assert_eq!((config.node.name.as_str(), config.node.host.as_str()), ("master", "machine"));
    assert_eq!((config.bind.port, config.web.port), (5_557, 8_089));
    assert_eq!(config.election.timeout, Duration::from_millis(500));
    assert_eq!(config.election.heartbeat_interval, Duration::from_millis(100));
    assert_eq!(config.workers.heartbeat_interval, Duration::from_secs(1));
    assert_eq!((config.workers.heartbeat_liveness, config.worker_timeout), (10, Duration::from_secs(10)));
    assert_eq!((config.workers.expect_workers, config.workers.expect_wait), (1, None));
    assert_eq!((config.data_dir.as_path(), config.drills_enabled), (Path::new("data/master"), false));
    assert!(!config.monitoring.metrics_enabled);
}

#[test]
fn without_a_file_a_worker_looks_for_a_master_here() {
    let config = Machine::default()
        .with(|surroundings| WorkerFile::default().resolve(WorkerOverrides::default(), surroundings))
        .unwrap();
    assert_eq!(config.masters, [MasterAddress { host: "127.0.0.1".to_owned(), port: 5_557 }]);
    assert_eq!((config.node_id.as_str(), config.cpu_millis), ("machine-7", 4_000));
    assert_eq!((config.reconnect_interval, config.max_reconnect_attempts), (Duration::from_secs(1), None));
    assert_eq!((config.max_users, config.memory_bytes), (None, None));
}

#[test]
fn a_masters_own_ports_win_over_those_of_all() {
    let config = Machine::default().master(THREE, "a");
    assert_eq!((config.bind.port, config.web.port), (1_000, 1_001));
    assert!(config.warnings.iter().any(|warning| warning.contains("master.bind.port: 2000 has no effect")));
    let config = Machine::default().master(THREE, "c");
    assert_eq!((config.bind.port, config.web.port), (2_000, 2_001));
    let ports: Vec<_> = config.nodes.iter().map(|node| (node.port, node.web_port, node.priority)).collect();
    assert_eq!(ports, [(1_000, 1_001, 100), (2_000, 2_001, 90), (2_000, 2_001, 7)]);
}

#[test]
fn a_master_is_the_one_that_is_named_like_the_machine() {
    assert_eq!(Machine::default().master(THREE, "").node.name, "machine");
}

#[test]
fn a_master_that_cannot_be_told_from_the_others_is_refused() {
    let text = THREE.replace("name: machine", "name: b");
    let try_node = |node: Option<&str>| {
        let overrides = MasterOverrides { node: node.map(str::to_owned), ..MasterOverrides::default() };
        Machine::default().try_master(&text, overrides).map(|config| config.node.name)
    };
    let known = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!(try_node(None), Err(MasterError::NodeNotNamed { known: known.clone() }));
    let unknown = MasterError::UnknownNode { name: "master-1".to_owned(), known };
    assert_eq!(try_node(Some("master-1")), Err(unknown));
    assert_eq!(try_node(Some("b")), Ok("b".to_owned()));
}

#[test]
fn a_disabled_cluster_is_one_master_alone() {
    let text = THREE.replace("  nodes:", "  enabled: false\n  election: { enabled: false }\n  nodes:");
    let config = Machine::default().master(&text, "a");
    assert_eq!((config.is_alone(), config.node.name.as_str(), config.bind.port), (true, "a", 1_000));
    let text = text.replace("name: machine", "name: b");
    let config = Machine::default().master(&text, "");
    assert_eq!((config.is_alone(), config.node.name.as_str(), config.bind.port), (true, "master", 2_000));
}

#[test]
fn the_command_line_wins_over_the_file() {
    let overrides = MasterOverrides {
        node: Some("a".to_owned()),
        bind_host: Some("10.0.0.1".to_owned()),
        bind_port: Some(0),
        web_port: Some(3_001),
        web_base_path: Some("/locust".to_owned()),
        expect_workers: Some(5),
        expect_wait: Some(Duration::ZERO),
        data_dir: Some(PathBuf::from("/data")),
        ..MasterOverrides::default()
    };
    let config = Machine::default().try_master(THREE, overrides).unwrap();
    assert_eq!(config.bind, SocketBind { host: "10.0.0.1".to_owned(), port: 0 });
    assert_eq!((config.web.host.as_str(), config.web.port), ("127.0.0.1", 3_001));
    assert_eq!(config.web.base_path, "/locust");
    // Where the others find it does not change by where it listens.
    assert_eq!((config.node.port, config.node.web_port), (1_000, 1_001));
    assert_eq!((config.workers.expect_workers, config.workers.expect_wait), (5, None));
    assert_eq!(config.data_dir, Path::new("/data/a"));
}

#[test]
fn a_port_is_taken_once() {
    let overrides = || MasterOverrides { node: Some("a".to_owned()), ..MasterOverrides::default() };
    let same = MasterOverrides { web_port: Some(1_000), ..overrides() };
    let error = Machine::default().try_master(THREE, same).unwrap_err();
    assert_eq!(error.to_string(), "port 1000 is taken twice, by masters and workers and by the web UI");
    let text =
        format!("{THREE}  monitoring: {{ metrics_enabled: false, metrics_port: 1001, health_check_port: 1001 }}\n");
    let error = Machine::default().try_master(&text, overrides()).unwrap_err();
    assert_eq!(error.to_string(), "port 1001 is taken twice, by the web UI and by health checks");
}

#[test]
fn masters_are_named_in_every_form_and_once() {
    let config = Machine::default()
        .worker("worker: { master: { host: 'a, b:6000, [::1]:7000', hosts: [a, 'c', 10.0.0.1:5558], port: 6000 } }");
    let masters: Vec<String> = config.masters.iter().map(ToString::to_string).collect();
    assert_eq!(masters, ["a:6000", "b:6000", "[::1]:7000", "c:6000", "10.0.0.1:5558"]);
}

#[test]
fn a_pool_bounds_the_users() {
    let worker = |resources: &str, performance: &str| {
        let text = format!("worker: {{ resources: {{{resources}}}, performance: {{{performance}}} }}");
        let config = Machine::default().worker(&text);
        (config.max_users, config.warnings.len())
    };
    assert_eq!(worker("max_users: 1000", "gevent_pool_size: 200"), (Some(200), 1));
    assert_eq!(worker("max_users: 100", "gevent_pool_size: 200"), (Some(100), 0));
    assert_eq!(worker("", "gevent_pool_size: 200"), (Some(200), 0));
}

#[test]
fn what_a_group_should_know_is_warned_of() {
    let warnings = |text: &str| Machine::default().master(text, "a").warnings;
    let two = "master_cluster: { nodes: [{ name: a, host: a, priority: 1 }, { name: b, host: b, priority: 1 }], election: { timeout: 300ms } }";
    let found = warnings(two);
    assert!(found[0].contains("even number of masters (2) survives the loss of 0, as 1 would"), "{found:?}");
    assert!(found[1].contains("the same priority"), "{found:?}");
    assert!(found[2].contains("election.timeout (300ms) holds fewer than 5 heartbeats (100ms)"), "{found:?}");
    let secret = |secret: &str| warnings(&format!("{two}\nmaster: {{ cluster: {{ secret: {secret} }} }}")).len();
    assert_eq!((found.len(), secret("short"), secret("a-secret-that-is-long")), (4, 4, 3));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    /// What `check-config` prints says the same as the file.
    #[test]
    fn the_settings_read_again_are_the_same(
        timeout_ms in 2_000_u64..100_000,
        liveness in 1_u32..1_000,
        memory in 1_u64..1 << 50,
        connections in 16_u32..1_000_000,
        strategy in prop::sample::select(vec!["round_robin", "least_loaded", "weighted"]),
        on_loss in prop::sample::select(vec!["replace", "continue", "fail"]),
        file in "[a-z$#:'\"\\\\ é]{0,8}[{}a-z]",
        level in prop::sample::select(vec!["debug", "Info", "WARNING", "error", "CRITICAL"]),
    ) {
        let file = serde_json::Value::from(file.replace("${", "$${")).to_string();
        let more = format!(
            "  workers: {{ heartbeat_liveness: {liveness} }}\n  resources: {{ max_memory_usage: {memory}, \
             max_connections: {connections}, max_cpu_usage: 50% }}\n  load_distribution: {{ strategy: {strategy} }}\n  \
             fault_tolerance: {{ on_loss: {on_loss}, worker_timeout: {timeout_ms}ms, retry_failed_workers: false }}\n  \
             logging: {{ file: {file}, level: {level}, max_size: {memory} }}\n  drills: {{ enabled: true }}\n"
        );
        let text = format!("{THREE}{more}");
        let config = Machine::default().master(&text, "c");
        let again = Machine::default().master(&config.settings_text(), "c");
        // Every key is written then, so what is said about keys that are missing may differ.
        let without_warnings = |config: akrida::config::MasterConfig| akrida::config::MasterConfig { warnings: Vec::new(), ..config };
        prop_assert_eq!(without_warnings(again), without_warnings(config));
    }
}

#[test]
fn the_settings_of_a_worker_read_again_are_the_same() {
    let config = Machine::default().worker(reference::WORKER);
    assert_eq!(Machine::default().worker(&config.settings_text()), config);
    let plain = Machine::default().worker("worker: {}");
    assert_eq!(Machine::default().worker(&plain.settings_text()), plain);
}
