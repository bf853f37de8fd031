//! `--debug-user` shows what one user sends and gets, and fails when something did.

use akrida::target::{Target, TargetOptions, start};
use support::akrida::{Akrida, Ended};

mod support;

const SCENARIO: &str = "
auth: { bearer: 'secret-token' }
users:
  Other: { tasks: { never: GET /never } }
  Visitor:
    on_start:
      - set: { page: 7 }
    tasks:
      first:
        - post: /echo
          json: { page: '{{ page }}' }
          headers: { X-Own: 'a b' }
          check: { status: 200, header: { Content-Type: { present: true } } }
          extract: { kind: { header: content-type } }
      second: { tasks: { inner: [ log: 'page {{ page }}' ] } }
      skipped: { weight: 0, steps: [ get: /skipped ] }
      third: [ CHECK, { stop_user: true } ]
    on_stop: [ { get: /, name: farewell } ]
";

fn target() -> Target {
    start(TargetOptions { workers: 1, ..TargetOptions::default() }).expect("the target starts")
}

fn debug(check: &str, arguments: &[&str]) -> (Ended, Target) {
    let target = target();
    let akrida = Akrida::with_scenario(&SCENARIO.replace("CHECK", check));
    let url = target.url();
    let ended = akrida.run(&[&["-H", &url, "--debug-user", "Visitor"], arguments].concat());
    (ended, target)
}

/// Whether the lines are all there, in this order.
fn assert_shows(ended: &Ended, lines: &[&str]) {
    let mut rest = ended.stdout.lines();
    for line in lines {
        assert!(rest.any(|shown| shown == *line), "no {line:?} in its place in\n{}\n{}", ended.stdout, ended.stderr);
    }
}

#[test]
fn everything_is_shown_in_order_and_secrets_are_masked() {
    let (ended, target) = debug("GET /", &[]);
    let echo = format!("> {}/echo", target.url());
    let host = format!("> host: {}", target.url().trim_start_matches("http://"));
    let lines = [
        "== on_start",
        "  set     page = 7",
        "== first",
        &echo,
        "> POST /echo HTTP/1.1",
        "> x-own: a b",
        "> authorization: Bearer ***",
        "> content-type: application/json",
        &host,
        "> content-length: 10",
        ">",
        "> {\"page\":7}",
        "< 200",
        "  ok      status 200",
        "  ok      header Content-Type is present",
        "  extract kind = \"application/json\"",
        "  set     kind = \"application/json\"",
        "== second.inner",
        "  log     page 7",
        "== third",
        "  stop_user",
        "== on_stop",
        "nothing failed",
    ];
    assert_shows(&ended, &lines);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    // The body, in which the target repeats the header, is shown as it is.
    assert_eq!(ended.stdout.matches("secret-token").count(), 1, "{}", ended.stdout);
    assert!(!ended.stdout.contains("skipped"), "{}", ended.stdout);
    assert_eq!(target.counts().received, 3, "each task once: {}", ended.stdout);
    assert!(ended.summary.is_null(), "there are no statistics");
}

#[test]
fn failures_are_shown_and_are_the_exit_code() {
    let (ended, _) = debug("{ get: /, check: { status: 404, body: [no such text] } }", &["--debug-secrets"]);
    let lines = [
        "> authorization: Bearer secret-token",
        "  FAILED  status 404: status was 200, expected 404",
        "  FAILED  body contains \"no such text\": body does not contain \"no such text\"",
        "1 failure",
    ];
    assert_shows(&ended, &lines);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn nothing_that_answers_is_a_failure() {
    let ended = Akrida::with_scenario("users: { A: { tasks: { a: GET / } } }").run(&[
        "-H",
        "http://127.0.0.1:1",
        "--debug-user",
    ]);
    assert_shows(&ended, &["== a", "> GET / HTTP/1.1", "< no response: connection refused", "1 failure"]);
    assert_eq!(ended.code, Some(1));
}

#[test]
fn with_a_run_time_the_user_lives_as_in_a_run() {
    let target = target();
    let akrida = Akrida::with_scenario("users: { A: { wait_time: 20ms, tasks: { a: GET / } } }");
    let ended = akrida.run(&["-H", &target.url(), "--debug-user", "-t", "1s"]);
    assert_shows(&ended, &["== a", "  wait    20ms", "== a", "nothing failed"]);
    assert!(target.counts().received > 2, "{}", ended.stdout);
}

#[test]
fn what_cannot_be_debugged_is_refused() {
    let akrida = Akrida::with_scenario("host: http://a.test\nusers: { A: { tasks: { a: GET / } } }");
    let ended = akrida.run(&["--debug-user", "A", "B"]);
    assert_eq!(
        (ended.code, ended.stderr.contains("name one user class, not A, B")),
        (Some(2), true),
        "{}",
        ended.stderr
    );
    let ended = akrida.run(&["--debug-secrets"]);
    assert_eq!((ended.code, ended.stderr.contains("needs --debug-user")), (Some(2), true), "{}", ended.stderr);
}
