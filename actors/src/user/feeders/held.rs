//! The rows that one user has, and when it draws others.

use std::rc::Rc;

use akrida_core::data::row::Row;

use super::super::context::SharedContext;
use super::super::runner::{Flow, Runner};
use super::super::stop::Phase;
use super::Draw;

/// A row of each feeder of a user's class. Dropping it gives them back, in whatever way the user ends.
pub(in crate::user) struct HeldRows {
    context: SharedContext,
    rows: Vec<Held>,
}

struct Held {
    /// Its place in `Scenario::feeders`.
    feeder: usize,
    row: Option<u64>,
}

impl HeldRows {
    /// No rows yet.
    pub(in crate::user) fn none(context: &SharedContext, class: usize) -> Self {
        let feeders = &context.scenario.classes[class].feeders;
        let mut rows: Vec<Held> = feeders.iter().map(|feeder| Held { feeder: *feeder, row: None }).collect();
        // First those that may have no row left, so that a user that ends for want of one has drawn no others in vain.
        rows.sort_by_key(|held| context.feeders.get(held.feeder).unique().is_none());
        Self { rows, context: Rc::clone(context) }
    }

    /// Takes note that the user has another row now, and gives the one before it back.
    fn replace(&mut self, at: usize, row: Option<u64>) {
        let held = &mut self.rows[at];
        let before = std::mem::replace(&mut held.row, row);
        if let (Some(before), Some(unique)) = (before, self.context.feeders.get(held.feeder).unique()) {
            unique.done_with(before);
        }
    }
}

impl Drop for HeldRows {
    fn drop(&mut self) {
        (0..self.rows.len()).for_each(|at| self.replace(at, None));
    }
}

impl Runner {
    /// Draws the rows that are due: the first of each feeder, and another where each task has its own. A user that finds
    /// none and has one keeps it while the others are in use.
    ///
    /// `StopUser` means that no row is left for this user, `Cut` that it was stopped while it waited for one.
    pub(in crate::user) async fn draw_rows(&mut self) -> Flow {
        for at in 0..self.rows.rows.len() {
            let Held { feeder, row } = self.rows.rows[at];
            let has_one = row.is_some();
            let source = self.context.feeders.get(feeder);
            if has_one && !source.draws_each_iteration() {
                continue;
            }
            let flow = match source.draw(self.session.random()) {
                Draw::Asked => Box::pin(self.wait_for_row(at, !has_one)).await,
                Draw::InUse if !has_one => Box::pin(self.wait_for_row(at, true)).await,
                drawn => self.take_row(at, drawn),
            };
            if flow != Flow::Continue {
                return flow;
            }
        }
        Flow::Continue
    }

    async fn wait_for_row(&mut self, at: usize, for_others: bool) -> Flow {
        let context = Rc::clone(&self.context);
        let Some(unique) = context.feeders.get(self.rows.rows[at].feeder).unique() else { return Flow::Continue };
        // An arrival that was due before the stop is still served.
        let until = if context.desk.is_some() { Phase::Cut } else { Phase::Finishing };
        tokio::select! {
            biased;
            () = self.stop.reaches(until) => Flow::Cut,
            drawn = unique.drawn(for_others) => self.take_row(at, drawn),
        }
    }

    fn take_row(&mut self, at: usize, drawn: Draw) -> Flow {
        let number = match drawn {
            Draw::Row(number) => number,
            Draw::Asked | Draw::InUse => return Flow::Continue,
            Draw::Exhausted => return Flow::StopUser,
        };
        self.rows.replace(at, Some(number));
        let feeder = &self.context.feeders.get(self.rows.rows[at].feeder).feeder;
        if let Some(row) = Row::of(&feeder.table, number) {
            self.session.set(&feeder.name, row.into_value());
        }
        Flow::Continue
    }
}
