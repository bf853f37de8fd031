//! What happens to a request when the master that it is given to does not answer it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::stand_in::{Answer, Front};
use crate::support::balancer::Kind;
use crate::support::raw_http;

const BOTH: [Kind; 2] = [Kind::Nginx, Kind::Haproxy];

/// Servers of which the first that is asked does this, and the others answer.
fn first_does(kind: Kind, first: Answer) -> Front {
    let asked = AtomicUsize::new(0);
    Front::deciding(kind, move |_, what| match what {
        "GET /ready" => Answer::Status(200),
        _ if asked.fetch_add(1, Ordering::SeqCst) == 0 => first,
        _ => Answer::Status(200),
    })
}

#[test]
fn a_request_that_gets_no_good_answer_goes_to_another_master_with_the_same_key_and_body() {
    for kind in BOTH {
        // The last one takes as long as a balancer waits for an answer.
        for first in [Answer::Close, Answer::Status(503), Answer::Status(502), Answer::Silence] {
            let front = first_does(kind, first);
            let reply = front.client.send("POST", "/swarm", &[], b"user_count=7").unwrap();
            assert_eq!(reply.status, 200, "{kind:?} {first:?}");
            let seen = front.seen();
            assert_eq!(seen.len(), 2, "{kind:?} {first:?} {seen:?}");
            assert_ne!(seen[0].server, seen[1].server, "{kind:?} {first:?}");
            assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"), "{kind:?} {first:?}");
            assert_eq!((&seen[0].body[..], &seen[1].body[..]), (&b"user_count=7"[..], &b"user_count=7"[..]));
        }
    }
}

#[test]
fn a_request_that_comes_in_pieces_is_repeated_too() {
    for kind in BOTH {
        let front = first_does(kind, Answer::Close);
        let mut stream = front.client.connect().unwrap();
        let request = raw_http::request("POST", "/swarm", &[], b"user_count=7");
        let (first, second) = request.split_at(request.len() - 6);
        stream.write_all(first).unwrap();
        // So that the pieces arrive apart.
        std::thread::sleep(Duration::from_millis(300));
        stream.write_all(second).unwrap();
        let mut answer = Vec::new();
        // With or without the goodbye of TLS.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(raw_http::parse(&answer).unwrap().status, 200, "{kind:?}");
        let bodies: Vec<_> = front.seen().iter().map(|seen| seen.body.clone()).collect();
        assert_eq!(bodies, [b"user_count=7", b"user_count=7"], "{kind:?}");
    }
}

#[test]
fn what_a_master_refuses_is_not_repeated() {
    for kind in BOTH {
        let front = first_does(kind, Answer::Status(409));
        assert_eq!(front.client.send("POST", "/api/v1/runs", &[], b"{}").unwrap().status, 409, "{kind:?}");
        assert_eq!(front.seen().len(), 1, "{kind:?}");
    }
}

#[test]
fn a_login_is_not_repeated_once_it_was_sent() {
    for kind in BOTH {
        for path in ["/login", "/api/v1/login", "/api/v1/tokens"] {
            let front = first_does(kind, Answer::Close);
            let reply = front.client.send("POST", path, &[], b"{}").unwrap();
            assert_eq!((reply.status, front.seen().len()), (502, 1), "{kind:?} {path}");
        }
    }
}

#[test]
fn all_masters_answering_503_are_asked_again_at_the_next_request() {
    for kind in BOTH {
        let is_election = Arc::new(AtomicBool::new(true));
        let seen = Arc::clone(&is_election);
        let front = Front::deciding(kind, move |_, what| match what {
            "GET /ready" => Answer::Status(200),
            _ if seen.load(Ordering::SeqCst) => Answer::Status(503),
            _ => Answer::Status(200),
        });
        for _ in 0..5 {
            assert_eq!(front.client.get("/stats/requests").status, 503, "{kind:?}");
        }
        is_election.store(false, Ordering::SeqCst);
        assert_eq!(front.client.get("/stats/requests").status, 200, "{kind:?}");
    }
}

/// Waits until something is so.
fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What HAProxy says of a server.
fn state_of(front: &Front, backend: &str, server: &str) -> String {
    let csv = raw_http::get(&front.balancer.stats_url(), "/stats;csv");
    let csv = String::from_utf8_lossy(&csv.body).into_owned();
    let of = format!("{backend},{server},");
    let line = csv.lines().find(|line| line.starts_with(&of)).unwrap_or_else(|| panic!("no {of} in {csv}"));
    line.split(',').nth(17).unwrap().to_owned()
}

#[test]
fn haproxy_asks_ready_and_gives_nothing_to_a_master_that_is_not() {
    let front = Front::deciding(Kind::Haproxy, |server, what| match (server, what) {
        (0, "GET /ready") => Answer::Status(503),
        // As a page that asks for a login would: it is no proof of health.
        (1, "GET /ready") => Answer::Status(302),
        _ => Answer::Status(200),
    });
    await_that("master1 and master2 to be taken out", || {
        ["master1", "master2"].iter().all(|server| state_of(&front, "locust_masters", server) == "DOWN")
    });
    for _ in 0..10 {
        assert_eq!(front.client.get("/").status, 200);
    }
    assert!(front.seen().iter().all(|seen| seen.server == 2), "{:?}", front.seen());
    assert!((0..3).all(|server| front.checks_of(server) > 0));
}

#[test]
fn when_every_check_fails_haproxy_asks_the_masters_all_the_same() {
    let front = Front::deciding(Kind::Haproxy, |_, what| match what {
        "GET /ready" => Answer::Status(503),
        _ => Answer::Status(200),
    });
    await_that("all masters to be taken out", || {
        (1..=3).all(|server| state_of(&front, "locust_masters", &format!("master{server}")) == "DOWN")
    });
    assert_eq!(front.client.get("/").status, 200);
}

#[test]
fn haproxy_cuts_the_live_feeds_of_a_master_that_fails_its_checks() {
    let is_frozen = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_frozen);
    let front = Front::deciding(Kind::Haproxy, move |_, what| match what {
        "GET /ready" if seen.load(Ordering::SeqCst) => Answer::Silence,
        "GET /ready" => Answer::Status(200),
        _ => Answer::Upgrade,
    });
    let mut stream = front.open_feed();
    is_frozen.store(true, Ordering::SeqCst);
    // The end of the connection comes: with or without the goodbye of TLS.
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    let ended_in_time = ended.map_or_else(|error| error.kind() == std::io::ErrorKind::UnexpectedEof, |_| true);
    assert!(ended_in_time);
}
