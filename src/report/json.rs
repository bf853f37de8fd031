//! `--json` and `--json-file`: the entries in Locust's form.
//!
//! What a histogram cannot tell apart is not made up: the counts per second are known only for all requests together,
//! so `num_reqs_per_sec` and `num_fail_per_sec` are empty unless the series is certainly that of the entry, which is
//! so when there is one endpoint, no point covers several seconds, and the series adds up to its requests. `last_request_timestamp` is the end of the
//! measured span, so that requests divided by the span give the rate of the other outputs.

use std::collections::BTreeMap;

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, HistoryPoint, RunView};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::numbers::finite;
use super::{milliseconds, utc};

/// The entries as indented JSON with a line end, without the aggregate and without endpoints that have no requests.
#[must_use]
pub fn to_text(view: &RunView) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    entries(view).serialize(&mut serializer).expect("a value with text keys serialises into memory");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// The entries as a JSON array.
#[must_use]
pub fn entries(view: &RunView) -> Value {
    view.endpoints.iter().filter(|line| line.requests > 0).map(|line| entry(line, view)).collect()
}

fn entry(line: &EndpointView, view: &RunView) -> Value {
    let start_s = utc::unix_s(view.run.statistics_since_unix_ms);
    json!({
        "name": &*line.name,
        "method": &*line.method,
        "last_request_timestamp": start_s + finite(view.elapsed_s),
        "start_time": start_s,
        "num_requests": line.requests,
        "num_none_requests": 0,
        "num_failures": line.failures,
        "total_response_time": milliseconds::exact(line.latency.sum_us()),
        "max_response_time": milliseconds::exact(line.latency.max_us().unwrap_or(0)),
        "min_response_time": line.latency.min_us().map(milliseconds::exact),
        "total_content_length": line.content_bytes,
        "response_times": response_times(&line.latency),
        "num_reqs_per_sec": per_second(view, line.requests, |point| point.requests),
        "num_fail_per_sec": per_second(view, line.failures, |point| point.failures),
    })
}

/// Counts by rounded milliseconds. A bucket of the histogram counts where its middle is: it is no wider than a
/// thousandth of its value, far less than what Locust rounds by.
fn response_times(latency: &Histogram) -> Map<String, Value> {
    let mut counts = BTreeMap::<u64, u64>::new();
    for (lowest_us, highest_us, count) in latency.buckets() {
        let middle_us = lowest_us + (highest_us - lowest_us) / 2;
        *counts.entry(rounded_ms(middle_us)).or_default() += count;
    }
    counts.into_iter().map(|(ms, count)| (ms.to_string(), count.into())).collect()
}

/// Locust's `bucket_response_time`: whole milliseconds below 100, tens below 1 000, hundreds below 10 000, thousands
/// above, halves to the even side.
fn rounded_ms(us: u64) -> u64 {
    let step_us = match us {
        0..100_000 => 1_000,
        100_000..1_000_000 => 10_000,
        1_000_000..10_000_000 => 100_000,
        _ => 1_000_000,
    };
    (us as f64 / step_us as f64).round_ties_even() as u64 * (step_us / 1_000)
}

/// The series as counts by Unix second without zeros, if it certainly is that of the only endpoint.
fn per_second(view: &RunView, wanted: u64, count: impl Fn(&HistoryPoint) -> u64) -> Map<String, Value> {
    // The warm-up is in the series and not in the entries. A point at an edge of the series is a second and a part.
    let counted = view.history.iter().filter(|point| point.unix_ms >= view.run.statistics_since_unix_ms);
    let is_fine = counted.clone().all(|point| point.width_s < 2.0);
    let counts = counted.map(|point| (point.unix_ms / 1_000, count(point)));
    let counts: BTreeMap<u64, u64> = counts.filter(|(_, count)| *count > 0).collect();
    if view.endpoints.len() != 1 || !is_fine || counts.values().sum::<u64>() != wanted {
        return Map::new();
    }
    counts.into_iter().map(|(second, count)| (second.to_string(), count.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample_view::{self, STARTED_UNIX_MS};
    use super::*;

    #[test]
    fn rounding_is_locusts() {
        let rounded = [420, 500, 1_500, 99_400, 145_000, 155_000, 995_000, 1_050_000, 12_345_678].map(rounded_ms);
        assert_eq!(rounded, [0, 0, 2, 99, 140, 160, 1_000, 1_000, 12_000]);
    }

    #[test]
    fn entries_have_the_keys_of_locust_in_its_order() {
        let entries = entries(&sample_view::small());
        let keys: Vec<_> = entries[0].as_object().map(|entry| entry.keys().cloned().collect()).unwrap_or_default();
        let expected = [
            "name",
            "method",
            "last_request_timestamp",
            "start_time",
            "num_requests",
            "num_none_requests",
            "num_failures",
            "total_response_time",
            "max_response_time",
            "min_response_time",
            "total_content_length",
            "response_times",
            "num_reqs_per_sec",
            "num_fail_per_sec",
        ];
        assert_eq!(keys, expected);
        assert_eq!(entries[1]["response_times"], json!({"100": 1, "220": 1, "330": 1}));
        assert_eq!(entries[0]["total_response_time"], json!(73.51));
        assert_eq!(
            (&entries[0]["start_time"], &entries[0]["last_request_timestamp"]),
            (&json!(1_795_557_476.7), &json!(1_795_557_480.7))
        );
    }

    #[test]
    fn every_request_is_in_the_response_times() {
        let view = sample_view::busy();
        for (line, entry) in view.endpoints.iter().zip(entries(&view).as_array().expect("an array")) {
            let counts = entry["response_times"].as_object().expect("an object").values();
            assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), line.requests);
        }
    }

    #[test]
    fn the_series_is_given_to_the_only_endpoint_if_it_adds_up() {
        let mut view = sample_view::small();
        assert_eq!(entries(&view)[0]["num_reqs_per_sec"], json!({}), "two endpoints share the series");
        view.endpoints = vec![EndpointView { name: "/".into(), ..view.total.clone() }];
        let start = STARTED_UNIX_MS / 1_000;
        let counts = [3, 2, 2, 1].iter().enumerate().map(|(at, count)| ((start + at as u64).to_string(), json!(count)));
        assert_eq!(entries(&view)[0]["num_reqs_per_sec"], Value::Object(counts.collect()));
        let wide = HistoryPoint { width_s: 2.0, ..view.history[3] };
        let last = std::mem::replace(&mut view.history[3], wide);
        assert_eq!(entries(&view)[0]["num_reqs_per_sec"], json!({}), "a point covers two seconds");
        view.history[3] = last;
        view.run.statistics_since_unix_ms += 1_000;
        assert_eq!(entries(&view)[0]["num_reqs_per_sec"], json!({}), "the warm-up is not in the entry");
        view.history[0].requests = 0;
        view.run.statistics_since_unix_ms -= 1_000;
        assert_eq!(entries(&view)[0]["num_reqs_per_sec"], json!({}), "it does not add up");
    }

    #[test]
    fn an_empty_run_is_an_empty_array() {
        assert_eq!(to_text(&sample_view::empty()), "[]\n");
    }

    #[test]
    fn text_is_indented_by_four() {
        assert!(to_text(&sample_view::hostile()).starts_with("[\n    {\n        \"name\": \"<script>"));
    }
}
