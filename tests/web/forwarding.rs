//! Every master answers everything: what is the leader's goes there, once, and waits while nobody leads.

use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use akrida::web::ControlError;

use super::fake_master::Master;
use crate::support::raw_http::{get, send};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_follower_passes_on_what_is_the_leaders() {
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(leader.port));
    let run = follower.start_run();
    assert_eq!(follower.post(&format!("/api/v1/runs/{run}/stop"), &[], b"").status, 200);
    assert_eq!(get(&follower.url, &format!("/api/v1/runs/{run}")).json()["id"], run.as_str());
    assert_eq!(get(&follower.url, "/api/v1/runs").json()[0]["id"], run.as_str());
    assert_eq!(get(&follower.url, "/stats/requests").json()["state"], "stopping");
    assert_eq!(get(&follower.url, "/api/v1/cluster").json()["name"], "leader");
    assert_eq!(get(&follower.url, "/api/v1/cluster?local=true").json()["name"], "follower");
    let added = br#"{"name":"m4","host":"h","port":1,"web_port":2}"#;
    assert_eq!(follower.post("/api/v1/cluster/add", &[], added).status, 200);
    assert_eq!(leader.orders(), ["Start", "Stop"]);
    assert_eq!(leader.fake.behind().changes.len(), 1);
    assert!(follower.orders().is_empty());
}

#[test]
fn the_leaders_refusals_come_through_as_they_are() {
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(leader.port));
    follower.start_run();
    let refused = follower.post("/api/v1/runs", &[], b"{}");
    assert_eq!((refused.status, &refused.json()["error"]), (409, &"run_is_active".into()));
    assert_eq!(refused.header("content-type"), Some("application/json"));
    assert_eq!(refused.header("cache-control"), Some("no-store"));
}

#[test]
fn a_second_hop_is_refused_at_once() {
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(leader.port));
    let refused = follower.post("/api/v1/runs", &[("x-akrida-forwarded", "m3")], b"{}");
    assert_eq!((refused.status, &refused.json()["error"]), (503, &"not_leader".into()));
    assert_eq!((refused.header("x-akrida-not-leader"), refused.header("retry-after")), (Some("1"), Some("1")));
    assert!(leader.orders().is_empty());
}

#[test]
fn masters_that_point_at_each_other_do_not_pass_a_request_around() {
    let (one, other) = (Master::start("one", SHORT), Master::start("other", LONG));
    one.fake.follows(Some(other.port));
    other.fake.follows(Some(one.port));
    let refused = one.post("/api/v1/runs", &[], b"{}");
    assert_eq!((refused.status, &refused.json()["error"]), (503, &"no_leader".into()));
}

#[test]
fn a_request_is_held_until_there_is_a_leader() {
    let master = Master::start("master", LONG);
    let fake = master.fake.clone();
    thread::scope(|scope| {
        let held = scope.spawn(|| master.post("/api/v1/runs", &[], b"{}"));
        let read = scope.spawn(|| get(&master.url, "/api/v1/runs"));
        // Whichever comes first, the request or the leader, the answer is the same.
        thread::sleep(Duration::from_millis(250));
        fake.leads();
        assert_eq!(held.join().unwrap().status, 201);
        assert_eq!(read.join().unwrap().status, 200);
    });
    assert_eq!(master.orders(), ["Start"]);
}

#[test]
fn without_a_leader_a_request_is_told_to_come_again() {
    let master = Master::start("master", SHORT);
    for reply in [master.post("/api/v1/runs", &[], b"{}"), get(&master.url, "/stats/requests")] {
        assert_eq!((reply.status, &reply.json()["error"]), (503, &"no_leader".into()));
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    let status = get(&master.url, "/api/v1/cluster");
    assert_eq!((status.status, &status.json()["name"]), (200, &"master".into()));
    assert!(status.json()["warnings"][0].as_str().unwrap().starts_with("no leader answers"));
}

#[test]
fn a_leader_that_is_gone_is_replaced_in_mid_request() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(port));
    thread::scope(|scope| {
        let held = scope.spawn(|| follower.post("/api/v1/runs", &[], b"{}"));
        // Takes the request and dies without an answer: nobody knows whether it was carried out.
        let (mut taken, _) = gone.accept().unwrap();
        let _ = taken.read(&mut [0; 1_024]).unwrap();
        drop((taken, gone));
        follower.fake.follows(Some(leader.port));
        assert_eq!(held.join().unwrap().status, 201);
    });
    assert_eq!(leader.orders(), ["Start"]);
}

#[test]
fn a_paused_leader_is_given_up_when_there_is_another() {
    let paused = TcpListener::bind("127.0.0.1:0").unwrap();
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(paused.local_addr().unwrap().port()));
    thread::scope(|scope| {
        let held = scope.spawn(|| follower.post("/api/v1/runs", &[], b"{}"));
        let taken = paused.accept().unwrap();
        follower.fake.follows(Some(leader.port));
        assert_eq!(held.join().unwrap().status, 201);
        drop(taken);
    });
}

#[test]
fn a_leader_that_loses_the_lead_in_mid_order_is_tried_again() {
    let leader = Master::leader();
    leader.fake.behind().failures.extend([ControlError::NotLeader, ControlError::TimedOut, ControlError::Unavailable]);
    leader.start_run();
    let keys: Vec<_> = leader.fake.behind().orders.iter().map(|(_, key)| key.clone().unwrap()).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[test]
fn the_view_of_whoever_looks_on_asks_no_leader() {
    let master = Master::leader();
    let run = master.start_run();
    master.fake.follows(None);
    let view = get(&master.url, "/api/v1/runs/current/view?wait_ms=10");
    assert_eq!((view.status, view.header("content-type")), (200, Some("application/msgpack")));
    let view: akrida_core::view::RunView = rmp_serde::from_slice(&view.body).unwrap();
    assert_eq!(view.run.id.to_string(), run);
    assert_eq!(get(&master.url, "/api/v1/cluster/snapshot").body, b"snapshot");
}

#[test]
fn an_absolute_address_does_not_lead_elsewhere() {
    let (leader, follower) = (Master::leader(), Master::start("follower", LONG));
    follower.fake.follows(Some(leader.port));
    let reply = send(&follower.url, "GET", "http://127.0.0.1:1/api/v1/runs", &[], b"").unwrap();
    assert_eq!(reply.status, 200);
}
