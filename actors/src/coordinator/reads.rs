//! Reads that wait for the proof that this master leads, and for the state to be as new as that proof.

use std::collections::BTreeMap;

use akrida_core::ids::LogIndex;
use akrida_core::limits;
use tokio::sync::oneshot;

use super::proposals::OrderError;

/// Who waits.
#[derive(Debug, Default)]
pub(super) struct Reads {
    last: u64,
    waiting: BTreeMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    proved: oneshot::Sender<Result<(), OrderError>>,
    /// What must be applied first, once it is known.
    index: Option<LogIndex>,
    since_us: u64,
}

impl Reads {
    /// Takes note of a read and gives it a number.
    pub(super) fn add(&mut self, proved: oneshot::Sender<Result<(), OrderError>>, now_us: u64) -> u64 {
        self.last += 1;
        self.waiting.insert(self.last, Waiting { proved, index: None, since_us: now_us });
        self.last
    }

    /// The proof is there; the read waits until `index` is applied.
    pub(super) fn readable(&mut self, read: u64, index: LogIndex, applied: LogIndex) {
        if let Some(waiting) = self.waiting.get_mut(&read) {
            waiting.index = Some(index);
        }
        self.applied(applied);
    }

    /// So much is applied.
    pub(super) fn applied(&mut self, applied: LogIndex) {
        self.answer(|waiting| waiting.index.is_some_and(|index| index <= applied), Ok(()));
    }

    /// Those that have waited too long fail.
    pub(super) fn fail_overdue(&mut self, now_us: u64) {
        let limit_us = limits::PROPOSAL_WAIT.as_micros() as u64;
        self.answer(|waiting| now_us.saturating_sub(waiting.since_us) > limit_us, Err(OrderError::Unknown));
    }

    /// All fail: this master does not lead.
    pub(super) fn fail_all(&mut self) {
        self.answer(|_| true, Err(OrderError::NotLeading));
    }

    fn answer(&mut self, due: impl Fn(&Waiting) -> bool, outcome: Result<(), OrderError>) {
        for (_, waiting) in self.waiting.extract_if(.., |_, waiting| due(waiting)) {
            // Whoever stopped waiting has no use for the answer.
            let _ = waiting.proved.send(outcome.clone());
        }
    }
}
