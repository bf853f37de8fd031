//! Carries a request out as the leader, or has the leader do it; while nobody leads, the request waits.

use std::time::Duration;

use actix_web::HttpResponse;
use akrida_core::limits;
use tokio::time::{Instant, sleep, timeout_at};

use super::cluster_handle::{ControlError, Role, WebAddress};
use super::failure::Failure;
use super::forward;
use super::relayed::Relayed;
use super::site::Site;

/// What a leader answers. What fails and may pass is tried again.
pub(super) type Local = Result<HttpResponse, NotDone>;

/// Why a leader has no good answer.
#[derive(Debug)]
pub(super) enum NotDone {
    /// The cluster could not.
    Control(ControlError),
    /// The request is at fault.
    Failure(Failure),
}

impl From<ControlError> for NotDone {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl Site {
    /// Carries a request out where the leader is; `answer_wait` is how long a leader may take for it. `local` is what to
    /// do when this master leads. A request is tried again while there is time, as its key allows, until somebody has
    /// answered it.
    pub(super) async fn at_leader(
        &self,
        relayed: &Relayed,
        answer_wait: Duration,
        local: impl AsyncFn() -> Local,
    ) -> Result<HttpResponse, Failure> {
        let started = Instant::now();
        let held_until = started + self.setup.hold;
        let answered_until = started + self.setup.hold.max(answer_wait);
        let mut failure = Failure::no_leader();
        loop {
            match self.cluster().leadership().role {
                Role::Leading { is_ready: true } => match timeout_at(answered_until, local()).await {
                    Ok(Ok(response)) => return Ok(response),
                    Ok(Err(NotDone::Failure(failure))) => return Err(failure),
                    Ok(Err(NotDone::Control(error))) if !error.may_pass() => return Err(error.into()),
                    Ok(Err(NotDone::Control(error))) => failure = error.into(),
                    Err(_) => failure = ControlError::TimedOut.into(),
                },
                _ if relayed.was_forwarded => return Err(Failure::not_leader()),
                Role::Following { leader: Some(leader) } => {
                    if let Some(response) = self.forwarded(&leader, relayed, answered_until).await {
                        return Ok(response);
                    }
                }
                Role::Leading { is_ready: false } | Role::Following { leader: None } => {}
            }
            if relayed.was_forwarded {
                return Err(Failure::not_leader());
            }
            if Instant::now() + limits::WEB_HOLD_STEP > held_until {
                return Err(failure);
            }
            sleep(limits::WEB_HOLD_STEP).await;
        }
    }

    /// The leader's answer. A leader that is no longer thought to lead is not waited for: it may be paused.
    async fn forwarded(&self, leader: &WebAddress, relayed: &Relayed, until: Instant) -> Option<HttpResponse> {
        let deposed = async {
            loop {
                sleep(limits::WEB_HOLD_STEP).await;
                match self.cluster().leadership().role {
                    Role::Following { leader: Some(known) } if known == *leader => {}
                    _ => break,
                }
            }
        };
        tokio::select! {
            answer = timeout_at(until, forward::send(self, leader, relayed)) => answer.ok().flatten(),
            () = deposed => None,
        }
    }
}
