//! `--summary-json FILE`: everything about a run in Akrida's own form, described by `docs/summary.schema.json`.
//!
//! Times are microseconds, points in time UTC. A figure that does not exist (a percentile of no requests) is null.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::validity::Validity;
use akrida_core::view::{EndpointView, ErrorView, ExceptionView, HistoryPoint, RunInfo, RunView};
use serde_json::{Map, Value, json};

use super::numbers::finite;
use super::percentiles::IN_SUMMARY;
use super::utc;

/// The version of the form; it changes when a key changes its meaning or goes, not when one is added.
pub const SCHEMA_VERSION: u32 = 1;

/// The summary as indented JSON with a line end.
#[must_use]
pub fn to_text(view: &RunView, thresholds: &[Value]) -> String {
    format!("{:#}\n", summary(view, thresholds))
}

/// The summary of a run and of the thresholds it was held to.
#[must_use]
pub fn summary(view: &RunView, thresholds: &[Value]) -> Value {
    json!({
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
        "thresholds": thresholds,
        "validity": validity(&view.validity),
        "series": view.history.iter().map(point).collect::<Vec<_>>(),
    })
}

fn run(view: &RunView) -> Value {
    let RunInfo { scenario, host, profile, .. } = &view.run;
    let classes = view.users_per_class.iter().map(|(name, users)| json!({"name": &**name, "users": users}));
    json!({
        "id": view.run.id.to_string(),
        "scenario": &**scenario,
        "host": host.as_deref(),
        "profile": profile.as_deref(),
        "status": view.status.as_str(),
        "started_at": utc::to_seconds(view.run.started_unix_ms),
        "started_unix_ms": view.run.started_unix_ms,
        "ended_at": view.run.ended_unix_ms.map(utc::to_seconds),
        "ended_unix_ms": view.run.ended_unix_ms,
        "statistics_since_unix_ms": view.run.statistics_since_unix_ms,
        "elapsed_s": finite(view.elapsed_s),
        "target_users": view.run.target_users,
        "spawn_rate_per_s": finite(view.run.spawn_rate_per_s),
        "run_time_s": view.run.run_time_s.map(finite),
        "users": view.user_count,
        "classes": classes.collect::<Vec<_>>(),
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

fn validity(validity: &Validity) -> Value {
    let reasons =
        validity.reasons.iter().map(|(verdict, reason)| json!({"verdict": verdict.as_str(), "reason": reason}));
    json!({"verdict": validity.verdict.as_str(), "reasons": reasons.collect::<Vec<_>>()})
}

fn point(point: &HistoryPoint) -> Value {
    json!({
        "second": point.second,
        "unix_ms": point.unix_ms,
        "users": point.users,
        "rps": finite(point.rps),
        "failures_per_s": finite(point.failures_per_s),
        "mean_us": finite(point.mean_us),
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
        let views = [sample_view::small(), sample_view::busy(), sample_view::empty(), sample_view::hostile()];
        for view in views {
            let read: Value = serde_json::from_str(&to_text(&view, &[])).expect("it is JSON");
            assert_eq!(problems(&read), Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_refuses_what_it_does_not_describe() {
        let good = summary(&sample_view::busy(), &[]);
        for (at, value) in [
            ("/totals/requests", json!(-1)),
            ("/totals/latency_us/p99", json!("fast")),
            ("/validity/verdict", json!("FINE")),
            ("/endpoints/0", json!({"name": "/"})),
            ("/run", json!({})),
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
        let summary = summary(&sample_view::small(), &[json!({"metric": "p99"})]);
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
        assert_eq!(summary["thresholds"], json!([{"metric": "p99"}]));
        assert_eq!(summary["validity"], json!({"verdict": "VALID", "reasons": []}));
        assert_eq!(summary["run"]["started_at"], json!("2026-11-24T21:57:56Z"));
    }

    #[test]
    fn figures_that_do_not_exist_are_null() {
        let summary = summary(&sample_view::empty(), &[]);
        let expected = json!({
            "count": 0, "min": null, "mean": null, "max": null,
            "p50": null, "p75": null, "p90": null, "p95": null, "p99": null, "p99.9": null, "p99.99": null,
        });
        assert_eq!(summary["totals"]["latency_us"], expected);
        assert_eq!(summary["schedule_lag_us"], Value::Null);
    }
}
