//! Why the cluster did not do what it was asked.

use std::time::Duration;

use crate::api::ApiError;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No master answered, or none that could act, for as long as the client was patient. What was asked may have been
    /// done all the same.
    #[error("no master of {masters} could act for {} s: {last}", .waited.as_secs())]
    Unreachable {
        /// Who was asked.
        masters: String,
        /// For how long.
        waited: Duration,
        /// What the last one said, or why it said nothing.
        last: String,
    },
    /// The cluster refuses.
    #[error("{error}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// Why.
        error: ApiError,
    },
    /// The answer is none of a master of Akrida.
    #[error("{master} gave an answer that is none of Akrida's: {reason}")]
    Malformed {
        /// Who answered.
        master: String,
        /// What is wrong.
        reason: String,
    },
}

impl ClientError {
    /// Whether the cluster says that there is no such run.
    #[must_use]
    pub fn is_no_such_run(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error.error == "no_such_run")
    }
}
