//! Whatever a target does is a clear failure or a counted request: no panic, no hang beyond the time-out.

use support::akrida::{Akrida, Ended};
use support::bad_server::{BadServer, HUGE_BODY_BYTES, Misbehaviour};

mod support;

/// One user that sends requests with a short time-out.
const SCENARIO: &str =
    "users: { Visitor: { timeout: 500ms, wait_time: 20ms, tasks: { home: { steps: [ { get: / } ] } } } }";

fn against(misbehaviour: Misbehaviour) -> (Ended, BadServer) {
    let server = BadServer::start(misbehaviour);
    let ended = Akrida::with_scenario(SCENARIO).run(&["-H", &server.url(), "-u", "2", "-r", "10", "-t", "2s"]);
    (ended, server)
}

/// Every request failed with one of these texts, and the counts are those of the server.
fn assert_all_failed(misbehaviour: Misbehaviour, texts: &[&str]) {
    let (ended, server) = against(misbehaviour);
    assert_eq!(ended.code, Some(1), "{misbehaviour:?}: {}", ended.stderr);
    assert!(ended.total("requests") > 0, "{misbehaviour:?}: {}", ended.stderr);
    assert_eq!(ended.total("requests"), ended.total("failures"), "{misbehaviour:?}: {}", ended.stderr);
    for (text, _) in ended.errors() {
        assert!(texts.iter().any(|expected| text.contains(expected)), "{misbehaviour:?}: unexpected {text:?}");
    }
    assert_eq!(ended.errors().iter().map(|(_, count)| count).sum::<u64>(), ended.total("failures"));
    let accounted = ended.total("http_exchanges") + ended.total("interrupted");
    assert!(
        (ended.total("http_exchanges")..=accounted).contains(&server.requests()),
        "{misbehaviour:?}: {}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("panicked"), "{misbehaviour:?}: {}", ended.stderr);
}

#[test]
fn a_server_that_hangs_up_after_the_request() {
    assert_all_failed(Misbehaviour::ClosesAfterRequest, &["closed", "ended early", "reset"]);
}

#[test]
fn a_server_that_resets() {
    assert_all_failed(Misbehaviour::Resets, &["reset"]);
}

#[test]
fn a_server_that_never_answers() {
    assert_all_failed(Misbehaviour::NeverAnswers, &["timed out after 500ms"]);
}

#[test]
fn a_server_that_does_not_speak_http() {
    assert_all_failed(Misbehaviour::Garbage, &["invalid HTTP"]);
}

#[test]
fn a_server_that_stalls_after_the_headers() {
    assert_all_failed(Misbehaviour::StallsAfterHeaders, &["timed out after 500ms"]);
}

#[test]
fn a_server_whose_body_never_ends() {
    assert_all_failed(Misbehaviour::EndlessBody, &["timed out after 500ms"]);
}

#[test]
fn a_server_whose_body_breaks_off() {
    assert_all_failed(Misbehaviour::ShortBody, &["ended early", "closed"]);
}

#[test]
fn a_body_of_100_mb_is_read_and_counted_and_not_kept() {
    let server = BadServer::start(Misbehaviour::HugeBody);
    let scenario = "users: { Visitor: { tasks: { huge: { steps: [ { get: / }, { stop_user: true } ] } } } }";
    let ended = Akrida::with_scenario(scenario).run(&["-H", &server.url(), "-t", "10s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.summary["totals"]["content_bytes"].as_u64(), Some(HUGE_BODY_BYTES), "{}", ended.summary);
}

#[test]
fn a_server_that_closes_after_each_answer_causes_no_failure() {
    let (ended, server) = against(Misbehaviour::ClosesAfterAnswer);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.total("http_exchanges"), server.requests(), "{}", ended.stderr);
}

#[test]
fn a_refused_connection_is_a_failure_without_an_exchange() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let ended = Akrida::with_scenario(SCENARIO).run(&["-H", &format!("http://{closed}"), "-t", "1s"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!((ended.total("http_exchanges"), ended.total("requests")), (0, ended.total("failures")));
    assert!(ended.errors().iter().all(|(text, _)| text.contains("connection refused")), "{:?}", ended.errors());
}

#[test]
fn an_unknown_host_is_refused_before_the_run_or_fails_each_request_with_its_name() {
    let akrida = Akrida::with_scenario(SCENARIO);
    let refused = akrida.run(&["-H", "http://no-such-host.invalid", "-t", "1s"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("no-such-host.invalid"), "{}", refused.stderr);
    let failed = akrida.run(&["-H", "http://no-such-host.invalid", "-t", "1s", "--dns", "connection"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.errors().iter().all(|(text, _)| text.contains("no-such-host.invalid")), "{:?}", failed.errors());
}

#[test]
fn too_few_descriptors_are_the_generators_fault_and_not_the_targets() {
    let server = BadServer::start(Misbehaviour::NeverAnswers);
    let akrida = Akrida::with_scenario(SCENARIO);
    let ended = akrida
        .run_with_descriptors(60, &["-H", &server.url(), "-u", "100", "-r", "1000", "-t", "2s", "--fail-on-invalid"]);
    let errors = ended.summary["generator_errors"].as_array().cloned().unwrap_or_default();
    assert!(
        errors.iter().any(|error| error["kind"].as_str().is_some_and(|kind| kind.contains("file"))),
        "{errors:?} {}",
        ended.stderr
    );
    assert_eq!(ended.summary["validity"]["verdict"], "INVALID");
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.errors().iter().all(|(text, _)| text.contains("timed out")), "{:?}", ended.errors());
}
