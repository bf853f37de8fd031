//! What tables, files and pages show: plain data, derived from the replicated state.
//!
//! A view is complete: whoever renders it needs nothing else, neither the state nor a clock.

mod before;
pub mod build;
mod history;
pub mod series_changes;
pub mod validity;
pub mod workers;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::{RunId, WorkerId};
use crate::plan::arrivals::{ArrivalRate, Distribution};
use crate::state::command::StopReason;
use crate::state::worker::LossReason;
use crate::stats::histogram::Histogram;
use crate::threshold::result::ThresholdResult;
use validity::Validity;

/// A run as users see it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunView {
    /// Which run and how it was started.
    pub run: RunInfo,
    /// Where it stands.
    pub status: Status,
    /// Length of the current statistics segment so far, in seconds of plan time.
    pub elapsed_s: f64,
    /// Users that exist.
    pub user_count: u64,
    /// Users that exist, per class in the order of the scenario.
    pub users_per_class: Vec<(Arc<str>, u64)>,
    /// Requests, sorted by name and method.
    pub endpoints: Vec<EndpointView>,
    /// Transactions, sorted by name; not part of the total.
    pub groups: Vec<EndpointView>,
    /// All requests together: method "" and name "Aggregated".
    pub total: EndpointView,
    /// Failures, sorted by name, method and text.
    pub errors: Vec<ErrorView>,
    /// Exceptions, sorted by message.
    pub exceptions: Vec<ExceptionView>,
    /// What the generator itself could not do, by kind.
    pub generator_errors: Vec<(Arc<str>, u64)>,
    /// Requests that were written to the wire in full and are over, redirects included.
    pub http_exchanges: u64,
    /// Requests in flight that were cut off because the run stopped.
    pub interrupted: u64,
    /// How late the generator started what it had planned.
    pub schedule_lag: Option<Histogram>,
    /// What became of the arrivals of an open model; `None` in a closed model.
    pub arrivals: Option<ArrivalsView>,
    /// What came of the thresholds, in the order of the scenario.
    pub thresholds: Vec<ThresholdResult>,
    /// The time series, oldest first.
    pub history: Vec<HistoryPoint>,
    /// What happened to the cluster in mid-run.
    pub incidents: Incidents,
    /// Whether the generator spoiled the run.
    pub validity: Validity,
}

/// What happened in mid-run to the cluster that generated the load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incidents {
    /// Workers that were lost while there was load.
    pub lost_workers: Vec<LostWorkerView>,
    /// Workers that could not take part, and why.
    pub excluded_workers: Vec<(WorkerId, Arc<str>)>,
    /// When another master took the lead while there was load, in seconds of plan time.
    pub leader_changes_s: Vec<f64>,
    /// The most users of the plan that no worker was to run at a time.
    pub idle_users_max: u64,
    /// Rows of `unique` feeders of which nobody knows whether they were used, because their worker was lost.
    pub burnt_rows: u64,
}

/// A worker that was lost in mid-run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LostWorkerView {
    /// Which.
    pub worker: WorkerId,
    /// Up to where the statistics of the run were when it was given up, in seconds of plan time.
    pub at_s: f64,
    /// Up to where its own figures are in the statistics, in seconds of plan time.
    pub reported_until_s: f64,
    /// Why it was given up.
    pub reason: LossReason,
}

/// How a run was started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Its id.
    pub id: RunId,
    /// The name of the scenario file.
    pub scenario: Arc<str>,
    /// The host that was loaded, as far as it is one.
    pub host: Option<Arc<str>>,
    /// The label given with `--profile`.
    pub profile: Option<Arc<str>>,
    /// Start, milliseconds since the Unix epoch.
    pub started_unix_ms: u64,
    /// End, once it has ended.
    pub ended_unix_ms: Option<u64>,
    /// Start of the statistics segment, milliseconds since the Unix epoch: the start, or the last reset.
    pub statistics_since_unix_ms: u64,
    /// Users asked for; in an open model the most that serve arrivals.
    pub target_users: u64,
    /// The most users that any stage of the load asks for; in an open model as `target_users`.
    pub users_max: u64,
    /// Stages of users that the load has, changes by hand included; 1 for a plain run.
    pub stages: usize,
    /// Spawn rate asked for.
    pub spawn_rate_per_s: f64,
    /// How long the warm-up was that does not count, in seconds; 0 without one.
    pub warm_up_s: f64,
    /// Why the run stops or stopped; `None` while it goes on.
    pub stop_reason: Option<StopReason>,
    /// Run time asked for, in seconds.
    pub run_time_s: Option<f64>,
    /// The user classes, in the order of the scenario.
    pub classes: Vec<Arc<str>>,
}

impl RunInfo {
    /// Whether the statistics are still those of the warm-up.
    #[must_use]
    pub fn is_warming_up(&self) -> bool {
        self.warm_up_s > 0.0 && self.statistics_since_unix_ms == self.started_unix_ms
    }
}

/// What became of the arrivals of an open model since the start of the statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalsView {
    /// The highest rate that was planned.
    pub peak: ArrivalRate,
    /// How they lie around the rate.
    pub distribution: Distribution,
    /// Those that were due; of a Poisson process those that were to be expected, as chance decides about each.
    pub due: u64,
    /// Those that a user took up.
    pub started: u64,
    /// Those for which no user was free when they were due.
    pub late: u64,
    /// Those that were given up.
    pub dropped: u64,
    /// Those that nobody took up or gave up; of a Poisson process only those that chance cannot account for.
    pub missed: u64,
}

/// Where a run stands; the names are Locust's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Nothing was started.
    Ready,
    /// Users are being started or stopped to reach the target.
    Spawning,
    /// The target is reached.
    Running,
    /// Users are stopping.
    Stopping,
    /// The run has ended.
    Stopped,
}

impl Status {
    /// Locust's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Spawning => "spawning",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// A line of the statistics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointView {
    /// The method; "" for the total, "GROUP" for transactions.
    pub method: Arc<str>,
    /// The name; "Aggregated" for the total.
    pub name: Arc<str>,
    /// Requests, failed ones included.
    pub requests: u64,
    /// Failed requests.
    pub failures: u64,
    /// Requests per second over the current window.
    pub current_rps: f64,
    /// Failures per second over the current window.
    pub current_failures_per_s: f64,
    /// Requests per second over the whole segment.
    pub total_rps: f64,
    /// Failures per second over the whole segment.
    pub total_failures_per_s: f64,
    /// Bytes of response bodies.
    pub content_bytes: u64,
    /// Latencies of all requests, failed ones included; in an open model from when they were due.
    pub latency: Histogram,
    /// In an open model: latencies from when requests were sent. `None` in a closed model, where they are the same.
    pub service_latency: Option<Histogram>,
    /// Latencies of the requests that passed, always from when they were sent.
    pub ok_latency: Histogram,
    /// Latencies of all requests in the current window.
    pub current_latency: Histogram,
    /// Time to connect, of requests that did.
    pub connect: Histogram,
    /// Time of the TLS handshake, of requests that did one.
    pub tls: Histogram,
    /// Time to the first byte.
    pub first_byte: Histogram,
}

impl EndpointView {
    /// Failures per request; 0 without requests.
    #[must_use]
    pub fn fail_ratio(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.failures as f64 / self.requests as f64 }
    }

    /// Mean size of a response body in bytes; 0 without requests.
    #[must_use]
    pub fn mean_content_bytes(&self) -> f64 {
        if self.requests == 0 { 0.0 } else { self.content_bytes as f64 / self.requests as f64 }
    }
}

/// A kind of failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorView {
    /// The method.
    pub method: Arc<str>,
    /// The endpoint's name.
    pub name: Arc<str>,
    /// What went wrong.
    pub error: Arc<str>,
    /// How often.
    pub occurrences: u64,
    /// First time, milliseconds since the Unix epoch.
    pub first_seen_unix_ms: u64,
    /// Last time.
    pub last_seen_unix_ms: u64,
}

/// A kind of exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExceptionView {
    /// How often.
    pub count: u64,
    /// What happened.
    pub message: Arc<str>,
    /// Where.
    pub traceback: Arc<str>,
    /// On which workers.
    pub nodes: Vec<Arc<str>>,
}

/// A point of the time series.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryPoint {
    /// The second of plan time in which it begins.
    pub second: u64,
    /// Its start, milliseconds since the Unix epoch.
    pub unix_ms: u64,
    /// Its width in seconds, more than 0: about 1 when new, more in the older half of a long run.
    pub width_s: f64,
    /// Users at its end; the most of its seconds when it has several.
    pub users: u64,
    /// Requests that ended in it.
    pub requests: u64,
    /// Failures among them.
    pub failures: u64,
    /// Requests per second over its width.
    pub rps: f64,
    /// Failures per second over its width.
    pub failures_per_s: f64,
    /// Mean latency in microseconds; `None` without requests.
    pub mean_us: Option<f64>,
    /// Median latency; `None` without requests.
    pub p50_us: Option<u64>,
    /// 95th percentile; `None` without requests.
    pub p95_us: Option<u64>,
    /// 99th percentile; `None` without requests.
    pub p99_us: Option<u64>,
}
