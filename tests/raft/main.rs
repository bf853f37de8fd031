//! Real raft threads over channels, with logs in memory.

mod cluster;
mod failures;
mod machine;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use akrida::raft::FailBackAfter;
use akrida::raft::status::Phase;
use cluster::Cluster;

#[actix::test]
async fn three_masters_form_a_cluster_and_agree() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    for name in ["a", "b"] {
        cluster.start(name);
    }
    let waits = |phase: &Phase| matches!(phase, Phase::Waiting(why) if why.contains("waiting for c to answer"));
    cluster.until("a waits for c", |cluster| waits(&cluster.status("a").phase)).await;
    cluster.start("c");
    let records = cluster.commit(200).await;
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster.read().await;
    let clusters: BTreeSet<_> = ["a", "b", "c"].map(|name| cluster.status(name).cluster).into();
    assert_eq!(clusters.len(), 1);
    cluster.stop_all();
}

#[actix::test]
async fn the_lead_is_transferred_and_survives_the_loss_of_a_master() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    cluster.start_all();
    let first = cluster.leader().await;
    let mut records = cluster.commit(50).await;
    let second = cluster.another_than(&first);
    cluster.transfer(&second).await;
    records.extend(cluster.commit(50).await);
    cluster.stop(&second);
    records.extend(cluster.commit(50).await);
    cluster.start(&second);
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}

#[actix::test]
async fn a_better_master_that_comes_back_gets_the_lead_but_not_against_an_operator() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    let (steady, rest) = (Duration::from_secs(1), Duration::from_secs(2));
    cluster.fail_back = Some(FailBackAfter { steady, rest });
    cluster.start_all();
    // Which of them wins the first election is chance.
    cluster.until("the best one leads", |cluster| cluster.leads("c")).await;
    let mut records = cluster.commit(20).await;
    cluster.stop("c");
    records.extend(cluster.commit(20).await);
    cluster.start("c");
    cluster.until("it leads again", |cluster| cluster.leads("c")).await;
    cluster.transfer("a").await;
    let term = |cluster: &Cluster| cluster.status("a").group.map(|group| group.term);
    let held = term(&cluster);
    let until = Instant::now() + 3 * steady;
    while Instant::now() < until && term(&cluster) == held {
        assert!(cluster.leads("a"), "an operator's choice holds until the next election");
        actix::clock::sleep(Duration::from_millis(20)).await;
    }
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}

#[actix::test]
async fn everything_survives_the_end_of_all_masters() {
    everything_survives(Cluster::new(&["a", "b", "c"])).await;
}

#[actix::test]
async fn everything_survives_the_end_of_all_masters_in_files() {
    everything_survives(Cluster::on_disk(&["a", "b", "c"])).await;
}

async fn everything_survives(mut cluster: Cluster) {
    cluster.start_all();
    // More than a snapshot is taken after.
    let records = cluster.commit(25_000).await;
    let has_snapshot = |cluster: &Cluster| ["a", "b", "c"].iter().any(|name| cluster.machine(name).snapshots() > 0);
    cluster.until("a snapshot", has_snapshot).await;
    cluster.stop_all();
    cluster.start_all();
    cluster.commit(1).await;
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    assert!(["a", "b", "c"].iter().any(|name| cluster.machine(name).restores() > 0));
    cluster.stop_all();
}

#[actix::test]
async fn a_lost_disk_waits_and_is_replaced() {
    replaced(Cluster::new(&["a", "b", "c"]), 30).await;
}

#[actix::test]
async fn a_lost_folder_waits_and_is_replaced_by_a_snapshot() {
    replaced(Cluster::on_disk(&["a", "b", "c"]), 22_000).await;
}

async fn replaced(mut cluster: Cluster, count: usize) {
    cluster.start_all();
    let mut records = cluster.commit(count).await;
    let leader = cluster.leader().await;
    let lost = cluster.another_than(&leader);
    cluster.stop(&lost);
    cluster.lose_disk(&lost);
    cluster.start(&lost);
    let asks = format!("akrida cluster replace {lost}");
    let waits = |phase: &Phase| matches!(phase, Phase::Waiting(why) if why.contains(&asks));
    cluster.until("it waits for the operator", |cluster| waits(&cluster.status(&lost).phase)).await;
    assert!(cluster.replace(&lost, "nobody").await.is_err(), "a master without a cluster replaces nobody");
    let leader = cluster.leader().await;
    assert!(cluster.replace(&leader, "nobody").await.is_err());
    cluster.replace_until_done(&lost).await;
    records.extend(cluster.commit(30).await);
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}

#[actix::test]
async fn one_master_alone_is_a_cluster() {
    let mut cluster = Cluster::new(&["a"]);
    cluster.start_all();
    let records = cluster.commit(100).await;
    cluster.until("applied", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}
