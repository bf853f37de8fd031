//! Sealed deltas that are not yet known to be safe.

use std::collections::VecDeque;

use crate::ids::Seq;
use crate::limits;
use crate::stats::delta::Delta;

/// Sealed deltas, oldest first. They never change; they leave when a majority of masters has them.
#[derive(Debug, Default)]
pub struct Outbox {
    deltas: VecDeque<Delta>,
}

impl Outbox {
    /// Keeps a delta.
    pub fn push(&mut self, delta: Delta) {
        self.deltas.push_back(delta);
    }

    /// Drops the deltas up to this number.
    pub fn acknowledge(&mut self, seq: Seq) {
        while self.deltas.front().is_some_and(|delta| delta.seq <= seq) {
            self.deltas.pop_front();
        }
    }

    /// Whether no regular delta may be added: then the open one grows coarser instead.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.deltas.len() >= limits::OUTBOX_DELTAS_MAX
    }

    /// Whether everything is safe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }

    /// What is to be sent again, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Delta> {
        self.deltas.iter()
    }
}
