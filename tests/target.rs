//! The built-in target over real sockets: what it serves, and that it counts exactly what it received.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use akrida::target::{Counts, Latency, Target, TargetOptions, start};
use support::raw_http::{Reply, connect, get, request, send};

mod support;

/// Time after which a count that must come is given up; only a defect comes near it.
const PATIENCE: Duration = Duration::from_secs(30);

fn plain() -> Target {
    start(TargetOptions { workers: 2, ..TargetOptions::default() }).expect("a target")
}

fn post(url: &str, path: &str, content_type: &str, body: &str) -> Reply {
    send(url, "POST", path, &[("content-type", content_type)], body.as_bytes()).expect("an answer")
}

/// Waits until the counts are as wanted.
fn wait_for(target: &Target, wanted: impl Fn(&Counts) -> bool) -> Counts {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let counts = target.counts();
        if wanted(&counts) {
            return counts;
        }
        assert!(Instant::now() < deadline, "it stays at {counts:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn concurrent_requests_are_counted_exactly() {
    const CLIENTS: u64 = 8;
    const ROUNDS: u64 = 50;
    let target = plain();
    let url = target.url();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    assert_eq!(get(&url, "/").body, b"Hello, World!");
                    assert_eq!(get(&url, "/missing").status, 404);
                    assert_eq!(get(&url, &format!("/status/{}", 500 + round % 2)).status, 500 + (round % 2) as u16);
                    assert_eq!(post(&url, "/echo", "text/plain", &"x".repeat(20_000)).status, 200);
                }
            });
        }
    });
    let counts = target.counts();
    let each = CLIENTS * ROUNDS;
    assert_eq!(counts.received, 4 * each);
    assert_eq!(
        counts.by_path.into_iter().collect::<Vec<_>>(),
        [
            ("/".to_owned(), each),
            ("/echo".to_owned(), each),
            ("/missing".to_owned(), each),
            ("/status/{code}".to_owned(), each)
        ]
    );
    assert_eq!(
        counts.by_status.into_iter().collect::<Vec<_>>(),
        [(200, 2 * each), (404, each), (500, each / 2), (501, each / 2)]
    );
    assert_eq!((counts.abandoned, counts.refused), (0, 0));
}

#[test]
fn the_counts_are_served_and_reset_without_counting_that() {
    let target = plain();
    get(&target.url(), "/");
    for _ in 0..3 {
        let served: Counts = serde_json::from_slice(&get(&target.url(), "/_count").body).expect("counts");
        assert_eq!(served, target.counts());
        assert_eq!(served.received, 1);
    }
    assert_eq!(get(&target.url(), "/_reset").status, 405);
    assert_eq!(post(&target.url(), "/_reset", "text/plain", "").status, 204);
    assert_eq!(target.counts(), Counts::default());
}

#[test]
fn only_whole_requests_count_and_those_that_lose_their_client_are_abandoned() {
    let target = plain();
    let mut broken = connect(&target.url()).expect("a connection");
    broken
        .write_all(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nonly this")
        .expect("half a request");
    drop(broken);
    let counts = wait_for(&target, |counts| counts.refused > 0);
    assert_eq!((counts.received, counts.refused), (0, 1));

    let mut impatient = connect(&target.url()).expect("a connection");
    impatient.write_all(&request("GET", "/delay/600000", &[], b"")).expect("a request");
    wait_for(&target, |counts| counts.received == 1);
    drop(impatient);
    let counts = wait_for(&target, |counts| counts.abandoned > 0);
    assert_eq!((counts.received, counts.abandoned, counts.by_status.len()), (1, 1, 0));
}

#[test]
fn a_body_above_the_bound_is_refused() {
    let target = plain();
    let mut stream = connect(&target.url()).expect("a connection");
    let head = format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", 16 * 1024 * 1024 + 1);
    stream.write_all(head.as_bytes()).expect("a head");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 413");
    assert_eq!((target.counts().received, target.counts().refused), (0, 1));
}

#[test]
fn errors_come_at_their_rate_and_are_counted_as_the_clients_saw_them() {
    let rate = |error_rate| {
        let target = start(TargetOptions { error_rate, workers: 1, ..TargetOptions::default() }).expect("a target");
        let seen = (0..200).filter(|_| get(&target.url(), "/").status == 500).count() as u64;
        assert_eq!(get(&target.url(), "/_count").status, 200);
        let counts = target.counts();
        assert_eq!(counts.received, 200);
        assert_eq!(counts.by_status.get(&500).copied().unwrap_or_default(), seen);
        seen
    };
    assert_eq!(rate(0.0), 0);
    assert_eq!(rate(1.0), 200);
    // Which of the first 200 requests fail is fixed, so any outcome strictly between is repeatable.
    assert!((60..140).contains(&rate(0.5)));
}

#[test]
fn an_answer_takes_at_least_the_latency() {
    let latency = Latency::Fixed(Duration::from_millis(60));
    let target = start(TargetOptions { latency, ..TargetOptions::default() }).expect("a target");
    let sent = Instant::now();
    assert_eq!(get(&target.url(), "/").status, 200);
    assert!(sent.elapsed() >= Duration::from_millis(60));
}

#[test]
fn a_frozen_target_answers_when_the_freeze_ends() {
    // Open for a tenth of a millisecond in each 400, in which six requests cannot all be answered.
    let stall = Some("399900us every 400ms".parse().expect("a stall"));
    let target = start(TargetOptions { stall, ..TargetOptions::default() }).expect("a target");
    let sent = Instant::now();
    for _ in 0..6 {
        assert_eq!(get(&target.url(), "/").status, 200);
    }
    assert!(sent.elapsed() >= Duration::from_millis(300), "no answer was held back");
    assert_eq!(target.counts().received, 6);
}

#[test]
fn every_answered_request_has_a_line_in_the_access_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let target = start(TargetOptions { access_log: Some(path.clone()), ..TargetOptions::default() }).expect("a target");
    get(&target.url(), "/json?page=1");
    get(&target.url(), "/_count");
    post(&target.url(), "/nowhere", "text/plain", "x");
    let log = std::fs::read_to_string(path).expect("the log");
    let lines: Vec<Vec<&str>> = log.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0][1..4], ["GET", "/json", "200"]);
    assert_eq!(lines[1][1..4], ["POST", "/nowhere", "404"]);
    for line in lines {
        assert!(line[0].parse::<u64>().is_ok_and(|time_ms| time_ms > 1_700_000_000_000), "{line:?}");
        assert!(line.len() == 5 && line[4].parse::<u64>().is_ok(), "{line:?}");
    }
}

#[test]
fn every_path_is_counted_under_its_own_name() {
    let target = plain();
    let url = target.url();
    for (path, status) in [
        ("/", 200),
        ("/json", 200),
        ("/gzip", 200),
        ("/html", 200),
        ("/missing", 404),
        ("/status/418", 418),
        ("/status/204", 204),
        ("/status/99", 400),
        ("/status/600", 400),
        ("/status/ten", 404),
        ("/delay/1", 200),
        ("/delay/600001", 400),
        ("/bytes/0", 200),
        ("/bytes/1073741825", 400),
        ("/redirect/1", 302),
        ("/redirect/0", 400),
        ("/redirect/101", 400),
        ("/echo", 200),
        ("/cookies/set/a/b", 200),
        ("/cookies/set/a/b%3Bc", 400),
        ("/cookies/set/a%20b/c", 400),
        ("/login", 405),
        ("/account", 401),
        ("/products/7", 200),
        ("/cart", 405),
        ("/cart/1", 404),
        ("/upload", 405),
    ] {
        assert_eq!(get(&url, path).status, status, "{path}");
    }
    let counts = target.counts();
    assert!(!counts.by_path.contains_key("(unknown)"), "{counts:?}");
    assert_eq!(get(&url, "/nowhere").status, 404);
    assert_eq!(target.counts().by_path["(unknown)"], 1);
}

#[test]
fn pages_have_the_promised_content() {
    let target = plain();
    let url = target.url();
    let page = get(&url, "/json");
    assert!((900..1_200).contains(&page.body.len()), "{} bytes", page.body.len());
    assert_eq!(page.json()["items"][19]["id"], 20);
    assert!(page.json()["token"].is_string());

    let gzipped = get(&url, "/gzip");
    assert_eq!(gzipped.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzipped.body[..]).read_to_end(&mut unpacked).expect("gzip");
    assert_eq!(unpacked, page.body);

    let csrf = |page: &Reply| page.text().split_once("name=\"csrf\" value=\"").map(|(_, rest)| rest[..16].to_owned());
    let (first, second) = (csrf(&get(&url, "/html")).expect("a token"), csrf(&get(&url, "/html")).expect("a token"));
    assert_ne!(first, second);

    assert_eq!(get(&url, "/bytes/200000").body, [b'x'; 200_000]);
    assert_eq!(get(&url, "/redirect/3").header("location"), Some("/redirect/2"));
    assert_eq!(get(&url, "/redirect/1").header("location"), Some("/"));
    assert!(get(&url, "/cookies/set/flavour/oat").header("set-cookie").expect("a cookie").starts_with("flavour=oat;"));
    assert_eq!(
        send(&url, "HEAD", "/delay/0", &[], b"").expect_err("a length without a body").kind(),
        std::io::ErrorKind::UnexpectedEof
    );
}

#[test]
fn echo_shows_the_request() {
    let target = plain();
    let headers = [("x-one", "1"), ("x-two", "2"), ("x-two", "3"), ("content-type", "text/plain")];
    let reply =
        send(&target.url(), "PATCH", "/echo?q=a%20b&r=1&r=2", &headers, b"caf\xc3\xa9 \xff").expect("an answer");
    let shown = reply.json();
    assert_eq!(shown["method"], "PATCH");
    assert_eq!(shown["path"], "/echo");
    assert_eq!(shown["headers"]["x-one"], "1");
    assert_eq!(shown["headers"]["x-two"], "2, 3");
    assert_eq!(shown["query"], serde_json::json!({"q": "a b", "r": "1, 2"}));
    assert_eq!(shown["body"], "café \u{fffd}");
}

#[test]
fn the_account_opens_to_cookie_bearer_and_basic() {
    let target = plain();
    let url = target.url();
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post(&url, "/login", form, "username=ann&password=wrong").status, 401);
    let login = post(&url, "/login", form, "username=ann&password=secret&csrf=ignored");
    assert_eq!(login.status, 200);
    let token = login.json()["token"].as_str().expect("a token").to_owned();
    assert!(login.header("set-cookie").expect("a cookie").starts_with(&format!("session={token};")));

    let account = |name: &str, value: &str| send(&url, "GET", "/account", &[(name, value)], b"").expect("an answer");
    for (name, value, username) in [
        ("cookie", format!("other=1; session={token}"), "ann"),
        ("authorization", format!("Bearer {token}"), "ann"),
        ("authorization", "Basic Ym9iOnNlY3JldA==".to_owned(), "bob"),
    ] {
        assert_eq!(account(name, &value).json(), serde_json::json!({"username": username}), "{name}: {value}");
    }
    for (name, value) in [
        ("cookie", "session=stolen"),
        ("authorization", "Bearer stolen"),
        ("authorization", "Basic Ym9iOndyb25n"),
        ("authorization", "Basic not-base64"),
        ("authorization", "Digest x"),
    ] {
        assert_eq!(account(name, value).status, 401, "{name}: {value}");
    }
}

#[test]
fn the_cart_and_uploads_take_what_is_well_formed() {
    let target = plain();
    let url = target.url();
    let cart = post(&url, "/cart", "application/json", r#"{"product":7}"#);
    assert_eq!((cart.status, cart.header("location")), (201, Some("/cart/1")));
    assert_eq!(cart.json()["id"], 1);
    assert_eq!(get(&url, "/cart/1").json()["id"], 1);
    assert_eq!(post(&url, "/cart", "application/json", "[1]").status, 400);
    assert_eq!(post(&url, "/cart", "application/json", "{").status, 400);

    let body = "--xyz\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n1234\r\n\
                --xyz\r\ncontent-disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n12345678\r\n--xyz--\r\n";
    let uploaded = post(&url, "/upload", "multipart/form-data; boundary=xyz", body);
    assert_eq!(uploaded.json(), serde_json::json!({"parts": 2, "bytes": 12}));
    assert_eq!(post(&url, "/upload", "multipart/form-data; boundary=other", body).status, 400);
    assert_eq!(post(&url, "/upload", "text/plain", body).status, 400);
}

#[actix_rt::test]
async fn a_stopped_target_has_let_its_requests_end_and_frees_its_port() {
    let latency = Latency::Fixed(Duration::from_millis(50));
    let target = start(TargetOptions { latency, ..TargetOptions::default() }).expect("a target");
    let address = target.address();
    let url = target.url();
    let client = thread::spawn(move || get(&url, "/").status);
    wait_for(&target, |counts| counts.received == 1);
    let counts = target.stop().await;
    assert_eq!(client.join().expect("a client"), 200);
    assert_eq!(counts.by_status[&200], 1);

    let again = start(TargetOptions { address, ..TargetOptions::default() }).expect("the port is free");
    let taken = start(TargetOptions { address, ..TargetOptions::default() }).expect_err("the port is taken");
    assert_eq!(taken.kind(), std::io::ErrorKind::AddrInUse);
    assert!(taken.to_string().starts_with(&address.to_string()), "{taken}");
    drop(again);
    start(TargetOptions { address, ..TargetOptions::default() }).expect("the port is free again");
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_that_names_it() {
    let access_log = Some("/nonexistent/folder/access.log".into());
    let problem = start(TargetOptions { access_log, ..TargetOptions::default() }).expect_err("no such folder");
    assert!(problem.to_string().starts_with("/nonexistent/folder/access.log: "), "{problem}");
}
