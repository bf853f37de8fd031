//! What operators see and set: metrics, health checks, logs and limits of real masters and workers.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use support::cluster::{Cluster, Options};
use support::raw_http;
use support::target::Target;

mod support;

const MONITORING: &str = "  monitoring: { metrics_enabled: true, metrics_port: \"${METRICS_PORT}\", health_check_port: \"${HEALTH_PORT}\" }\n";

const SCENARIO: &str = "users:
  Visitor:
    wait_time: 20ms
    tasks:
      home: [ { get: / } ]
      missing: [ { get: /nothing-here } ]
";

fn watched(masters: usize) -> Options {
    Options { masters, master: MONITORING.to_owned(), worker: MONITORING.to_owned(), ..Options::default() }
}

fn run(cluster: &Cluster, target: &Target, arguments: &[&str]) -> Command {
    fs::write(cluster.folder().join("scenario.yml"), SCENARIO).expect("a file");
    let masters = cluster.addresses();
    let mut command = cluster.command(&["run", "--masters", &masters, "-f", "scenario.yml", "-H", target.url()]);
    command.args(["--only-summary"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn status(url: &str, path: &str) -> Option<u16> {
    raw_http::send(url, "GET", path, &[], b"").ok().map(|reply| reply.status)
}

fn metrics(url: &str) -> String {
    let reply = raw_http::get(url, "/metrics");
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/plain; version=0.0.4")));
    reply.text().to_owned()
}

/// The value of a metric without labels.
fn value(metrics: &str, name: &str) -> Option<f64> {
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.map(|value| value.parse().expect("a number"))
}

/// Prometheus' own check finds nothing to complain of.
fn check(metrics: &str) {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool is there; scripts/install-test-tools.sh installs it");
    child.stdin.take().expect("a pipe").write_all(metrics.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{}\n{metrics}", text(&output));
}

#[test]
fn prometheus_reads_what_masters_and_workers_tell() {
    let target = Target::start(&[]);
    let cluster = Cluster::start(&watched(3), &["worker-1", "worker-2"]);
    let leader = cluster.leader();
    let [leaders, _] = cluster.watched_master(leader);
    let [workers, _] = cluster.watched_worker(0);
    check(&metrics(&leaders));
    let run = run(&cluster, &target, &["-u", "10", "-r", "100", "-t", "60s"]).spawn().expect("it starts");
    let of_run = cluster.await_that("a run that the leader tells of", || {
        let metrics = metrics(&leaders);
        (value(&metrics, "locust_requests_total")? > 100.0 && value(&metrics, "locust_users")? == 10.0)
            .then_some(metrics)
    });
    check(&of_run);
    for (name, expected) in [
        ("locust_workers_connected", 2.0),
        ("akrida_workers_expected", 1.0),
        ("akrida_raft_is_leader", 1.0),
        ("akrida_raft_has_leader", 1.0),
        ("akrida_run_active", 1.0),
        ("akrida_users_wanted", 10.0),
        ("akrida_log_lines_lost_total", 0.0),
    ] {
        assert_eq!(value(&of_run, name), Some(expected), "{name}\n{of_run}");
    }
    // Half of the requests fail.
    let rate = value(&of_run, "locust_errors_rate").expect("a rate");
    assert!((0.2..0.8).contains(&rate), "{rate}");
    assert!(value(&of_run, "process_resident_memory_bytes").is_some_and(|bytes| bytes > 1e6), "{of_run}");
    let of_worker = cluster.await_that("the users of a worker", || {
        let metrics = metrics(&workers);
        (value(&metrics, "locust_users_per_worker")? == 5.0).then_some(metrics)
    });
    check(&of_worker);
    assert_eq!(value(&of_worker, "akrida_worker_connected"), Some(1.0));
    assert_eq!(value(&of_worker, "akrida_worker_masters_linked"), Some(3.0));
    for follower in (0..3).filter(|master| *master != leader) {
        let metrics = metrics(&cluster.watched_master(follower)[0]);
        check(&metrics);
        assert_eq!(value(&metrics, "akrida_raft_is_leader"), Some(0.0));
        assert!(!metrics.contains("locust_"), "only the leader tells of workers and runs\n{metrics}");
    }
    let stopped = cluster.command(&["runs", "stop", "--masters", &cluster.addresses()]).output().expect("it starts");
    assert!(stopped.status.success(), "{}", text(&stopped));
    drop(run.wait_with_output());
    let ended = cluster.await_that("the end of the run", || {
        let metrics = metrics(&leaders);
        (value(&metrics, "akrida_run_active")? == 0.0).then_some(metrics)
    });
    assert_eq!((value(&ended, "locust_users"), value(&ended, "locust_errors_rate")), (Some(0.0), Some(0.0)));
}

#[test]
fn health_ports_say_who_lives_and_who_can_work() {
    let mut cluster = Cluster::start(&watched(1), &["worker-1"]);
    let [metrics_url, master] = cluster.watched_master(0);
    let [_, worker] = cluster.watched_worker(0);
    for url in [&master, &worker] {
        for path in ["/health", "/health/live", "/ready", "/health/ready"] {
            assert_eq!(status(url, path), Some(200), "{url}{path}");
        }
        assert_eq!((status(url, "/metrics"), status(url, "/")), (Some(404), Some(404)));
        let head = raw_http::connect(url).and_then(|mut stream| {
            stream.write_all(&raw_http::request("HEAD", "/ready", &[], b""))?;
            std::io::read_to_string(stream)
        });
        assert!(head.as_ref().is_ok_and(|head| head.starts_with("HTTP/1.1 200")), "{head:?}");
    }
    assert_eq!(status(&metrics_url, "/health"), Some(404));
    cluster.kill_master(0);
    cluster.await_that("a worker that is not ready", || (status(&worker, "/ready")? == 503).then_some(()));
    assert_eq!(status(&worker, "/health"), Some(200), "it lives all the same");
    cluster.start_master(0);
    cluster.await_that("a worker that is ready again", || (status(&worker, "/ready")? == 200).then_some(()));
}

#[test]
fn logs_are_objects_in_files_that_are_put_aside() {
    let logging =
        "  logging: { level: debug, format: json, file: logs/here/NAME.log, max_size: 2KB, backup_count: 2 }\n";
    let options = Options {
        masters: 1,
        master: logging.replace("NAME", "master"),
        worker: logging.replace("NAME", "worker"),
        ..Options::default()
    };
    let cluster = Cluster::start(&options, &["worker-1"]);
    let folder = cluster.folder().join("logs/here");
    let exists = |name: &str| folder.join(name).exists().then_some(());
    for name in ["master.log", "worker.log"] {
        cluster.await_that(name, || exists(name));
        let lines = all_lines(&folder, name);
        assert!(!lines.is_empty());
        for line in lines {
            let object: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            for key in ["@timestamp", "log.level", "message", "ecs.version"] {
                assert!(object[key].is_string(), "{key} in {line}");
            }
        }
    }
    let names = || fs::read_dir(&folder).expect("a folder").filter_map(|entry| Some(entry.ok()?.file_name()));
    assert!(names().count() <= 6, "{:?}", names().collect::<Vec<_>>());
    assert_eq!(cluster.master_log(0), "", "nothing goes to standard error");
}

/// The lines of a log and of what was put aside of it.
fn all_lines(folder: &Path, name: &str) -> Vec<String> {
    let files = [String::new(), ".1".to_owned(), ".2".to_owned()].map(|suffix| folder.join(format!("{name}{suffix}")));
    let texts = files.iter().filter_map(|file| fs::read_to_string(file).ok());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn a_full_disk_for_logs_ends_nothing() {
    let target = Target::start(&[]);
    let full = format!("{MONITORING}  logging: {{ level: debug, file: /dev/full, max_size: 1KB }}\n");
    let options = Options { masters: 1, master: full.clone(), worker: full, ..Options::default() };
    let cluster = Cluster::start(&options, &["worker-1"]);
    let output =
        run(&cluster, &target, &["-u", "2", "-t", "2s", "--exit-code-on-error", "0"]).output().expect("it ends");
    assert!(output.status.success(), "{}\n{}", text(&output), cluster.logs());
    for url in [&cluster.watched_master(0)[0], &cluster.watched_worker(0)[0]] {
        let lost = value(&metrics(url), "akrida_log_lines_lost_total").expect("a counter");
        assert!(lost > 0.0, "{url}");
    }
}

#[test]
fn a_master_that_uses_too_much_memory_starts_no_runs() {
    let target = Target::start(&[]);
    let options = Options {
        masters: 1,
        master: format!("{MONITORING}  resources: {{ max_memory_usage: 1MB }}\n"),
        worker: String::new(),
        ..Options::default()
    };
    let cluster = Cluster::start(&options, &["worker-1"]);
    let output = run(&cluster, &target, &["-u", "1", "-t", "1s"]).output().expect("it ends");
    assert!(!output.status.success() && text(&output).contains("max_memory_usage (1 MB)"), "{}", text(&output));
    let status = cluster.command(&["cluster", "status", "--masters", &cluster.addresses()]).output().expect("it ends");
    assert!(text(&status).contains("Warning: this master uses "), "{}", text(&status));
    let metrics = metrics(&cluster.watched_master(0)[0]);
    assert_eq!(value(&metrics, "akrida_memory_limit_bytes"), Some(1e6));
    assert_eq!(target.received(), 0);
}

#[test]
fn a_worker_that_uses_too_much_memory_joins_no_run() {
    let target = Target::start(&[]);
    let options = Options {
        masters: 1,
        master: "  workers: { expect_workers: 1 }\n".to_owned(),
        worker: "  resources: { memory_limit: 1MB }\n".to_owned(),
        ..Options::default()
    };
    let cluster = Cluster::start(&options, &["worker-1"]);
    let warned = cluster.await_that("a warning", || {
        let status = cluster.status()?;
        let warnings = status["warnings"].as_array()?.iter().filter_map(Value::as_str);
        warnings.map(str::to_owned).find(|warning| warning.contains("memory_limit"))
    });
    assert!(warned.starts_with("worker-1 uses "), "{warned}");
    let output = run(&cluster, &target, &["-u", "1", "-t", "1s"]).output().expect("it ends");
    assert!(!output.status.success() && text(&output).contains("memory_limit"), "{}", text(&output));
    assert_eq!(target.received(), 0);
}

#[test]
fn a_worker_that_reaches_no_master_gives_up_and_says_so() {
    let options = Options { masters: 1, ..Options::default() };
    let mut cluster = Cluster::start(&options, &["worker-1"]);
    let file = fs::read_to_string(cluster.folder().join("worker-1.yml")).expect("its configuration");
    let file = file.replace("reconnect_interval: 200ms", "reconnect_interval: 20ms, max_reconnect_attempts: 3");
    fs::write(cluster.folder().join("worker-1.yml"), file).expect("a file");
    cluster.end_worker(0);
    cluster.start_worker(0);
    cluster.await_that("the worker's link", || (cluster.worker_log(0).matches("connected").count() >= 2).then_some(()));
    cluster.kill_master(0);
    assert_eq!(cluster.await_end_of_worker(0), Some(1), "{}", cluster.logs());
    assert!(cluster.worker_log(0).contains("all were tried 3 times"), "{}", cluster.logs());
}

#[test]
fn a_worker_with_samples_that_are_not_safe_waits_for_its_masters() {
    let target = Target::start(&[]);
    let options = Options {
        masters: 1,
        // A short lease, so that the users have stopped long before the master is back.
        master: "  workers: { heartbeat_interval: 200ms, heartbeat_liveness: 2 }
  fault_tolerance: { worker_timeout: 1 }
"
        .to_owned(),
        worker: MONITORING.to_owned(),
        ..Options::default()
    };
    let mut cluster = Cluster::start(&options, &["worker-1"]);
    let file = fs::read_to_string(cluster.folder().join("worker-1.yml")).expect("its configuration");
    let file = file.replace("reconnect_interval: 200ms", "reconnect_interval: 20ms, max_reconnect_attempts: 1");
    fs::write(cluster.folder().join("worker-1.yml"), file).expect("a file");
    cluster.end_worker(0);
    cluster.start_worker(0);
    cluster.await_workers(1);
    let [worker, health] = cluster.watched_worker(0);
    cluster.await_that("a worker that is ready", || (status(&health, "/ready")? == 200).then_some(()));
    let run = run(&cluster, &target, &["-u", "5", "-r", "100", "-t", "12s", "--exit-code-on-error", "0"]).spawn();
    let run = run.expect("it starts");
    cluster.await_that("load", || (target.received() > 100).then_some(()));
    cluster.kill_master(0);
    // Its lease has ended, and many more attempts than one were in vain.
    cluster.await_that("a worker without users and with samples", || {
        let metrics = metrics(&worker);
        let (users, deltas) =
            (value(&metrics, "locust_users_per_worker")?, value(&metrics, "akrida_worker_unacknowledged_deltas")?);
        (users == 0.0 && deltas >= 5.0).then_some(())
    });
    cluster.start_master(0);
    let output = run.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}\n{}", text(&output), cluster.logs());
    assert_eq!(status(&health, "/ready"), Some(200), "{}", cluster.logs());
}

#[test]
fn what_has_no_effect_yet_is_said_loudly() {
    let options = Options {
        masters: 1,
        master: "  drills: { enabled: true }\n".to_owned(),
        worker: String::new(),
        ..Options::default()
    };
    let cluster = Cluster::start(&options, &[]);
    assert!(cluster.master_log(0).contains("master.drills.enabled has no effect yet"), "{}", cluster.logs());
}
