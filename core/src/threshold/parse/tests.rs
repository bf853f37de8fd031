use super::*;

fn read(text: &str) -> Threshold {
    parse(text, Options::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn every_form_is_read() {
    let sustained = |violated_s| Judged::Sustained { violated_s };
    for (text, metric, target, operator, limit, judged) in [
        (
            "p95(/products/[id]) < 300ms for 30s",
            Metric::Percentile(95_000),
            Some("/products/[id]"),
            Operator::Less,
            Unit::Microseconds.of(300_000),
            sustained(30),
        ),
        (
            "p99.9 < 1s",
            Metric::Percentile(99_900),
            None,
            Operator::Less,
            Unit::Microseconds.of(1_000_000),
            Judged::AtEnd,
        ),
        (
            "mean(GET /a) <= 50.5 ms",
            Metric::Mean,
            Some("GET /a"),
            Operator::LessOrEqual,
            Unit::Microseconds.of(50_500),
            Judged::AtEnd,
        ),
        (
            "median<1m30s",
            Metric::Percentile(50_000),
            None,
            Operator::Less,
            Unit::Microseconds.of(90_000_000),
            Judged::AtEnd,
        ),
        ("max < 2s for 1m", Metric::Max, None, Operator::Less, Unit::Microseconds.of(2_000_000), sustained(60)),
        ("min > 10us", Metric::Min, None, Operator::Greater, Unit::Microseconds.of(10), Judged::AtEnd),
        ("fail_ratio < 1%", Metric::FailRatio, None, Operator::Less, Unit::PartsPerMillion.of(10_000), Judged::AtEnd),
        (
            "fail_ratio( f(x) ) <= 0.5 %",
            Metric::FailRatio,
            Some("f(x)"),
            Operator::LessOrEqual,
            Unit::PartsPerMillion.of(5_000),
            Judged::AtEnd,
        ),
        ("fail_ratio == 0", Metric::FailRatio, None, Operator::Equal, Unit::PartsPerMillion.of(0), Judged::AtEnd),
        ("fail_ratio < 0.001", Metric::FailRatio, None, Operator::Less, Unit::PartsPerMillion.of(1_000), Judged::AtEnd),
        (
            "rps > 1000",
            Metric::Rps,
            None,
            Operator::Greater,
            Unit::MillionthsPerSecond.of(1_000_000_000),
            Judged::AtEnd,
        ),
        (
            "rps(\"for (b\" ) >= 2.5/s for 5s",
            Metric::Rps,
            Some("for (b"),
            Operator::GreaterOrEqual,
            Unit::MillionthsPerSecond.of(2_500_000),
            sustained(5),
        ),
        ("failures == 0", Metric::Failures, None, Operator::Equal, Unit::Count.of(0), Judged::AtEnd),
        ("requests >= 1000", Metric::Requests, None, Operator::GreaterOrEqual, Unit::Count.of(1_000), Judged::AtEnd),
        ("missed_arrivals == 0", Metric::MissedArrivals, None, Operator::Equal, Unit::Count.of(0), Judged::AtEnd),
        (
            "failures_per_s < 1/s",
            Metric::FailuresPerS,
            None,
            Operator::Less,
            Unit::MillionthsPerSecond.of(1_000_000),
            Judged::AtEnd,
        ),
    ] {
        let threshold = read(text);
        assert_eq!(
            (threshold.metric, threshold.target.as_deref(), threshold.operator, threshold.limit, threshold.judged),
            (metric, target, operator, limit, judged),
            "{text}"
        );
        assert_eq!((threshold.abort, threshold.after_s, &*threshold.text), (false, 0, text));
    }
}

#[test]
fn what_departs_from_the_grammar_is_refused_with_its_place() {
    for (text, column, reason) in [
        ("", 1, "the threshold ends here, expected a metric: p95, p99.9"),
        ("(/a) < 1s", 1, "found '(', expected a metric"),
        ("fail_rato < 1%", 1, "unknown metric `fail_rato`, did you mean `fail_ratio`? (allowed: p95, p99.9"),
        ("avg < 1s", 1, "did you mean `mean`?"),
        ("p(95) < 1s", 1, "unknown metric `p`"),
        ("p0 < 1s", 1, "`p0` is no percentile, expected one from p0.001 to p100"),
        ("p100.1 < 1s", 1, "is no percentile"),
        ("p99.9999 < 1s", 1, "is no percentile"),
        ("p95(/a < 1s", 4, "the bracket is never closed"),
        ("p95( ) < 1s", 4, "the brackets are empty"),
        ("p95 300ms", 5, "found '3', expected one of <, <=, >, >=, =="),
        ("p95", 4, "the threshold ends here, expected one of <"),
        ("  p95 => 300ms", 7, "found `=>`, expected one of <, <=, >, >=, ==, did you mean `>=`?"),
        ("ä < 1", 1, "found 'ä', expected a metric"),
        ("p95(ä) = 1s", 8, "did you mean `==`?"),
        ("p95 <", 6, "\"\" is no time, expected one such as 300ms"),
        ("p95 < 300", 7, "\"300\" has no unit, expected one such as 300ms or 300s"),
        ("p95 < 300 parsecs", 7, "has no unit that is known (us, ms, s, m, h)"),
        ("p95 < 0.5us", 7, "is not a whole number of microseconds"),
        ("p95 < -1ms", 7, "is no time"),
        ("p95 < 2h", 7, "is longer than 3600s"),
        ("p95 < 99999999999999999h", 7, "whole number of microseconds"),
        ("p95 < 1s during 5s", 7, "is no time"),
        ("fail_ratio < 1", 14, "may be a percent or the whole, expected 1% or 100%"),
        ("fail_ratio < 101%", 14, "is more than the whole"),
        ("fail_ratio < 0.00001%", 14, "is no share"),
        ("rps > 10/m", 7, "is no rate"),
        ("rps > 1000000001", 7, "is no rate"),
        ("requests >= 1.5", 13, "is no count"),
        ("p95 < 1s for", 13, "is no time"),
        ("p95 < 1s for 500ms", 14, "`for` takes whole seconds from 1s to 604800s"),
        ("p95 < 1s for 8000h", 14, "`for` takes whole seconds"),
        ("missed_arrivals(/a) == 0", 1, "are of the whole run and have no name"),
        ("missed_arrivals == 0 for 3s", 1, "take no `for`"),
    ] {
        let error = parse(text, Options::default()).expect_err(text);
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert_eq!(error.column, column, "{text}: {error}");
    }
    let long = format!("p95({}) < 1s", "x".repeat(THRESHOLD_CHARS_MAX));
    assert!(parse(&long, Options::default()).is_err());
}

#[test]
fn what_is_judged_early_waits_a_while_first() {
    let with = |text, abort, after_s| parse(text, Options { abort, after_s });
    let threshold = with("failures == 0", true, None).expect("parses");
    assert_eq!((threshold.judged, threshold.abort, threshold.after_s), (Judged::Continuously, true, 10));
    let threshold = with("failures == 0", true, Some(0)).expect("parses");
    assert_eq!(threshold.after_s, 0);
    let threshold = with("p95 < 1s for 5s", true, None).expect("parses");
    assert_eq!((threshold.judged, threshold.after_s), (Judged::Sustained { violated_s: 5 }, 0));
    let threshold = with("p95 < 1s for 5s", false, Some(60)).expect("parses");
    assert_eq!((threshold.abort, threshold.after_s), (false, 60));
    assert!(with("failures == 0", false, Some(5)).expect_err("no meaning").reason.contains("`after`"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}", metric in "(p[0-9.]{1,6}|rps|fail_ratio)", tail in "[(<>=) a-z0-9./%\"ä]{0,30}") {
        let _ = parse(&text, Options::default());
        let _ = parse(&format!("{metric}{tail}"), Options { abort: true, after_s: None });
    }
}
