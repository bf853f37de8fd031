//! What balancers are told.

use std::io::{Read, Write};

use akrida::web::{Health, Leadership, Role};

use super::fake_master::Master;
use crate::support::raw_http::{connect, get, request, send};

fn statuses(master: &Master) -> [u16; 3] {
    ["/health", "/ready", "/leader"].map(|path| {
        let reply = get(&master.url, path);
        let alias = match path {
            "/health" => "/health/live",
            "/ready" => "/health/ready",
            _ => "/health/leader",
        };
        assert_eq!(get(&master.url, alias).status, reply.status, "{alias}");
        reply.status
    })
}

fn without_a_leader_for(master: &Master, without_leader_ms: u64) {
    let role = Role::Following { leader: None };
    master.fake.behind().leadership = Leadership { term: 3, role, without_leader_ms };
}

#[test]
fn a_leader_and_its_followers_are_ready() {
    let master = Master::leader();
    assert_eq!(statuses(&master), [200, 200, 200]);
    master.fake.follows(Some(1));
    assert_eq!(statuses(&master), [200, 200, 503]);
    let told = get(&master.url, "/leader");
    assert_eq!(told.header("x-leader"), Some("leader"));
    assert_eq!(told.json(), serde_json::json!({"node": "leader", "role": "follower", "term": 2, "leader": "leader"}));
}

#[test]
fn a_leader_that_may_not_act_yet_is_no_leader() {
    let master = Master::leader();
    let role = Role::Leading { is_ready: false };
    master.fake.behind().leadership = Leadership { term: 3, role: role.clone(), without_leader_ms: 10 };
    assert_eq!(statuses(&master), [200, 200, 503]);
    master.fake.behind().leadership = Leadership { term: 3, role, without_leader_ms: 60_000 };
    assert_eq!(statuses(&master), [200, 503, 503]);
}

#[test]
fn a_lost_leader_makes_a_master_unready_only_after_a_grace() {
    let master = Master::leader();
    for (ms, ready) in [(0, 200), (999, 200), (1_000, 503), (3_600_000, 503)] {
        without_a_leader_for(&master, ms);
        assert_eq!(statuses(&master), [200, ready, 503], "{ms}");
    }
}

#[test]
fn a_master_that_drains_or_is_stuck_is_not_ready() {
    let master = Master::leader();
    master.fake.behind().health = Health { is_alive: true, is_draining: true };
    assert_eq!(statuses(&master), [200, 503, 200]);
    master.fake.behind().health = Health { is_alive: false, is_draining: false };
    assert_eq!(statuses(&master), [503, 503, 503]);
}

#[test]
fn balancers_may_ask_with_head_and_options() {
    let master = Master::leader();
    for path in ["/health", "/ready", "/leader", "/health/live", "/health/ready", "/health/leader"] {
        let options = send(&master.url, "OPTIONS", path, &[], b"").unwrap();
        assert_eq!((options.status, options.header("cache-control")), (200, Some("no-store")), "{path}");
        let mut head = connect(&master.url).unwrap();
        head.write_all(&request("HEAD", path, &[], b"")).unwrap();
        let mut answer = String::new();
        head.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
    }
}
