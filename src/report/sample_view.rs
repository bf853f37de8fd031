//! Views for tests: realistic runs of both models, one in which nothing happened, and one that is hostile to whoever
//! shows it.

use std::sync::Arc;

use akrida_core::ids::RunId;
use akrida_core::limits;
use akrida_core::plan::arrivals::{ArrivalRate, Distribution};
use akrida_core::state::command::StopReason;
use akrida_core::stats::histogram::Histogram;
use akrida_core::threshold::quantity::{Quantity, Unit};
use akrida_core::threshold::result::{self, ThresholdResult, Violation};
use akrida_core::view::validity::{Validity, Verdict};
use akrida_core::view::{ArrivalsView, EndpointView, ErrorView, ExceptionView, HistoryPoint, RunInfo, RunView, Status};

/// The start of every sample: 2026-11-24T21:57:56.700Z.
pub(crate) const STARTED_UNIX_MS: u64 = 1_795_557_476_700;

/// A line with these latencies, the last `failures` of which failed, over `seconds`.
pub(crate) fn endpoint(method: &str, name: &str, latencies_us: &[u64], failures: usize, seconds: f64) -> EndpointView {
    let passed = latencies_us.len() - failures;
    let phase = |divisor: u64| recorded(limits::PHASE_DIGITS, latencies_us.iter().map(|us| us / divisor));
    let per_s = |count: usize| count as f64 / seconds;
    EndpointView {
        method: method.into(),
        name: name.into(),
        requests: latencies_us.len() as u64,
        failures: failures as u64,
        current_rps: per_s(latencies_us.len()) * 1.25,
        current_failures_per_s: per_s(failures) * 1.25,
        total_rps: per_s(latencies_us.len()),
        total_failures_per_s: per_s(failures),
        content_bytes: latencies_us.len() as u64 * 123,
        latency: recorded(limits::LATENCY_DIGITS, latencies_us.iter().copied()),
        service_latency: None,
        ok_latency: recorded(limits::LATENCY_DIGITS, latencies_us[..passed].iter().copied()),
        current_latency: recorded(limits::LATENCY_DIGITS, latencies_us.iter().rev().take(50).copied()),
        connect: phase(20),
        tls: Histogram::new(limits::PHASE_DIGITS),
        first_byte: phase(2),
    }
}

/// Two endpoints whose every latency is known: 0.42 to 49 ms and 100 to 331 ms, three requests of eight failed, over 4 s.
pub(crate) fn small() -> RunView {
    let home = [420, 1_500, 9_990, 12_600, 49_000];
    let slow = [100_000, 220_300, 331_000];
    let endpoints = vec![endpoint("GET", "/", &home, 1, 4.0), endpoint("POST", "/slow/endpoint", &slow, 2, 4.0)];
    RunView {
        total: endpoint("", "Aggregated", &[&home[..], &slow[..]].concat(), 3, 4.0),
        endpoints,
        errors: vec![
            error("GET", "/", "status 503 is not 200", 1),
            error("POST", "/slow/endpoint", "time-out after 330 ms", 2),
        ],
        http_exchanges: 9,
        user_count: 2,
        elapsed_s: 4.0,
        history: (0..4)
            .map(|second| point(second, 2, [3, 2, 2, 1][second as usize], [1, 1, 1, 0][second as usize]))
            .collect(),
        ..empty()
    }
}

/// A minute of 100 users with everything that a report can show.
pub(crate) fn busy() -> RunView {
    let mut noise = Noise(7);
    let mut latencies = |count: usize, median_us: f64, spread: f64| -> Vec<u64> {
        (0..count).map(|_| (median_us * (spread * noise.normal()).exp()) as u64).collect()
    };
    let (home, products) = (latencies(9_000, 3_200.0, 0.5), latencies(4_500, 14_000.0, 0.7));
    let (basket, missing) = (latencies(1_500, 42_000.0, 0.9), latencies(700, 900.0, 0.4));
    let all = [&home[..], &products[..], &basket[..], &missing[..]].concat();
    let checkout = latencies(500, 90_000.0, 0.5);
    RunView {
        endpoints: vec![
            endpoint("GET", "/", &home, 0, 60.0),
            endpoint("GET", "/api/v1/products/[id]", &products, 12, 60.0),
            endpoint("POST", "/basket", &basket, 31, 60.0),
            endpoint("GET", "/missing", &missing, 700, 60.0),
        ],
        total: endpoint("", "Aggregated", &all, 743, 60.0),
        groups: vec![endpoint("GROUP", "checkout", &checkout, 4, 60.0)],
        errors: vec![
            error("GET", "/api/v1/products/[id]", "body does not match regex \"price\"", 12),
            error("POST", "/basket", "connection reset by peer", 31),
            error("GET", "/missing", "status 404 is not 200", 700),
        ],
        exceptions: vec![ExceptionView {
            count: 3,
            message: "undefined value in {{ basket.id }}".into(),
            traceback: "users.Buyer.tasks.pay.steps[1]\n  shop.yml line 31, column 9".into(),
            nodes: vec!["worker-1".into(), "worker-2".into()],
        }],
        generator_errors: vec![("out of file descriptors".into(), 5)],
        http_exchanges: 16_204,
        interrupted: 7,
        user_count: 100,
        users_per_class: vec![("Visitor".into(), 75), ("Buyer".into(), 25)],
        elapsed_s: 60.0,
        schedule_lag: Some(recorded(limits::PHASE_DIGITS, (0..1_000).map(|at| at * 20))),
        thresholds: thresholds(),
        history: busy_history(),
        validity: Validity {
            verdict: Verdict::Degraded,
            reasons: vec![
                (Verdict::Degraded, "the generator could not send 5 requests: out of file descriptors (5)".to_owned()),
                (
                    Verdict::Degraded,
                    "the generator started planned work late: schedule lag p99 19.9 ms, limit 10 ms".to_owned(),
                ),
            ],
        },
        ..empty()
    }
}

/// An open model after a warm-up of 10 s: requests were sent up to 20 ms after they were due.
pub(crate) fn open() -> RunView {
    let due = |line: &mut EndpointView| {
        line.service_latency = Some(line.latency.clone());
        let waited = line.latency.buckets().flat_map(|(us, _, count)| (0..count).map(move |_| us + 20_000));
        line.latency = recorded(limits::LATENCY_DIGITS, waited.collect::<Vec<_>>().into_iter());
    };
    let mut view = small();
    view.endpoints.iter_mut().chain([&mut view.total]).for_each(due);
    view.run.statistics_since_unix_ms = STARTED_UNIX_MS + 10_000;
    (view.run.warm_up_s, view.run.run_time_s) = (10.0, Some(1.5));
    (view.run.target_users, view.run.users_max) = (1, 1);
    view.schedule_lag = Some(recorded(limits::PHASE_DIGITS, (0..=100).map(|at| at * 20)));
    view.arrivals = Some(ArrivalsView {
        peak: ArrivalRate::per_second(100.0).expect("a rate"),
        distribution: Distribution::Poisson,
        due: 14,
        started: 9,
        late: 3,
        dropped: 2,
        missed: 1,
    });
    view.history = (0..14).map(|second| point(second, 1, 2, 1)).collect();
    view.thresholds = thresholds();
    view
}

/// One threshold of every verdict.
fn thresholds() -> Vec<ThresholdResult> {
    let result = |text: &str, verdict, observed, violation, reason: Option<&str>| ThresholdResult {
        text: text.into(),
        verdict,
        observed,
        violation,
        reason: reason.map(Into::into),
    };
    let figure = |value, unit| Some(Quantity { value, unit });
    let violated = Some(Violation { since_s: 21, failed_at_s: 51 });
    let us = Unit::Microseconds;
    vec![
        result("rps > 100", result::Verdict::Passed, figure(261_700_000, Unit::MillionthsPerSecond), None, None),
        result("p95(/) < 5ms for 30s", result::Verdict::Failed, figure(6_400, us), violated, None),
        result("max < 1s", result::Verdict::Aborted, figure(1_250_000, us), violated, None),
        result("p99(/a) < 1s", result::Verdict::NoData, None, None, Some("no requests")),
    ]
}

/// A run that was stopped before its first request.
pub(crate) fn empty() -> RunView {
    RunView {
        run: RunInfo {
            id: RunId(0xA5),
            scenario: "shop.yml".into(),
            host: Some("http://127.0.0.1:8000".into()),
            profile: Some("nightly".into()),
            started_unix_ms: STARTED_UNIX_MS,
            ended_unix_ms: Some(STARTED_UNIX_MS + 60_000),
            statistics_since_unix_ms: STARTED_UNIX_MS,
            target_users: 100,
            users_max: 100,
            stages: 1,
            spawn_rate_per_s: 10.0,
            warm_up_s: 0.0,
            stop_reason: Some(StopReason::RunTime),
            run_time_s: Some(60.0),
            classes: vec!["Visitor".into(), "Buyer".into()],
        },
        status: Status::Stopped,
        users_per_class: vec![("Visitor".into(), 0), ("Buyer".into(), 0)],
        ..RunView::before_the_first()
    }
}

/// Every text that comes from outside is markup, and every rate is no number.
pub(crate) fn hostile() -> RunView {
    let text: Arc<str> = "<script>alert(1)</script>\u{1b}[31m".into();
    let mut view = small();
    for line in view.endpoints.iter_mut().chain([&mut view.total]) {
        (line.method, line.name) = (text.clone(), text.clone());
        (line.total_rps, line.current_rps) = (f64::NAN, f64::INFINITY);
        (line.total_failures_per_s, line.current_failures_per_s) = (f64::NEG_INFINITY, f64::NAN);
    }
    view.groups = view.endpoints.clone();
    view.errors = vec![error(&text, &text, &text, 1)];
    let nodes = vec![text.clone()];
    view.exceptions = vec![ExceptionView { count: 1, message: text.clone(), traceback: text.clone(), nodes }];
    view.generator_errors = vec![(text.clone(), 1)];
    view.validity.reasons = vec![(Verdict::Invalid, text.to_string())];
    view.thresholds = thresholds();
    view.thresholds.iter_mut().for_each(|result| (result.text, result.reason) = (text.clone(), Some(text.clone())));
    (view.run.scenario, view.run.host, view.run.profile) = (text.clone(), Some(text.clone()), Some(text.clone()));
    view.run.classes = vec![text.clone()];
    view.users_per_class = vec![(text, 1)];
    (view.elapsed_s, view.run.spawn_rate_per_s, view.run.run_time_s) = (f64::NAN, f64::INFINITY, Some(f64::NAN));
    let spoilt = HistoryPoint {
        width_s: f64::NAN,
        rps: f64::NAN,
        failures_per_s: f64::INFINITY,
        mean_us: Some(f64::NAN),
        ..view.history[0]
    };
    view.history.push(spoilt);
    view
}

fn recorded(digits: u8, values_us: impl Iterator<Item = u64>) -> Histogram {
    let mut histogram = Histogram::new(digits);
    values_us.for_each(|us| histogram.record(us));
    histogram
}

fn error(method: &str, name: &str, text: &str, occurrences: u64) -> ErrorView {
    ErrorView {
        method: method.into(),
        name: name.into(),
        error: text.into(),
        occurrences,
        first_seen_unix_ms: STARTED_UNIX_MS + 1_000,
        last_seen_unix_ms: STARTED_UNIX_MS + 3_500,
    }
}

/// A second with so many requests.
pub(crate) fn point(second: u64, users: u64, requests: u64, failures: u64) -> HistoryPoint {
    let measured = requests > 0;
    HistoryPoint {
        second,
        unix_ms: STARTED_UNIX_MS + second * 1_000,
        width_s: 1.0,
        users,
        requests,
        failures,
        rps: requests as f64,
        failures_per_s: failures as f64,
        mean_us: measured.then_some(9_000.0),
        p50_us: measured.then_some(6_000),
        p95_us: measured.then_some(30_000),
        p99_us: measured.then_some(80_000),
    }
}

/// A ramp of ten seconds, then a plateau with a stall of two seconds in which nothing ends.
fn busy_history() -> Vec<HistoryPoint> {
    let mut noise = Noise(3);
    let mut history = Vec::new();
    for second in 0..60 {
        let users = (second * 10 + 10).min(100);
        let wobble = 1.0 + 0.06 * noise.normal();
        let stalled = second == 40 || second == 41;
        let count = |rate: f64| if stalled { 0 } else { (users as f64 * rate * wobble.abs()) as u64 };
        let mut at = point(second, users, count(2.9), count(0.12));
        if !stalled {
            let p95_us = (31_000.0 * wobble * wobble) as u64;
            (at.p50_us, at.p95_us) = (Some((4_300.0 * wobble) as u64), Some(p95_us));
            at.p99_us = Some(p95_us * 2 + second * 300);
        }
        history.push(at);
    }
    history
}

/// A reproducible stream that looks normally distributed: the sum of twelve uniform numbers less six.
struct Noise(u64);

impl Noise {
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
