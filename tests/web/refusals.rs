//! What is wrong with a request is said in JSON, and nothing that comes over a socket does harm.

use std::io::{Read, Write};

use akrida::web::{ControlError, MemberChange};
use akrida_core::limits;
use akrida_core::state::command::Refusal;

use super::fake_master::{Master, bundle};
use crate::support::raw_http::{connect, get, send};

#[test]
fn refusals_have_a_status_and_a_word() {
    let leader = Master::leader();
    for (failure, status, word) in [
        (ControlError::Refused(Refusal::RunIsActive), 409, "run_is_active"),
        (ControlError::Refused(Refusal::NoWorkers), 503, "no_workers"),
        (ControlError::TooFewWorkers { connected: 1, expected: 3 }, 503, "too_few_workers"),
        (ControlError::Impossible("no".to_owned()), 409, "impossible"),
    ] {
        leader.fake.behind().failures.push_back(failure.clone());
        let refused = leader.post("/api/v1/runs", &[], b"{}");
        assert_eq!((refused.status, refused.json()["error"].as_str().unwrap()), (status, word));
        assert_eq!(refused.json()["reason"], failure.to_string());
        assert_eq!(refused.header("retry-after").is_some(), status == 503);
    }
}

#[test]
fn an_order_for_another_run_does_not_reach_the_active_one() {
    let leader = Master::leader();
    let run = leader.start_run();
    for path in ["0000000000000001/stop", "0000000000000001/reset", "x/stop", "%00/stop", "0000000000000001/edit"] {
        let body = br#"{"users":1,"spawn_rate_per_s":1.0}"#;
        assert_eq!(leader.post(&format!("/api/v1/runs/{path}"), &[], body).status, 404, "{path}");
    }
    let edit = |body: &str| leader.post(&format!("/api/v1/runs/{run}/edit"), &[], body.as_bytes()).status;
    assert_eq!(edit(r#"{"users":3,"spawn_rate_per_s":1.5}"#), 200);
    for bad in [r#"{"users":3}"#, r#"{"users":3,"spawn_rate_per_s":0}"#, r#"{"users":1e12,"spawn_rate_per_s":1}"#] {
        assert_eq!(edit(bad), 400, "{bad}");
    }
    assert_eq!(leader.orders(), ["Start", "Edit"]);
}

#[test]
fn bodies_are_bounded() {
    let leader = Master::leader();
    let run = leader.start_run();
    let large = vec![b' '; limits::WEB_BODY_BYTES_MAX + 1];
    for path in [&format!("/api/v1/runs/{run}/edit"), "/swarm", "/api/v1/cluster/add"] {
        let refused = leader.post(path, &[], &large);
        assert_eq!((refused.status, &refused.json()["error"]), (413, &"too_large".into()), "{path}");
    }
    let started = leader.post("/api/v1/runs", &[], &large);
    assert_eq!(started.status, 400, "a start may be larger: {}", started.text());
}

#[test]
fn what_is_no_start_is_refused() {
    let leader = Master::leader();
    let msgpack = |body: &[u8]| {
        let headers = [("content-type", "application/msgpack")];
        send(&leader.url, "POST", "/api/v1/runs", &headers, body).unwrap().status
    };
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    for body in [&b"\xff\xff\xff\xff\xff"[..], b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91", &deep] {
        assert_eq!(msgpack(body), 400);
    }
    for body in ["", "{", "null", r#"{"users":-1}"#, r#"{"bundle":{}}"#, r#"{"spawn_rate_per_s":-1}"#] {
        assert_eq!(leader.post("/api/v1/runs", &[], body.as_bytes()).status, 400, "{body}");
    }
    let form = send(&leader.url, "POST", "/api/v1/runs", &[("content-type", "text/plain")], b"x").unwrap();
    assert_eq!(form.status, 415);
    assert!(leader.orders().is_empty());
    let start = akrida::api::StartRun { bundle: Some(bundle().into()), ..serde_json::from_str("{}").unwrap() };
    assert_eq!(msgpack(&rmp_serde::to_vec_named(&start).unwrap()), 201);
}

#[test]
fn paths_and_methods_that_are_none_are_said_to_be() {
    let leader = Master::leader();
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/runs/x", 404),
        ("GET", "/api/v1/runs/0000000000000001/view", 404),
        ("GET", "/api/v1/runs/current/view", 404),
        ("GET", "/api/v1/runs/current/view?wait_ms=-1", 400),
        ("GET", "/api/v1/runs/%ff%fe", 404),
        ("DELETE", "/api/v1/runs", 405),
        ("GET", "/swarm", 405),
        ("POST", "/ready", 405),
    ] {
        let reply = send(&leader.url, method, path, &[], b"").unwrap();
        assert_eq!(reply.status, status, "{method} {path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{method} {path}");
    }
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let leader = Master::leader();
    let run = leader.start_run();
    // The host of all requests here is `localhost`.
    for elsewhere in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.test"),
        ("origin", "http://localhost:1"),
        ("origin", "http://localhost.evil.test"),
        ("origin", "null"),
        ("origin", ""),
    ] {
        let elsewhere = [elsewhere];
        for path in ["/stop", "/swarm", "/api/v1/cluster/remove", &format!("/api/v1/runs/{run}/stop")] {
            assert_eq!(leader.post(path, &elsewhere, b"").status, 403, "{elsewhere:?} {path}");
        }
        for path in ["/stop", "/stats/reset"] {
            assert_eq!(send(&leader.url, "GET", path, &elsewhere, b"").unwrap().status, 403, "{elsewhere:?} {path}");
        }
        assert_eq!(send(&leader.url, "GET", "/api/v1/cluster", &elsewhere, b"").unwrap().status, 200);
    }
    // Encoded, it is the same path; and over plain HTTP browsers say nothing of the site of a page that shows an image.
    let encoded = send(&leader.url, "GET", "/st%6Fp", &[("sec-fetch-site", "cross-site")], b"").unwrap();
    assert_eq!(encoded.status, 403);
    let browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)");
    for image in [&[browser][..], &[browser, ("referer", "http://evil.test/stop?http://localhost/")]] {
        assert_eq!(send(&leader.url, "GET", "/stop", image, b"").unwrap().status, 403, "{image:?}");
    }
    assert_eq!(leader.orders(), ["Start"]);
    for own in [("referer", "http://localhost/"), ("referer", "http://localhost")] {
        assert_eq!(send(&leader.url, "GET", "/stats/reset", &[browser, own], b"").unwrap().status, 200, "{own:?}");
    }
    for own in [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "none"), ("origin", "https://localhost")] {
        assert_eq!(leader.post("/stats/reset", &[own], b"").status, 200, "{own:?}");
    }
}

#[test]
fn members_are_changed_by_name() {
    let leader = Master::leader();
    for (path, body) in
        [("transfer", r#"{"to":"m2"}"#), ("remove", r#"{"name":"m3"}"#), ("replace", r#"{"name":"m1"}"#)]
    {
        assert_eq!(leader.post(&format!("/api/v1/cluster/{path}"), &[], body.as_bytes()).status, 200);
    }
    let refused = leader.post("/api/v1/cluster/remove", &[], br#"{"name":"unknown"}"#);
    assert_eq!((refused.status, &refused.json()["reason"]), (409, &"there is no master unknown".into()));
    let expected = [
        MemberChange::Transfer("m2".to_owned()),
        MemberChange::Remove("m3".to_owned()),
        MemberChange::Replace("m1".to_owned()),
    ];
    assert_eq!(leader.fake.behind().changes, expected);
}

#[test]
fn garbage_on_the_wire_ends_its_connection_and_nothing_else() {
    let leader = Master::leader();
    for garbage in [
        &b"\x16\x03\x01\x02\x00"[..],
        b"GET / HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"POST /swarm HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"GET \x00 HTTP/9.9\r\n\r\n",
    ] {
        let mut stream = connect(&leader.url).unwrap();
        stream.write_all(garbage).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        // The server may reset the connection, or answer first.
        let _ = stream.read_to_end(&mut answer);
    }
    assert_eq!(get(&leader.url, "/health").status, 200);
}
