//! Masters and workers: which of them the process is, and where that comes from.

use std::path::{Path, PathBuf};
use std::time::Duration;

use akrida::cli::flags::logging::LogLevel;
use akrida::cli::{Exit, Invocation, StartMode};

use super::surroundings::Surroundings;

const CLUSTER: &str = "
master_cluster:
  nodes:
    - { name: a, host: 10.0.0.1, port: 1000, web_port: 1001 }
    - { name: b, host: 10.0.0.2 }
master:
  workers: { expect_workers: 5, expect_workers_max_wait: 30 }
  data_dir: /from-file
  logging: { level: ERROR, format: json }
";

const WORKER: &str = "
worker:
  master: { hosts: ['m1:6000', m2], port: 7000 }
  identity: { node_id: from-file, tags: [a] }
";

fn with_cluster() -> Surroundings {
    Surroundings::empty().file("here/c.yml", CLUSTER).file("here/w.yaml", WORKER)
}

#[test]
fn a_master_and_a_worker_without_a_file() {
    let empty = Surroundings::empty();
    for arguments in [&["--master"][..], &["master"]] {
        let role = empty.master(arguments);
        assert_eq!((role.config.node.name.as_str(), role.config.node.host.as_str()), ("master", "machine"));
        assert_eq!((role.config.bind.port, role.config.web.port), (5_557, 8_089));
        assert_eq!((role.config.data_dir.as_path(), role.scenario), (Path::new("data/master"), None));
        assert_eq!((role.options.mode, role.options.notices), (StartMode::WebUi, Vec::new()));
    }
    for arguments in [&["--worker"][..], &["worker"]] {
        let role = empty.worker(arguments);
        let masters: Vec<String> = role.config.masters.iter().map(ToString::to_string).collect();
        assert_eq!((masters, role.config.node_id.as_str()), (vec!["127.0.0.1:5557".to_owned()], "machine-7"));
        assert_eq!(role.options.notices, [""; 0]);
    }
}

#[test]
fn the_scripts_of_the_reference_start() {
    let master = Surroundings::empty().master(&[
        "--master",
        "--master-bind-host=0.0.0.0",
        "--master-bind-port=5557",
        "--web-host=0.0.0.0",
        "--web-port=8089",
        "--expect-workers=60",
        "--loglevel=INFO",
        "--logfile=/var/log/locust/master.log",
        "-f",
        "locustfiles/distributed.yml",
    ]);
    assert_eq!(master.config.workers.expect_workers, 60);
    assert_eq!(master.scenario, Some(PathBuf::from("locustfiles/distributed.yml")));
    assert_eq!(master.options.log.config.file, Some(PathBuf::from("/var/log/locust/master.log")));
    let worker = Surroundings::empty().worker(&[
        "--worker",
        "--master-host=master.locust.local",
        "--master-port=5557",
        "--loglevel=INFO",
        "-f",
        "locustfiles/distributed.yml",
    ]);
    assert_eq!(worker.config.masters[0].to_string(), "master.locust.local:5557");
    assert_eq!(worker.options.notices, ["--locustfile has no effect on a worker"]);
}

#[test]
fn a_manifest_of_the_reference_starts_a_worker() {
    let surroundings = Surroundings::empty()
        .variable("LOCUST_MODE", "worker")
        .variable("LOCUST_MASTER_HOST", "locust-master-service")
        .variable("LOCUST_MASTER_PORT", "5557")
        .variable("WORKER_NODE_ID", "pod-1");
    let role = surroundings.worker(&[]);
    assert_eq!(role.config.masters[0].to_string(), "locust-master-service:5557");
    assert_eq!(role.config.node_id, "pod-1");
    // Locust's own name of the variable is stronger, and ours stronger still.
    let surroundings = surroundings.variable("LOCUST_MASTER_NODE_HOST", "other");
    assert_eq!(surroundings.worker(&[]).config.masters[0].host, "other");
    let surroundings = surroundings.variable("AKRIDA_MASTER_HOST", "ours");
    assert_eq!(surroundings.worker(&[]).config.masters[0].host, "ours");
}

#[test]
fn what_kubernetes_sets_for_a_service_is_left_alone() {
    let surroundings = Surroundings::empty()
        .variable("LOCUST_MASTER_PORT", "tcp://10.0.0.1:5557")
        .variable("AKRIDA_WEB_PORT", "tcp://10.0.0.2:8089");
    assert_eq!(surroundings.worker(&["--worker"]).config.masters[0].port, 5_557);
    assert_eq!(surroundings.master(&["--master"]).config.web.port, 8_089);
}

#[test]
fn a_file_makes_the_role() {
    let role = with_cluster().master(&["--config", "c.yml", "--node", "a"]);
    assert_eq!((role.config.nodes.len(), role.config.bind.port, role.config.web.port), (2, 1_000, 1_001));
    assert_eq!((role.config.workers.expect_workers, role.options.log.config.level), (5, LogLevel::Error));
    let role = with_cluster().master(&["master", "--config", "c.yml", "--node=b", "--headless", "-u", "7"]);
    assert_eq!((role.config.node.name.as_str(), role.options.users), ("b", 7));
    assert_eq!(role.options.mode, StartMode::Headless);
    let role = with_cluster().worker(&["--config", "w.yaml"]);
    let masters: Vec<String> = role.config.masters.iter().map(ToString::to_string).collect();
    assert_eq!(masters, ["m1:6000", "m2:7000"]);
}

#[test]
fn options_and_variables_win_over_the_file() {
    let surroundings = with_cluster().variable("AKRIDA_EXPECT_WORKERS", "9").variable("AKRIDA_NODE", "b");
    let role = surroundings.master(&[
        "--config=c.yml",
        "--node=a",
        "-P",
        "0",
        "--data-dir=d",
        "-L",
        "debug",
        "--expect-workers-max-wait=0",
    ]);
    assert_eq!((role.config.node.name.as_str(), role.config.workers.expect_workers), ("a", 9));
    assert_eq!((role.config.workers.expect_wait, role.config.web.port), (None, 0));
    assert_eq!((role.config.data_dir.as_path(), role.config.logging.level), (Path::new("d/a"), LogLevel::Debug));
    let role = with_cluster().file("here/locust.conf", "master-port = 8000\nworker-tags = [x, y]\n").worker(&[
        "--config=w.yaml",
        "--master-host=x,y:1",
        "--master-host",
        "z",
        "--node-id=me",
    ]);
    let masters: Vec<String> = role.config.masters.iter().map(ToString::to_string).collect();
    assert_eq!(masters, ["x:8000", "y:1", "z:8000"]);
    assert_eq!((role.config.node_id.as_str(), role.config.tags), ("me", vec!["x".to_owned(), "y".to_owned()]));
}

#[test]
fn the_stronger_of_two_roles_counts() {
    let surroundings = with_cluster().variable("LOCUST_MODE", "worker").file("here/locust.conf", "master = true\n");
    assert!(matches!(surroundings.parse::<&str>(&[]), Ok(Invocation::Worker(_))));
    assert!(matches!(surroundings.parse(&["--master"]), Ok(Invocation::Master(_))));
    assert!(matches!(surroundings.parse(&["--config=c.yml", "--node=a"]), Ok(Invocation::Master(_))));
    let surroundings = surroundings.variable("AKRIDA_MODE_MASTER", "yes");
    assert!(matches!(surroundings.parse::<&str>(&[]), Ok(Invocation::Master(_))));
    for (arguments, problem) in [
        (&["--master", "--worker"][..], "--master asks for a master and --worker for a worker; allowed: one of them"),
        (&["--worker", "--config=c.yml"], "c.yml asks for a master and --worker for a worker; allowed: one of them"),
        (&["--master", "--config=w.yaml"], "--master asks for a master and w.yaml for a worker; allowed: one of them"),
    ] {
        assert_eq!(with_cluster().problems(arguments), [problem]);
    }
    assert_eq!(
        Surroundings::empty().variable("LOCUST_MODE", "boss").problems(&["--master"]),
        ["LOCUST_MODE: \"boss\" is no role; allowed: master, worker, standalone"]
    );
    let standalone = Surroundings::with_scenario().variable("LOCUST_MODE", "standalone");
    assert_eq!(standalone.run(&[]), Surroundings::with_scenario().run(&[]));
}

#[test]
fn a_master_that_is_not_told_which_one_it_is() {
    assert_eq!(
        with_cluster().problems(&["--config=c.yml"]),
        ["--node: the configuration has several masters; say which one this is, allowed: a, b"]
    );
    assert_eq!(
        with_cluster().variable("AKRIDA_NODE", "c").problems(&["--config=c.yml"]),
        ["AKRIDA_NODE: no master is named \"c\", did you mean a?; allowed: a, b"]
    );
    assert_eq!(
        with_cluster().problems(&["--master", "--node=../x"]),
        ["--node: \"../x\" is no name of a master; allowed: letters, digits, dots, `-` and `_`"]
    );
}

#[test]
fn problems_of_the_file_come_with_those_of_the_options() {
    let surroundings = Surroundings::empty()
        .file("here/c.yml", "master:\n  web: { prot: 1 }\n  data_dir: ''\n")
        .variable("LOCUST_EXPECT_WORKERS", "0");
    let problems = surroundings.problems(&["--config=c.yml", "--web-port=70000", "--master-host=a b"]);
    assert_eq!(
        problems,
        [
            "LOCUST_EXPECT_WORKERS: 0 is out of range; allowed: 1 to 100000",
            "--web-port: 70000 is out of range; allowed: 0 to 65535",
            "--master-host: \"a b\" is no host name or address",
            "c.yml:2:10: master.web.prot: unknown key `prot`, did you mean `port`? (allowed: host, port, base_path, auth_credentials, auth_hash, trusted_proxies)",
            "c.yml:3:13: master.data_dir: the value is missing",
        ]
    );
    let error = surroundings.parse(&["--config=c.yml"]).expect_err("wrong");
    assert_eq!(error.exit(), Exit::Usage);
}

#[test]
fn files_beside_the_configuration_are_read_from_its_folder() {
    let surroundings = Surroundings::empty()
        .file("here/w.yml", "worker: { cluster: { secret_file: secret } }")
        .file("here/secret", "hidden\n");
    let role = surroundings.worker(&["--config=w.yml"]);
    assert_eq!(role.config.secret.as_ref().unwrap().expose(), "hidden");
    assert!(!format!("{role:?}").contains("hidden"));
}

#[test]
fn options_of_another_role_are_named() {
    let notices = Surroundings::with_scenario().run(&["--headless", "--web-port=1", "--master-host=a"]).notices;
    assert_eq!(
        notices,
        [
            "--web-port has no effect without --master or --worker",
            "--master-host has no effect without --master or --worker"
        ]
    );
    let notices = Surroundings::empty().master(&["--master", "--worker-tags=a", "--processes=3"]).options.notices;
    assert_eq!(notices, ["--worker-tags has no effect on a master", "--processes has no effect on a master"]);
    let role = Surroundings::empty().worker(&["--worker", "--expect-workers=3", "--processes=3"]);
    assert_eq!(role.options.notices, ["--expect-workers has no effect on a worker"]);
    assert_eq!(role.options.processes.get(), 3);
}

#[test]
fn a_master_may_bring_a_scenario_and_start_by_itself() {
    let role = Surroundings::with_scenario().master(&["--master", "--autostart", "--autoquit=5", "-t", "1m"]);
    assert_eq!(role.scenario, Some(PathBuf::from("akrida.yml")));
    assert_eq!(role.options.mode, StartMode::Autostart { autoquit: Some(Duration::from_secs(5)) });
    assert_eq!(role.options.run_time, Some(Duration::from_secs(60)));
}

#[test]
fn questions_about_a_scenario_are_answered_by_any_role() {
    let surroundings = Surroundings::with_scenario();
    assert!(matches!(surroundings.parse(&["--master", "-l"]), Ok(Invocation::List(_))));
    assert!(matches!(surroundings.parse(&["worker", "--show-task-ratio"]), Ok(Invocation::TaskRatio { .. })));
    let help = surroundings.parse(&["master", "--help"]).expect_err("help");
    assert!(help.exit() == Exit::Passed && help.text().contains("--master-bind-port"), "{help}");
}
