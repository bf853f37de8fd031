//! Real raft threads over channels, with logs in memory.

mod cluster;
mod failures;
mod machine;

use std::collections::BTreeSet;

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
    let leader = cluster.leader().await;
    let records = cluster.commit(&leader, 200).await;
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    let read = cluster.machine(&leader).read();
    cluster.until("the read is answered", |cluster| cluster.machine(&leader).was_answered(read)).await;
    let clusters: BTreeSet<_> = ["a", "b", "c"].map(|name| cluster.status(name).cluster).into();
    assert_eq!(clusters.len(), 1);
    cluster.stop_all();
}

#[actix::test]
async fn the_lead_is_transferred_and_survives_the_loss_of_a_master() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    cluster.start_all();
    let first = cluster.leader().await;
    let mut records = cluster.commit(&first, 50).await;
    let second = cluster.another_than(&first);
    cluster.transfer(&first, &second);
    cluster.until("the other leads", |cluster| cluster.leads(&second)).await;
    records.extend(cluster.commit(&second, 50).await);
    cluster.stop(&second);
    let third = cluster.leader().await;
    records.extend(cluster.commit(&third, 50).await);
    cluster.start(&second);
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}

#[actix::test]
async fn everything_survives_the_end_of_all_masters() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    cluster.start_all();
    let leader = cluster.leader().await;
    // More than a snapshot is taken after.
    let records = cluster.commit(&leader, 25_000).await;
    cluster.until("a snapshot", |cluster| cluster.machine(&leader).snapshots() > 0).await;
    cluster.stop_all();
    cluster.start_all();
    let leader = cluster.leader().await;
    cluster.commit(&leader, 1).await;
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    assert!(["a", "b", "c"].iter().any(|name| cluster.machine(name).restores() > 0));
    cluster.stop_all();
}

#[actix::test]
async fn a_lost_disk_waits_and_is_replaced() {
    let mut cluster = Cluster::new(&["a", "b", "c"]);
    cluster.start_all();
    let leader = cluster.leader().await;
    let mut records = cluster.commit(&leader, 30).await;
    let lost = cluster.another_than(&leader);
    cluster.stop(&lost);
    let before = cluster.status(&leader).group.expect("a group").members.len();
    cluster.lose_disk(&lost);
    cluster.start(&lost);
    let asks = format!("akrida cluster replace {lost}");
    let waits = |phase: &Phase| matches!(phase, Phase::Waiting(why) if why.contains(&asks));
    cluster.until("it waits for the operator", |cluster| waits(&cluster.status(&lost).phase)).await;
    cluster.until("the leader knows", |cluster| !cluster.status(&leader).joiners.is_empty()).await;
    assert!(cluster.replace(&lost, "nobody").await.is_err(), "a master without a cluster replaces nobody");
    let leader = cluster.leader().await;
    assert!(cluster.replace(&leader, "nobody").await.is_err());
    cluster.replace(&leader, &lost).await.expect("the lost one waits");
    records.extend(cluster.commit(&leader, 30).await);
    cluster.until("all have applied all", |cluster| cluster.all_have(&records)).await;
    cluster
        .until("the change is done", |cluster| {
            let group = cluster.status(&leader).group.expect("a group");
            !group.is_changing && group.members.len() == before && group.members.iter().all(|member| member.is_voter)
        })
        .await;
    cluster.stop_all();
}

#[actix::test]
async fn one_master_alone_is_a_cluster() {
    let mut cluster = Cluster::new(&["a"]);
    cluster.start_all();
    let leader = cluster.leader().await;
    let records = cluster.commit(&leader, 100).await;
    cluster.until("applied", |cluster| cluster.all_have(&records)).await;
    cluster.stop_all();
}
