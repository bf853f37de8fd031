#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use akrida_core::ids::RunId;
use akrida_core::plan::arrivals::{ArrivalRate, Distribution};
use akrida_core::stats::histogram::Histogram;
use akrida_core::view::validity::Validity;
use akrida_core::view::{ArrivalsView, ErrorView, HistoryPoint, RunInfo};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

use super::*;

/// A run of a shop, 15 s into 60 s.
pub(in crate::live) fn view() -> RunView {
    RunView {
        run: RunInfo {
            id: RunId(1),
            scenario: "shop.yml".into(),
            host: Some("http://127.0.0.1:8000".into()),
            profile: None,
            started_unix_ms: 1_000,
            ended_unix_ms: None,
            statistics_since_unix_ms: 6_000,
            target_users: 50,
            users_max: 50,
            stages: 1,
            spawn_rate_per_s: 10.0,
            warm_up_s: 0.0,
            stop_reason: None,
            run_time_s: Some(60.0),
            classes: vec!["Visitor".into(), "Buyer".into()],
        },
        status: Status::Running,
        elapsed_s: 10.0,
        user_count: 48,
        users_per_class: vec![("Visitor".into(), 36), ("Buyer".into(), 12)],
        endpoints: vec![
            endpoint("GET", "/", 900, 0),
            endpoint("POST", "/cart", 1_000, 20),
            endpoint("GET", "/rare", 3, 0),
        ],
        groups: Vec::new(),
        total: endpoint("", "Aggregated", 1_903, 20),
        errors: vec![error("/rare", "expected status 200\nbut got 500", 3), error("/cart", "connection reset", 17)],
        exceptions: Vec::new(),
        generator_errors: Vec::new(),
        http_exchanges: 1_903,
        interrupted: 0,
        schedule_lag: None,
        arrivals: None,
        thresholds: Vec::new(),
        history: (0..90).map(|second| point(second, second as f64)).collect(),
        incidents: akrida_core::view::Incidents::default(),
        validity: Validity { verdict: validity::Verdict::Valid, reasons: Vec::new() },
    }
}

fn endpoint(method: &str, name: &str, requests: u64, failures: u64) -> EndpointView {
    let mut latency = Histogram::new(3);
    (1..=requests).for_each(|n| latency.record(n * 1_000));
    EndpointView {
        method: method.into(),
        name: name.into(),
        requests,
        failures,
        current_rps: requests as f64 / 10.0,
        current_failures_per_s: failures as f64 / 10.0,
        total_rps: requests as f64 / 10.0,
        total_failures_per_s: failures as f64 / 10.0,
        content_bytes: 0,
        latency: latency.clone(),
        service_latency: None,
        ok_latency: Histogram::new(3),
        current_latency: latency,
        connect: Histogram::new(2),
        tls: Histogram::new(2),
        first_byte: Histogram::new(2),
    }
}

fn error(name: &str, error: &str, occurrences: u64) -> ErrorView {
    ErrorView {
        method: "GET".into(),
        name: name.into(),
        error: error.into(),
        occurrences,
        first_seen_unix_ms: 0,
        last_seen_unix_ms: 0,
    }
}

fn point(second: u64, rps: f64) -> HistoryPoint {
    HistoryPoint {
        second,
        unix_ms: second * 1_000,
        width_s: 1.0,
        users: 1,
        requests: 0,
        failures: 0,
        rps,
        failures_per_s: 0.0,
        mean_us: None,
        p50_us: None,
        p95_us: None,
        p99_us: None,
    }
}

fn text(view: &RunView, size: (u16, u16)) -> Vec<String> {
    frame(view, Moment::default(), size).iter().map(|line| line.text().trim_end().to_owned()).collect()
}

#[test]
fn a_roomy_terminal_shows_everything() {
    let expected = "\
shop.yml  http://127.0.0.1:8000                                   running  VALID
━━━━━━━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0:15 of 1:00
users     48 of 50  Visitor 36, Buyer 12
requests  1903, 20 failed (1.05%)
req/s     190.3, 2.0 failed/s  ▄▄▄▄▅▅▅▅▅▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇▇▇▇▇▇███████
latency         p50      p95      p99      max  ms
last 10 s       952     1808     1884     1903
total           952     1808     1884     1903

method  name          # reqs  # fails      % med ms    p95    p99    max   req/s
POST    /cart           1000       20  2.00%    500    950    990   1000   100.0
GET     /                900        0     0%    450    855    891    900    90.0
GET     /rare              3        0     0%   2.00   3.00   3.00   3.00     0.3

      17× GET /cart: connection reset
       3× GET /rare: expected status 200 but got 500

w +1 W +10  s -1 S -10 users  q stop";
    assert_eq!(text(&view(), (80, 30)), expected.lines().collect::<Vec<_>>());
}

#[test]
fn a_small_terminal_shows_what_matters() {
    let expected = "\
shop.yml  http://127.0.0… running  VALID
━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0:15 of 1:00
users     48 of 50  Visitor 36, Buyer 12
req/s     190.3, 2.0 failed/s  ▇▇███████
ms p50 952 p95 1808 p99 1884 max 1903
method  name             # reqs  # fails
POST    /cart              1000       20
GET     /                   900        0
      17× GET /cart: connection reset
w +1 W +10  s -1 S -10 users  q stop";
    assert_eq!(text(&view(), (40, 10)), expected.lines().collect::<Vec<_>>());
}

#[test]
fn the_sparkline_covers_the_last_minute() {
    let line = rates(&view(), 200).text();
    assert_eq!(line.chars().filter(|c| ('▁'..='█').contains(c)).count(), 60);
}

#[test]
fn the_clock_goes_on_between_figures_until_the_run_ends() {
    let line = |view: &RunView, seconds| {
        progress(view, Moment { since_view: Duration::from_secs(seconds), stop_asked: false }, 80).text()
    };
    let mut view = view();
    assert!(line(&view, 2).ends_with(" 0:17 of 1:00"));
    assert!(line(&view, 7).ends_with(" 0:22 of 1:00  figures are 7 s old"));
    assert!(line(&view, 500).contains(" 1:00 of 1:00"));
    view.status = Status::Stopped;
    assert!(line(&view, 7).ends_with(" 0:15 of 1:00"));
    view.run.run_time_s = None;
    assert_eq!(line(&view, 7), "running for 0:15");
}

#[test]
fn doubts_and_the_way_out_are_never_left_out() {
    let mut view = view();
    view.validity = Validity {
        verdict: validity::Verdict::Invalid,
        reasons: vec![
            (validity::Verdict::Degraded, "a little late".into()),
            (validity::Verdict::Invalid, "far too late".into()),
        ],
    };
    let moment = Moment { stop_asked: true, ..Moment::default() };
    let lines: Vec<_> = frame(&view, moment, (40, 10)).iter().map(Line::text).collect();
    assert!(lines[0].ends_with("INVALID"));
    assert!(lines.contains(&"far too late".to_owned()));
    assert_eq!(lines.last().unwrap(), "stopping; q again leaves at once");
    assert_eq!(frame(&view, moment, (40, 1)).len(), 1);
}

fn open_view() -> RunView {
    let mut view = view();
    view.arrivals = Some(ArrivalsView {
        peak: ArrivalRate::per_second(200.0).unwrap(),
        distribution: Distribution::Poisson,
        due: 1_910,
        started: 1_903,
        late: 0,
        dropped: 0,
        missed: 0,
    });
    let result = |text: &str, verdict| ThresholdResult {
        text: text.into(),
        verdict,
        observed: None,
        violation: None,
        reason: None,
    };
    view.thresholds = vec![result("rps > 1", Verdict::Passed), result("p99(/a) < 1s", Verdict::NoData)];
    view
}

#[test]
fn an_open_model_and_thresholds_have_a_line_each_where_there_is_room() {
    let (small, roomy) = ((40, 10), (80, 30));
    let mut view = open_view();
    let lines = text(&view, roomy);
    assert!(lines.contains(&"open      poisson, up to 200.0/s: 1903 arrivals started".to_owned()), "{lines:?}");
    assert!(lines.contains(&"kept      1 of 2 thresholds, 1 without data".to_owned()), "{lines:?}");
    let has = |view: &RunView, start: &str| text(view, small).iter().any(|line| line.starts_with(start));
    assert!(!has(&view, "open") && !has(&view, "kept"));

    view.arrivals.as_mut().unwrap().late = 3;
    view.arrivals.as_mut().unwrap().dropped = 2;
    view.thresholds[0].verdict = Verdict::Aborted;
    let lines = text(&view, roomy);
    assert!(lines.iter().any(|line| line.ends_with("1903 arrivals started, 3 late, 2 dropped")), "{lines:?}");
    assert!(lines.contains(&"kept      0 of 2 thresholds, 1 without data, 1 failed: rps > 1".to_owned()), "{lines:?}");
    assert!(has(&view, "open") && has(&view, "kept"), "trouble is shown on a small terminal too");

    view.thresholds[0].verdict = Verdict::Failed;
    let lines = text(&view, roomy);
    assert!(lines.iter().any(|line| line.ends_with(", 1 not so far: rps > 1")), "it may still be kept: {lines:?}");
    assert!(!has(&view, "kept"));
    view.status = Status::Stopped;
    assert!(has(&view, "kept"));
}

#[test]
fn a_warm_up_is_shown_while_it_lasts() {
    let mut view = view();
    view.run.warm_up_s = 5.0;
    assert!(!text(&view, (80, 30))[1].contains("warm-up"));
    view.run.statistics_since_unix_ms = view.run.started_unix_ms;
    assert!(text(&view, (80, 30))[1].ends_with(" 0:10 of 1:00  warm-up"));
}

fn any_name() -> impl Strategy<Value = Arc<str>> {
    let odd =
        prop_oneof![Just("データ"), Just("👩‍👩‍👧❤️"), Just("e\u{301}\u{202e}"), Just("\x1b[2J\r\n"), Just("لا"), Just("a")];
    let names = prop_oneof![any::<String>(), proptest::collection::vec(odd, 0..20).prop_map(|parts| parts.concat())];
    names.prop_map(Arc::from)
}

prop_compose! {
    fn any_view()(
        names in proptest::collection::vec(any_name(), 5..30),
        requests in any::<u64>(),
        users in any::<u64>(),
        status in proptest::sample::select(vec![Status::Ready, Status::Spawning, Status::Running, Status::Stopped]),
        run_time_s in proptest::option::of(0.0..1e7),
        rps in any::<f64>(),
        valid in any::<bool>(),
    ) -> RunView {
        let mut view = open_view();
        view.thresholds[0].text = names[4].clone();
        view.thresholds[1].verdict = Verdict::Failed;
        view.run.scenario = names[0].clone();
        view.run.profile = Some(names[1].clone());
        view.run.run_time_s = run_time_s;
        (view.run.target_users, view.user_count, view.status) = (users, users, status);
        view.users_per_class = names.iter().map(|name| (name.clone(), users)).collect();
        let busy = |name: &Arc<str>| EndpointView { requests, failures: requests / 3, current_rps: rps, ..endpoint(name, name, 2, 0) };
        view.endpoints = names.iter().map(busy).collect();
        view.total = busy(&names[2]);
        view.errors = names.iter().map(|name| error(name, name, requests)).collect();
        view.history.push(point(90, rps));
        if !valid {
            view.validity = Validity { verdict: validity::Verdict::Degraded, reasons: vec![(validity::Verdict::Degraded, names[3].to_string())] };
        }
        view
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_overflows_at_any_size(view in any_view(), columns in 0_u16..200, rows in 0_u16..60, seconds in 0_u64..100) {
        let moment = Moment { since_view: Duration::from_secs(seconds), stop_asked: false };
        let lines = frame(&view, moment, (columns, rows));
        prop_assert!(lines.len() <= usize::from(rows));
        for line in lines {
            let text = line.text();
            prop_assert!(text.width() <= usize::from(columns), "{text:?} at {columns}");
            prop_assert!(line.width() <= usize::from(columns), "{text:?} at {columns}");
            prop_assert!(!text.contains(char::is_control), "{text:?}");
        }
    }
}
