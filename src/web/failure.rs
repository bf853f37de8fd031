//! Answers that are no success.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, ResponseError};
use akrida_core::state::command::Refusal;

use super::cluster_handle::ControlError;
use crate::api::{ApiError, NOT_LEADER};

/// An answer that is no success: a status and an [`ApiError`] as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    body: ApiError,
    asks_another: bool,
}

impl Failure {
    pub(super) fn new(status: StatusCode, error: &str, reason: impl Into<String>) -> Self {
        Self { status, body: ApiError::new(error, reason), asks_another: false }
    }

    /// The request itself is wrong.
    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", reason)
    }

    /// There is no such run.
    pub(super) fn no_such_run() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no_such_run", "there is no such run")
    }

    /// Nobody leads, and nobody did for as long as a request is held.
    pub(super) fn no_leader() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_leader",
            "the cluster has no leader at the moment; try again, with the same idempotency key",
        )
    }

    /// Another master passed this request on, and this one does not lead: that one has to look again.
    pub(super) fn not_leader() -> Self {
        let reason = "this master was asked as the leader, and does not lead";
        Self { asks_another: true, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not_leader", reason) }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let reason = error.to_string();
        let (status, word) = match error {
            ControlError::Refused(refusal) => return refused(&refusal),
            ControlError::Impossible(_) => (StatusCode::CONFLICT, "impossible"),
            ControlError::TooFewWorkers { .. } => (StatusCode::SERVICE_UNAVAILABLE, "too_few_workers"),
            ControlError::NotLeader | ControlError::Unavailable => return Self::no_leader(),
            ControlError::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, "timed_out"),
        };
        Self::new(status, word, reason)
    }
}

fn refused(refusal: &Refusal) -> Failure {
    let (status, word) = match refusal {
        Refusal::RunIsActive => (StatusCode::CONFLICT, "run_is_active"),
        Refusal::NoSuchRun => (StatusCode::NOT_FOUND, "no_such_run"),
        Refusal::NoWorkers => (StatusCode::SERVICE_UNAVAILABLE, "no_workers"),
        Refusal::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "key_reused"),
        _ => (StatusCode::CONFLICT, "refused"),
    };
    Failure::new(status, word, refusal.to_string())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body.reason)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((RETRY_AFTER, "1"));
        }
        if self.asks_another {
            response.insert_header((NOT_LEADER, "1"));
        }
        response.json(&self.body)
    }
}
