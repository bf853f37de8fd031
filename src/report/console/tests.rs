#![allow(clippy::unwrap_used, reason = "tests")]

use akrida_core::view::validity::Verdict;

use super::*;
use crate::report::sample_view;

/// Titles and separators are copied from a run of Locust 2.47.0 without a terminal; "(approximated)" is dropped.
const GOLDEN: &str = "\
Type     Name                                                                          # reqs      # fails |    Avg     Min     Max    Med |   req/s  failures/s
--------|----------------------------------------------------------------------------|-------|-------------|-------|-------|-------|-------|--------|-----------
GET      /                                                                                  5    1(20.00%) |     15    0.42      49   9.99 |    1.25        0.25
POST     /slow/endpoint                                                                     3    2(66.67%) |    217     100     331    220 |    0.75        0.50
--------|----------------------------------------------------------------------------|-------|-------------|-------|-------|-------|-------|--------|-----------
         Aggregated                                                                         8    3(37.50%) |     91    0.42     331     13 |    2.00        0.75

Response time percentiles
Type     Name                                                                                  50%    66%    75%    80%    90%    95%    98%    99%  99.9% 99.99%   100% # reqs
--------|--------------------------------------------------------------------------------|--------|------|------|------|------|------|------|------|------|------|------|------
GET      /                                                                                    9.99     13     13     13     49     49     49     49     49     49     49      5
POST     /slow/endpoint                                                                        220    220    331    331    331    331    331    331    331    331    331      3
--------|--------------------------------------------------------------------------------|--------|------|------|------|------|------|------|------|------|------|------|------
         Aggregated                                                                             13    100    100    220    331    331    331    331    331    331    331      8

Error report
# occurrences      Error
------------------|---------------------------------------------------------------------------------------------------------------------------------------------
1                  GET /: status 503 is not 200
2                  POST /slow/endpoint: time-out after 330 ms
------------------|---------------------------------------------------------------------------------------------------------------------------------------------

HTTP exchanges     9
Interrupted        0
Validity           VALID
";

#[test]
fn the_final_tables_are_those_of_locust() {
    assert_eq!(summary(&sample_view::small(), Layout::Pipe), GOLDEN);
}

#[test]
fn periodic_tables_show_current_rates() {
    let text = periodic(&sample_view::small(), Layout::Pipe);
    assert!(text.contains("|    1.56        0.31\n"), "{text}");
    assert!(text.ends_with("|    2.50        0.94\n\n"), "{text}");
}

#[test]
fn an_empty_run_has_zeros_as_in_locust() {
    let text = summary(&sample_view::empty(), Layout::Pipe);
    let total = "         Aggregated                                                                         \
                 0     0(0.00%) |      0       0       0      0 |    0.00        0.00\n";
    assert!(text.contains(total), "{text}");
    assert!(!text.contains("Error report") && !text.contains("Transactions"));
}

#[test]
fn lines_fit_a_terminal_that_is_wide_enough() {
    let mut view = sample_view::busy();
    view.endpoints[1].name = "/x".repeat(200).into();
    for columns in [120, 140, 200] {
        let text = summary(&view, Layout::Terminal { columns });
        let longest = text.lines().filter(|line| line.contains('|')).map(|line| line.chars().count()).max();
        assert!(longest.unwrap() <= columns, "{columns} columns: {longest:?}\n{text}");
        assert!(text.contains('…'));
    }
}

#[test]
fn columns_widen_for_what_does_not_fit() {
    let mut view = sample_view::small();
    view.endpoints[0].requests = 12_345_678_901;
    view.endpoints[0].failures = 12_345_678_901;
    view.endpoints[1].method = "PROPPATCHES".into();
    view.endpoints[1].name = "n".repeat(100).into();
    let text = periodic(&view, Layout::Pipe);
    let bar = |line: &str| line.chars().position(|c| c == '|');
    let rows: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('-')).collect();
    assert_eq!(rows.len(), 4);
    assert!(
        rows.iter().all(|row| bar(row) == bar(rows[0]) && row.chars().count() == rows[0].chars().count()),
        "{text}"
    );
    assert!(text.contains(&"n".repeat(100)));
}

#[test]
fn the_closing_block_tells_what_the_figures_are_worth() {
    let text = summary(&sample_view::busy(), Layout::Pipe);
    let transactions = text.split("Transactions (not part of the aggregate)\n").nth(1).unwrap();
    assert!(transactions.lines().nth(2).unwrap().starts_with("GROUP    checkout "), "{text}");
    assert!(text.contains("3                  undefined value in {{ basket.id }}\n"));
    let end = "Schedule lag       p50 9.98 ms, p99 20 ms, max 20 ms\nHTTP exchanges     16204\nInterrupted        7\n\
               Generator errors   5 (out of file descriptors 5)\nValidity           DEGRADED\n                   \
               DEGRADED: the generator could not send 5 requests";
    assert!(text.contains(end), "{text}");
    assert_eq!(sample_view::busy().validity.verdict, Verdict::Degraded);
}

#[test]
fn an_open_model_has_both_latencies_and_tells_what_became_of_its_arrivals() {
    let text = summary(&sample_view::open(), Layout::Pipe);
    let (from_due, from_sent) = text.split_once(LATENCY_FROM_DUE).unwrap();
    let total = |text: &str| text.lines().rfind(|line| line.contains(" Aggregated ")).unwrap().to_owned();
    let last_figures = |line: String| line.split_whitespace().rev().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(last_figures(total(from_due.split("Response time").nth(1).unwrap())), ["8", "351"]);
    let from_sent = from_sent.strip_prefix("\n\nService time (from when it was sent)\nType ").unwrap();
    assert_eq!(last_figures(total(from_sent)), ["8", "331"]);
    let lines = "Warm-up            the first 10 s do not count\n\
                 Arrivals           about 14 due, 9 started, 3 late, 2 dropped, 1 missed\n\
                 Schedule lag       p50 1.00 ms, p99 1.98 ms, max 2.00 ms\nHTTP exchanges ";
    assert!(text.contains(lines), "{text}");
}

#[test]
fn thresholds_that_were_not_kept_are_marked() {
    let text = summary(&sample_view::busy(), Layout::Pipe);
    let block = "\nThresholds\n  rps > 100: passed, was 261.7/s\n\
                 ! p95(/) < 5ms for 30s: failed, was 6.4ms, violated from 21s to 51s\n\
                 ! max < 1s: aborted the run, was 1.25s, violated from 21s to 51s\n\
                 ! p99(/a) < 1s: no data, no requests\n\n";
    assert!(text.contains(block), "{text}");
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let text = summary(&sample_view::hostile(), Layout::Pipe);
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn long_names_keep_their_head_and_tail() {
    assert_eq!(shortened("/api/v1/products", 9), "/api…ucts");
    assert_eq!(shortened("/api/v1/products", 16), "/api/v1/products");
    assert_eq!(shortened("abc", 0), "…");
}
