//! What the balancers pass on, what they change, and what they keep from the outside.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::stand_in::{Answer, Front};
use crate::support::balancer::{Kind, program, text_of};
use crate::support::network::Network;
use crate::support::raw_http;

const BOTH: [Kind; 2] = [Kind::Nginx, Kind::Haproxy];

/// The masters as they are shipped.
fn shipped_masters() -> [String; 3] {
    [10, 11, 12].map(|host| format!("10.0.1.{host}:8089"))
}

fn folder_with_certificates() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    crate::support::certificates::make_certificates(folder.path());
    folder
}

fn said_of(kind: Kind, folder: &Path) -> String {
    let checked = kind.check(folder);
    assert!(checked.status.success(), "{}", text_of(&checked));
    text_of(&checked)
}

#[test]
fn nginx_finds_nothing_to_warn_of() {
    let folder = folder_with_certificates();
    Kind::Nginx.configure(folder.path(), &shipped_masters(), [80, 443, 0]);
    let said = said_of(Kind::Nginx, folder.path());
    assert!(said.lines().all(|line| line.ends_with("is ok") || line.ends_with("is successful")), "{said}");
}

#[test]
fn haproxy_finds_nothing_to_warn_of() {
    let folder = folder_with_certificates();
    Kind::Haproxy.configure(folder.path(), &shipped_masters(), [80, 443, 8404]);
    assert_eq!(said_of(Kind::Haproxy, folder.path()).trim(), "Configuration file is valid");
}

#[test]
fn the_names_ports_and_weights_are_those_of_the_reference() {
    let nginx = Kind::Nginx.shipped();
    for line in [
        "upstream locust_masters {",
        "server 10.0.1.10:8089 weight=3 ",
        "server 10.0.1.11:8089 weight=2 ",
        "server 10.0.1.12:8089 weight=1 ",
        "listen 80;",
        "listen 443 ssl http2;",
        "server_name locust.company.com;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
    ] {
        assert!(nginx.contains(line), "{line}");
    }
    let haproxy = Kind::Haproxy.shipped();
    for line in [
        "frontend locust_frontend",
        "backend locust_masters\n",
        "bind :80\n",
        "bind :443 ssl",
        "balance leastconn",
        "maxconn 4096",
        "server master1 \"${MASTER1}\" check weight 3",
        "server master2 \"${MASTER2}\" check weight 2",
        "server master3 \"${MASTER3}\" check weight 1",
        "stats uri /stats",
    ] {
        assert!(haproxy.contains(line), "{line}");
    }
}

#[test]
fn everything_reaches_a_master_unless_it_is_kept_from_the_outside() {
    for kind in BOTH {
        let front = Front::of(kind);
        let open = ["/", "/static/app.js", "/assets/x.css", "/stats/requests", "/stats", "/statsxyz", "/healthz"];
        for path in open {
            let reply = front.client.get(path);
            assert_eq!((reply.status, reply.text()), (200, "ok"), "{kind:?} {path}");
        }
        let reached: Vec<_> = front.seen().iter().map(|seen| seen.what.clone()).collect();
        assert_eq!(reached, open.map(|path| format!("GET {path}")), "{kind:?}");
        for path in [
            "/metrics",
            "/metrics/x",
            "/health",
            "/health/ready",
            "/health/live",
            "/ready",
            "/leader",
            "/%68ealth",
            "/rea%64y?a=b",
        ] {
            assert_eq!(front.client.get(path).status, 404, "{kind:?} {path}");
        }
        assert_eq!(front.seen().len(), open.len(), "{kind:?}");
    }
}

#[test]
fn headers_of_masters_come_through_once_and_every_answer_asks_for_tls() {
    for kind in BOTH {
        let front = Front::of(kind);
        for (path, frame_options) in [("/static/app.js", Some("DENY")), ("/metrics", None)] {
            let reply = front.client.get(path);
            assert_eq!(reply.header("x-frame-options"), frame_options, "{kind:?} {path}");
            assert_eq!(reply.header("strict-transport-security"), Some("max-age=31536000"), "{kind:?} {path}");
            assert_eq!(reply.header("x-xss-protection"), None);
        }
    }
}

#[test]
fn without_tls_a_request_is_sent_elsewhere_with_its_method() {
    for kind in BOTH {
        let front = Front::of(kind);
        let reply = raw_http::send(&front.balancer.plain_url(), "POST", "/stop?a=b", &[], b"").unwrap();
        assert_eq!((reply.status, reply.header("location")), (308, Some("https://localhost/stop?a=b")), "{kind:?}");
        assert!(front.seen().is_empty(), "{kind:?}");
    }
}

#[test]
fn the_balancer_says_of_itself_that_it_lives() {
    for kind in BOTH {
        let front = Front::deciding(kind, |_, _| Answer::Close);
        let reply = raw_http::get(&front.balancer.plain_url(), "/lb-health");
        assert_eq!((reply.status, reply.text()), (200, "ok\n"), "{kind:?}");
        assert_eq!(raw_http::get(&front.balancer.plain_url(), "/lb-healthz").status, 308, "{kind:?}");
    }
}

#[test]
fn what_a_client_says_of_itself_is_not_passed_on() {
    for kind in BOTH {
        let front = Front::of(kind);
        let claims = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-real-ip", "6.6.6.6"),
            ("x-forwarded-proto", "gopher"),
            ("x-akrida-forwarded", "master-1"),
        ];
        front.client.send("GET", "/", &claims, b"").unwrap();
        let seen = front.only();
        assert_eq!(seen.header("x-forwarded-for"), "127.0.0.1", "{kind:?}");
        assert_eq!(seen.header("x-real-ip"), "127.0.0.1", "{kind:?}");
        assert_eq!(seen.header("x-forwarded-proto"), "https", "{kind:?}");
        assert_eq!(seen.all("x-akrida-forwarded"), [""; 0], "{kind:?}");
        assert_eq!(seen.header("host"), "localhost", "{kind:?}");
    }
}

#[test]
fn each_request_has_a_key() {
    for kind in BOTH {
        let front = Front::of(kind);
        front.client.send("POST", "/swarm", &[("idempotency-key", "mine")], b"user_count=1").unwrap();
        front.client.send("POST", "/swarm", &[], b"user_count=1").unwrap();
        front.client.send("GET", "/stop", &[], b"").unwrap();
        let seen = front.seen();
        let keys: Vec<_> = seen.iter().map(|seen| seen.header("idempotency-key")).collect();
        assert_eq!(keys[0], "mine", "{kind:?}");
        for key in &keys[1..] {
            assert!(key.len() >= 32 && key.bytes().all(|byte| byte.is_ascii_graphic()), "{kind:?} {key}");
        }
        assert_ne!(keys[1], keys[2], "{kind:?}");
    }
}

#[test]
fn a_large_scenario_comes_through() {
    for kind in BOTH {
        let front = Front::of(kind);
        let body = vec![b'x'; 17 * 1024 * 1024];
        assert_eq!(front.client.send("POST", "/api/v1/runs", &[], &body).unwrap().status, 200, "{kind:?}");
        assert_eq!(front.only().body.len(), body.len(), "{kind:?}");
    }
}

#[test]
fn a_connection_is_upgraded_only_when_the_client_asks_for_it() {
    for kind in BOTH {
        let front = Front::deciding(kind, |_, what| match what {
            "GET /api/v1/feed" => Answer::Upgrade,
            _ => Answer::Status(200),
        });
        front.client.get("/");
        let plain = front.only();
        assert_eq!(plain.all("upgrade"), [""; 0], "{kind:?}");
        let asked_to = plain.all("connection");
        // Nothing at all: the connection to the master is kept for the next request.
        assert!(asked_to.is_empty() || asked_to == ["keep-alive"], "{kind:?} {plain:?}");

        let mut stream = front.open_feed();
        stream.write_all(b"there and back").unwrap();
        let mut back = [0; 14];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"there and back", "{kind:?}");
        let upgraded = &front.seen()[1];
        assert_eq!(upgraded.header("upgrade"), "websocket", "{kind:?}");
        assert!(upgraded.header("connection").eq_ignore_ascii_case("upgrade"), "{kind:?} {upgraded:?}");
    }
}

#[test]
fn a_feed_that_is_silent_for_longer_than_a_request_may_be_stays_open() {
    thread::scope(|scope| {
        for kind in BOTH {
            scope.spawn(move || {
                let front = Front::deciding(kind, |_, what| match what {
                    "GET /ready" => Answer::Status(200),
                    _ => Answer::Upgrade,
                });
                let mut feed = front.open_feed();
                let longer = Duration::from_secs(10);
                feed.sock.set_read_timeout(Some(longer)).unwrap();
                let ended = feed.read(&mut [0]).unwrap_err();
                assert!(matches!(ended.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{kind:?} {ended:?}");
                feed.write_all(b"still there").unwrap();
                let mut back = [0; 11];
                feed.read_exact(&mut back).unwrap();
                assert_eq!(&back, b"still there", "{kind:?}");
            });
        }
    });
}

#[test]
fn a_client_that_speaks_http2_is_served_as_others_are() {
    for kind in BOTH {
        let front = Front::of(kind);
        let url = format!("https://localhost:{}/swarm", front.balancer.tls_port());
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--http2", "-o", "/dev/null", "-w", "%{http_version} %{response_code}"]);
        curl.args(["-d", "user_count=1", "--cacert"]).arg(front.balancer.authority()).arg(&url);
        let output = curl.output().expect("curl is missing: run scripts/test.sh, which installs it");
        assert_eq!(text_of(&output), "2 200", "{kind:?}");
        let seen = front.only();
        assert_eq!((&*seen.what, &seen.body[..]), ("POST /swarm", &b"user_count=1"[..]), "{kind:?}");
        // With its port: masters compare it with where a page is from.
        assert_eq!(seen.header("host"), format!("localhost:{}", front.balancer.tls_port()), "{kind:?}");
        assert!(seen.header("idempotency-key").len() >= 32, "{kind:?}");
    }
}

#[test]
fn the_statistics_page_is_on_its_own_port_and_changes_nothing() {
    let front = Front::of(Kind::Haproxy);
    let stats = front.balancer.stats_url();
    let page = raw_http::get(&stats, "/stats");
    assert!(page.status == 200 && String::from_utf8_lossy(&page.body).contains("Statistics Report"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let asked = b"s=master1&action=maint&b=%23locust_masters";
    raw_http::send(&stats, "POST", "/stats", &form, asked).unwrap();
    let csv = raw_http::get(&stats, "/stats;csv");
    let csv = String::from_utf8_lossy(&csv.body);
    let master1 = csv.lines().find(|line| line.starts_with("locust_masters,master1,")).unwrap();
    assert!(!master1.contains("MAINT"), "{master1}");
    assert!(raw_http::get(&stats, "/metrics").text().contains("haproxy_server_"));
}

#[test]
fn keepalived_accepts_the_documented_pair() {
    let documentation = include_str!("../../docs/load-balancing.md");
    let (_, rest) = documentation.split_once("```keepalived\n").unwrap();
    let (text, _) = rest.split_once("```").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keepalived.conf");
    std::fs::write(&file, text).unwrap();
    // It wants to see the interface that the text names.
    let host = Network::enter(1);
    let mut check = Command::new(program("keepalived"));
    check.arg("-t").arg("-f").arg(&file);
    let checked = host.within(0, || check.output()).unwrap();
    assert!(checked.status.success() && text_of(&checked).is_empty(), "{}", text_of(&checked));
}
