//! The runs of the cluster: the one that goes on, and those that were.

use super::command::{Refusal, RunSpec};
use super::participant::{Participant, ParticipantState};
use super::request::Reply;
use super::run::{Run, RunPhase};
use super::{ClusterState, Effect};
use crate::data::ranges::RowRange;
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;

impl ClusterState {
    /// The active run, or the last one.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The runs that are kept, newest first; at most `limits::RUNS_KEPT_MAX`.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.run.iter().chain(self.history.iter())
    }

    /// The run of an id, if it is kept.
    #[must_use]
    pub fn find_run(&self, id: RunId) -> Option<&Run> {
        self.runs().find(|run| run.id() == id)
    }

    pub(super) fn start_run(&mut self, id: RunId, spec: &RunSpec) -> Result<(Reply, Vec<Effect>), Refusal> {
        if self.has_active_run() {
            return Err(Refusal::RunIsActive);
        }
        self.may_start_intended(id)?;
        let selected = self.selected(&spec.distribution.select_tags).take(limits::PARTICIPANTS_MAX);
        let participants: Vec<_> =
            selected.map(|(id, worker)| Participant::new(id, worker, ParticipantState::Live)).collect();
        if participants.is_empty() {
            return Err(Refusal::NoWorkers);
        }
        for worker in self.workers.values_mut() {
            worker.last_seq = Seq::default();
        }
        self.note_started(id);
        let positions = (0..participants.len()).collect();
        let run = Run::new(id, spec.clone(), participants, self.clock_ms);
        if let Some(mut last) = self.run.replace(run) {
            last.thin();
            self.history.push_front(last);
            self.history.truncate(limits::RUNS_KEPT_MAX - 1);
            self.keep_history_small();
        }
        Ok((Reply::Run(id), vec![Effect::BeginRun(positions)]))
    }

    /// Forgets the oldest runs, so that all of the state fits into one message to another master.
    fn keep_history_small(&mut self) {
        let mut bytes = 0;
        let fit = self.history.iter().take_while(|run| {
            bytes += run.kept_bytes;
            bytes <= limits::HISTORY_BYTES_MAX as u64
        });
        let fit = fit.count();
        self.history.truncate(fit);
    }

    pub(super) fn end_run(&mut self, run: RunId, missing: &[WorkerId]) -> Result<Vec<Effect>, Refusal> {
        let time_ms = self.clock_ms;
        let effects = self.active_run(run)?.end(time_ms, missing);
        self.honour_the_finished();
        Ok(effects)
    }

    /// Leases rows of a `unique` feeder to a worker. What it asked for before is answered as before.
    pub(super) fn lease_rows(&mut self, wish: &RowWish<'_>) -> Result<Vec<Effect>, Refusal> {
        let RowWish { run, worker, incarnation, feeder, request, used, want } = *wish;
        let active = self.active_run(run)?;
        active.position_of(worker, incarnation, Participant::is_live)?;
        let rows = active.rows.get_mut(feeder as usize).and_then(Option::as_mut).ok_or(Refusal::NoSuchFeeder)?;
        let answer = rows.lease(worker, request, used, want)?;
        let effect = |rows| Effect::Rows { run, worker: worker.clone(), feeder, request, rows };
        Ok(answer.map(effect).into_iter().collect())
    }

    pub(super) fn close_rows(
        &mut self,
        run: RunId,
        worker: &WorkerId,
        incarnation: Incarnation,
        feeder: u32,
        unused: &[RowRange],
    ) -> Result<Vec<Effect>, Refusal> {
        let active = self.active_run(run)?;
        let there = |known: &Participant| known.is_live() || known.state == ParticipantState::Finished;
        active.position_of(worker, incarnation, there)?;
        let rows = active.rows.get_mut(feeder as usize).and_then(Option::as_mut).ok_or(Refusal::NoSuchFeeder)?;
        rows.close(worker, unused)?;
        Ok(Vec::new())
    }

    pub(super) fn has_active_run(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.phase() != RunPhase::Ended)
    }

    pub(super) fn unfinished_run(&mut self) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| run.phase() != RunPhase::Ended)
    }

    pub(super) fn active_run(&mut self, id: RunId) -> Result<&mut Run, Refusal> {
        self.unfinished_run().filter(|run| run.id == id).ok_or(Refusal::NoSuchRun)
    }
}

/// A worker's request for rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowWish<'a> {
    pub(super) run: RunId,
    pub(super) worker: &'a WorkerId,
    pub(super) incarnation: Incarnation,
    pub(super) feeder: u32,
    pub(super) request: u64,
    pub(super) used: &'a [RowRange],
    pub(super) want: u64,
}
