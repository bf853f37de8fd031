//! Masters and workers as real processes, which are killed, frozen, wiped and restarted in mid-run: the report equals the
//! target's own count, to the request.

use support::cluster::run::{Run, assert_exact, await_requests};
use support::cluster::{Cluster, Options};
use support::target::Target;

mod support;

/// Three masters whose two workers have been told to put load on a target for so long.
fn started(run_time: &str) -> (Target, Cluster, Run) {
    let target = Target::start(&[]);
    let cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", run_time]);
    (target, cluster, run)
}

#[test]
fn a_run_on_three_masters_counts_what_the_target_counts() {
    let (target, cluster, run) = started("3s");
    let ended = run.end(&cluster);
    assert!(ended.exchanges() > 100, "{}", ended.text());
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_killed_leader_costs_nothing() {
    let (target, mut cluster, run) = started("8s");
    await_requests(&target, 500);
    let old = cluster.leader();
    cluster.kill_master(old);
    cluster.leader_other_than(Some(old));
    let others = (0..3).filter(|master| *master != old);
    let logs: String = others.map(|master| cluster.master_log(master)).collect();
    assert!(logs.contains("the process of the leader has ended"), "nobody waits for the time-out:\n{logs}");
    await_requests(&target, 500);
    cluster.start_master(old);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn two_leaders_killed_in_turn_cost_nothing() {
    let (target, mut cluster, run) = started("14s");
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
    let (target, mut cluster, run) = started("8s");
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
    let (target, cluster, run) = started("8s");
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
    let (target, mut cluster, run) = started("12s");
    await_requests(&target, 500);
    (0..3).for_each(|master| cluster.kill_master(master));
    (0..3).for_each(|master| cluster.start_master(master));
    cluster.leader();
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_rolling_restart_costs_nothing() {
    let (target, mut cluster, run) = started("15s");
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
    let (target, mut cluster, run) = started("12s");
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
    let (target, cluster, run) = started("10s");
    await_requests(&target, 500);
    cluster.pause_worker(0);
    await_requests(&target, 300);
    cluster.resume_worker(0);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_worker_that_ends_in_good_order_loses_nothing() {
    let (target, mut cluster, run) = started("8s");
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
    let (target, mut cluster, run) = started("15s");
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
