//! Sealed deltas that are not yet known to be safe.

use std::collections::VecDeque;

use crate::ids::Seq;
use crate::limits;
use crate::stats::delta::Delta;

/// Sealed deltas, oldest first. They never change; they leave when a majority of masters has them.
#[derive(Debug, Default)]
pub struct Outbox {
    deltas: VecDeque<Delta>,
    /// How many of them, from the oldest, were sent to the current leader.
    sent: usize,
    /// When something was acknowledged last, or the first of those that are on their way was sent.
    moved_us: u64,
}

impl Outbox {
    /// Keeps a delta.
    pub fn push(&mut self, delta: Delta) {
        self.deltas.push_back(delta);
    }

    /// Drops the deltas up to this number.
    pub fn acknowledge(&mut self, seq: Seq, now_us: u64) {
        while self.deltas.front().is_some_and(|delta| delta.seq <= seq) {
            self.deltas.pop_front();
            self.sent = self.sent.saturating_sub(1);
            self.moved_us = now_us;
        }
    }

    /// The deltas that are to be sent now, oldest first: at most `limits::DELTAS_IN_FLIGHT_MAX` are on their way at once,
    /// so that a link that comes back is not flooded. They count as sent from now on.
    pub fn take_due(&mut self, now_us: u64) -> Vec<Delta> {
        let until = self.deltas.len().min(limits::DELTAS_IN_FLIGHT_MAX);
        if self.sent >= until {
            return Vec::new();
        }
        if self.sent == 0 {
            self.moved_us = now_us;
        }
        let due = self.deltas.range(self.sent..until).cloned().collect();
        self.sent = until;
        due
    }

    /// What was sent may not have come: it is to be sent again.
    pub fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Whether what was sent has had no answer for `limits::SAY_AGAIN`.
    #[must_use]
    pub fn is_stuck(&self, now_us: u64) -> bool {
        self.sent > 0 && now_us.saturating_sub(self.moved_us) >= limits::SAY_AGAIN.as_micros() as u64
    }

    /// Whether no regular delta may be added: then the open one grows coarser instead.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.deltas.len() >= limits::OUTBOX_DELTAS_MAX
    }

    /// Whether nothing was measured in any delta: those of a worker that waits without users.
    #[must_use]
    pub fn is_without_samples(&self) -> bool {
        let is_empty = |delta: &Delta| {
            let measured = &delta.interval.measurements;
            let nothing_failed = measured.errors.is_empty() && measured.exceptions.is_empty();
            nothing_failed
                && measured.endpoints.is_empty()
                && measured.generator_errors.is_empty()
                && (measured.http_exchanges, measured.interrupted) == (0, 0)
        };
        self.deltas.iter().all(is_empty)
    }

    /// Whether everything is safe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }

    /// How many deltas are not known to be safe.
    #[must_use]
    pub fn len(&self) -> usize {
        self.deltas.len()
    }
}
