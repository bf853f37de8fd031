//! A repeated request is carried out once.

use std::time::Duration;

use super::fake_master::Master;

#[test]
fn the_same_key_gives_the_same_run() {
    let leader = Master::leader();
    let key = [("idempotency-key", "k1")];
    let first = leader.post("/api/v1/runs", &key, br#"{"users":5}"#);
    let again = leader.post("/api/v1/runs", &key, br#"{"users":5}"#);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.json(), again.json());
    let other = leader.post("/api/v1/runs", &[], br#"{"users":5}"#);
    assert_eq!(other.status, 409);
}

#[test]
fn a_key_is_for_one_request_only() {
    let leader = Master::leader();
    let key = [("idempotency-key", "k1")];
    assert_eq!(leader.post("/api/v1/runs", &key, br#"{"users":5}"#).status, 201);
    let run = leader.fake.behind().orders.len();
    assert_eq!(run, 1);
    for body in [&br#"{"users":6}"#[..], br#"{"users":5} "#] {
        let refused = leader.post("/api/v1/runs", &key, body);
        assert_eq!((refused.status, &refused.json()["error"]), (422, &"key_reused".into()));
    }
}

#[test]
fn a_key_that_is_none_is_refused() {
    let leader = Master::leader();
    for bad in ["", "a b", &"x".repeat(129)] {
        assert_eq!(leader.post("/api/v1/runs", &[("idempotency-key", bad)], b"{}").status, 400, "{bad}");
    }
    assert!(leader.orders().is_empty());
}

#[test]
fn a_key_is_added_by_the_first_master_and_kept_on_the_way() {
    let (leader, follower) = (Master::leader(), Master::start("follower", Duration::from_secs(20)));
    follower.fake.follows(Some(leader.port));
    follower.start_run();
    let run = leader.fake.behind().orders[0].1.clone().expect("a key");
    assert_eq!(run.key.len(), 32);
    assert_eq!(follower.post("/stop", &[("idempotency-key", "mine")], b"").status, 200);
    let stop = leader.fake.behind().orders[1].1.clone().expect("a key");
    assert_eq!(&*stop.key, "mine");
    assert_eq!(leader.post("/stop", &[("idempotency-key", "mine")], b"").status, 200);
    let direct = leader.fake.behind().orders[2].1.clone().expect("a key");
    assert_eq!(direct, stop, "the fingerprint does not depend on the way");
}
