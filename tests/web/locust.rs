//! Scripts that know Locust.

use super::fake_master::Master;
use crate::support::raw_http::{get, send};

fn swarm(master: &Master, form: &str) -> serde_json::Value {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = send(&master.url, "POST", "/swarm", &headers, form.as_bytes()).unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

#[test]
fn swarm_starts_a_run_and_then_edits_it() {
    let leader = Master::leader();
    assert_eq!(get(&leader.url, "/stats/requests").json()["state"], "ready");
    let started = swarm(&leader, "user_count=5&spawn_rate=5&host=http://target");
    assert_eq!(started, serde_json::json!({"success": true, "message": "Swarming started", "host": "http://target"}));
    assert_eq!(swarm(&leader, "user_count=7&spawn_rate=1")["success"], true);
    assert_eq!(leader.orders(), ["Start", "Edit"]);
    let listed = get(&leader.url, "/api/v1/runs").json();
    assert_eq!(listed[0]["scenario"], "own.yml");
}

#[test]
fn what_is_wrong_with_a_swarm_is_said_with_status_200() {
    let leader = Master::leader();
    let refused = swarm(&leader, "user_count=abc&spawn_rate=1");
    assert_eq!(refused["message"], "Invalid user_count value: 'abc' (must be an integer)");
    assert_eq!(refused["success"], false);
    leader.start_run();
    leader.post("/stop", &[], b"");
    assert_eq!(swarm(&leader, "user_count=1&spawn_rate=1")["message"], "a run is active");
}

#[test]
fn stop_and_reset_work_with_get_and_post_and_without_a_run() {
    let leader = Master::leader();
    let stopped = serde_json::json!({"success": true, "message": "Test stopped"});
    assert_eq!(leader.post("/stop", &[], b"").json(), stopped);
    leader.start_run();
    assert_eq!(get(&leader.url, "/stats/reset").text(), "ok");
    assert_eq!(leader.post("/stats/reset", &[], b"").text(), "ok");
    assert_eq!(get(&leader.url, "/stop").json(), stopped);
    assert_eq!(get(&leader.url, "/stats/requests").json()["state"], "stopping");
}
