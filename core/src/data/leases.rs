//! Rows that only one user may have: leased to workers in ranges, each row to one worker at a time.
//!
//! [`RowLeases`] is part of the replicated state. A worker leases about ten seconds of its demand, says now and then which
//! rows it is done with, and at its end gives back what it did not use. Of a lost worker nobody knows which rows it
//! used, so all that it had are burnt: counted, and not handed out again. [`LeasedRows`] is a worker's side of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ranges::{RowRange, RowSet};
use crate::ids::WorkerId;
use crate::limits::{ROW_LEASE_MAX, ROW_LEASE_RANGES_MAX};

/// Who has which rows of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLeases {
    rows: u64,
    recycles: bool,
    /// Rows that nobody has.
    free: RowSet,
    leased: BTreeMap<WorkerId, RowSet>,
    burnt: u64,
    passes: u64,
}

/// A worker named rows that it does not hold. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("worker {worker} does not hold the rows {}..{}", .range.low, .range.high)]
pub struct NotLeased {
    /// The worker.
    pub worker: WorkerId,
    /// The rows, or more of them than it holds.
    pub range: RowRange,
}

impl RowLeases {
    /// All rows of a table are free. With `recycles`, rows that were used are free again once no others are.
    #[must_use]
    pub fn new(rows: u64, recycles: bool) -> Self {
        Self { rows, recycles, free: RowSet::up_to(rows), leased: BTreeMap::new(), burnt: 0, passes: 1 }
    }

    /// Leases rows to a worker: as many as it wants and there are, at most `limits::ROW_LEASE_MAX` in
    /// `limits::ROW_LEASE_RANGES_MAX` ranges. None means that no row is left.
    pub fn lease(&mut self, worker: &WorkerId, want: u64) -> Vec<RowRange> {
        if self.free.is_empty() && self.recycles && want > 0 {
            self.recycle();
        }
        let taken = self.free.take(want.min(ROW_LEASE_MAX), ROW_LEASE_RANGES_MAX);
        if !taken.is_empty() {
            let held = self.leased.entry(worker.clone()).or_default();
            taken.iter().for_each(|range| held.insert(*range));
        }
        taken
    }

    /// A worker is done with these rows: they were used, and no user has them any more.
    ///
    /// # Errors
    /// When it does not hold them all.
    pub fn settle(&mut self, worker: &WorkerId, used: &[RowRange]) -> Result<(), NotLeased> {
        let mut held = self.held(worker, used)?;
        used.iter().for_each(|range| held.remove(*range));
        self.hold(worker, held);
        Ok(())
    }

    /// A worker ends in good order: what it did not use is free again, the rest of its rows were used.
    ///
    /// # Errors
    /// When it does not hold what it says it did not use.
    pub fn close(&mut self, worker: &WorkerId, unused: &[RowRange]) -> Result<(), NotLeased> {
        self.held(worker, unused)?;
        self.leased.remove(worker);
        unused.iter().for_each(|range| self.free.insert(*range));
        Ok(())
    }

    /// A worker is lost: what it had is burnt. Says how many rows that is.
    pub fn lost(&mut self, worker: &WorkerId) -> u64 {
        let burnt = self.leased.remove(worker).map_or(0, |held| held.count());
        self.burnt += burnt;
        burnt
    }

    /// Rows that can be leased before any is used again.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.free.count()
    }

    /// Rows that a worker holds.
    #[must_use]
    pub fn leased(&self) -> u64 {
        self.leased.values().map(RowSet::count).sum()
    }

    /// Rows of which nobody knows whether they were used, because their worker was lost; of all passes.
    #[must_use]
    pub fn burnt(&self) -> u64 {
        self.burnt
    }

    /// How often the table was begun, 1 for the first time.
    #[must_use]
    pub fn passes(&self) -> u64 {
        self.passes
    }

    /// Begins the table again with all rows that no worker holds.
    fn recycle(&mut self) {
        let mut free = RowSet::up_to(self.rows);
        self.leased.values().flat_map(RowSet::ranges).for_each(|range| free.remove(range));
        if !free.is_empty() {
            self.free = free;
            self.passes += 1;
        }
    }

    /// What a worker holds, if these ranges are part of it and do not overlap.
    fn held(&self, worker: &WorkerId, ranges: &[RowRange]) -> Result<RowSet, NotLeased> {
        let held = self.leased.get(worker).cloned().unwrap_or_default();
        let mut left = held.clone();
        for &range in ranges {
            if !left.contains(range) {
                return Err(NotLeased { worker: worker.clone(), range });
            }
            left.remove(range);
        }
        Ok(held)
    }

    fn hold(&mut self, worker: &WorkerId, held: RowSet) {
        if held.is_empty() {
            self.leased.remove(worker);
        } else {
            self.leased.insert(worker.clone(), held);
        }
    }
}

/// The rows that a worker holds, from which its users draw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeasedRows {
    unused: RowSet,
    done: RowSet,
}

impl LeasedRows {
    /// Adds leased rows.
    pub fn add(&mut self, leased: &[RowRange]) {
        leased.iter().for_each(|range| self.unused.insert(*range));
    }

    /// Draws a row that nobody else has; `None` when more must be leased first.
    pub fn draw(&mut self) -> Option<u64> {
        self.unused.take_first()
    }

    /// A user no longer has a row that it drew.
    pub fn done_with(&mut self, row: u64) {
        self.done.insert(RowRange { low: row, high: row.saturating_add(1) });
    }

    /// Rows that can be drawn.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.unused.count()
    }

    /// The rows that users were done with since the last time, at most `limits::ROW_LEASE_RANGES_MAX` ranges, for
    /// [`RowLeases::settle`].
    pub fn take_done(&mut self) -> Vec<RowRange> {
        self.done.take(u64::MAX, ROW_LEASE_RANGES_MAX)
    }

    /// The rows that were not drawn, for [`RowLeases::close`].
    #[must_use]
    pub fn into_unused(self) -> Vec<RowRange> {
        self.unused.ranges().collect()
    }
}

#[cfg(test)]
mod tests;
