//! What is reported is what happened: the counts equal those of a real nginx.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use support::akrida::{Akrida, Ended};
use support::nginx::Nginx;

mod support;

fn endpoint(ended: &Ended, name: &str, figure: &str) -> u64 {
    let endpoints = ended.summary["endpoints"].as_array().expect("endpoints");
    let found = endpoints.iter().find(|endpoint| endpoint["name"] == name);
    found.and_then(|endpoint| endpoint[figure].as_u64()).unwrap_or_else(|| panic!("{name}.{figure}: {}", ended.stderr))
}

#[test]
fn every_exchange_is_in_the_targets_log_and_the_other_way_round() {
    let mut nginx = Nginx::start();
    let akrida = Akrida::with_scenario(
        "users:
           Visitor:
             tasks:
               home: { weight: 8, steps: [ { get: / } ] }
               missing: { weight: 2, steps: [ { get: /missing } ] }
               expected: { weight: 1, steps: [ { get: /missing, name: expected, check: { status: 404 } } ] }
               error: { weight: 1, steps: [ { get: /error } ] }
               once: { weight: 1, steps: [ { get: /redirect } ] }
               twice: { weight: 1, steps: [ { get: /redirect2 } ] }
               big: { weight: 1, steps: [ { get: /big } ] }
               reset: { weight: 1, steps: [ { post: /reset, body: x } ] }",
    );
    let ended = akrida.run(&["-H", &nginx.url(), "-u", "20", "-r", "100", "-t", "3s"]);
    let log = nginx.log_lines();
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.total("http_exchanges"), log.len() as u64, "{}", ended.stderr);
    assert_eq!(ended.total("interrupted"), 0);

    let logged = |line: &str| log.iter().filter(|logged| *logged == line).count() as u64;
    let redirected = logged("302 GET /redirect") + logged("302 GET /redirect2");
    assert_eq!(ended.total("requests"), log.len() as u64 - redirected);
    assert_eq!(
        endpoint(&ended, "/missing", "requests") + endpoint(&ended, "expected", "requests"),
        logged("404 GET /missing")
    );
    assert_eq!(endpoint(&ended, "expected", "failures"), 0);
    assert_eq!(endpoint(&ended, "/missing", "failures"), endpoint(&ended, "/missing", "requests"));
    assert_eq!(endpoint(&ended, "/error", "failures"), logged("500 GET /error"));
    assert_eq!(endpoint(&ended, "/reset", "failures"), logged("444 POST /reset"));
    assert_eq!(endpoint(&ended, "/redirect2", "requests"), logged("302 GET /redirect2"));
    let failures = ["/missing", "/error", "/reset"].map(|name| endpoint(&ended, name, "failures"));
    assert_eq!(ended.total("failures"), failures.iter().sum::<u64>());
}

#[test]
fn a_run_stopped_in_the_middle_accounts_for_what_was_under_way() {
    let mut nginx = Nginx::start();
    let akrida = Akrida::with_scenario(
        "users:
           Patient: { tasks: { slow: { steps: [ { get: /slow } ] } } }
           Quick: { tasks: { home: { steps: [ { get: / } ] } } }",
    );
    let child = akrida.start(&["-H", &nginx.url(), "-u", "10", "-r", "100"]);
    wait_until_loaded(&nginx, &child);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("the program runs");
    let ended = akrida.wait(child);
    let log = nginx.log_lines();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!((1..=5).contains(&ended.total("interrupted")), "patient users were waiting: {}", ended.stderr);
    assert_eq!(ended.total("http_exchanges") + ended.total("interrupted"), log.len() as u64, "{}", ended.stderr);
    assert_eq!(ended.total("requests"), ended.total("http_exchanges"));
}

/// Waits until nginx has served something, so that all users have long been started.
fn wait_until_loaded(nginx: &Nginx, child: &Child) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while nginx.requests_logged() < 2_000 {
        assert!(Instant::now() < deadline, "process {} sends nothing", child.id());
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn https_is_counted_alike_and_an_unknown_authority_is_a_failure_without_an_exchange() {
    let mut nginx = Nginx::start();
    let akrida = Akrida::with_scenario("users: { Visitor: { tasks: { home: { steps: [ { get: / } ] } } } }");
    let ca = nginx.ca_path();
    let arguments = ["-H", &nginx.tls_url(), "-u", "5", "-r", "50", "-t", "1s"];
    let trusted = akrida.run(&[&arguments[..], &["--cacert", ca.to_str().expect("text")]].concat());
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);
    let untrusted = akrida.run(&["-H", &nginx.tls_url(), "-u", "1", "-t", "1s"]);
    assert_eq!(untrusted.code, Some(1));
    assert_eq!((untrusted.total("http_exchanges"), untrusted.total("requests")), (0, untrusted.total("failures")));
    assert!(untrusted.errors().iter().all(|(text, _)| text.contains("certificate")), "{:?}", untrusted.errors());
    let insecure = akrida.run(&["-H", &nginx.tls_url(), "-u", "1", "-t", "1s", "--insecure"]);
    assert_eq!(insecure.code, Some(0), "{}", insecure.stderr);
    let log = nginx.log_lines();
    assert_eq!(trusted.total("http_exchanges") + insecure.total("http_exchanges"), log.len() as u64);
}

#[test]
fn several_arbiters_count_together() {
    let mut nginx = Nginx::start();
    let akrida = Akrida::with_scenario("users: { Visitor: { tasks: { home: { steps: [ { get: / } ] } } } }");
    let ended = akrida.run(&["-H", &nginx.url(), "-u", "31", "-r", "1000", "-t", "2s", "--processes", "4"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.total("http_exchanges"), nginx.log_lines().len() as u64);
}

#[test]
fn reset_stats_counts_only_what_came_after_the_ramp_up() {
    let mut nginx = Nginx::start();
    let akrida =
        Akrida::with_scenario("users: { Visitor: { wait_time: 10ms, tasks: { home: { steps: [ { get: / } ] } } } }");
    let ended = akrida.run(&["-H", &nginx.url(), "-u", "4", "-r", "2", "-t", "4s", "--reset-stats"]);
    let logged = nginx.log_lines().len() as u64;
    let counted = ended.total("http_exchanges");
    assert!(counted > 0 && counted < logged, "{counted} of {logged}: {}", ended.stderr);
}
