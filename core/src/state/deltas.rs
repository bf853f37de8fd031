//! Merging deltas, each exactly once.

use std::collections::BTreeSet;

use super::command::{DeltaBatch, DeltaPart, Refusal};
use super::participant::{Participant, ParticipantState};
use super::{ClusterState, Effect};

impl ClusterState {
    /// Merges a batch whole or not at all: only if every part continues the last delta of its worker, and every worker
    /// takes part in the run in the same life.
    pub(super) fn merge(&mut self, batch: &DeltaBatch) -> Result<Vec<Effect>, Refusal> {
        let time_ms = self.clock_ms;
        let run = self.active_run(batch.run)?;
        let position = |part: &DeltaPart| run.position_of(&part.worker, part.incarnation, Participant::is_live);
        let positions = batch.parts.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        batch.parts.iter().try_for_each(|part| self.continues(part, seen.insert(&part.worker)))?;
        for part in &batch.parts {
            self.workers.entry(part.worker.clone()).and_modify(|worker| worker.last_seq = part.last);
        }
        let safe = batch.parts.iter().map(|part| (part.worker.clone(), part.last)).collect();
        let mut effects = vec![Effect::Acknowledge { run: batch.run, safe }];
        let run = self.active_run(batch.run)?;
        effects.extend(run.merge(&batch.intervals));
        for (position, part) in positions.into_iter().zip(&batch.parts) {
            if part.finished {
                run.participants[position].state = ParticipantState::Finished;
            }
        }
        effects.extend(run.end_if_nobody_is_left(time_ms));
        self.honour_the_finished();
        Ok(effects)
    }

    fn continues(&self, part: &DeltaPart, is_only_one: bool) -> Result<(), Refusal> {
        let expected = self.workers.get(&part.worker).map(|worker| worker.last_seq.next()).unwrap_or_default();
        if is_only_one && part.first == expected && part.last >= part.first {
            return Ok(());
        }
        Err(Refusal::OutOfOrder { worker: part.worker.clone(), first: part.first, expected })
    }
}
