//! What is wrong, and how it is told: all at once, with place, key and what is allowed.

use super::machine::Machine;

#[test]
fn all_problems_of_a_masters_file() {
    let text = r#"master_cluster:
  enabled: maybe
  nodes:
    - { name: master-1, host: 10.0.1.10, prio: 5 }
    - { name: master-1, host: 10.0.1.11 }
    - { name: "a b", host: "0.0.0.0" }
    - { name: d, host: 10.0.1.10, web_port: 70000 }
    - { host: x }
  election: { timeout: 30, heartbeat_interval: 20, enabeld: true }
  synchronization: { conflict_resolution: oldest_wins, sync_interval: 10ms }
master:
  bind: { host: "http://x", port: -1 }
  web: { auth_credentials: admin, trusted_proxies: [10.0.0.0/99, ok] }
  workers: { expect_workers: 0, heartbeat_interval: 3 parsecs, heartbeat_liveness: 1.5 }
  load_distribution: { strategy: round_robbin }
  fault_tolerance: { on_loss: stop, worker_timeout: 1s }
  resources: { max_memory_usage: 4 apples, max_cpu_usage: 80, max_connections: 1 }
  cluster: { tls: { ca: ca.pem } }
  logging: [a]
  data_dir: ""
"#;
    let expected = [
        "2:12: master_cluster.enabled: found the text \"maybe\", expected `true` or `false`",
        "4:42: master_cluster.nodes[0].prio: unknown key `prio` (allowed: name, host, port, web_port, priority)",
        "5:15: master_cluster.nodes[1].name: master-1 is already that of master \"master-1\"",
        "6:15: master_cluster.nodes[2].name: \"a b\" is no name of a master; allowed: letters, digits, dots, `-` and `_`",
        "6:28: master_cluster.nodes[2].host: other masters cannot reach \"0.0.0.0\"; give the address of this master",
        "7:7: master_cluster.nodes[3].port: 10.0.1.10:5557 is already that of master \"master-1\"",
        "7:45: master_cluster.nodes[3].web_port: found the number 70000, expected a whole number from 1 to 65535",
        "8:7: master_cluster.nodes[4]: `name` is missing",
        "9:48: master_cluster.election.heartbeat_interval: heartbeats every 20s leave no two of them within the time-out of 30s; allowed: at most half of it, better a fifth or less",
        "9:52: master_cluster.election.enabeld: unknown key `enabeld`, did you mean `enabled`? (allowed: enabled, timeout, heartbeat_interval)",
        "10:43: master_cluster.synchronization.conflict_resolution: found \"oldest_wins\"; masters share one log, in which the last entry holds, so only `latest_wins` is allowed",
        "10:71: master_cluster.synchronization.sync_interval: 10ms is too short, at least 1s is allowed",
        "12:17: master.bind.host: \"http://x\" is no host name or address",
        "12:35: master.bind.port: found the number -1, expected a whole number from 0 to 65535",
        "13:28: master.web.auth_credentials: this is not a user and a password, expected `user:password`",
        "13:53: master.web.trusted_proxies[0]: \"10.0.0.0/99\" is no IP address or network, expected one such as `10.0.0.1` or `10.0.0.0/8`",
        "13:66: master.web.trusted_proxies[1]: \"ok\" is no IP address or network, expected one such as `10.0.0.1` or `10.0.0.0/8`",
        "14:30: master.workers.expect_workers: found the number 0, expected a whole number from 1 to 100000",
        "14:53: master.workers.heartbeat_interval: \"3 parsecs\" has no unit that is known (us, ms, s, m, h), expected a time such as `30` (seconds), `500ms` or `1m 30s`",
        "14:84: master.workers.heartbeat_liveness: found the number 1.5, expected a whole number from 1 to 1000000",
        "15:34: master.load_distribution.strategy: found \"round_robbin\", expected one of `round_robin`, `least_loaded`, `weighted`, did you mean `round_robin`?",
        "16:31: master.fault_tolerance.on_loss: found \"stop\", expected one of `replace`, `continue`, `fail`",
        "16:53: master.fault_tolerance.worker_timeout: 1s is less than two heartbeats of workers; allowed: at least 2s",
        "17:34: master.resources.max_memory_usage: \"4 apples\" is no size, expected a size such as `4GB`, `2Gi` or `512MiB`",
        "17:59: master.resources.max_cpu_usage: \"80\" is no percentage, expected a percentage from `1%` to `100%`",
        "17:80: master.resources.max_connections: found the number 1, expected a whole number from 16 to 1000000",
        "18:19: master.cluster.tls: `certificate` is missing; allowed: all of ca, certificate, key",
        "18:19: master.cluster.tls: `key` is missing; allowed: all of ca, certificate, key",
        "19:12: master.logging: found a list, expected an object with the keys level, format, file, max_size, backup_count",
        "20:13: master.data_dir: the value is missing",
    ];
    let found = Machine::default().problems(text);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn all_problems_of_a_workers_file() {
    let text = r#"worker:
  master: { host: "a b", hosts: [ok, "x:0"], port: 0, max_reconnect_attempts: 0 }
  identity: { node_id: "", tags: ["a b", fine] }
  resources: { max_users: 0, cpu_limit: 1 core, memory_limit: lots, disk: 5 }
  performance: { gevent_pool_size: none }
  monitoring: { metrics_enabled: 1, metrics_port: 99999 }
  logging: { level: LOUD, format: jsn, backup_count: -1 }
"#;
    let expected = [
        "2:19: worker.master.host: \"a b\" is no host name or address",
        "2:38: worker.master.hosts[1]: \"x:0\" has no port from 1 to 65535 after its colon",
        "2:52: worker.master.port: found the number 0, expected a whole number from 1 to 65535",
        "2:79: worker.master.max_reconnect_attempts: found the number 0, expected a whole number from 1 to 4294967295",
        "3:24: worker.identity.node_id: \"\" is no name of a worker; allowed: 1 to 200 characters",
        "3:35: worker.identity.tags[0]: \"a b\" is no tag; allowed: characters without blanks and commas, such as `zone:a`",
        "4:27: worker.resources.max_users: found the number 0, expected a whole number from 1 to 10000000",
        "4:41: worker.resources.cpu_limit: \"1 core\" is no share of a processor, expected cores such as `2` or `1.5`, or thousandths of one such as `1000m`",
        "4:63: worker.resources.memory_limit: \"lots\" is no size, expected a size such as `4GB`, `2Gi` or `512MiB`",
        "4:69: worker.resources.disk: unknown key `disk` (allowed: max_users, cpu_limit, memory_limit)",
        "5:36: worker.performance.gevent_pool_size: found the text \"none\", expected a whole number from 1 to 10000000",
        "6:34: worker.monitoring.metrics_enabled: found the number 1, expected `true` or `false`",
        "6:51: worker.monitoring.metrics_port: found the number 99999, expected a whole number from 1 to 65535",
        "7:21: worker.logging.level: found \"LOUD\", expected one of `DEBUG`, `INFO`, `WARNING`, `ERROR`, `CRITICAL`",
        "7:35: worker.logging.format: found \"jsn\", expected one of `text`, `json`, did you mean `json`?",
        "7:54: worker.logging.backup_count: found the number -1, expected a whole number from 0 to 1000",
    ];
    let found = Machine::default().problems(text);
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_file_is_of_masters_or_of_workers() {
    let machine = Machine::default();
    assert_eq!(machine.problems("{}"), ["1:1: found an object, expected `master_cluster` and `master`, or `worker`"]);
    assert_eq!(
        machine.problems("master: {}\nworker: {}"),
        ["2:9: worker: a file configures masters or workers, not both"]
    );
    assert_eq!(
        machine.problems("wroker: {}"),
        ["1:1: wroker: unknown key `wroker`, did you mean `worker`? (allowed: master_cluster, master, worker)"]
    );
    assert_eq!(machine.problems(""), ["1:1: the file is empty"]);
    assert_eq!(
        machine.problems("- a"),
        ["1:1: found a list, expected an object with the keys master_cluster, master, worker"]
    );
    assert_eq!(machine.problems("master: {}\nmaster: {}"), ["2:1: the key `master` is already given on line 1"]);
    let problems = machine.problems("master: [");
    assert!(problems[0].contains("not valid YAML: "), "{problems:?}");
}

#[test]
fn what_a_group_cannot_do_without_is_not_switched_off() {
    let text = "master_cluster:
  nodes: [{ name: a, host: a }, { name: b, host: b }]
  election: { enabled: false }
  synchronization: { enabled: false }
";
    let why = "allowed: `true`, or `master_cluster.enabled: false` for one master alone";
    let expected = [
        format!("3:24: master_cluster.election.enabled: masters of a group elect their leader; {why}"),
        format!("4:31: master_cluster.synchronization.enabled: masters of a group always share their state; {why}"),
    ];
    assert_eq!(Machine::default().problems(text), expected);
    assert!(Machine::default().read(&text.replace(", { name: b, host: b }", "")).is_ok());
}

#[test]
fn there_are_bounds() {
    let machine = Machine::default();
    let nodes: String = (0..10).map(|number| format!("{{ name: m{number}, host: h{number} }}, ")).collect();
    let problems = machine.problems(&format!("master_cluster: {{ nodes: [{nodes}] }}"));
    assert_eq!(problems, ["1:26: master_cluster.nodes: found 10 masters, at most 9 are allowed"]);
    let tags = "t, ".repeat(33);
    let problems = machine.problems(&format!("worker: {{ identity: {{ tags: [{tags}] }} }}"));
    assert_eq!(problems, ["1:29: worker.identity.tags: at most 32 are allowed, found 33"]);
    let long = "#".repeat(1024 * 1024 + 1);
    assert_eq!(machine.problems(&long), ["1:1: the file is too large; allowed: 1048576 bytes"]);
}
