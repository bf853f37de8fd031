//! Requests that are carried out once, however often they are made.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::RunId;

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
