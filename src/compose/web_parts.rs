//! What the web port of a master needs of other parts: specifications of runs, and documents.

use std::sync::Arc;

use akrida_core::state::command::Distribution;
use akrida_core::view::RunView;
use serde_json::{Value, json};

use super::run_spec;
use super::runnable::Origin;
use crate::api::ClusterStatus;
use crate::report::{live_run, stats_requests, summary};
use crate::web::{BuildSpec, Renderers};

/// Makes specifications of runs from what clients ask for; `defaults` is how the masters are configured to use workers.
#[must_use]
pub fn build_spec(defaults: Distribution) -> BuildSpec {
    build_spec_of(Origin::File, defaults)
}

/// The same on a master that may be a program which brings its own users.
pub(super) fn build_spec_of(origin: Origin, defaults: Distribution) -> BuildSpec {
    Arc::new(move |start| run_spec::of_start(start, &defaults, &origin).map_err(|error| format!("{error:#}")))
}

/// Makes the documents of the web port.
#[must_use]
pub fn renderers() -> Renderers {
    Renderers {
        summary: summary::summary,
        stats_requests: locust_stats,
        live_run: live_run::live_run,
        series: summary::series,
    }
}

/// The answer of `/stats/requests`, with the workers.
fn locust_stats(view: Option<&RunView>, status: &ClusterStatus) -> Value {
    let mut stats = view.map_or_else(before_the_first_run, stats_requests::stats_requests);
    let workers = status.workers.iter().map(|worker| {
        json!({
            "id": worker.name,
            "state": worker.state,
            "user_count": worker.users,
            "cpu_usage": worker.cpu_percent.unwrap_or(0.0),
            "memory_usage": worker.memory_bytes.unwrap_or(0),
        })
    });
    let present = status.workers.iter().filter(|worker| worker.state != "missing").count();
    if let Some(stats) = stats.as_object_mut() {
        stats.insert("workers".to_owned(), workers.collect());
        stats.insert("worker_count".to_owned(), present.into());
    }
    stats
}

fn before_the_first_run() -> Value {
    json!({
        "state": "ready",
        "user_count": 0,
        "stats": [],
        "errors": [],
        "total_rps": 0.0,
        "total_fail_per_sec": 0.0,
        "current_rps": 0.0,
        "current_fail_per_sec": 0.0,
        "fail_ratio": 0.0,
        "current_response_time_percentiles": {
            "response_time_percentile_0.5": null,
            "response_time_percentile_0.95": null,
        },
    })
}
