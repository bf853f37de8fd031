//! What the template shows, as texts that are ready to print.

use akrida_core::plan::arrivals::Distribution;
use akrida_core::stats::histogram::Histogram;
use akrida_core::threshold::result::{ThresholdResult, Verdict};
use akrida_core::view::{ArrivalsView, EndpointView, ErrorView, ExceptionView, RunView};
use serde::Serialize;

use crate::report::numbers::{finite, grouped};
use crate::report::percentiles::IN_HTML;
use crate::report::{duration_text, load_text, milliseconds, utc};

use super::phases::{self, Phases};

#[derive(Serialize)]
pub(super) struct Page {
    title: String,
    /// Label and value of what was run.
    facts: Vec<(&'static str, String)>,
    /// Label, value and remark of the most important figures.
    key_figures: Vec<(&'static str, String, String)>,
    verdict: &'static str,
    verdict_class: &'static str,
    reasons: Vec<Reason>,
    thresholds: Vec<ThresholdRow>,
    /// Label, value and remark of what became of the arrivals of an open model.
    arrivals: Vec<(&'static str, String, &'static str)>,
    requests: Vec<Row>,
    /// The percentiles from when requests were sent, where they differ from those of `requests`.
    served: Vec<Row>,
    latency_note: Option<&'static str>,
    served_title: &'static str,
    phases: Option<Phases>,
    groups: Vec<Row>,
    percentile_titles: Vec<&'static str>,
    failures: Vec<FailureRow>,
    exceptions: Vec<ExceptionRow>,
    generator_errors: Vec<(String, String)>,
    version: &'static str,
    run_id: String,
}

#[derive(Serialize)]
struct Reason {
    verdict: &'static str,
    text: String,
}

#[derive(Serialize)]
struct ThresholdRow {
    text: String,
    verdict: &'static str,
    verdict_class: &'static str,
    observed: String,
    remark: String,
}

/// A line of the statistics and of the percentiles.
#[derive(Serialize)]
struct Row {
    method: String,
    name: String,
    is_total: bool,
    has_failures: bool,
    requests: String,
    failures: String,
    fail_percent: String,
    mean: String,
    min: String,
    max: String,
    mean_bytes: String,
    rps: String,
    failures_per_s: String,
    percentiles: Vec<String>,
}

#[derive(Serialize)]
struct FailureRow {
    occurrences: String,
    method: String,
    name: String,
    error: String,
    first_seen: String,
    last_seen: String,
}

#[derive(Serialize)]
struct ExceptionRow {
    count: String,
    message: String,
    traceback: String,
    nodes: String,
}

pub(super) fn content(view: &RunView) -> Page {
    let verdict = view.validity.verdict.as_str();
    let reasons = view.validity.reasons.iter();
    Page {
        title: view.run.scenario.to_string(),
        facts: facts(view),
        key_figures: key_figures(view),
        verdict,
        verdict_class: match verdict {
            "VALID" => "valid",
            "DEGRADED" => "degraded",
            _ => "invalid",
        },
        reasons: reasons.map(|(verdict, text)| Reason { verdict: verdict.as_str(), text: text.clone() }).collect(),
        thresholds: view.thresholds.iter().map(threshold).collect(),
        arrivals: view.arrivals.map(arrivals).unwrap_or_default(),
        requests: view.endpoints.iter().map(row).chain([Row { is_total: true, ..row(&view.total) }]).collect(),
        served: served(view),
        latency_note: view.arrivals.map(|_| load_text::LATENCY_FROM_DUE),
        served_title: load_text::SERVICE_TIME,
        phases: phases::table(view),
        groups: view.groups.iter().map(row).collect(),
        percentile_titles: IN_HTML.iter().map(|(_, title)| *title).collect(),
        failures: view.errors.iter().map(failure).collect(),
        exceptions: view.exceptions.iter().map(exception).collect(),
        generator_errors: view.generator_errors.iter().map(|(kind, n)| (kind.to_string(), grouped(*n))).collect(),
        version: env!("CARGO_PKG_VERSION"),
        run_id: view.run.id.to_string(),
    }
}

fn facts(view: &RunView) -> Vec<(&'static str, String)> {
    let run = &view.run;
    let mut facts = Vec::new();
    facts.extend(run.profile.as_ref().map(|profile| ("Profile", profile.to_string())));
    facts.push(("During", during(view)));
    if let Some(warm_up) = load_text::warm_up(run) {
        facts.push(("Warm-up", warm_up));
    } else if run.statistics_since_unix_ms != run.started_unix_ms {
        facts.push(("Statistics since", format!("{} UTC (reset)", utc::for_people(run.statistics_since_unix_ms))));
    }
    facts.push(("Target host", run.host.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string)));
    facts.push(("Scenario", run.scenario.to_string()));
    facts.push(("Model", load_text::model_in_words(view)));
    if !view.users_per_class.is_empty() {
        // After a run there are no users, and that says nothing.
        let classes = view.users_per_class.iter().map(|(name, users)| match view.user_count {
            0 => name.to_string(),
            _ => format!("{name} ({})", grouped(*users)),
        });
        facts.push(("User classes", classes.collect::<Vec<_>>().join(", ")));
    }
    facts.extend(view.schedule_lag.as_ref().and_then(load_text::schedule_lag).map(|lag| ("Schedule lag", lag)));
    facts
}

/// "2026-11-24 21:57:56 – 21:58:56 UTC (1 minute)"; the end of an unfinished run is the moment of the view.
fn during(view: &RunView) -> String {
    let start_ms = view.run.started_unix_ms;
    let end_ms = view.run.ended_unix_ms.unwrap_or_else(|| utc::moment_unix_ms(view));
    let (start, end) = (utc::for_people(start_ms), utc::for_people(end_ms));
    let end = match (start.split_once(' '), end.split_once(' ')) {
        (Some((start_day, _)), Some((end_day, time))) if start_day == end_day => time,
        _ => &end,
    };
    let unfinished = if view.run.ended_unix_ms.is_none() { ", not finished" } else { "" };
    let duration = duration_text::in_words(end_ms.saturating_sub(start_ms) / 1_000);
    format!("{start} – {end} UTC ({duration}{unfinished})")
}

fn key_figures(view: &RunView) -> Vec<(&'static str, String, String)> {
    let total = &view.total;
    let percentile = |quantile| match total.latency.quantile_us(quantile) {
        Some(us) => format!("{} ms", milliseconds::for_table(us)),
        None => "N/A".to_owned(),
    };
    let plain = String::new;
    vec![
        ("Requests", grouped(total.requests), format!("{:.1} per second", finite(total.total_rps))),
        ("Failures", grouped(total.failures), format!("{:.2} %", total.fail_ratio() * 100.0)),
        ("Median", percentile(0.5), plain()),
        ("95th percentile", percentile(0.95), plain()),
        ("99th percentile", percentile(0.99), plain()),
        ("HTTP exchanges", grouped(view.http_exchanges), "redirects included".to_owned()),
        ("Interrupted", grouped(view.interrupted), "cut off at the end".to_owned()),
    ]
}

fn arrivals(arrivals: ArrivalsView) -> Vec<(&'static str, String, &'static str)> {
    let expected = match arrivals.distribution {
        Distribution::Uniform => "",
        Distribution::Poisson => "expected",
    };
    vec![
        ("Due", grouped(arrivals.due), expected),
        ("Started", grouped(arrivals.started), "taken up by a user"),
        ("Late", grouped(arrivals.late), "no user was free"),
        ("Dropped", grouped(arrivals.dropped), "given up"),
        ("Missed", grouped(arrivals.missed), "neither started nor dropped"),
    ]
}

fn threshold(result: &ThresholdResult) -> ThresholdRow {
    let violation = result.violation.map(|span| format!("violated from {} s to {} s", span.since_s, span.failed_at_s));
    let remarks = violation.into_iter().chain(result.reason.as_ref().map(ToString::to_string));
    ThresholdRow {
        text: result.text.to_string(),
        verdict: result.verdict.as_str(),
        verdict_class: match result.verdict {
            Verdict::Passed => "good",
            Verdict::Failed | Verdict::Aborted => "bad",
            Verdict::NoData => "warn",
        },
        observed: result.observed.map_or_else(|| "–".to_owned(), |observed| observed.to_string()),
        remark: remarks.collect::<Vec<_>>().join(", "),
    }
}

/// The rows of requests with the percentiles from when they were sent; none in a closed model.
fn served(view: &RunView) -> Vec<Row> {
    let served =
        |line: &EndpointView| Some(Row { percentiles: percentiles(line.service_latency.as_ref()?), ..row(line) });
    let total = served(&view.total).map(|total| Row { is_total: true, ..total });
    view.endpoints.iter().filter_map(served).chain(total).collect()
}

fn row(line: &EndpointView) -> Row {
    let time = |us: Option<u64>| us.map_or_else(|| "N/A".to_owned(), milliseconds::for_table);
    Row {
        method: line.method.to_string(),
        name: line.name.to_string(),
        is_total: false,
        has_failures: line.failures > 0,
        requests: grouped(line.requests),
        failures: grouped(line.failures),
        fail_percent: format!("{:.2}", line.fail_ratio() * 100.0),
        mean: time(line.latency.mean_us().map(|us| us.round() as u64)),
        min: time(line.latency.min_us()),
        max: time(line.latency.max_us()),
        mean_bytes: grouped(line.mean_content_bytes().round() as u64),
        rps: format!("{:.2}", finite(line.total_rps)),
        failures_per_s: format!("{:.2}", finite(line.total_failures_per_s)),
        percentiles: percentiles(&line.latency),
    }
}

fn percentiles(latency: &Histogram) -> Vec<String> {
    let text = |quantile| latency.quantile_us(quantile).map_or_else(|| "N/A".to_owned(), milliseconds::for_table);
    IN_HTML.iter().map(|(quantile, _)| text(*quantile)).collect()
}

fn failure(error: &ErrorView) -> FailureRow {
    FailureRow {
        occurrences: grouped(error.occurrences),
        method: error.method.to_string(),
        name: error.name.to_string(),
        error: error.error.to_string(),
        first_seen: utc::for_people(error.first_seen_unix_ms),
        last_seen: utc::for_people(error.last_seen_unix_ms),
    }
}

fn exception(exception: &ExceptionView) -> ExceptionRow {
    ExceptionRow {
        count: grouped(exception.count),
        message: exception.message.to_string(),
        traceback: exception.traceback.to_string(),
        nodes: exception.nodes.join(", "),
    }
}
