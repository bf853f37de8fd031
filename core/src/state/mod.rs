//! The replicated state and its `apply`.
//!
//! Every master applies the same commands in the same order and gets the same bytes. Applying gives a reply for whoever
//! proposed the command, and effects; only the leader carries effects out. There are no floats, no hash maps, no clock
//! and no randomness here: the time of a command is part of it.

pub mod command;
pub mod deltas;
pub mod member;
pub mod record;
pub mod request;
pub mod run;
pub mod worker;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{Incarnation, LogIndex, RunId, Seq, WorkerId};
use command::{Command, Refusal, RunSpec};
use request::{Reply, RequestKey};
use run::{Run, RunPhase};
use worker::{Worker, WorkerProfile};

/// Everything that is replicated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterState {
    applied: LogIndex,
    time_ms: u64,
    workers: BTreeMap<WorkerId, Worker>,
    run: Option<Run>,
}

/// A command at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its position.
    pub index: LogIndex,
    /// Milliseconds since the Unix epoch, set by the leader, never going back.
    pub time_ms: u64,
    /// Whose request it is, if it must be carried out once however often it is made.
    pub request: Option<RequestKey>,
    /// What is to be done.
    pub command: Command,
}

/// What applying a command gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// For whoever proposed it: nothing, or why it was refused. A refused command changes nothing.
    pub reply: Result<Reply, Refusal>,
    /// What the leader has to do about it.
    pub effects: Vec<Effect>,
}

/// What the leader does because a command was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell a worker what of its deltas is safe.
    Welcome {
        /// Which worker.
        worker: WorkerId,
        /// What it may drop.
        last_seq: Seq,
    },
    /// Give the run to its workers.
    BeginRun,
    /// Give the changed plan or statistics segment to the workers.
    UpdateRun,
    /// Tell workers that deltas up to these are safe.
    Acknowledge(Vec<(WorkerId, Seq)>),
    /// The run is over and its result is final.
    RunEnded,
}

impl ClusterState {
    /// Applies a committed entry.
    ///
    /// Entries must come in order; one that was applied already changes nothing.
    pub fn apply(&mut self, entry: &Entry) -> Applied {
        if entry.index <= self.applied {
            return Applied { reply: Ok(Reply::Done), effects: Vec::new() };
        }
        self.applied = entry.index;
        self.time_ms = self.time_ms.max(entry.time_ms);
        let outcome = match &entry.command {
            Command::RegisterWorker { worker, incarnation, profile } => {
                Ok(self.register(worker, *incarnation, profile))
            }
            Command::StartRun { run, spec } => self.start_run(*run, spec),
            Command::EditRun { run, at_us, users, rate } => {
                self.change_run(*run, |active| active.edit(*at_us, *users, *rate))
            }
            Command::ResetStatistics { run, at_us, keep_series } => {
                self.change_run(*run, |active| active.reset(*at_us, *keep_series))
            }
            Command::StopRun { run, at_us, reason } => self.change_run(*run, |active| active.stop(*at_us, *reason)),
            Command::MergeDeltas(batch) => self.merge(batch),
            Command::EndRun { run, missing } => self.end_run(*run, missing),
            Command::LoseWorker { .. }
            | Command::LaunchRun { .. }
            | Command::ExcludeWorker { .. }
            | Command::Rebalance { .. }
            | Command::ReleaseSlots { .. }
            | Command::LeaseRows { .. }
            | Command::CloseRows { .. }
            | Command::SetMembers(_) => Ok(Vec::new()),
        };
        match outcome {
            Ok(effects) => Applied { reply: Ok(Reply::Done), effects },
            Err(refusal) => Applied { reply: Err(refusal), effects: Vec::new() },
        }
    }

    /// Takes note of an entry that the log made for itself.
    pub fn note(&mut self, index: LogIndex) {
        self.applied = self.applied.max(index);
    }

    /// The state as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        rmp_serde::to_vec(self).expect("writing to memory does not fail")
    }

    /// The state from bytes.
    ///
    /// # Errors
    /// When they are none of a state.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, rmp_serde::decode::Error> {
        rmp_serde::from_slice(bytes)
    }

    /// The position of the last applied entry.
    #[must_use]
    pub fn applied(&self) -> LogIndex {
        self.applied
    }

    /// The time of the last applied entry, milliseconds since the Unix epoch. A leader stamps its next entry with the
    /// larger of this and its own clock.
    #[must_use]
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// The active run, or the last one.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The registered workers.
    pub fn workers(&self) -> impl Iterator<Item = (&WorkerId, &Worker)> {
        self.workers.iter()
    }

    /// One worker.
    #[must_use]
    pub fn worker(&self, worker: &WorkerId) -> Option<&Worker> {
        self.workers.get(worker)
    }

    fn register(&mut self, worker: &WorkerId, incarnation: Incarnation, profile: &WorkerProfile) -> Vec<Effect> {
        let fresh = Worker {
            incarnation,
            profile: profile.clone(),
            last_seq: Seq::default(),
            finished: false,
            is_present: true,
            losses: 0,
        };
        let known = self.workers.entry(worker.clone()).or_insert_with(|| fresh.clone());
        if known.incarnation != incarnation {
            *known = fresh;
        }
        vec![Effect::Welcome { worker: worker.clone(), last_seq: known.last_seq }]
    }

    fn start_run(&mut self, run: RunId, spec: &RunSpec) -> Result<Vec<Effect>, Refusal> {
        if self.run.as_ref().is_some_and(|active| active.phase() != RunPhase::Ended) {
            return Err(Refusal::RunIsActive);
        }
        if self.workers.is_empty() {
            return Err(Refusal::NoWorkers);
        }
        for worker in self.workers.values_mut() {
            (worker.last_seq, worker.finished) = (Seq::default(), false);
        }
        let participants = self.workers.keys().cloned().collect();
        self.run = Some(Run::new(run, spec.clone(), participants, self.time_ms));
        Ok(vec![Effect::BeginRun])
    }

    fn change_run(
        &mut self,
        run: RunId,
        change: impl FnOnce(&mut Run) -> Result<(), Refusal>,
    ) -> Result<Vec<Effect>, Refusal> {
        change(self.active_run(run)?)?;
        Ok(vec![Effect::UpdateRun])
    }

    fn end_run(&mut self, run: RunId, missing: &[WorkerId]) -> Result<Vec<Effect>, Refusal> {
        let time_ms = self.time_ms;
        self.active_run(run)?.end(time_ms, missing);
        Ok(vec![Effect::RunEnded])
    }

    fn active_run(&mut self, run: RunId) -> Result<&mut Run, Refusal> {
        let active = self.run.as_mut().filter(|active| active.id() == run && active.phase() != RunPhase::Ended);
        active.ok_or(Refusal::NoSuchRun)
    }
}
