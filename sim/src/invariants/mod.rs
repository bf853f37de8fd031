//! What must always hold. Each invariant has a letter, which code, messages and documents use.

pub(crate) mod actions;
pub(crate) mod durability;
pub(crate) mod ledger;
pub(crate) mod log;
pub(crate) mod slots;
pub(crate) mod terms;

use std::collections::BTreeMap;
use std::fmt;

use akrida_core::ids::WorkerId;
use akrida_core::state::command::Command;
use akrida_core::state::record::Record;
use akrida_core::state::{Applied, ClusterState};
use akrida_core::stats::delta::Delta;
use akrida_core::wire::ToWorker;

use crate::clock::SECOND;
use actions::ActionWatch;
use ledger::Ledger;
use log::LogWatch;
use slots::SlotWatch;
use terms::TermWatch;

/// A rule of the whole cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// Totals equal the accepted deltas, and those hold what was measured.
    A,
    /// No delta is skipped or repeated.
    B,
    /// At most one master acts as leader in a term, and none that was told that it is none.
    C,
    /// The users of a slot run on at most one worker at any instant of true time.
    D,
    /// The same beginning of the log gives the same state, to the byte.
    E,
    /// What is acknowledged is on the disks of a majority.
    F,
    /// When faults have ended, work goes on.
    G,
    /// An acknowledged action took effect exactly once.
    H,
}

/// A rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub invariant: Invariant,
    /// When, in microseconds of true time.
    pub at_us: u64,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, at_us, what } = self;
        write!(f, "invariant {invariant:?} at {:.6} s: {what}", *at_us as f64 / SECOND as f64)
    }
}

/// How much happened: a rule that nothing has put to the test proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that users sent.
    pub requests: u64,
    /// Deltas that were accepted.
    pub deltas: u64,
    /// Batches that were refused.
    pub refused_batches: u64,
    /// Times that a master began to lead.
    pub leads: u64,
    /// States that masters were given whole.
    pub snapshots: u64,
    /// Times that a worker was told of other slots.
    pub moves: u64,
    /// Leases that ended.
    pub drains: u64,
    /// Workers that were lost in mid-run.
    pub losses: u64,
    /// Runs that were started.
    pub runs: u64,
    /// Actions that clients were told are done.
    pub actions: u64,
    /// Attempts of actions that had been carried out before.
    pub repeats: u64,
    /// Changes of members that were finished.
    pub member_changes: u64,
    /// Faults.
    pub faults: u64,
}

impl Counts {
    /// Adds those of another seed.
    pub fn add(&mut self, other: &Self) {
        let Self { requests, deltas, refused_batches, leads, snapshots, moves, drains, losses, .. } = other;
        self.requests += requests;
        self.deltas += deltas;
        self.refused_batches += refused_batches;
        self.leads += leads;
        self.snapshots += snapshots;
        self.moves += moves;
        self.drains += drains;
        self.losses += losses;
        self.runs += other.runs;
        self.actions += other.actions;
        self.repeats += other.repeats;
        self.member_changes += other.member_changes;
        self.faults += other.faults;
    }
}

/// An entry and what came of it, as a master has applied it.
#[derive(Debug)]
pub(crate) struct HasApplied<'a> {
    pub(crate) record: &'a Record,
    pub(crate) applied: &'a Applied,
    /// Where the workers of a batch were in the run before.
    pub(crate) places: BTreeMap<WorkerId, usize>,
}

/// Sees everything, and keeps the first violation.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    now_us: u64,
    pub(crate) violation: Option<Violation>,
    pub(crate) counts: Counts,
    pub(crate) ledger: Ledger,
    pub(crate) log: LogWatch,
    pub(crate) slots: SlotWatch,
    pub(crate) terms: TermWatch,
    pub(crate) actions: ActionWatch,
}

impl Oracle {
    /// What is told from now on happens at this time.
    pub(crate) fn at_us(&mut self, now_us: u64) {
        self.now_us = now_us;
    }

    /// Keeps a violation if it is the first.
    pub(crate) fn fail(&mut self, invariant: Invariant, what: String) {
        let at_us = self.now_us;
        self.violation.get_or_insert(Violation { invariant, at_us, what });
    }

    pub(crate) fn check(&mut self, outcome: Result<(), (Invariant, String)>) {
        if let Err((invariant, what)) = outcome {
            self.fail(invariant, what);
        }
    }

    /// A master has applied an entry; one without a record if the log made it for itself.
    pub(crate) fn applied(&mut self, state: &ClusterState, has: Option<&HasApplied<'_>>) {
        let is_first = match self.log.applied(state) {
            Ok(is_first) => is_first,
            Err(what) => return self.fail(Invariant::E, what),
        };
        let Some(HasApplied { record, applied, places }) = has.filter(|_| is_first) else { return };
        let outcome = self.actions.applied(record, applied, &mut self.counts);
        self.check(outcome);
        match (&record.command, &applied.reply) {
            (Command::MergeDeltas(batch), Ok(_)) => {
                let merged = self.ledger.merged(batch, places, &mut self.counts);
                self.check(merged);
            }
            (Command::MergeDeltas(_), Err(_)) => self.counts.refused_batches += 1,
            (Command::StartRun { .. }, Ok(_)) => self.counts.runs += u64::from(!applied.effects.is_empty()),
            (Command::LoseWorker { .. }, Ok(_)) => self.counts.losses += 1,
            _ => {}
        }
        let totals = self.ledger.check_totals(state);
        self.check(totals);
    }

    /// A master's state was replaced.
    pub(crate) fn restored(&mut self, state: &ClusterState) {
        if let Err(what) = self.log.restored(state) {
            self.fail(Invariant::E, what);
        }
    }

    /// A master begins to lead, in the eyes of its raft thread.
    pub(crate) fn leads(&mut self, at: usize, term: u64, now_us: u64) {
        self.now_us = now_us;
        self.counts.leads += 1;
        let outcome = self.terms.leads(at, term);
        self.check(outcome);
    }

    /// A worker says a delta.
    pub(crate) fn sent(&mut self, delta: &Delta) {
        let outcome = self.ledger.sent(delta);
        self.check(outcome);
    }

    /// A leader tells a worker what is safe.
    pub(crate) fn acknowledges(&mut self, worker: &WorkerId, message: &ToWorker) {
        let outcome = self.ledger.acknowledges(worker, message);
        self.check(outcome);
    }
}
