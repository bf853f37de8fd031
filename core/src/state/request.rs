//! Requests that are carried out once, however often they are made.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::command::Refusal;
use crate::ids::RunId;
use crate::limits;

/// What makes a request the same as an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestKey {
    /// The key that the client or the first master gave it.
    pub key: Arc<str>,
    /// A hash of who asked for what: another request must not use the same key.
    pub fingerprint: u64,
}

/// What a command gave whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// This run was started.
    Run(RunId),
}

/// The requests of late and what came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KnownRequests {
    by_key: BTreeMap<Arc<str>, Known>,
    /// Oldest first.
    order: VecDeque<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    fingerprint: u64,
    time_ms: u64,
    outcome: Result<Reply, Refusal>,
}

impl KnownRequests {
    /// What came of the request the first time, if it was made before.
    pub(super) fn outcome(&self, request: &RequestKey) -> Option<Result<Reply, Refusal>> {
        let known = self.by_key.get(&request.key)?;
        Some(if known.fingerprint == request.fingerprint { known.outcome.clone() } else { Err(Refusal::KeyReused) })
    }

    /// Keeps what came of a request that was made for the first time.
    pub(super) fn remember(&mut self, request: &RequestKey, time_ms: u64, outcome: Result<Reply, Refusal>) {
        let known = Known { fingerprint: request.fingerprint, time_ms, outcome };
        self.by_key.insert(Arc::clone(&request.key), known);
        self.order.push_back(Arc::clone(&request.key));
    }

    /// Forgets the oldest requests: those that are too old, unless they are among the latest, and those that are too many.
    pub(super) fn forget(&mut self, time_ms: u64) {
        let kept_ms = limits::REQUESTS_KEPT.as_millis() as u64;
        while let Some(oldest) = self.order.front() {
            let made_ms = self.by_key.get(oldest).map_or(0, |known| known.time_ms);
            let is_recent = self.order.len() < limits::REQUESTS_KEPT_MIN || time_ms <= made_ms.saturating_add(kept_ms);
            if is_recent && self.order.len() < limits::REQUESTS_KEPT_MAX {
                break;
            }
            self.by_key.remove(oldest);
            self.order.pop_front();
        }
    }
}
