//! Masters as real processes that are added, removed and given the lead, also in mid-run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use support::cluster::Cluster;
use support::cluster::run::{Run, assert_exact, await_requests};
use support::raw_http;
use support::target::Target;

mod support;

const LOAD: [&str; 6] = ["-u", "20", "-r", "50", "-t", "10s"];

/// A fourth master that is let in.
fn add_a_fourth(cluster: &mut Cluster) -> usize {
    let new = cluster.new_master();
    cluster.start_master(new.number);
    cluster.add(&new);
    new.number
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("master-{number}")).collect()
}

#[test]
fn a_master_that_is_added_waits_until_then_and_knows_all_afterwards() {
    let mut cluster = Cluster::with_workers(&[]);
    let new = cluster.new_master();
    cluster.start_master(new.number);
    cluster.await_log(new.number, "akrida cluster add master-4");
    assert!(!cluster.data(new.number).join("snapshot").exists());
    assert_eq!(cluster.try_get(new.number, "/ready").map(|reply| reply.status), Some(503), "it can do nothing");
    assert_eq!(cluster.member_names(), Some(names(3)));
    cluster.add(&new);
    assert_eq!(cluster.member_names(), Some(names(4)));
    cluster.await_that("the new master to be ready", || {
        (cluster.try_get(new.number, "/ready")?.status == 200).then_some(())
    });
    cluster.agreed_state();
}

#[test]
fn masters_whose_file_does_not_list_an_added_one_find_it_again_after_a_restart() {
    let mut cluster = Cluster::with_workers(&[]);
    let added = add_a_fourth(&mut cluster);
    (0..4).for_each(|master| cluster.kill_master(master));
    // Three of four are needed, so the cluster acts only with the added one.
    (1..4).for_each(|master| cluster.start_master(master));
    cluster.leader();
    cluster.agreed_state();
    cluster.operated(&["transfer", "master-4"]);
    assert_eq!(cluster.leader(), added);
    cluster.start_master(0);
    cluster.agreed_state();
    assert_eq!(cluster.member_names(), Some(names(4)));
}

#[test]
fn a_removed_follower_says_so_and_ends() {
    let mut cluster = Cluster::with_workers(&[]);
    let follower = (cluster.leader() + 1) % 3;
    let name = cluster.name(follower).to_owned();
    cluster.operated(&["remove", &name]);
    assert_eq!(cluster.await_end(follower), Some(0), "{}", cluster.logs());
    cluster.await_log(follower, "was removed from the cluster and ends");
    assert_eq!(cluster.member_names().map(|names| names.len()), Some(2));
    // Started again, it knows from its own log.
    cluster.start_master(follower);
    assert_eq!(cluster.await_end(follower), Some(0), "{}", cluster.logs());
    cluster.agreed_state();
}

#[test]
fn a_removed_leader_gives_the_lead_away_and_ends() {
    let mut cluster = Cluster::with_workers(&[]);
    let leader = cluster.leader();
    let name = cluster.name(leader).to_owned();
    cluster.operated(&["remove", &name]);
    assert_eq!(cluster.await_end(leader), Some(0), "{}", cluster.logs());
    assert_ne!(cluster.leader(), leader);
    assert_eq!(cluster.member_names().map(|names| names.len()), Some(2));
    cluster.agreed_state();
}

#[test]
fn a_removed_master_is_let_in_again_with_an_empty_folder() {
    let mut cluster = Cluster::with_workers(&[]);
    let new = cluster.new_master();
    cluster.start_master(new.number);
    for _ in 0..2 {
        cluster.add(&new);
        assert_eq!(cluster.member_names(), Some(names(4)));
        cluster.operated(&["remove", "master-4"]);
        assert_eq!(cluster.await_end(new.number), Some(0), "{}", cluster.logs());
        cluster.wipe_master(new.number);
        cluster.start_master(new.number);
        cluster.await_log(new.number, "akrida cluster add master-4");
    }
    cluster.end_master(new.number);
    cluster.agreed_state();
}

#[test]
fn a_master_that_was_removed_while_it_was_away_is_told_so() {
    let mut cluster = Cluster::with_workers(&[]);
    let away = (cluster.leader() + 1) % 3;
    let name = cluster.name(away).to_owned();
    cluster.kill_master(away);
    cluster.operated(&["remove", &name]);
    // For half a second the leader tries to tell it, which is another case.
    thread::sleep(Duration::from_secs(2));
    cluster.start_master(away);
    cluster.await_log(away, "it was removed while it was away");
    assert_eq!(cluster.try_get(away, "/ready").map(|reply| reply.status), Some(503));
    cluster.await_that("the status to say so", || {
        let shown = cluster.operate_by(&cluster.address(away), &["status"]);
        String::from_utf8_lossy(&shown.stdout).contains("removed while it was away").then_some(())
    });
    // Whoever asks all of them sees the cluster, and what is wrong with that one.
    let shown = cluster.operated(&["status"]);
    assert!(shown.contains(": ready") && shown.contains(&format!("{name}: ")), "{shown}");
    assert_eq!(cluster.member_names().map(|names| names.len()), Some(2));
}

#[test]
fn a_change_that_cannot_be_made_says_why_and_leaves_no_trace() {
    let mut cluster = Cluster::with_workers(&[]);
    let refused = |arguments: &[&str], why: &str| {
        let output = cluster.operate(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "cluster {arguments:?}: {said}");
    };
    refused(&["remove", "master-9"], "no master is named master-9; there are");
    refused(&["replace", "master-9"], "no master is named master-9; there are");
    refused(&["transfer", "master-9"], "no master is named master-9; there are");
    refused(&["replace", "master-2"], "no master named master-2 with an empty data folder is asking to join");
    refused(&["add", "master-2", "127.0.0.1"], "master-2 is a master already");
    refused(&["add", "master-9", "127.0.0.1", "--port", "1"], "master-9 does not ask to join from 127.0.0.1:1");
    assert_eq!(cluster.member_names(), Some(names(3)));
    let new = cluster.new_master();
    cluster.start_master(new.number);
    cluster.add(&new);
    assert_eq!(cluster.member_names(), Some(names(4)), "what was refused is not in the way");
}

#[test]
fn a_change_that_comes_again_after_a_change_of_leader_is_answered_as_done() {
    let mut cluster = Cluster::with_workers(&[]);
    let new = cluster.new_master();
    cluster.start_master(new.number);
    cluster.await_log(new.number, "akrida cluster add master-4");
    let ask = |cluster: &Cluster, path: &str, key: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("idempotency-key", key)];
        let url = cluster.url(cluster.leader());
        let reply = raw_http::send(&url, "POST", &format!("/api/v1/cluster/{path}"), &headers, body.as_bytes());
        let reply = reply.expect("an answer");
        (reply.status, reply.text().to_owned())
    };
    let add =
        format!("{{\"name\":\"master-4\",\"host\":\"127.0.0.1\",\"port\":{},\"web_port\":{}}}", new.port, new.web_port);
    for (path, body) in [("add", add.as_str()), ("remove", "{\"name\":\"master-4\"}")] {
        let first = ask(&cluster, path, path, body);
        assert_eq!(first.0, 200, "{first:?}");
        let old = cluster.leader();
        cluster.operated(&["transfer", cluster.name((old + 1) % 3)]);
        assert_ne!(cluster.leader(), old);
        assert_eq!(ask(&cluster, path, path, body), first, "the same request");
        let anew = ask(&cluster, path, &format!("{path}-anew"), body);
        assert!(anew.0 >= 400, "a new request for what is so already is refused: {anew:?}");
    }
    assert_eq!(cluster.member_names(), Some(names(3)));
    cluster.await_end(new.number);
    cluster.agreed_state();
}

#[test]
fn a_transfer_in_mid_run_costs_nothing() {
    let target = Target::start(&[]);
    let cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &LOAD);
    for _ in 0..3 {
        await_requests(&target, 300);
        let to = (cluster.leader() + 1) % 3;
        cluster.operated(&["transfer", cluster.name(to)]);
        // A third master hears of it with the next heartbeat.
        let leads = || (cluster.status()?["leader"]["name"] == cluster.name(to)).then_some(());
        cluster.await_that("everybody to know the new leader", leads);
    }
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn a_master_added_in_mid_run_can_lead_it_although_no_worker_was_told_of_it() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "20s"]);
    await_requests(&target, 300);
    let added = add_a_fourth(&mut cluster);
    await_requests(&target, 300);
    cluster.operated(&["transfer", "master-4"]);
    cluster.await_that("the new master to lead the workers", || {
        let status = cluster.status_of(added)?;
        let workers = status["workers"].as_array()?;
        (workers.iter().filter(|worker| worker["state"] == "running").count() == 2).then_some(())
    });
    await_requests(&target, 300);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn leader_and_follower_removed_in_mid_run_cost_nothing() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1", "worker-2"]);
    let run = Run::start(&cluster, &target, &["-u", "20", "-r", "50", "-t", "15s"]);
    await_requests(&target, 300);
    let leader = cluster.leader();
    let name = cluster.name(leader).to_owned();
    cluster.operated(&["remove", &name]);
    assert_eq!(cluster.await_end(leader), Some(0), "{}", cluster.logs());
    await_requests(&target, 300);
    let next = cluster.leader();
    let follower = (0..3).find(|master| *master != leader && *master != next).expect("one is left");
    let name = cluster.name(follower).to_owned();
    cluster.operated(&["remove", &name]);
    assert_eq!(cluster.await_end(follower), Some(0), "{}", cluster.logs());
    await_requests(&target, 300);
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

#[test]
fn whoever_asks_another_master_during_a_rolling_restart_is_always_answered() {
    let target = Target::start(&[]);
    let mut cluster = Cluster::with_workers(&["worker-1"]);
    let run = Run::start(&cluster, &target, &["-u", "5", "-r", "50", "-t", "20s"]);
    await_requests(&target, 100);
    let mut answers = 0;
    for master in 0..3 {
        let others: Vec<String> = (0..3).filter(|other| *other != master).map(|other| cluster.url(other)).collect();
        let poller = Poller::start(others);
        assert_eq!(cluster.end_master(master), Some(0), "{}", cluster.logs());
        cluster.start_master(master);
        cluster
            .await_that("the master to be ready", || (cluster.try_get(master, "/ready")?.status == 200).then_some(()));
        answers += poller.stop().unwrap_or_else(|failed| panic!("{failed}\n{}", cluster.logs()));
    }
    assert!(answers >= 3, "{answers}");
    let ended = run.end(&cluster);
    assert_exact(&ended, &cluster, &target);
}

/// Asks masters for statistics in turn, all the time, as a dashboard would.
struct Poller {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Result<usize, String>>,
}

impl Poller {
    fn start(masters: Vec<String>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut answers = 0;
            for url in masters.iter().cycle() {
                if until.load(Ordering::Relaxed) {
                    break;
                }
                match raw_http::send(url, "GET", "/stats/requests", &[], b"") {
                    Ok(reply) if reply.status == 200 => answers += 1,
                    Ok(reply) => return Err(format!("{url}: {}", reply.status)),
                    Err(error) => return Err(format!("{url}: {error}")),
                }
            }
            Ok(answers)
        });
        Self { is_over, thread }
    }

    /// How many answers there were, or the first that was not good.
    fn stop(self) -> Result<usize, String> {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("it does not panic")
    }
}
