//! What an operator finds in the leader's log of workers that are left out or lost.

use akrida_core::state::command::Command;
use akrida_core::state::worker::LossReason;

/// Says it of a command that was carried out.
pub(super) fn log(command: &Command) {
    match command {
        Command::ExcludeWorker { run, worker, reason } => {
            tracing::warn!(%run, %worker, "a worker is left out of the run: {reason}");
        }
        Command::LoseWorker { worker, reason, .. } => match reason {
            LossReason::Goodbye => tracing::debug!(%worker, "a worker has said goodbye"),
            LossReason::Silence => tracing::warn!(%worker, "a worker is lost: it was not heard of for too long"),
            LossReason::Died => tracing::warn!(%worker, "a worker is lost: its process is gone"),
        },
        _ => {}
    }
}
