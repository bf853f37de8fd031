//! A and B: every request has a number of its own and is in one sealed delta; every delta has a name, which travels with
//! what it holds. So the ledger knows exactly what was merged, and what the totals must be.

use std::collections::BTreeMap;
use std::sync::Arc;

use akrida_core::ids::{Incarnation, RunId, Seq, WorkerId};
use akrida_core::state::ClusterState;
use akrida_core::state::command::{DeltaBatch, DeltaPart};
use akrida_core::stats::delta::Delta;
use akrida_core::stats::measurements::Measurements;
use akrida_core::wire::ToWorker;

use super::{Counts, Invariant};
use crate::worker::engine::Open;

/// A sealed delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeltaId(usize);

impl DeltaId {
    /// The name that it has in its own measurements.
    pub(crate) fn name(self) -> Arc<str> {
        self.0.to_string().into()
    }

    fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    fn all_in(measured: &Measurements) -> impl Iterator<Item = (Option<Self>, u64)> + '_ {
        measured.generator_errors.iter().map(|(name, count)| (Self::named(name), *count))
    }
}

/// Who has sealed a delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SealedBy {
    pub(crate) run: RunId,
    pub(crate) worker: WorkerId,
    pub(crate) incarnation: Incarnation,
    /// The worker's place in the run.
    pub(crate) position: usize,
    /// The worker's preparation of the run.
    pub(crate) preparation: u64,
}

#[derive(Debug)]
struct Sealed {
    by: SealedBy,
    open: Open,
    /// Known when it is sent.
    number: Option<(Seq, u32)>,
    is_accepted: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    requests: u64,
    numbers: u64,
    deltas: u64,
}

type Outcome = Result<(), (Invariant, String)>;

/// All deltas that were ever sealed, and what was accepted.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sealed: Vec<Sealed>,
    /// The last accepted delta of each place in a run.
    last: BTreeMap<(RunId, usize), (WorkerId, Seq)>,
    totals: BTreeMap<(RunId, u32), Totals>,
}

fn broken<T>(invariant: Invariant, what: String) -> Result<T, (Invariant, String)> {
    Err((invariant, what))
}

impl Ledger {
    /// A worker's collectors were drained.
    pub(crate) fn seal(&mut self, by: SealedBy, open: Open) -> DeltaId {
        self.sealed.push(Sealed { by, open, number: None, is_accepted: false });
        DeltaId(self.sealed.len() - 1)
    }

    /// A delta is sent: the same one always has the same number.
    pub(crate) fn sent(&mut self, delta: &Delta) -> Outcome {
        let name = DeltaId::all_in(&delta.interval.measurements).next();
        let Some(sealed) = name.and_then(|(id, _)| self.sealed.get_mut(id?.0)) else {
            return broken(Invariant::A, format!("{delta:?} holds nothing that was sealed"));
        };
        let number = (delta.seq, delta.interval.segment);
        match sealed.number.replace(number) {
            Some(before) if before != number => {
                broken(Invariant::B, format!("a delta of {} was {before:?} and is {number:?}", delta.worker))
            }
            _ => Ok(()),
        }
    }

    /// A batch was applied.
    pub(crate) fn merged(
        &mut self,
        batch: &DeltaBatch,
        places: &BTreeMap<WorkerId, usize>,
        counts: &mut Counts,
    ) -> Outcome {
        let mut found = 0;
        for (&(segment, _), interval) in &batch.intervals.seconds {
            for (id, count) in DeltaId::all_in(&interval.measurements) {
                let Some(id) = id.filter(|_| count == 1) else {
                    return broken(Invariant::B, format!("a batch holds a delta {count} times: {batch:?}"));
                };
                self.accept(id, segment, batch)?;
                found += 1;
            }
        }
        let promised: u64 = batch.parts.iter().map(|part| part.last.0 + 1 - part.first.0).sum();
        if found != promised {
            return broken(Invariant::A, format!("a batch of {promised} deltas holds {found}: {:?}", batch.parts));
        }
        counts.deltas += found;
        batch.parts.iter().try_for_each(|part| self.follows(batch.run, part, places))
    }

    fn accept(&mut self, id: DeltaId, segment: u32, batch: &DeltaBatch) -> Outcome {
        let Some(sealed) = self.sealed.get_mut(id.0) else {
            return broken(Invariant::A, format!("{id:?} was accepted and never sealed"));
        };
        let by = &sealed.by;
        let is_of = |part: &&DeltaPart| {
            let is_in = |(seq, of): (Seq, u32)| (part.first..=part.last).contains(&seq) && of == segment;
            part.worker == by.worker && part.incarnation == by.incarnation && sealed.number.is_some_and(is_in)
        };
        if by.run != batch.run || !batch.parts.iter().any(|part| is_of(&part)) {
            return broken(Invariant::A, format!("{sealed:?} is in a batch of others: {:?}", batch.parts));
        }
        if sealed.is_accepted {
            return broken(Invariant::B, format!("{sealed:?} was accepted twice"));
        }
        sealed.is_accepted = true;
        let totals = self.totals.entry((batch.run, segment)).or_default();
        totals.requests += sealed.open.requests;
        totals.numbers += sealed.open.numbers;
        totals.deltas += 1;
        Ok(())
    }

    fn follows(&mut self, run: RunId, part: &DeltaPart, places: &BTreeMap<WorkerId, usize>) -> Outcome {
        let Some(position) = places.get(&part.worker) else {
            return broken(Invariant::B, format!("{} has no place in run {run}", part.worker));
        };
        let (_, last) = self.last.entry((run, *position)).or_insert_with(|| (part.worker.clone(), Seq::default()));
        if part.first != last.next() {
            return broken(Invariant::B, format!("{part:?} was accepted after {last:?}"));
        }
        *last = part.last;
        Ok(())
    }

    /// The totals of the current run are those of what was accepted.
    pub(crate) fn check_totals(&self, state: &ClusterState) -> Outcome {
        let Some(run) = state.run() else { return Ok(()) };
        let stats = run.stats();
        let expected = self.totals.get(&(run.id(), stats.segment)).copied().unwrap_or_default();
        let total = stats.total.endpoints.values();
        let (requests, numbers) =
            total.fold((0, 0), |(requests, numbers), of| (requests + of.requests(), numbers + of.content_bytes));
        let deltas = stats.total.generator_errors.len() as u64;
        let found = Totals { requests, numbers, deltas };
        if found != expected || stats.total.http_exchanges != requests {
            let what = format!("the totals of run {} are {found:?}, and accepted were {expected:?}", run.id());
            return broken(Invariant::A, what);
        }
        Ok(())
    }

    /// A leader says what is safe: it must have been accepted.
    pub(crate) fn acknowledges(&self, worker: &WorkerId, message: &ToWorker) -> Outcome {
        let (run, seq) = match message {
            ToWorker::Acknowledge { run, seq } => (Some(*run), *seq),
            ToWorker::Welcome { last_seq, .. } => (None, *last_seq),
            _ => return Ok(()),
        };
        let of_worker = self.last.iter().filter(|((of, _), (id, _))| id == worker && run.is_none_or(|run| run == *of));
        let safe = of_worker.map(|(_, (_, seq))| *seq).max().unwrap_or_default();
        if seq > safe {
            return broken(Invariant::F, format!("{worker} is told that {seq:?} is safe, and {safe:?} is"));
        }
        Ok(())
    }

    /// A worker hears what is safe: whatever it drops for that must have been accepted.
    pub(crate) fn confirmed(&self, by: &SealedBy, seq: Seq) -> Outcome {
        let of_it = self.sealed.iter().rev().filter(|sealed| sealed.by == *by);
        let dropped = of_it.filter(|sealed| sealed.number.is_some_and(|(number, _)| number <= seq));
        match dropped.take(64).find(|sealed| !sealed.is_accepted) {
            Some(lost) => broken(Invariant::F, format!("{lost:?} is lost: its worker heard that {seq:?} is safe")),
            None => Ok(()),
        }
    }

    /// Everything of a place in a run was accepted.
    pub(crate) fn is_whole(&self, run: RunId, position: usize) -> Outcome {
        let of_it = self.sealed.iter().filter(|sealed| sealed.by.run == run && sealed.by.position == position);
        match of_it.into_iter().find(|sealed| !sealed.is_accepted) {
            Some(lost) => broken(Invariant::A, format!("{lost:?} is missing, although its worker ended in good order")),
            None => Ok(()),
        }
    }

    /// Requests of a run that were measured, accepted or not.
    pub(crate) fn measured(&self, run: RunId) -> u64 {
        self.sealed.iter().filter(|sealed| sealed.by.run == run).map(|sealed| sealed.open.requests).sum()
    }
}
