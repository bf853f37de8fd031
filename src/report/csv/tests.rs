#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;

use akrida_core::view::ErrorView;

use super::*;
use crate::report::sample_view::{self, STARTED_UNIX_MS};

/// Column titles as in the files of a run of Locust 2.47.0.
const STATS_TITLES: &str = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,\
    Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,\
    99.9%,99.99%,100%\r\n";
const HISTORY_TITLES: &str = "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,\
    99.9%,99.99%,100%,Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,\
    Total Min Response Time,Total Max Response Time,Total Average Content Size\r\n";

#[test]
fn statistics_have_a_row_for_each_endpoint_and_the_aggregate() {
    let rows = "GET,/,5,1,9.99,14.702,0.42,49.0,123.0,1.25,0.25,10,13,13,13,49,49,49,49,49,49,49\r\n\
                POST,/slow/endpoint,3,2,220,217.1,100.0,331.0,123.0,0.75,0.5,\
                220,220,331,331,331,331,331,331,331,331,331\r\n\
                ,Aggregated,8,3,13,90.60125,0.42,331.0,123.0,2.0,0.75,13,100,100,220,331,331,331,331,331,331,331\r\n";
    assert_eq!(stats(&sample_view::small()), format!("{STATS_TITLES}{rows}"));
}

#[test]
fn an_empty_run_has_zeros_and_no_percentiles() {
    let row = format!(",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0{}\r\n", ",N/A".repeat(11));
    assert_eq!(stats(&sample_view::empty()), format!("{STATS_TITLES}{row}"));
}

#[test]
fn the_short_history_has_the_aggregate_with_percentiles_of_the_whole_run() {
    let row = "1795557480,2,,Aggregated,2.500000,0.937500,13,100,100,220,331,331,331,331,331,331,331,\
               8,3,13,90.60125,0.42,331.0,123.0\r\n";
    assert_eq!(history_rows(&sample_view::small(), false), row);
    assert_eq!(history_header(), HISTORY_TITLES);
}

#[test]
fn the_full_history_has_each_endpoint_with_current_percentiles() {
    let mut view = sample_view::small();
    view.endpoints[0].current_latency = view.endpoints[1].latency.clone();
    let text = history_rows(&view, true);
    let rows: Vec<_> = text.lines().collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].starts_with("1795557480,2,GET,/,1.562500,0.312500,220,220,331,"), "{}", rows[0]);
}

#[test]
fn the_history_of_a_run_is_its_time_series() {
    let view = sample_view::small();
    let text = history(&view);
    let rows: Vec<_> = text.strip_prefix(HISTORY_TITLES).unwrap().lines().collect();
    assert_eq!(rows.len(), view.history.len());
    assert!(rows.iter().all(|row| row.split(',').count() == HISTORY_TITLES.split(',').count()), "{rows:?}");
    let totals: Vec<_> = rows.iter().map(|row| row.split(',').nth(17).unwrap().parse::<u64>().unwrap()).collect();
    assert_eq!(totals.last().copied(), Some(view.history.iter().map(|point| point.requests).sum()));
    assert!(totals.is_sorted(), "{totals:?}");
}

#[test]
fn texts_are_quoted_where_they_must_be() {
    let mut view = sample_view::busy();
    view.errors[0].error = "wanted \"a\", got\r\nb".into();
    let text = failures(&view);
    assert!(text.starts_with("Method,Name,Error,Occurrences,First Seen,Last Seen\r\n"));
    let row =
        "GET,/api/v1/products/[id],\"wanted \"\"a\"\", got\r\nb\",12,2026-11-24T21:57:57Z,2026-11-24T21:58:00Z\r\n";
    assert!(text.contains(row), "{text}");
    let row = "Count,Message,Traceback,Nodes\r\n3,undefined value in {{ basket.id }},\"users.Buyer.tasks.pay.steps[1]\n  \
               shop.yml line 31, column 9\",\"worker-1, worker-2\"\r\n";
    assert_eq!(exceptions(&view), row);
}

#[test]
fn the_failures_of_transactions_are_left_out_as_the_transactions_are() {
    let mut view = sample_view::busy();
    let requests = failures(&view);
    let group = &view.groups[0];
    let of_group = ErrorView { method: group.method.clone(), name: group.name.clone(), ..view.errors[0].clone() };
    view.errors.push(of_group);
    assert_eq!(failures(&view), requests);
}

#[test]
fn nothing_that_is_no_number_is_written() {
    let view = sample_view::hostile();
    let text = stats(&view) + &history_rows(&view, true);
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn the_writer_starts_with_titles_then_rewrites_and_appends_once_a_second() {
    let directory = tempfile::tempdir().unwrap();
    let prefix = directory.path().join("out");
    let read = |ending: &str| fs::read_to_string(format!("{}{ending}", prefix.display())).unwrap();
    fs::write(directory.path().join("out_stats_history.csv"), "of an earlier run").unwrap();
    let mut writer = CsvWriter::create(&prefix, false).unwrap();
    assert_eq!((read("_stats.csv"), read("_stats_history.csv")), (STATS_TITLES.to_owned(), HISTORY_TITLES.to_owned()));
    let mut view = sample_view::small();
    for elapsed_s in [1.0, 1.2, 2.0, 3.0] {
        view.elapsed_s = elapsed_s;
        writer.write(&view).unwrap();
    }
    let history = read("_stats_history.csv");
    let seconds: Vec<_> = history.lines().skip(1).map(|row| row.split(',').next().unwrap().to_owned()).collect();
    let start = STARTED_UNIX_MS / 1_000;
    assert_eq!(seconds, [start + 1, start + 2, start + 3].map(|second| second.to_string()));
    assert_eq!(read("_stats.csv"), stats(&view));
    assert_eq!(read("_failures.csv"), failures(&view));
    assert_eq!(read("_exceptions.csv"), exceptions(&view));
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4, "no unfinished file stays");
}

#[test]
fn a_missing_directory_is_an_error_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let error = CsvWriter::create(&directory.path().join("gone/out"), false).unwrap_err();
    assert!(error.to_string().ends_with("gone does not exist"), "{error}");
}
