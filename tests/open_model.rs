//! The open model: every arrival that is due is sent, once, whatever the target does.

use akrida::target::{Counts, TargetOptions, start};
use support::akrida::{Akrida, Ended};

mod support;

fn arrivals(ended: &Ended, figure: &str) -> u64 {
    ended.summary["arrivals"][figure].as_u64().unwrap_or_else(|| panic!("{figure}: {}", ended.stderr))
}

/// Runs a load against a target that answers after this time, and gives what the target counted.
fn run(load: &str, latency: &str, arguments: &[&str]) -> (Ended, Counts) {
    let latency = latency.parse().expect("a latency");
    let target = start(TargetOptions { latency, workers: 1, ..TargetOptions::default() }).expect("the target starts");
    let scenario = format!("load: {load}\nusers: {{ V: {{ tasks: {{ home: {{ steps: [ {{ get: / }} ] }} }} }} }}");
    let akrida = Akrida::with_scenario(&scenario);
    let url = target.url();
    let ended = akrida.run(&[&["-H", &url], arguments].concat());
    (ended, target.counts())
}

#[test]
fn as_many_requests_are_sent_as_the_plan_says_and_the_target_counts_them() {
    let load =
        "{ arrival_rate: [ { rate: 100/s, for: 1s }, { rate: 100/s..300/s, for: 1s }, { rate: 300/s, for: 1s } ] }";
    let (ended, counts) = run(load, "0ms", &["--processes", "3"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let expected = 100 + 200 + 300;
    assert_eq!((arrivals(&ended, "due"), arrivals(&ended, "started")), (expected, expected), "{}", ended.stderr);
    assert_eq!((ended.total("requests"), counts.received), (expected, expected));
    assert_eq!((arrivals(&ended, "missed"), arrivals(&ended, "dropped")), (0, 0));
}

#[test]
fn arrivals_for_which_no_user_is_free_are_dropped_and_counted_when_the_policy_says_so() {
    let load = "{ arrival_rate: 200/s, max_users: 2, late_arrivals: drop }";
    let (ended, counts) = run(load, "100ms", &["-t", "2s", "--processes", "1", "--fail-on-invalid"]);
    let (due, started, dropped) = (arrivals(&ended, "due"), arrivals(&ended, "started"), arrivals(&ended, "dropped"));
    assert_eq!((due, started + dropped), (400, 400), "{}", ended.stderr);
    assert!(started <= 60, "two users serve at most 20 a second: {started}");
    assert_eq!(counts.received, started);
    assert_eq!(ended.code, Some(3), "a run that dropped most of its load is not valid: {}", ended.stderr);
}

#[test]
fn arrivals_that_wait_for_a_user_have_their_wait_in_their_latency() {
    let load = "{ arrival_rate: 50/s, max_users: 1 }";
    let (ended, _) = run(load, "100ms", &["-t", "2s", "--processes", "1"]);
    let latency = &ended.summary["totals"];
    let (due, sent) = (latency["latency_us"]["max"].as_u64(), latency["service_latency_us"]["max"].as_u64());
    assert!(due > Some(500_000), "the last ones waited for a second: {due:?} {}", ended.stderr);
    assert!(sent < due, "{sent:?}");
    let accounted = arrivals(&ended, "started") + arrivals(&ended, "dropped") + arrivals(&ended, "missed");
    assert_eq!((arrivals(&ended, "due"), accounted), (100, 100));
}

#[test]
fn a_poisson_process_misses_nothing() {
    let load = "{ arrival_rate: 200/s, distribution: poisson }";
    let (ended, counts) = run(load, "0ms", &["-t", "2s", "--processes", "2"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(arrivals(&ended, "started"), arrivals(&ended, "due"));
    assert_eq!((counts.received, arrivals(&ended, "missed")), (ended.total("requests"), 0));
}

#[test]
fn a_threshold_decides_the_exit_code_and_may_stop_the_run() {
    let kept = "{ arrival_rate: 50/s }\nthresholds: [ 'rps > 10', 'failures == 0', 'missed_arrivals == 0' ]";
    let (ended, _) = run(kept, "0ms", &["-t", "2s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let aborts = "{ arrival_rate: 50/s }\nthresholds: [ { expr: 'requests < 20', abort: true, after: 0s } ]";
    let (ended, _) = run(aborts, "0ms", &["-t", "1h"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.summary["thresholds"][0]["verdict"], "aborted", "{}", ended.summary["thresholds"]);
    assert_eq!(ended.summary["run"]["stop_reason"], "threshold");
}
