use proptest::prelude::*;

use super::super::parse::{Options, parse};
use super::*;
use crate::ids::WorkerId;
use crate::stats::delta::Interval;
use crate::stats::endpoint::EndpointKey;
use crate::stats::measurements::Measurements;
use crate::stats::run::{MergedIntervals, RunStats};

/// A run whose seconds are added one by one.
#[derive(Default)]
struct Scene {
    stats: RunStats,
    watch: ThresholdWatch,
    missed_arrivals: u64,
}

impl Scene {
    fn figures(&self) -> Figures<'_> {
        Figures { stats: &self.stats, missed_arrivals: self.missed_arrivals }
    }

    /// Merges a second in which requests took so long; those below 0 failed in that time.
    fn merge(&mut self, worker: &str, second: u64, samples: &[(&EndpointKey, i64)]) {
        let mut measurements = Measurements::default();
        for (key, us) in samples {
            let measured = measurements.endpoints.entry((*key).clone()).or_default();
            let latency = if *us < 0 { &mut measured.failed_latency } else { &mut measured.ok_latency };
            latency.record(us.unsigned_abs());
        }
        let (from_us, to_us) = (second * 1_000_000, (second + 1) * 1_000_000);
        let segment = self.stats.segment;
        let interval = Interval { from_us, to_us, segment, users: vec![1], cpu_permille: 0, measurements };
        let mut intervals = MergedIntervals::default();
        intervals.add(&WorkerId(worker.into()), &interval);
        self.stats.merge(&intervals);
    }

    /// Merges and judges a second in which requests of `GET /a` took so long.
    fn second(&mut self, thresholds: &[Threshold], second: u64, latencies_us: &[i64]) {
        let key = EndpointKey::request("GET", "/a");
        let samples: Vec<_> = latencies_us.iter().map(|us| (&key, *us)).collect();
        self.merge("w", second, &samples);
        self.judge(thresholds, second + 1);
    }

    fn judge(&mut self, thresholds: &[Threshold], complete_s: u64) {
        let figures = Figures { stats: &self.stats, missed_arrivals: self.missed_arrivals };
        self.watch.advance(thresholds, &figures, complete_s);
    }

    fn result(&self, thresholds: &[Threshold]) -> ThresholdResult {
        self.watch.results(thresholds, &self.figures()).remove(0)
    }
}

fn threshold(text: &str) -> Vec<Threshold> {
    vec![parse(text, Options::default()).expect(text)]
}

fn aborting(text: &str, after_s: Option<u32>) -> Vec<Threshold> {
    vec![parse(text, Options { abort: true, after_s }).expect(text)]
}

/// The verdict on everything measured in one run of two seconds.
fn at_end(text: &str, samples: &[(&EndpointKey, i64)]) -> ThresholdResult {
    let mut scene = Scene::default();
    let thresholds = threshold(text);
    scene.merge("w", 0, samples);
    scene.merge("w", 1, &[]);
    scene.judge(&thresholds, 2);
    scene.result(&thresholds)
}

#[test]
fn limits_are_compared_exactly_at_the_boundary() {
    let (a, b) = (EndpointKey::request("GET", "/a"), EndpointKey::request("POST", "/a"));
    let group = EndpointKey::group("checkout");
    let samples = [(&a, 1_000), (&a, 1_001), (&b, -3_000), (&group, 9_000)];
    for (text, verdict, observed) in [
        ("max < 3ms", Verdict::Failed, "3ms"),
        ("max <= 3ms", Verdict::Passed, "3ms"),
        ("min > 1ms", Verdict::Failed, "1ms"),
        ("min >= 1ms", Verdict::Passed, "1ms"),
        ("mean(GET /a) <= 1ms", Verdict::Failed, "1.001ms"),
        ("mean(GET /a) < 1001us", Verdict::Passed, "1.001ms"),
        ("median == 1001us", Verdict::Passed, "1.001ms"),
        ("p100(checkout) <= 9ms", Verdict::Passed, "9ms"),
        ("requests(GROUP checkout) == 1", Verdict::Passed, "1"),
        ("fail_ratio <= 33.3333%", Verdict::Failed, "33.3333%"),
        ("fail_ratio < 33.3334%", Verdict::Passed, "33.3333%"),
        ("fail_ratio(POST /a) == 100%", Verdict::Passed, "100%"),
        ("rps == 1.5", Verdict::Passed, "1.5/s"),
        ("rps(/a) > 1.5/s", Verdict::Failed, "1.5/s"),
        ("failures_per_s >= 0.5", Verdict::Passed, "0.5/s"),
        ("requests >= 3", Verdict::Passed, "3"),
        ("requests > 3", Verdict::Failed, "3"),
        ("failures == 0", Verdict::Failed, "1"),
        ("failures(GET /a) == 0", Verdict::Passed, "0"),
        ("missed_arrivals == 0", Verdict::Passed, "0"),
    ] {
        let result = at_end(text, &samples);
        assert_eq!(
            (result.verdict, result.observed.map(|q| q.to_string()).as_deref()),
            (verdict, Some(observed)),
            "{text}"
        );
        assert_eq!((result.violation, result.reason), (None, None), "{text}");
    }
}

#[test]
fn what_was_not_measured_is_not_kept() {
    let a = EndpointKey::request("GET", "/a");
    for text in ["p95(/b) < 1s", "failures(/b) == 0", "requests(PUT /a) < 5"] {
        let result = at_end(text, &[(&a, 5)]);
        assert_eq!((result.verdict, result.observed), (Verdict::Failed, None), "{text}");
        assert_eq!(result.to_string(), format!("{text}: failed, no requests of that name"));
    }
    for (text, verdict) in [
        ("p95 < 1s", Verdict::NoData),
        ("fail_ratio < 1%", Verdict::NoData),
        ("mean < 1s for 1s", Verdict::NoData),
        ("rps > 1", Verdict::Failed),
        ("failures == 0", Verdict::Passed),
    ] {
        let result = at_end(text, &[]);
        assert_eq!((result.verdict, result.verdict.is_kept()), (verdict, verdict == Verdict::Passed), "{text}");
    }
}

#[test]
fn a_name_with_a_request_and_a_group_means_the_requests() {
    let (request, group) = (EndpointKey::request("GET", "x"), EndpointKey::group("x"));
    let samples = [(&request, 10), (&group, 20)];
    assert_eq!(at_end("max(x) == 10us", &samples).verdict, Verdict::Passed);
    assert_eq!(at_end("max(GROUP x) == 20us", &samples).verdict, Verdict::Passed);
}

#[test]
fn missed_arrivals_come_from_outside_the_statistics() {
    let scene = Scene { missed_arrivals: 3, ..Scene::default() };
    assert_eq!(scene.result(&threshold("missed_arrivals == 0")).to_string(), "missed_arrivals == 0: failed, was 3");
}

#[test]
fn a_sustained_threshold_fails_after_so_many_seconds_without_a_break() {
    let thresholds = threshold("max < 1ms for 12s");
    let mut scene = Scene::default();
    // One slow request is in the window for ten seconds: not long enough.
    scene.second(&thresholds, 0, &[2_000]);
    (1..15).for_each(|second| scene.second(&thresholds, second, &[10]));
    assert_eq!(scene.result(&thresholds).to_string(), "max < 1ms for 12s: passed, was 2ms");
    // Two of them, two seconds apart, are in it for twelve.
    scene.second(&thresholds, 15, &[3_000]);
    scene.second(&thresholds, 16, &[10]);
    scene.second(&thresholds, 17, &[4_000]);
    (18..26).for_each(|second| scene.second(&thresholds, second, &[10]));
    assert_eq!(scene.result(&thresholds).verdict, Verdict::Passed);
    scene.second(&thresholds, 26, &[10]);
    let failed = scene.result(&thresholds);
    assert_eq!(failed.to_string(), "max < 1ms for 12s: failed, was 4ms, violated from 15s to 27s");
    (27..60).for_each(|second| scene.second(&thresholds, second, &[10]));
    assert_eq!(scene.result(&thresholds), failed, "a failure stands");
    assert_eq!(scene.watch.aborting(&thresholds), None);
}

#[test]
fn a_window_without_requests_pauses_the_streak() {
    let thresholds = threshold("max < 1ms for 12s");
    let mut scene = Scene::default();
    scene.second(&thresholds, 0, &[2_000]);
    (1..40).for_each(|second| scene.second(&thresholds, second, &[]));
    assert_eq!(scene.result(&thresholds).verdict, Verdict::Passed, "violated for ten seconds, then nothing");
    scene.second(&thresholds, 40, &[2_000]);
    scene.second(&thresholds, 41, &[]);
    let violation = Some(Violation { since_s: 0, failed_at_s: 42 });
    assert_eq!((scene.result(&thresholds).verdict, scene.result(&thresholds).violation), (Verdict::Failed, violation));
}

#[test]
fn a_window_is_shorter_at_the_start_and_ends_at_the_watermark() {
    let thresholds = threshold("rps >= 4 for 1s");
    let mut scene = Scene::default();
    scene.second(&thresholds, 0, &[1; 4]);
    assert_eq!(scene.result(&thresholds).observed.map(|q| q.value), Some(4_000_000));
    // A faster worker is ahead: its seconds wait for the others.
    let key = EndpointKey::request("GET", "/a");
    scene.merge("fast", 2, &[(&key, 1); 50]);
    scene.merge("fast", 1, &[(&key, 1); 3]);
    scene.judge(&thresholds, 2);
    let result = scene.result(&thresholds);
    assert_eq!((result.verdict, result.observed.map(|q| q.value)), (Verdict::Failed, Some(3_500_000)));
}

#[test]
fn a_second_is_judged_once_and_skipped_ones_count() {
    let thresholds = threshold("max < 1ms for 3s");
    let mut scene = Scene::default();
    for _ in 0..5 {
        scene.second(&thresholds, 0, &[2_000]);
    }
    assert_eq!(scene.result(&thresholds).verdict, Verdict::Passed);
    scene.merge("w", 1, &[]);
    scene.second(&thresholds, 2, &[]);
    let violation = Some(Violation { since_s: 0, failed_at_s: 3 });
    assert_eq!((scene.result(&thresholds).verdict, scene.result(&thresholds).violation), (Verdict::Failed, violation));
}

#[test]
fn a_threshold_that_aborts_is_judged_on_the_totals_after_a_while() {
    let thresholds = aborting("fail_ratio < 10%", None);
    let mut scene = Scene::default();
    (0..9).for_each(|second| scene.second(&thresholds, second, &[-1]));
    assert_eq!(scene.watch.aborting(&thresholds), None);
    scene.second(&thresholds, 9, &[-1]);
    assert_eq!(scene.watch.aborting(&thresholds), Some(0));
    (10..200).for_each(|second| scene.second(&thresholds, second, &[1; 10]));
    let result = scene.result(&thresholds);
    assert_eq!((result.verdict, result.observed.map(|q| q.value)), (Verdict::Aborted, Some(1_000_000)));
}

#[test]
fn a_count_aborts_only_when_it_can_no_longer_keep_the_limit() {
    let thresholds = [aborting("requests >= 4", Some(0)), aborting("requests == 4", Some(0))].concat();
    let mut scene = Scene::default();
    (0..4).for_each(|second| scene.second(&thresholds, second, &[1]));
    assert_eq!(scene.watch.aborting(&thresholds), None);
    scene.second(&thresholds, 4, &[1]);
    assert_eq!(scene.watch.aborting(&thresholds), Some(1));
    let verdicts: Vec<_> = scene.watch.results(&thresholds, &scene.figures()).iter().map(|r| r.verdict).collect();
    assert_eq!(verdicts, [Verdict::Passed, Verdict::Aborted]);
}

#[test]
fn nothing_is_judged_before_after() {
    let thresholds = vec![parse("max < 1ms for 2s", Options { abort: false, after_s: Some(20) }).expect("parses")];
    let mut scene = Scene::default();
    (0..10).for_each(|second| scene.second(&thresholds, second, &[2_000]));
    let over = scene.result(&thresholds);
    assert_eq!(over.to_string(), "max < 1ms for 2s: passed, the run was over before it was judged");
    (10..30).for_each(|second| scene.second(&thresholds, second, &[10]));
    assert_eq!(scene.result(&thresholds).to_string(), "max < 1ms for 2s: passed, was 10us");
}

#[test]
fn a_reset_of_the_statistics_begins_anew() {
    let thresholds = threshold("max < 1ms for 2s");
    let mut scene = Scene::default();
    (0..5).for_each(|second| scene.second(&thresholds, second, &[2_000]));
    assert_eq!(scene.result(&thresholds).verdict, Verdict::Failed);
    scene.stats.reset(1, 5_500_000);
    assert_eq!(scene.result(&thresholds).reason.as_deref(), Some("no requests"));
    scene.second(&thresholds, 5, &[2_000]);
    assert_eq!(scene.result(&thresholds).verdict, Verdict::Passed);
    scene.second(&thresholds, 6, &[2_000]);
    assert_eq!(scene.result(&thresholds).violation, Some(Violation { since_s: 5, failed_at_s: 7 }));
}

/// What `max < 1ms for SPANs` comes to, from the definition: the first second at whose end the windows of the last SPAN
/// seconds all held a slow request.
fn first_failure(slow: &[bool], span: usize) -> Option<u64> {
    let violated = |end: usize| slow[end.saturating_sub(10)..end].iter().any(|slow| *slow);
    let ends = (span..=slow.len()).find(|end| (end + 1 - span..=*end).all(violated));
    ends.map(|end| end as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_streak_is_that_of_the_definition(slow in prop::collection::vec(prop::bool::weighted(0.1), 1..60), span in 1_usize..30) {
        let thresholds = threshold(&format!("max < 1ms for {span}s"));
        let mut scene = Scene::default();
        for (second, slow) in slow.iter().enumerate() {
            scene.second(&thresholds, second as u64, &[if *slow { 1_000 } else { 999 }]);
        }
        let failed_at = scene.result(&thresholds).violation.map(|violation| violation.failed_at_s);
        prop_assert_eq!(failed_at, first_failure(&slow, span));
    }

    #[test]
    fn percentiles_are_those_of_the_histogram(latencies in prop::collection::vec(1_i64..5_000_000, 1..200), thousandths in 1_u32..=100_000) {
        let mut scene = Scene::default();
        let percent = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
        let thresholds = threshold(&format!("p{percent} < 1s"));
        scene.second(&thresholds, 0, &latencies);
        let total = scene.stats.total.total().latency();
        let wanted = total.quantile_us(f64::from(thousandths) / 100_000.0);
        let result = scene.result(&thresholds);
        prop_assert_eq!(result.observed.map(|q| q.value), wanted);
        prop_assert_eq!(result.verdict.is_kept(), wanted.is_some_and(|us| us < 1_000_000));
    }

    #[test]
    fn the_order_in_which_workers_are_merged_changes_nothing(latencies in prop::collection::vec((0_u64..3, -9_i64..9), 1..60)) {
        let thresholds = [threshold("fail_ratio < 40% for 2s"), threshold("mean < 5us"), threshold("rps > 2 for 3s")].concat();
        let key = EndpointKey::request("GET", "/a");
        let run = |workers: &[u64]| {
            let mut scene = Scene::default();
            for second in 0..10 {
                for worker in workers {
                    let own = latencies.iter().enumerate().filter(|(at, (owner, _))| owner == worker && *at as u64 % 10 == second);
                    let samples: Vec<_> = own.map(|(_, (_, us))| (&key, *us)).collect();
                    scene.merge(&worker.to_string(), second, &samples);
                }
                scene.judge(&thresholds, second + 1);
            }
            (scene.watch.clone(), scene.watch.results(&thresholds, &scene.figures()))
        };
        prop_assert_eq!(run(&[0, 1, 2]), run(&[2, 0, 1]));
    }
}
