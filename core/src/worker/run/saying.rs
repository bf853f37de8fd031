//! What is said of a run without being asked, and said again.

use std::sync::Arc;

use super::{ActiveRun, Phase, Release};
use crate::limits;
use crate::wire::FromWorker;
use crate::worker::Output;

impl ActiveRun {
    /// What a leader that has just welcomed the worker may not know. Deltas are sent beside it.
    pub(in crate::worker) fn say_all(&mut self) -> Vec<Output> {
        self.outbox.rewind();
        let released = matches!(self.release, Release::Done { .. }).then(|| self.released());
        let awaited = self.awaited();
        awaited.into_iter().chain(released).collect()
    }

    /// What had no answer for some time.
    pub(in crate::worker) fn say_again(&mut self, now_us: u64) -> Vec<Output> {
        if self.outbox.is_stuck(now_us) {
            self.outbox.rewind();
        }
        let mut outputs = self.awaited();
        if let Release::Done { said } = &mut self.release
            && *said < limits::RELEASED_SAID_MAX
        {
            *said += 1;
            outputs.push(self.released());
        }
        outputs
    }

    /// What a leader is certain to answer.
    fn awaited(&self) -> Vec<Output> {
        let waits = !self.is_launched();
        let rows = self.rows.unanswered(self.id).into_iter().map(Output::Send);
        self.readiness().filter(|_| waits).into_iter().chain(rows).collect()
    }

    pub(super) fn readiness(&self) -> Option<Output> {
        match &self.phase {
            Phase::Preparing => None,
            Phase::Failed(reason) => {
                Some(Output::Send(FromWorker::CannotRun { run: self.id, reason: Arc::clone(reason) }))
            }
            _ => Some(Output::Send(FromWorker::Ready { run: self.id })),
        }
    }
}
