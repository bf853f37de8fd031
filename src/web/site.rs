//! What the handlers share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use akrida_core::limits;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::RunSpec;
use akrida_core::view::{HistoryPoint, RunView};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::cluster_handle::{ClusterHandle, ControlError};
use super::feed::Board;
use crate::api::{ClusterStatus, StartRun};

/// Makes a run's specification from what a client asked for, or says what is wrong with it. It may take long.
pub type BuildSpec = Arc<dyn Fn(&StartRun) -> Result<RunSpec, String> + Send + Sync>;

/// What Locust serves of the active or last run, beside its statistics as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The statistics, a row for each endpoint.
    RequestsCsv,
    /// The time series of the aggregate.
    HistoryCsv,
    /// The kinds of failures.
    FailuresCsv,
    /// The kinds of exceptions.
    ExceptionsCsv,
    /// The same as JSON.
    Exceptions,
    /// The ratios of classes and tasks as JSON.
    Tasks,
    /// The HTML report.
    Report(Theme),
}

/// The colours of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// What the reader's system prefers.
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What a document is made of.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The active or last run; `None` before the first.
    pub view: Option<Arc<RunView>>,
    /// Its scenario, as far as it is still known.
    pub bundle: Option<Arc<Bundle>>,
}

/// A document and the name under which it is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The document.
    pub text: String,
    /// A name that needs no quotes in a header.
    pub file_name: String,
}

/// Makes a document, or says why there is none. It may take long.
pub type MakeDocument = Arc<dyn Fn(Document, &Shown) -> Result<Made, String> + Send + Sync>;

/// What makes documents of views; they belong to another part of the program.
#[derive(Clone, Copy, Debug)]
pub struct Renderers {
    /// The summary of a run.
    pub summary: fn(&RunView) -> Value,
    /// The answer of `/stats/requests`, also before the first run.
    pub stats_requests: fn(Option<&RunView>, &ClusterStatus) -> Value,
    /// What the live feed tells of a run, but for its time series.
    pub live_run: fn(&RunView) -> Value,
    /// Points of a time series.
    pub series: fn(&[HistoryPoint]) -> Value,
}

/// What a web port is started with.
#[derive(Clone)]
pub struct WebSetup {
    /// The name of the master.
    pub name: Arc<str>,
    /// The master.
    pub cluster: ClusterHandle,
    /// Makes specifications of runs.
    pub build_spec: BuildSpec,
    /// Makes documents.
    pub renderers: Renderers,
    /// Makes what Locust serves beside them.
    pub make_document: MakeDocument,
    /// The last lines of this master's log, oldest first.
    pub recent_log: fn() -> Vec<String>,
    /// What stands before every path in addresses for people, such as `/locust`; "" for nothing.
    pub base_path: Arc<str>,
    /// How long a request is held while there is no leader.
    pub hold: Duration,
    /// How long this master is still ready without a leader.
    pub ready_grace: Duration,
}

impl WebSetup {
    /// How long a master of a group with this election time-out is ready without a leader: longer than any election that
    /// ends, or balancers would take all masters out at once.
    #[must_use]
    pub fn ready_grace_for(election_timeout: Duration) -> Duration {
        limits::WEB_READY_GRACE_MIN.max(election_timeout * 5 / 2)
    }
}

impl fmt::Debug for WebSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebSetup").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What may still be done at once, by all threads.
#[derive(Clone)]
pub(super) struct Turns {
    /// Starts of runs that may be taken in.
    pub(super) starts: Arc<Semaphore>,
    /// Documents that may be made.
    documents: Arc<Semaphore>,
}

impl Turns {
    pub(super) fn new() -> Self {
        let starts = Arc::new(Semaphore::new(limits::WEB_STARTS_AT_ONCE_MAX));
        Self { starts, documents: Arc::new(Semaphore::new(limits::WEB_DOCUMENTS_AT_ONCE_MAX)) }
    }
}

/// What the handlers of one thread share.
pub(super) struct Site {
    pub(super) setup: WebSetup,
    pub(super) turns: Turns,
    /// What live feeds tell.
    pub(super) board: Arc<Board>,
    /// For requests to the leader; it cannot leave its thread.
    pub(super) client: awc::Client,
}

impl Site {
    pub(super) fn new(setup: WebSetup, turns: Turns, board: Arc<Board>) -> Self {
        let connector = awc::Connector::new().timeout(limits::CLIENT_CONNECT_WAIT);
        // Each request has a deadline of its own.
        let client = awc::Client::builder().connector(connector).disable_timeout().disable_redirects().finish();
        Self { setup, turns, board, client }
    }

    pub(super) fn cluster(&self) -> &ClusterHandle {
        &self.setup.cluster
    }

    /// Waits until a document may be made, which takes a thread and memory; until the answer is dropped it is one of them.
    ///
    /// # Errors
    /// When too many others are being made for too long.
    pub(super) async fn document_turn(&self) -> Result<OwnedSemaphorePermit, ControlError> {
        match timeout(self.setup.hold, Arc::clone(&self.turns.documents).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(ControlError::Unavailable),
        }
    }
}
