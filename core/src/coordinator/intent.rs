//! What a proposal is for: the same is not proposed twice at a time.

use crate::ids::{Incarnation, RunId, WorkerId};
use crate::state::command::Command;

/// The purpose of a command, whatever its instant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Intent {
    Register(WorkerId, Incarnation),
    Lose(WorkerId, Incarnation),
    SetScenario,
    Intend(RunId),
    CancelIntended(RunId),
    Start(RunId),
    Launch(RunId),
    Exclude(RunId, WorkerId),
    Rebalance(RunId),
    Admit(RunId, WorkerId, Incarnation),
    Release(RunId, WorkerId, Incarnation),
    LeaseRows(RunId, WorkerId, u32),
    CloseRows(RunId, WorkerId, u32),
    SetMembers,
    Edit(RunId),
    Reset(RunId),
    Stop(RunId),
    NoteElection(RunId),
    Merge,
    End(RunId),
}

impl Intent {
    pub(super) fn of(command: &Command) -> Self {
        match command {
            Command::RegisterWorker { worker, incarnation, .. } => Self::Register(worker.clone(), *incarnation),
            Command::LoseWorker { worker, incarnation, .. } => Self::Lose(worker.clone(), *incarnation),
            Command::SetScenario { .. } => Self::SetScenario,
            Command::IntendRun { run, .. } => Self::Intend(*run),
            Command::CancelIntended { run, .. } => Self::CancelIntended(*run),
            Command::StartRun { run, .. } => Self::Start(*run),
            Command::LaunchRun { run } => Self::Launch(*run),
            Command::ExcludeWorker { run, worker, .. } => Self::Exclude(*run, worker.clone()),
            Command::Rebalance { run } => Self::Rebalance(*run),
            Command::AdmitWorker { run, worker, incarnation } => Self::Admit(*run, worker.clone(), *incarnation),
            Command::ReleaseSlots { run, worker, incarnation, .. } => Self::Release(*run, worker.clone(), *incarnation),
            Command::LeaseRows { run, worker, feeder, .. } => Self::LeaseRows(*run, worker.clone(), *feeder),
            Command::CloseRows { run, worker, feeder, .. } => Self::CloseRows(*run, worker.clone(), *feeder),
            Command::SetMembers(_) => Self::SetMembers,
            Command::EditRun { run, .. } => Self::Edit(*run),
            Command::ResetStatistics { run, .. } => Self::Reset(*run),
            Command::StopRun { run, .. } => Self::Stop(*run),
            Command::NoteElection { run, .. } => Self::NoteElection(*run),
            Command::MergeDeltas(_) => Self::Merge,
            Command::EndRun { run, .. } => Self::End(*run),
        }
    }
}
