//! What there is to see of a process.

use akrida_core::view::{RunView, Status};

/// What there is to see of a master or worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figures {
    /// Of a master.
    Master(MasterFigures),
    /// Of a worker.
    Worker(WorkerFigures),
}

/// What there is to see of a master.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MasterFigures {
    /// Whether it leads.
    pub is_leader: bool,
    /// Whether it knows of a leader, itself included.
    pub has_leader: bool,
    /// The term that it knows.
    pub term: u64,
    /// The last entry of its log.
    pub last_index: u64,
    /// The last entry that it knows to be committed.
    pub commit_index: u64,
    /// The last entry that it has applied.
    pub applied_index: u64,
    /// How often it has heard of another leader than before since it started; a return of the same one in a later term
    /// counts too.
    pub leader_changes: u64,
    /// The memory that its process may use.
    pub memory_limit_bytes: Option<u64>,
    /// Log lines of it that could not be written.
    pub log_lines_lost: u64,
    /// What only the leader tells: on another master it would be old, or told twice.
    pub leader: Option<LeaderFigures>,
}

/// What only a leader tells.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LeaderFigures {
    /// Workers that are there.
    pub workers_connected: u64,
    /// Workers that a run needs to start.
    pub workers_expected: u64,
    /// The run that goes on, or the last one.
    pub run: RunFigures,
}

/// What there is to see of the run that goes on, or of the last one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunFigures {
    /// Whether it goes on.
    pub is_active: bool,
    /// Users that exist.
    pub users: u64,
    /// Users that are wanted.
    pub users_wanted: u64,
    /// Requests since its statistics began, failed ones included.
    pub requests: u64,
    /// Failures among them.
    pub failures: u64,
    /// Failures per request in the current window, from 0 to 1; 0 without requests and when no run goes on.
    pub errors_rate: f64,
}

impl RunFigures {
    /// Those of a run.
    #[must_use]
    pub fn of(view: &RunView) -> Self {
        let is_active = !matches!(view.status, Status::Ready | Status::Stopped);
        let (rps, failures_per_s) = (view.total.current_rps, view.total.current_failures_per_s);
        let errors_rate = if is_active && rps > 0.0 { (failures_per_s / rps).clamp(0.0, 1.0) } else { 0.0 };
        Self {
            is_active,
            users: if is_active { view.user_count } else { 0 },
            users_wanted: if is_active { view.run.target_users } else { 0 },
            requests: view.total.requests,
            failures: view.total.failures,
            errors_rate,
        }
    }
}

/// What there is to see of a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WorkerFigures {
    /// Users that it runs.
    pub users: u64,
    /// The most that it runs; any number if `None`.
    pub users_max: Option<u64>,
    /// Whether a leader knows it and listens to it.
    pub is_connected: bool,
    /// Masters that it has a link to.
    pub masters_linked: u64,
    /// Deltas of statistics that are not known to be safe.
    pub unsafe_deltas: u64,
    /// CPU that the busiest of its threads with users takes of its core, from 0 to 1.
    pub cpu_ratio: f64,
    /// The memory that its process may use.
    pub memory_limit_bytes: Option<u64>,
    /// Log lines of it that could not be written.
    pub log_lines_lost: u64,
}
