//! The replicated state and its `apply`.
//!
//! Every master applies the same commands in the same order and gets the same bytes. Applying gives a reply for whoever
//! proposed the command, and effects; only the leader carries effects out. There are no floats, no hash maps, no clock
//! and no randomness here: the time of a command is part of it.

mod anew;
mod balance;
pub mod command;
mod deltas;
mod departures;
pub mod format;
pub mod intended;
pub mod member;
pub mod participant;
pub mod record;
mod registry;
pub mod request;
pub mod rows;
pub mod run;
mod runs;
pub mod slots;
pub mod snapshot;
pub mod worker;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::ranges::RowRange;
use crate::ids::{LogIndex, RunId, Seq, WorkerId};
use crate::scenario::bundle::Bundle;
use command::{Command, Refusal};
use intended::IntendedRun;
use member::Member;
use request::{KnownRequests, Reply, RequestKey};
use run::Run;
use runs::RowWish;
use worker::Worker;

/// Everything that is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterState {
    applied: LogIndex,
    /// The latest time of an entry so far. What expires goes by it, since it never goes back.
    time_ms: u64,
    /// The time of the last entry by the clock of whoever led then. What people read goes by it: a clock that was hours
    /// ahead for a while leaves no trace.
    clock_ms: u64,
    members: Vec<Member>,
    workers: BTreeMap<WorkerId, Worker>,
    /// The run that goes on, or the last one.
    run: Option<Run>,
    /// Runs before it, newest first.
    history: VecDeque<Run>,
    requests: KnownRequests,
    /// The scenario of runs that bring none.
    #[serde(default)]
    scenario: Option<Arc<Bundle>>,
    /// The run that masters start by themselves, or the last one.
    #[serde(default)]
    intended: Option<IntendedRun>,
}

/// A command at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its position.
    pub index: LogIndex,
    /// Milliseconds since the Unix epoch by the leader's clock. It goes back when that clock does, or that of the next
    /// leader is behind.
    pub time_ms: u64,
    /// Whose request it is, if it must be carried out once however often it is made.
    pub request: Option<RequestKey>,
    /// What is to be done.
    pub command: Command,
}

/// What applying a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// For whoever proposed it: what came of it, or why it was refused. A refused command changes nothing.
    pub reply: Result<Reply, Refusal>,
    /// What the leader has to do about it.
    pub effects: Vec<Effect>,
}

/// What the leader does because a command was applied. Participants of the run are named by their position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell a worker what of its deltas is safe.
    Welcome {
        /// Which worker.
        worker: WorkerId,
        /// What it may drop.
        last_seq: Seq,
    },
    /// Have these participants get ready.
    BeginRun(Vec<usize>),
    /// Have these participants generate load.
    LaunchRun(Vec<usize>),
    /// Give the changed plan or statistics segment to the workers.
    UpdateRun,
    /// Tell these participants which slots are theirs.
    Slots(Vec<usize>),
    /// Tell workers that deltas up to these are safe.
    Acknowledge {
        /// Of which run.
        run: RunId,
        /// Which.
        safe: Vec<(WorkerId, Seq)>,
    },
    /// Give leased rows to a worker.
    Rows {
        /// Of which run.
        run: RunId,
        /// To whom.
        worker: WorkerId,
        /// Of which feeder.
        feeder: u32,
        /// The request that they answer.
        request: u64,
        /// Which rows.
        rows: Vec<RowRange>,
    },
    /// Have a worker forget a run.
    Leave {
        /// Which run.
        run: RunId,
        /// Which worker.
        worker: WorkerId,
    },
    /// The run is over and its result is final.
    RunEnded,
}

impl ClusterState {
    /// Applies a committed entry.
    ///
    /// Entries must come in order; one that was applied already changes nothing. A request that was carried out before is
    /// answered as it was then and has no effects.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        if entry.index <= self.applied {
            return Applied { reply: Ok(Reply::Done), effects: Vec::new() };
        }
        self.applied = entry.index;
        self.time_ms = self.time_ms.max(entry.time_ms);
        self.clock_ms = entry.time_ms;
        let Some(request) = &entry.request else { return self.carry_out(&entry.command) };
        self.requests.forget(self.time_ms);
        if let Some(reply) = self.requests.outcome(request) {
            return Applied { reply, effects: Vec::new() };
        }
        let applied = self.carry_out(&entry.command);
        self.requests.remember(request, self.time_ms, applied.reply.clone());
        applied
    }

    /// Notes an entry that the log made for itself: there is nothing to apply.
    pub fn note(&mut self, index: LogIndex) {
        self.applied = self.applied.max(index);
    }

    fn carry_out(&mut self, command: &Command) -> Applied {
        let outcome = match command {
            Command::StartRun { run, spec } => self.start_run(*run, spec),
            Command::IntendRun { run, command, present } => Ok((self.intend(*run, *command, present), Vec::new())),
            other => self.change(other).map(|effects| (Reply::Done, effects)),
        };
        match outcome {
            Ok((reply, effects)) => Applied { reply: Ok(reply), effects },
            Err(refusal) => Applied { reply: Err(refusal), effects: Vec::new() },
        }
    }

    fn change(&mut self, command: &Command) -> Result<Vec<Effect>, Refusal> {
        let time_ms = self.clock_ms;
        match command {
            Command::RegisterWorker { worker, incarnation, profile } => self.register(worker, *incarnation, profile),
            Command::LoseWorker { worker, incarnation, reason } => self.lose_worker(worker, *incarnation, *reason),
            Command::StartRun { run, spec } => self.start_run(*run, spec).map(|(_, effects)| effects),
            Command::SetScenario { bundle, replaces } => {
                self.set_scenario(bundle, *replaces);
                Ok(Vec::new())
            }
            Command::IntendRun { run, command, present } => {
                self.intend(*run, *command, present);
                Ok(Vec::new())
            }
            Command::CancelIntended { run, reason } => {
                self.cancel_intended(*run, reason);
                Ok(Vec::new())
            }
            Command::LaunchRun { run } => self.active_run(*run)?.launch(time_ms),
            Command::ExcludeWorker { run, worker, reason } => self.exclude_worker(*run, worker, reason),
            Command::Rebalance { run } => self.rebalance(*run),
            Command::AdmitWorker { run, worker, incarnation } => self.admit(*run, worker, *incarnation),
            Command::ReleaseSlots { run, worker, incarnation, epoch } => {
                self.release(*run, worker, *incarnation, *epoch)
            }
            Command::LeaseRows { run, worker, incarnation, feeder, request, used, want } => {
                let (run, incarnation, feeder, request, want) = (*run, *incarnation, *feeder, *request, *want);
                self.lease_rows(&RowWish { run, worker, incarnation, feeder, request, used, want })
            }
            Command::CloseRows { run, worker, incarnation, feeder, unused } => {
                self.close_rows(*run, worker, *incarnation, *feeder, unused)
            }
            Command::SetMembers(members) => {
                self.members.clone_from(members);
                Ok(Vec::new())
            }
            Command::EditRun { run, at_us, users, rate } => self.active_run(*run)?.edit(*at_us, *users, *rate),
            Command::ResetStatistics { run, at_us, keep_series } => self.active_run(*run)?.reset(*at_us, *keep_series),
            Command::StopRun { run, at_us, reason } => Ok(self.active_run(*run)?.stop(*at_us, *reason, time_ms)),
            Command::NoteElection { run, at_us } => self.active_run(*run)?.note_election(*at_us),
            Command::MergeDeltas(batch) => self.merge(batch),
            Command::EndRun { run, missing } => self.end_run(*run, missing),
        }
    }

    /// What came of a request the first time it was made, if it was made before.
    #[must_use]
    pub fn outcome_of(&self, request: &RequestKey) -> Option<Result<Reply, Refusal>> {
        self.requests.outcome(request)
    }

    /// The position of the last applied entry.
    #[must_use]
    pub fn applied(&self) -> LogIndex {
        self.applied
    }

    /// The latest time of an applied entry, milliseconds since the Unix epoch.
    #[must_use]
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// The masters.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The workers that have registered, present or not.
    pub fn workers(&self) -> impl Iterator<Item = (&WorkerId, &Worker)> {
        self.workers.iter()
    }

    /// One worker.
    #[must_use]
    pub fn worker(&self, worker: &WorkerId) -> Option<&Worker> {
        self.workers.get(worker)
    }
}

#[cfg(test)]
mod tests;
