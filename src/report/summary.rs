//! `--summary-json FILE`: everything about a run in Akrida's own form, described by `docs/summary.schema.json`.
//!
//! Times are microseconds, points in time UTC. A figure that does not exist (a percentile of no requests) is null.

use akrida_core::stats::histogram::Histogram;
use akrida_core::threshold::quantity::{Quantity, Unit};
use akrida_core::threshold::result::{self, ThresholdResult};
use akrida_core::view::validity::Validity;
use akrida_core::view::{ArrivalsView, EndpointView, ErrorView, ExceptionView, HistoryPoint, RunInfo, RunView};
use serde_json::{Map, Value, json};

use super::numbers::finite;
use super::percentiles::IN_SUMMARY;
use super::{load_text, utc};

/// The version of the form; it changes when a key changes its meaning or goes, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// The summary as indented JSON with a line end.
#[must_use]
pub fn to_text(view: &RunView) -> String {
    format!("{:#}\n", summary(view))
}

/// The summary of a run.
#[must_use]
pub fn summary(view: &RunView) -> Value {
    let mut summary = without_series(view);
    summary.insert("series".to_owned(), series(&view.history));
    Value::Object(summary)
}

/// The time series of a run.
#[must_use]
pub fn series(points: &[HistoryPoint]) -> Value {
    points.iter().map(point).collect()
}

/// The summary of a run but for its time series.
pub(super) fn without_series(view: &RunView) -> Map<String, Value> {
    let summary = json!({
        "schema_version": SCHEMA_VERSION,
        "akrida_version": env!("CARGO_PKG_VERSION"),
        "run": run(view),
        "totals": totals(view),
        "endpoints": view.endpoints.iter().map(line).collect::<Vec<_>>(),
        "groups": view.groups.iter().map(line).collect::<Vec<_>>(),
        "errors": view.errors.iter().map(error).collect::<Vec<_>>(),
        "exceptions": view.exceptions.iter().map(exception).collect::<Vec<_>>(),
        "generator_errors": generator_errors(view),
        "schedule_lag_us": view.schedule_lag.as_ref().map(distribution),
        "arrivals": view.arrivals.map(arrivals),
        "thresholds": view.thresholds.iter().map(threshold).collect::<Vec<_>>(),
        "validity": validity(&view.validity),
    });
    match summary {
        Value::Object(summary) => summary,
        _ => Map::new(),
    }
}

fn run(view: &RunView) -> Value {
    let RunInfo { scenario, host, profile, .. } = &view.run;
    let classes = view.users_per_class.iter().map(|(name, users)| json!({"name": &**name, "users": users}));
    let excluded = view.incidents.excluded_workers.iter();
    let excluded = excluded.map(|(name, reason)| json!({"name": name.to_string(), "reason": &**reason}));
    json!({
        "id": view.run.id.to_string(),
        "scenario": &**scenario,
        "host": host.as_deref(),
        "profile": profile.as_deref(),
        "model": load_text::model(view),
        "status": view.status.as_str(),
        "stop_reason": view.run.stop_reason.map(load_text::stop_reason),
        "started_at": utc::to_seconds(view.run.started_unix_ms),
        "started_unix_ms": view.run.started_unix_ms,
        "ended_at": view.run.ended_unix_ms.map(utc::to_seconds),
        "ended_unix_ms": view.run.ended_unix_ms,
        "statistics_since_unix_ms": view.run.statistics_since_unix_ms,
        "elapsed_s": finite(view.elapsed_s),
        "warm_up_s": finite(view.run.warm_up_s),
        "target_users": view.run.target_users,
        "users_max": view.run.users_max,
        "stages": view.run.stages,
        "spawn_rate_per_s": finite(view.run.spawn_rate_per_s),
        "run_time_s": view.run.run_time_s.map(finite),
        "users": view.user_count,
        "classes": classes.collect::<Vec<_>>(),
        "excluded_workers": excluded.collect::<Vec<_>>(),
    })
}

fn totals(view: &RunView) -> Value {
    let mut totals = figures(&view.total);
    totals.insert("http_exchanges".to_owned(), view.http_exchanges.into());
    totals.insert("interrupted".to_owned(), view.interrupted.into());
    Value::Object(totals)
}

fn line(line: &EndpointView) -> Value {
    let mut object = Map::new();
    object.insert("method".to_owned(), (&*line.method).into());
    object.insert("name".to_owned(), (&*line.name).into());
    object.extend(figures(line));
    Value::Object(object)
}

fn figures(line: &EndpointView) -> Map<String, Value> {
    let figures = [
        ("requests", line.requests.into()),
        ("failures", line.failures.into()),
        ("fail_ratio", line.fail_ratio().into()),
        ("rps", finite(line.total_rps).into()),
        ("failures_per_s", finite(line.total_failures_per_s).into()),
        ("content_bytes", line.content_bytes.into()),
        ("mean_content_bytes", line.mean_content_bytes().into()),
        ("latency_us", distribution(&line.latency)),
        ("service_latency_us", line.service_latency.as_ref().map_or(Value::Null, distribution)),
        ("ok_latency_us", distribution(&line.ok_latency)),
        ("connect_us", distribution(&line.connect)),
        ("tls_us", distribution(&line.tls)),
        ("first_byte_us", distribution(&line.first_byte)),
    ];
    figures.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn distribution(histogram: &Histogram) -> Value {
    let figures = [
        ("count", histogram.count().into()),
        ("min", histogram.min_us().into()),
        ("mean", histogram.mean_us().into()),
        ("max", histogram.max_us().into()),
    ];
    let percentiles = IN_SUMMARY.map(|(quantile, key)| (key, histogram.quantile_us(quantile).into()));
    let all = figures.into_iter().chain(percentiles);
    Value::Object(all.map(|(key, value): (&str, Value)| (key.to_owned(), value)).collect())
}

fn error(error: &ErrorView) -> Value {
    json!({
        "method": &*error.method,
        "name": &*error.name,
        "error": &*error.error,
        "occurrences": error.occurrences,
        "first_seen_unix_ms": error.first_seen_unix_ms,
        "last_seen_unix_ms": error.last_seen_unix_ms,
    })
}

fn exception(exception: &ExceptionView) -> Value {
    json!({
        "count": exception.count,
        "message": &*exception.message,
        "traceback": &*exception.traceback,
        "nodes": exception.nodes.iter().map(|node| &**node).collect::<Vec<_>>(),
    })
}

fn generator_errors(view: &RunView) -> Value {
    view.generator_errors.iter().map(|(kind, count)| json!({"kind": &**kind, "count": count})).collect()
}

fn arrivals(arrivals: ArrivalsView) -> Value {
    json!({
        "peak_rate_per_s": arrivals.peak.as_per_second(),
        "distribution": arrivals.distribution.as_str(),
        "due": arrivals.due,
        "started": arrivals.started,
        "late": arrivals.late,
        "dropped": arrivals.dropped,
        "missed": arrivals.missed,
    })
}

fn threshold(result: &ThresholdResult) -> Value {
    let verdict = match result.verdict {
        result::Verdict::Passed => "passed",
        result::Verdict::Failed => "failed",
        result::Verdict::Aborted => "aborted",
        result::Verdict::NoData => "no_data",
    };
    let (observed, unit) = result.observed.map(observed).unzip();
    let violation = result.violation;
    let violation = violation.map(|span| json!({"since_s": span.since_s, "failed_at_s": span.failed_at_s}));
    json!({
        "text": &*result.text,
        "verdict": verdict,
        "observed": observed,
        "unit": unit,
        "violation": violation,
        "reason": result.reason.as_deref(),
    })
}

/// A figure as a number, and its unit: shares of the whole and rates per second are fractions.
fn observed(quantity: Quantity) -> (Value, &'static str) {
    let millionths = quantity.value as f64 / 1e6;
    match quantity.unit {
        Unit::Microseconds => (quantity.value.into(), "us"),
        Unit::PartsPerMillion => (millionths.into(), "ratio"),
        Unit::MillionthsPerSecond => (millionths.into(), "per_s"),
        Unit::Count => (quantity.value.into(), "count"),
    }
}

fn validity(validity: &Validity) -> Value {
    let reasons =
        validity.reasons.iter().map(|(verdict, reason)| json!({"verdict": verdict.as_str(), "reason": reason}));
    json!({"verdict": validity.verdict.as_str(), "reasons": reasons.collect::<Vec<_>>()})
}

fn point(point: &HistoryPoint) -> Value {
    json!({
        "second": point.second,
        "unix_ms": point.unix_ms,
        "width_s": finite(point.width_s),
        "users": point.users,
        "requests": point.requests,
        "failures": point.failures,
        "rps": finite(point.rps),
        "failures_per_s": finite(point.failures_per_s),
        "mean_us": point.mean_us.map(finite),
        "p50_us": point.p50_us,
        "p95_us": point.p95_us,
        "p99_us": point.p99_us,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample_view;
    use super::*;

    fn schema() -> Value {
        serde_json::from_str(include_str!("../../docs/summary.schema.json")).expect("the schema is JSON")
    }

    fn problems(instance: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(&schema()).expect("the schema is a schema");
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn what_is_written_follows_the_published_schema() {
        for view in [
            sample_view::small(),
            sample_view::busy(),
            sample_view::open(),
            sample_view::empty(),
            sample_view::hostile(),
        ] {
            let read: Value = serde_json::from_str(&to_text(&view)).expect("it is JSON");
            assert_eq!(problems(&read), Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_refuses_what_it_does_not_describe() {
        let good = summary(&sample_view::open());
        for (at, value) in [
            ("/totals/requests", json!(-1)),
            ("/totals/latency_us/p99", json!("fast")),
            ("/validity/verdict", json!("FINE")),
            ("/endpoints/0", json!({"name": "/"})),
            ("/run", json!({})),
            ("/run/model", json!("ajar")),
            ("/arrivals/due", json!(null)),
            ("/arrivals/distribution", json!("normal")),
            ("/totals/service_latency_us", json!({"p99": 1})),
            ("/thresholds/0/verdict", json!("kept")),
            ("/thresholds/1/violation", json!({"since_s": 1})),
            ("/series/0/width_s", json!(null)),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(at).expect("it is there") = value;
            assert!(!problems(&bad).is_empty(), "{at}");
        }
        let mut bad = good;
        bad["totals"]["surprise"] = json!(1);
        assert!(!problems(&bad).is_empty());
    }

    #[test]
    fn figures_are_those_of_the_histograms() {
        let summary = summary(&sample_view::small());
        let totals = &summary["totals"];
        assert_eq!(
            (&totals["requests"], &totals["failures"], &totals["http_exchanges"]),
            (&json!(8), &json!(3), &json!(9))
        );
        assert_eq!((&totals["fail_ratio"], &totals["rps"]), (&json!(0.375), &json!(2.0)));
        assert_eq!(totals["latency_us"]["count"], json!(8));
        assert_eq!(totals["latency_us"]["max"], json!(331_000));
        assert_eq!(totals["latency_us"]["mean"], json!(90_601.25));
        assert_eq!(summary["endpoints"][0]["ok_latency_us"]["count"], json!(4));
        assert_eq!(summary["endpoints"][0]["latency_us"]["p50"], json!(9_991), "the top of the bucket of 9 990");
        assert_eq!(summary["endpoints"][0]["latency_us"]["p99.99"], json!(49_000));
        assert_eq!((&summary["thresholds"], &summary["arrivals"]), (&json!([]), &Value::Null));
        assert_eq!((&totals["service_latency_us"], &summary["run"]["model"]), (&Value::Null, &json!("closed")));
        assert_eq!(summary["validity"], json!({"verdict": "VALID", "reasons": []}));
        assert_eq!(summary["run"]["started_at"], json!("2026-11-24T21:57:56Z"));
    }

    #[test]
    fn an_open_model_has_its_arrivals_and_both_latencies() {
        let summary = summary(&sample_view::open());
        assert_eq!((&summary["run"]["model"], &summary["run"]["warm_up_s"]), (&json!("open"), &json!(10.0)));
        assert_eq!(summary["arrivals"]["dropped"], json!(2));
        for of in [&summary["totals"], &summary["endpoints"][0]] {
            let max = |key: &str| of[key]["max"].as_u64().expect("a figure");
            assert!(max("latency_us") >= max("service_latency_us") + 19_000, "{of}");
        }
    }

    #[test]
    fn thresholds_have_their_verdict_and_their_figure_in_its_unit() {
        let summary = summary(&sample_view::busy());
        let of = |at: usize, key: &str| summary["thresholds"][at][key].clone();
        assert_eq!([0, 1, 2, 3].map(|at| of(at, "verdict")), ["passed", "failed", "aborted", "no_data"]);
        assert_eq!((of(0, "observed"), of(0, "unit")), (json!(261.7), json!("per_s")));
        assert_eq!((of(1, "observed"), of(1, "unit")), (json!(6_400), json!("us")));
        assert_eq!(of(1, "violation"), json!({"since_s": 21, "failed_at_s": 51}));
        assert_eq!((of(3, "observed"), of(3, "unit"), of(3, "violation")), (Value::Null, Value::Null, Value::Null));
        assert_eq!(of(3, "reason"), json!("no requests"));
    }

    #[test]
    fn figures_that_do_not_exist_are_null() {
        let summary = summary(&sample_view::empty());
        let expected = json!({
            "count": 0, "min": null, "mean": null, "max": null,
            "p50": null, "p75": null, "p90": null, "p95": null, "p99": null, "p99.9": null, "p99.99": null,
        });
        assert_eq!(summary["totals"]["latency_us"], expected);
        assert_eq!(summary["schedule_lag_us"], Value::Null);
    }
}
