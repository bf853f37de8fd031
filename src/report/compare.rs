//! Two runs side by side: what has become worse, beyond a tolerance.
//!
//! Percentiles are those of all requests. Differences that are too small to mean anything (less than a millisecond, less
//! than a thousandth of the requests) never count, whatever the tolerance.

use std::fmt::Write;

use akrida_core::view::{EndpointView, RunView};
use serde_json::{Value, json};

use super::{milliseconds, utc};

/// Less than this much more latency is noise, in microseconds.
const LATENCY_NOISE_US: f64 = 1_000.0;

/// Less than this much larger a share of failures is noise.
const RATIO_NOISE: f64 = 0.001;

/// A comparison of two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    head: String,
    tolerance: f64,
    runs: [String; 2],
    lines: Vec<Line>,
}

/// One figure of one endpoint.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    endpoint: String,
    figure: Figure,
    /// In the first run and in the second; `None` where there were no requests.
    values: [Option<f64>; 2],
    is_regression: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Figure {
    P50,
    P95,
    P99,
    FailRatio,
    RequestsPerSecond,
}

impl Comparison {
    /// Compares a run with one before it. `tolerance` is a share: 0.1 lets figures be a tenth worse.
    #[must_use]
    pub fn of(base: &RunView, new: &RunView, tolerance: f64) -> Self {
        let mut lines = lines(Some(&base.total), Some(&new.total), tolerance);
        for line in &base.endpoints {
            lines.extend(self::lines(Some(line), same(&new.endpoints, line), tolerance));
        }
        for line in new.endpoints.iter().filter(|line| same(&base.endpoints, line).is_none()) {
            lines.extend(self::lines(None, Some(line), tolerance));
        }
        let head = [("A", base), ("B", new)].map(|(name, view)| run_head(name, view)).concat();
        Self { head, tolerance, runs: [base.run.id.to_string(), new.run.id.to_string()], lines }
    }

    /// Whether anything has become worse beyond the tolerance. An endpoint that got no requests any more has.
    #[must_use]
    pub fn has_regressed(&self) -> bool {
        self.lines.iter().any(|line| line.is_regression)
    }

    /// For people.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.head.clone();
        let width = self.lines.iter().map(|line| line.endpoint.chars().count()).max().unwrap_or_default();
        let _ = writeln!(text, "\n{:width$}  {:<9} {:>12} {:>12} {:>10}", "ENDPOINT", "FIGURE", "A", "B", "CHANGE");
        let mut before = "";
        for line in &self.lines {
            let endpoint = if line.endpoint == before { "" } else { &line.endpoint };
            before = &line.endpoint;
            let [base, new] = line.values.map(|value| line.figure.shown(value));
            let worse = if line.is_regression { "  WORSE" } else { "" };
            let name = line.figure.name();
            let _ = writeln!(text, "{endpoint:width$}  {name:<9} {base:>12} {new:>12} {:>10}{worse}", line.change());
        }
        let worse = self.lines.iter().filter(|line| line.is_regression).count();
        let percent = self.tolerance * 100.0;
        let _ = match worse {
            0 => writeln!(text, "\nNothing is worse by more than {percent} %"),
            1 => writeln!(text, "\n1 figure is worse by more than {percent} %"),
            count => writeln!(text, "\n{count} figures are worse by more than {percent} %"),
        };
        text
    }

    /// For programs.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let lines = self.lines.iter().map(|line| {
            json!({
                "endpoint": line.endpoint,
                "figure": line.figure.key(),
                "base": line.values[0],
                "new": line.values[1],
                "regression": line.is_regression,
            })
        });
        json!({
            "base": self.runs[0],
            "new": self.runs[1],
            "tolerance": self.tolerance,
            "regressed": self.has_regressed(),
            "figures": lines.collect::<Vec<_>>(),
        })
    }
}

fn run_head(name: &str, view: &RunView) -> String {
    let (run, started) = (&view.run, utc::to_seconds(view.run.started_unix_ms));
    let validity = view.validity.verdict.as_str();
    let requests = view.total.requests;
    format!("{name}: run {} of {}, {started}, {requests} requests, {validity}\n", run.id, run.scenario)
}

fn same<'a>(endpoints: &'a [EndpointView], line: &EndpointView) -> Option<&'a EndpointView> {
    endpoints.iter().find(|other| other.name == line.name && other.method == line.method)
}

fn lines(base: Option<&EndpointView>, new: Option<&EndpointView>, tolerance: f64) -> Vec<Line> {
    let name = base.or(new).map(|line| format!("{} {}", line.method, line.name)).unwrap_or_default();
    let endpoint = name.trim().replace(char::is_control, "?");
    let line = |figure: Figure| {
        let values = [base, new].map(|line| line.and_then(|line| figure.of(line)));
        let is_regression = figure.is_worse(values, tolerance);
        Line { endpoint: endpoint.clone(), figure, values, is_regression }
    };
    [Figure::P50, Figure::P95, Figure::P99, Figure::FailRatio, Figure::RequestsPerSecond].map(line).into()
}

impl Line {
    fn change(&self) -> String {
        match self.values {
            [Some(base), Some(new)] if base != 0.0 => format!("{:+.1} %", (new - base) / base * 100.0),
            [Some(_), Some(0.0)] => "+0.0 %".to_owned(),
            [None, Some(_)] => "new".to_owned(),
            [Some(_), None] => "gone".to_owned(),
            _ => String::new(),
        }
    }
}

impl Figure {
    fn of(self, line: &EndpointView) -> Option<f64> {
        let quantile = |quantile| line.latency.quantile_us(quantile).map(|us| us as f64);
        match self {
            Self::P50 => quantile(0.5),
            Self::P95 => quantile(0.95),
            Self::P99 => quantile(0.99),
            Self::FailRatio => (line.requests > 0).then(|| line.fail_ratio()),
            Self::RequestsPerSecond => (line.requests > 0).then_some(line.total_rps),
        }
    }

    fn is_worse(self, values: [Option<f64>; 2], tolerance: f64) -> bool {
        let [Some(base), new] = values else { return false };
        let Some(new) = new else { return self == Self::RequestsPerSecond };
        match self {
            Self::P50 | Self::P95 | Self::P99 => new > base * (1.0 + tolerance) && new - base >= LATENCY_NOISE_US,
            Self::FailRatio => new > base * (1.0 + tolerance) && new - base >= RATIO_NOISE,
            Self::RequestsPerSecond => new < base * (1.0 - tolerance),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::FailRatio => "failed",
            Self::RequestsPerSecond => "requests",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::P50 => "p50_us",
            Self::P95 => "p95_us",
            Self::P99 => "p99_us",
            Self::FailRatio => "fail_ratio",
            Self::RequestsPerSecond => "rps",
        }
    }

    fn shown(self, value: Option<f64>) -> String {
        let Some(value) = value else { return "-".to_owned() };
        match self {
            Self::P50 | Self::P95 | Self::P99 => format!("{} ms", milliseconds::for_table(value as u64)),
            Self::FailRatio => format!("{:.2} %", value * 100.0),
            Self::RequestsPerSecond => format!("{value:.1}/s"),
        }
    }
}

#[cfg(test)]
#[path = "compare_tests.rs"]
mod tests;
