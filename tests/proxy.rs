//! A run through a real proxy: the target counts what is reported, and a proxy that refuses is a clear failure.

use support::akrida::{Akrida, Ended};
use support::nginx::Nginx;
use support::tinyproxy::{CREDENTIALS, Tinyproxy};

mod support;

/// One request a connection: tinyproxy closes it after each without saying so.
fn run(proxy: &str, arguments: &[&str]) -> Ended {
    let scenario = format!(
        "connection: {{ proxy: 'http://{proxy}', max_requests: 1 }}
users:
  Visitor:
    wait_time: 20ms
    timeout: 10s
    tasks: {{ home: {{ steps: [ {{ get: / }}, {{ get: /redirect }} ] }} }}"
    );
    Akrida::with_scenario(&scenario).run(&[&["-u", "3", "-r", "100", "-t", "2s", "-s", "5s"], arguments].concat())
}

#[test]
fn plain_and_encrypted_requests_go_through_it_and_the_target_counts_them() {
    let proxy = Tinyproxy::start();
    let mut nginx = Nginx::start();
    let through = format!("{CREDENTIALS}@{}", proxy.address());
    let plain = run(&through, &["-H", &nginx.url()]);
    let ca = nginx.ca_path();
    let tls = run(&through, &["-H", &nginx.tls_url(), "--cacert", ca.to_str().expect("text")]);
    for ended in [&plain, &tls] {
        assert_eq!((ended.code, ended.total("failures")), (Some(0), 0), "{}", ended.stderr);
        assert!(ended.total("requests") > 3, "{}", ended.stderr);
    }
    let exchanges = plain.total("http_exchanges") + tls.total("http_exchanges");
    assert_eq!(exchanges, nginx.log_lines().len() as u64, "{}\n{}", plain.stderr, tls.stderr);
    let log = proxy.log();
    assert!(log.contains("GET http://127.0.0.1") && log.contains("CONNECT 127.0.0.1"), "{log}");
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named_in_the_failure() {
    let proxy = Tinyproxy::start();
    let nginx = Nginx::start();
    let (ca, wrong) = (nginx.ca_path(), format!("user:wrong@{}", proxy.address()));
    let tls = ["-H", &nginx.tls_url(), "--cacert", ca.to_str().expect("text")];
    let text = "proxy: credentials are missing or wrong (status 407)";
    for (through, arguments, text) in [
        (proxy.address(), &["-H", &nginx.url()][..], text),
        // What it says to wrong credentials.
        (&wrong, &tls, "proxy: no tunnel, status was 401"),
        (proxy.address(), &tls, text),
        ("127.0.0.1:1", &tls, "proxy: connection refused"),
        ("127.0.0.1:1", &["-H", &nginx.url()], "proxy: connection refused"),
    ] {
        let ended = run(through, arguments);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.total("failures") > 0, "{}", ended.stderr);
        for (failure, _) in ended.errors() {
            assert_eq!(failure, text, "{through}");
        }
    }
    assert_eq!(nginx.requests_logged(), 0);
}
