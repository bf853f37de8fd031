//! The answer of `/stats/requests`, with Locust's keys.
//!
//! Percentiles are whole milliseconds from 10 ms up, as in Locust, and have two decimals below, where whole ones would
//! be mostly zero; readers see a JSON number either way. `workers` and `worker_count` are not part of a run and are
//! added by whoever knows the workers.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, ErrorView, RunView};
use serde_json::{Map, Value, json};

use super::numbers::finite;
use super::{milliseconds, utc};

/// The percentiles of a row, with the suffix of their key.
const IN_ROWS: [(f64, &str); 2] = [(0.95, "0.95"), (0.99, "0.99")];

/// The percentiles of the chart, with the suffix of their key.
const IN_CHART: [(f64, &str); 2] = [(0.5, "0.5"), (0.95, "0.95")];

/// The state of a run and its statistics; rows by name and method, the aggregate last.
#[must_use]
pub fn stats_requests(view: &RunView) -> Value {
    json!({
        "state": view.status.as_str(),
        "user_count": view.user_count,
        "stats": view.endpoints.iter().chain([&view.total]).map(row).collect::<Vec<_>>(),
        "errors": view.errors.iter().map(error).collect::<Vec<_>>(),
        "total_rps": finite(view.total.total_rps),
        "total_fail_per_sec": finite(view.total.total_failures_per_s),
        "current_rps": finite(view.total.current_rps),
        "current_fail_per_sec": finite(view.total.current_failures_per_s),
        "fail_ratio": view.total.fail_ratio(),
        "current_response_time_percentiles": percentiles(&view.total.current_latency, &IN_CHART, &Value::Null),
    })
}

fn row(line: &EndpointView) -> Value {
    let rounded = |us: Option<u64>| milliseconds::whole(us.unwrap_or(0)) as f64;
    let mut row = json!({
        "method": &*line.method,
        "name": &*line.name,
        "num_requests": line.requests,
        "num_failures": line.failures,
        "min_response_time": rounded(line.latency.min_us()),
        "max_response_time": rounded(line.latency.max_us()),
        "current_rps": finite(line.current_rps),
        "current_fail_per_sec": finite(line.current_failures_per_s),
        "avg_response_time": line.latency.mean_us().unwrap_or(0.0) / 1e3,
        "median_response_time": line.latency.quantile_us(0.5).map_or(json!(0), milliseconds::as_json),
        "total_rps": finite(line.total_rps),
        "total_fail_per_sec": finite(line.total_failures_per_s),
    });
    if let Some(row) = row.as_object_mut() {
        row.extend(percentiles(&line.latency, &IN_ROWS, &json!(0)));
        row.insert("avg_content_length".to_owned(), line.mean_content_bytes().into());
    }
    row
}

fn percentiles(latency: &Histogram, wanted: &[(f64, &str)], absent: &Value) -> Map<String, Value> {
    let pairs = wanted.iter().map(|(quantile, suffix)| {
        let value = latency.quantile_us(*quantile).map_or_else(|| absent.clone(), milliseconds::as_json);
        (format!("response_time_percentile_{suffix}"), value)
    });
    pairs.collect()
}

fn error(error: &ErrorView) -> Value {
    json!({
        "method": &*error.method,
        "name": &*error.name,
        "error": &*error.error,
        "occurrences": error.occurrences,
        "first_seen": utc::unix_s(error.first_seen_unix_ms),
        "last_seen": utc::unix_s(error.last_seen_unix_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample_view;
    use super::*;

    #[test]
    fn rows_and_totals_are_locusts() {
        let answer = stats_requests(&sample_view::small());
        let expected = json!({
            "method": "POST", "name": "/slow/endpoint", "num_requests": 3, "num_failures": 2,
            "min_response_time": 100.0, "max_response_time": 331.0,
            "current_rps": 0.9375, "current_fail_per_sec": 0.625,
            "avg_response_time": 217.1, "median_response_time": 220,
            "total_rps": 0.75, "total_fail_per_sec": 0.5,
            "response_time_percentile_0.95": 331, "response_time_percentile_0.99": 331,
            "avg_content_length": 123.0,
        });
        assert_eq!(answer["stats"][1], expected);
        assert_eq!(answer["stats"][2]["name"], "Aggregated");
        assert_eq!((&answer["state"], &answer["user_count"]), (&json!("stopped"), &json!(2)));
        assert_eq!((&answer["total_rps"], &answer["fail_ratio"]), (&json!(2.0), &json!(0.375)));
        let expected = json!({"response_time_percentile_0.5": 13, "response_time_percentile_0.95": 331});
        assert_eq!(answer["current_response_time_percentiles"], expected);
        let expected = json!({
            "method": "GET", "name": "/", "error": "status 503 is not 200", "occurrences": 1,
            "first_seen": 1_795_557_477.7, "last_seen": 1_795_557_480.2,
        });
        assert_eq!(answer["errors"][0], expected);
    }

    #[test]
    fn the_median_of_a_fast_target_is_not_zero() {
        assert_eq!(stats_requests(&sample_view::small())["stats"][0]["median_response_time"], json!(9.99));
    }

    #[test]
    fn an_empty_run_has_zeros_and_no_current_percentiles() {
        let answer = stats_requests(&sample_view::empty());
        assert_eq!(answer["stats"].as_array().map(Vec::len), Some(1));
        assert_eq!(answer["stats"][0]["response_time_percentile_0.99"], json!(0));
        assert_eq!(answer["current_response_time_percentiles"]["response_time_percentile_0.5"], Value::Null);
    }

    #[test]
    fn what_is_no_number_becomes_zero() {
        let answer = stats_requests(&sample_view::hostile());
        assert_eq!((&answer["total_rps"], &answer["current_rps"]), (&json!(0.0), &json!(0.0)));
    }
}
