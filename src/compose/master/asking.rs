//! Questions to the coordinator, and its answers in the words of the web port.

use std::time::Duration;

use akrida_actors::coordinator::OrderError;
use akrida_core::limits;
use akrida_core::state::command::Refusal;
use tokio::time::timeout;

use crate::web::ControlError;

/// Waits for an answer of the coordinator, but not without end.
pub(super) async fn answered<T>(
    asked: impl Future<Output = Result<T, actix::MailboxError>>,
) -> Result<T, ControlError> {
    match timeout(limits::PROPOSAL_WAIT + Duration::from_secs(1), asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(_)) => Err(ControlError::Unavailable),
        Err(_) => Err(ControlError::TimedOut),
    }
}

pub(super) fn control_error(error: OrderError) -> ControlError {
    match error {
        OrderError::Refused(Refusal::TooFewWorkers { present, expected }) => {
            ControlError::TooFewWorkers { connected: present as u64, expected: expected as u64 }
        }
        OrderError::Refused(refusal) => ControlError::Refused(refusal),
        OrderError::NotLeading => ControlError::NotLeader,
        OrderError::Unknown => ControlError::Unavailable,
    }
}
