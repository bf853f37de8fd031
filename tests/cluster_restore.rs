//! Most masters are lost for good: a new cluster goes on with the state of the one that is left, or of an older backup.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;
use support::cluster::Cluster;
use support::cluster::run::{Run, assert_exact, await_requests};
use support::target::Target;

mod support;

fn restore(cluster: &Cluster, file: &str, node: &str) -> Output {
    let arguments = ["cluster", "restore", file, "--config", "masters.yml", "--node", node];
    cluster.command(&arguments).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The runs that a cluster remembers, the newest first: id, status and requests.
fn runs(cluster: &Cluster) -> Vec<(String, String, u64)> {
    let output = cluster.command(&["runs", "list", "--json", "--masters", &cluster.addresses()]).output();
    let output = output.expect("the program starts");
    let runs: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let text = |run: &Value, key: &str| run[key].as_str().unwrap_or_default().to_owned();
    runs.iter().map(|run| (text(run, "id"), text(run, "status"), run["requests"].as_u64().unwrap_or(0))).collect()
}

fn move_away(folder: &Path) {
    fs::rename(folder, folder.with_extension("lost")).expect("its data");
}

#[test]
fn two_of_three_masters_lost_in_mid_run_leave_all_runs_and_a_cluster_that_works() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1"]);
    let first = Run::start(&cluster, &target, &["-u", "5", "-r", "50", "-t", "2s"]).end(&cluster);
    assert_exact(&first, &cluster, &target);
    let second = Run::start(&cluster, &target, &["-u", "5", "-r", "50", "-t", "600s"]);
    await_requests(&target, 300);
    let left = cluster.leader();
    let lost = [(left + 1) % 3, (left + 2) % 3];
    for master in lost {
        cluster.kill_master(master);
        cluster.wipe_master(master);
    }
    cluster.await_that("the end of the lead", || (cluster.try_get(left, "/leader")?.status == 503).then_some(()));
    let shown = cluster.operated(&["status"]);
    assert!(shown.contains("nobody leads; that takes 2 of the 3 masters"), "{shown}");

    // Without a quorum the state can still be saved.
    cluster.operated(&["snapshot", "cluster.backup"]);
    let name = cluster.name(left).to_owned();
    let in_use = restore(&cluster, "cluster.backup", &name);
    assert!(!in_use.status.success() && said(&in_use).contains("is in use by process"), "{}", said(&in_use));
    cluster.end_master(left);
    let not_empty = restore(&cluster, "cluster.backup", &name);
    assert!(!not_empty.status.success() && said(&not_empty).contains("belongs to master-"), "{}", said(&not_empty));
    move_away(&cluster.data(left));
    let mut damaged = fs::read(cluster.folder().join("cluster.backup")).expect("the backup");
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(cluster.folder().join("damaged.backup"), damaged).expect("a file");
    let refused = restore(&cluster, "damaged.backup", &name);
    assert!(!refused.status.success() && said(&refused).contains("its checksum is wrong"), "{}", said(&refused));
    let restored = restore(&cluster, "cluster.backup", &name);
    assert!(restored.status.success(), "{}", said(&restored));
    assert!(said(&restored).contains("with 2 runs"), "{}", said(&restored));
    let again = restore(&cluster, "cluster.backup", &name);
    assert!(!again.status.success(), "{}", said(&again));

    // It leads alone, and knows all runs. The one that went on is over.
    cluster.start_master(left);
    assert_eq!(cluster.leader(), left);
    let second = second.end(&cluster);
    assert!(!second.passed() || second.text().contains("DEGRADED"), "{}", second.text());
    let known = runs(&cluster);
    assert_eq!(known.len(), 2, "{known:?}");
    assert!(known.iter().all(|(_, status, _)| status == "stopped"), "{known:?}");
    assert_eq!(known[1].2, first.exchanges(), "{known:?}");

    // The others are let in, and everything works as before.
    for master in lost {
        cluster.start_master(master);
        cluster.await_log(master, "akrida cluster replace");
        cluster.operated(&["replace", cluster.name(master)]);
    }
    cluster.agreed_state();
    assert_eq!(runs(&cluster), known);
    // The worker belongs to the cluster that was lost, until it is started again.
    let reason = "different clusters: the caller belongs to ";
    cluster.await_warning(&["worker \"worker-1\" at 127.0.0.1", reason]);
    assert!(cluster.worker_log(0).contains("restart this worker if it is to join the other cluster"));
    cluster.kill_worker(0);
    cluster.start_worker(0);
    cluster.await_workers(1);
    let before = target.received();
    let third = Run::start(&cluster, &target, &["-u", "5", "-r", "50", "-t", "3s"]);
    await_requests(&target, 50);
    cluster.kill_master(left);
    cluster.leader_other_than(Some(left));
    let third = third.end(&cluster);
    assert_eq!(third.exchanges(), target.received() - before, "{}\n{}", third.text(), cluster.logs());
    assert!(third.passed(), "{}", third.text());
    assert_eq!(runs(&cluster).len(), 3);
}

#[test]
fn a_master_that_waits_gives_no_backup_and_no_view_of_the_cluster() {
    let mut cluster = Cluster::with_workers(&[]);
    let lost = (cluster.leader() + 1) % 3;
    let name = cluster.name(lost).to_owned();
    cluster.kill_master(lost);
    let shown = cluster.operated(&["status"]);
    let expected = format!("{name} does not answer; 2 of 3 masters do, and the loss of one more stops the cluster");
    cluster.await_that("the leader to miss it", || cluster.operated(&["status"]).contains(&expected).then_some(()));
    assert!(shown.contains(&cluster.address(lost)), "{shown}");
    cluster.wipe_master(lost);
    cluster.start_master(lost);
    cluster.await_log(lost, "akrida cluster replace");
    assert_eq!(cluster.try_get(lost, "/ready").map(|reply| reply.status), Some(503));
    assert_eq!(cluster.try_get(lost, "/health").map(|reply| reply.status), Some(200));
    // Asked alone it says what it waits for; asked with others it is the cluster that is shown.
    let alone = cluster.operate_by(&cluster.address(lost), &["status"]);
    let alone = String::from_utf8_lossy(&alone.stdout).into_owned();
    assert!(alone.contains("not ready") && alone.contains(&format!("akrida cluster replace {name}")), "{alone}");
    let by_it_first = format!("{},{}", cluster.address(lost), cluster.addresses());
    let shown = cluster.operate_by(&by_it_first, &["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(": ready") && shown.contains("waits with an empty data folder"), "{shown}");
    let saved = cluster.operate_by(&by_it_first, &["snapshot", "cluster.backup"]);
    assert!(saved.status.success(), "{}", said(&saved));
    assert!(!said(&saved).contains(&format!("as {name} has it")), "{}", said(&saved));
}
