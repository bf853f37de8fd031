//! What the web port of a master needs of other parts: specifications of runs, and documents.

use std::sync::Arc;

use akrida_core::state::command::Distribution;
use akrida_core::view::RunView;
use serde_json::{Value, json};

use super::runnable::Origin;
use super::{run_spec, web_documents};
use crate::api::ClusterStatus;
use crate::report::{live_run, stats_requests, summary};
use crate::web::{BuildSpec, MakeDocument, Renderers};

/// Makes specifications of runs from what clients ask for; `defaults` is how the masters are configured to use workers.
#[must_use]
pub fn build_spec(defaults: Distribution) -> BuildSpec {
    build_spec_of(Origin::File, defaults)
}

/// The same on a master that may be a program which brings its own users.
pub(super) fn build_spec_of(origin: Origin, defaults: Distribution) -> BuildSpec {
    Arc::new(move |start| run_spec::of_start(start, &defaults, &origin).map_err(|error| format!("{error:#}")))
}

/// Makes the documents that Locust serves of a run.
#[must_use]
pub fn make_document() -> MakeDocument {
    web_documents::make_document_of(Origin::File)
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
    let mut stats = match view {
        Some(view) => stats_requests::stats_requests(view),
        None => stats_requests::stats_requests(&RunView::before_the_first()),
    };
    let workers = status.workers.iter().map(|worker| {
        json!({
            "id": worker.name,
            "state": worker.locust_state(),
            "user_count": worker.users,
            "cpu_usage": worker.cpu_percent.unwrap_or(0.0),
            "memory_usage": worker.memory_bytes.unwrap_or(0),
        })
    });
    let present = status.workers.iter().filter(|worker| worker.is_present()).count();
    if let Some(stats) = stats.as_object_mut() {
        stats.insert("workers".to_owned(), workers.collect());
        stats.insert("worker_count".to_owned(), present.into());
    }
    stats
}
