//! Rows that only one user may have, as all arbiters of the process draw them.
//!
//! They share one stock behind a lock, which is held for the change of a few numbers. With a stock of its own for each
//! arbiter, users would end for want of a row while other arbiters still have some.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use akrida_core::data::leases::LeasedRows;
use akrida_core::data::ranges::RowRange;
use akrida_core::data::{Feeder, OnExhausted, Per};
use akrida_core::limits;
use tokio::sync::Notify;

use super::source::{Demand, RowSource};
use super::{DataExhausted, Draw, ExhaustedNotice};

/// The rows of a `unique` feeder.
#[derive(Debug)]
pub struct UniqueRows {
    feeder: Arc<str>,
    rows: u64,
    on_exhausted: OnExhausted,
    source: Box<dyn RowSource>,
    stock: Mutex<Stock>,
    /// Wakes users that wait for a row: all when rows came, one when a row is done with.
    changed: Notify,
    notice: Option<ExhaustedNotice>,
    /// Whether it was said that there are no rows.
    told: AtomicBool,
}

/// What the process holds, and what it knows of its source.
#[derive(Debug)]
struct Stock {
    leased: LeasedRows,
    per: Per,
    recycles: bool,
    /// Whether the source has not answered yet.
    asked: bool,
    /// Whether asking again is in vain: the source had none, and nothing was given back to it since.
    refused: bool,
    /// Whether rows are done with of which the source was not told.
    has_done: bool,
    /// Users that wait for a row.
    waiting: u64,
    /// How many rows came last.
    granted: u64,
    granted_at: Instant,
}

impl UniqueRows {
    pub(super) fn new(
        feeder: &Feeder,
        on_exhausted: OnExhausted,
        source: Box<dyn RowSource>,
        notice: Option<ExhaustedNotice>,
    ) -> Self {
        let stock = Stock {
            leased: LeasedRows::default(),
            per: feeder.per,
            recycles: on_exhausted == OnExhausted::Recycle,
            asked: false,
            refused: false,
            has_done: false,
            waiting: 0,
            granted: 0,
            granted_at: Instant::now(),
        };
        let (name, rows) = (Arc::clone(&feeder.name), feeder.table.rows());
        let (stock, changed, told) = (Mutex::new(stock), Notify::new(), AtomicBool::new(false));
        Self { feeder: name, rows, on_exhausted, source, stock, changed, notice, told }
    }

    /// Draws a row, and asks for more when they run out.
    pub(super) fn draw(self: &Arc<Self>) -> Draw {
        loop {
            let (drawn, demand) = self.stock().draw();
            let may_be_here = demand.is_some() && !matches!(drawn, Draw::Row(_));
            if let Some(demand) = demand {
                // The stock is unlocked, since a source may answer at once.
                self.source.lease(demand, self);
            }
            if may_be_here {
                continue;
            }
            if drawn == Draw::Exhausted {
                self.tell_exhausted();
            }
            return drawn;
        }
    }

    /// Draws a row as soon as there is one: [`Draw::Row`], or [`Draw::Exhausted`]; unless it is to wait for other users
    /// also [`Draw::InUse`].
    pub(super) async fn drawn(self: &Arc<Self>, for_others: bool) -> Draw {
        let _waiting = Waiting::new(self);
        loop {
            let mut changed = pin!(self.changed.notified());
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.draw() {
                Draw::Asked => {}
                Draw::InUse if for_others => self.tell_in_use(),
                drawn => return drawn,
            }
            changed.await;
        }
    }

    /// A user no longer has a row that it drew.
    pub(super) fn done_with(&self, row: u64) {
        let recycles = {
            let mut stock = self.stock();
            stock.leased.done_with(row);
            stock.has_done = true;
            stock.refused &= !stock.recycles;
            stock.recycles
        };
        if recycles {
            self.changed.notify_one();
        }
    }

    /// The answer of the source: the rows that it leases, none if it has none.
    pub fn granted(&self, ranges: &[RowRange]) {
        self.stock().granted(ranges);
        self.changed.notify_waiters();
    }

    /// Gives back what was not drawn.
    pub(super) fn close(&self) {
        let leased = {
            let mut stock = self.stock();
            stock.refused = true;
            std::mem::take(&mut stock.leased)
        };
        self.source.close(&leased.into_unused());
    }

    fn tell_exhausted(&self) {
        if self.told.swap(true, Ordering::Relaxed) {
            return;
        }
        let then = match self.on_exhausted {
            OnExhausted::StopRun => "the run ends",
            OnExhausted::StopUser | OnExhausted::Recycle => "users that want another end",
        };
        tracing::warn!("data feeder {}: all {} rows were drawn; {then}", self.feeder, self.rows);
        if let Some(ExhaustedNotice { run, to }) = &self.notice {
            // Once in a run, so that a full mailbox is no reason to lose it.
            to.do_send(DataExhausted { run: *run });
        }
    }

    fn tell_in_use(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!("data feeder {}: all {} rows are in use; users wait for one", self.feeder, self.rows);
        }
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stock {
    /// A row if there is one, and what the source is to be asked for.
    fn draw(&mut self) -> (Draw, Option<Demand>) {
        match self.leased.draw() {
            Some(row) => (Draw::Row(row), self.runs_out().then(|| self.ask())),
            None if self.asked => (Draw::Asked, None),
            None if !self.refused => (Draw::Asked, Some(self.ask())),
            None if self.recycles => (Draw::InUse, None),
            None => (Draw::Exhausted, None),
        }
    }

    /// Whether it is time to ask for more, so that users need not wait for the answer. Not of rows that are recycled:
    /// those of the current pass are drawn before the next begins.
    fn runs_out(&self) -> bool {
        let may_ask = !self.asked && !self.refused && !self.recycles;
        may_ask && self.per == Per::Iteration && self.leased.left() < self.granted / 4
    }

    fn ask(&mut self) -> Demand {
        self.asked = true;
        let used = self.leased.take_done();
        // There may be more than one demand can name.
        self.has_done = used.len() >= limits::ROW_LEASE_RANGES_MAX;
        Demand { used, want: self.want() }
    }

    /// Rows for the users that wait, and for tasks as many as were drawn in `limits::ROW_LEASE_SPAN` lately.
    fn want(&self) -> u64 {
        let least = match self.per {
            Per::User => return self.waiting.clamp(1, limits::ROW_LEASE_MAX),
            Per::Iteration => limits::ROW_LEASE_MIN.max(self.waiting),
        };
        let elapsed_us = self.granted_at.elapsed().as_micros().max(1);
        let demand = u128::from(self.granted) * limits::ROW_LEASE_SPAN.as_micros() / elapsed_us;
        u64::try_from(demand).unwrap_or(u64::MAX).max(least).min(limits::ROW_LEASE_MAX)
    }

    fn granted(&mut self, ranges: &[RowRange]) {
        self.asked = false;
        self.refused = ranges.is_empty() && !(self.recycles && self.has_done);
        self.leased.add(ranges);
        self.granted = ranges.iter().map(|range| range.count()).sum();
        self.granted_at = Instant::now();
    }
}

/// A user that waits.
struct Waiting<'a>(&'a UniqueRows);

impl<'a> Waiting<'a> {
    fn new(rows: &'a UniqueRows) -> Self {
        rows.stock().waiting += 1;
        Self(rows)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.stock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests;
