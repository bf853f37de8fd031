//! Masters and workers as real processes, which are killed, frozen, wiped and restarted in mid-run: the report equals the
//! target's own count, to the request.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::cluster::{Cluster, Options};
use support::target::Target;

mod support;

const SCENARIO: &str = "users:
  Visitor:
    wait_time: 20ms
    tasks:
      home: { weight: 3, steps: [ { get: / } ] }
      other: { weight: 1, steps: [ { get: /about, check: { status: 404 } } ] }
";

/// A run on a cluster that goes on while the test does something to it.
struct Run {
    child: Child,
}

/// A run that has ended.
struct Ended {
    output: Output,
    summary: Value,
}

impl Run {
    fn start(cluster: &Cluster, target: &Target, arguments: &[&str]) -> Self {
        std::fs::write(cluster.folder().join("scenario.yml"), SCENARIO).expect("a file");
        let masters = cluster.addresses();
        let mut command = cluster.command(&["run", "--masters", &masters, "-f", "scenario.yml", "-H", target.url()]);
        command.args(["--only-summary", "--summary-json", "out.json"]).args(arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        Self { child }
    }

    fn end(self, cluster: &Cluster) -> Ended {
        let output = self.child.wait_with_output().expect("the program ends");
        let summary = std::fs::read_to_string(cluster.folder().join("out.json"))
            .unwrap_or_else(|_| panic!("no summary\n{}\n{}", String::from_utf8_lossy(&output.stderr), cluster.logs()));
        Ended { output, summary: serde_json::from_str(&summary).expect("JSON") }
    }
}

impl Ended {
    fn exchanges(&self) -> u64 {
        self.summary["totals"]["http_exchanges"].as_u64().expect("a number")
    }

    fn passed(&self) -> bool {
        self.output.status.success()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }
}

/// Waits until the target has received so many more requests than now.
fn await_requests(target: &Target, more: u64) {
    let (since, goal) = (Instant::now(), target.received() + more);
    while target.received() < goal {
        assert!(since.elapsed() < Duration::from_secs(60), "the load has stopped at {} of {goal}", target.received());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The report equals the target's own count, and the masters that run agree to the byte.
fn assert_exact(ended: &Ended, cluster: &Cluster, target: &Target) {
    assert_eq!(ended.exchanges(), target.received(), "{}\n{}", ended.text(), cluster.logs());
    assert!(ended.passed(), "{}", ended.text());
    cluster.agreed_state();
}

const LOAD: [&str; 6] = ["-u", "20", "-r", "50", "-t", "8s"];

#[test]
fn a_run_on_three_masters_counts_what_the_target_counts() {
    let target = Target::start(&[]);
    let cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let ended = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "3s"]).end(&cluster);
    assert!(ended.exchanges() > 100, "{}", ended.text());
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_killed_leader_costs_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 500);
    let old = cluster.leader();
    cluster.kill_master(old);
    cluster.leader_other_than(Some(old));
    await_requests(&target, 500);
    cluster.start_master(old);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn two_leaders_killed_in_turn_cost_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "14s"]);
    for _ in 0..2 {
        await_requests(&target, 500);
        let old = cluster.leader();
        cluster.kill_master(old);
        cluster.leader_other_than(Some(old));
        await_requests(&target, 500);
        cluster.start_master(old);
    }
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_killed_follower_costs_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 500);
    let follower = (cluster.leader() + 1) % 3;
    cluster.kill_master(follower);
    await_requests(&target, 500);
    cluster.start_master(follower);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_frozen_leader_costs_nothing_and_follows_when_it_wakes() {
    let target = Target::start(&[]);
    let cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 500);
    let old = cluster.leader();
    cluster.pause_master(old);
    cluster.leader_other_than(Some(old));
    await_requests(&target, 500);
    cluster.resume_master(old);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn all_masters_killed_and_started_again_know_all_that_was_acknowledged() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "12s"]);
    await_requests(&target, 500);
    (0..3).for_each(|master| cluster.kill_master(master));
    (0..3).for_each(|master| cluster.start_master(master));
    cluster.leader();
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_rolling_restart_costs_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "15s"]);
    for master in 0..3 {
        await_requests(&target, 300);
        cluster.end_master(master);
        cluster.start_master(master);
        cluster.leader();
    }
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_killed_worker_takes_only_its_tail_along_and_the_report_says_so() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "12s"]);
    await_requests(&target, 1_000);
    cluster.kill_worker(0);
    await_requests(&target, 1_000);
    let ended = run.end(&cluster);
    let (reported, received) = (ended.exchanges(), target.received());
    assert!(reported <= received, "reported {reported}, received {received}");
    assert!(ended.text().contains("worker-1"), "{}", ended.text());
    cluster.agreed_state();
}

#[test]
fn a_frozen_worker_comes_back_and_nothing_is_counted_twice() {
    let target = Target::start(&[]);
    let cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "10s"]);
    await_requests(&target, 500);
    cluster.pause_worker(0);
    await_requests(&target, 300);
    cluster.resume_worker(0);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_worker_that_ends_in_good_order_loses_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &LOAD);
    await_requests(&target, 500);
    assert_eq!(cluster.end_worker(0), Some(0), "{}", cluster.logs());
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_worker_that_joins_in_mid_run_takes_its_part() {
    let target = Target::start(&[]);
    let master = "  workers: { heartbeat_interval: 500ms, heartbeat_liveness: 4 }
  fault_tolerance: { worker_timeout: 3 }
  load_distribution: { strategy: round_robin, rebalance_interval: 1 }
";
    let options = Options { master: master.to_owned(), ..Options::default() };
    let mut cluster = Cluster::start(&options, &["worker-1", "worker-2"]);
    cluster.end_worker(1);
    cluster.await_workers(1);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "12s"]);
    await_requests(&target, 500);
    cluster.start_worker(1);
    cluster.await_that("users on the worker that joined", || {
        let status = cluster.status()?;
        let workers = status["workers"].as_array()?;
        workers.iter().find(|worker| worker["name"] == "worker-2")?["users"].as_u64().filter(|users| *users >= 5)
    });
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_master_that_lost_its_disk_waits_until_it_is_replaced() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "15s"]);
    await_requests(&target, 500);
    let lost = (cluster.leader() + 1) % 3;
    cluster.kill_master(lost);
    cluster.wipe_master(lost);
    cluster.start_master(lost);
    let name = format!("master-{}", lost + 1);
    cluster
        .await_that("the master to say that it waits", || cluster.master_log(lost).contains("replace").then_some(()));
    let masters = cluster.addresses();
    let replaced = cluster.command(&["cluster", "replace", &name, "--masters", &masters]).output().expect("it starts");
    assert!(replaced.status.success(), "{}\n{}", String::from_utf8_lossy(&replaced.stderr), cluster.logs());
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}
