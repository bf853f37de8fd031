//! Why a request was not carried out.

use serde::{Deserialize, Serialize};

/// The body of every answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub struct ApiError {
    /// A word for programs, such as `no_leader`.
    pub error: String,
    /// What is wrong, for people.
    pub reason: String,
}

impl ApiError {
    /// An error.
    #[must_use]
    pub fn new(error: &str, reason: impl Into<String>) -> Self {
        Self { error: error.to_owned(), reason: reason.into() }
    }
}
