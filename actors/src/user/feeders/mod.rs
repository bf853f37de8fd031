//! Data feeders at run time: which row a user draws, over all arbiters of the process.
//!
//! - [`RunFeeders`]: the feeders of one run; each run has its own and starts afresh
//! - [`unique`]: rows that only one user may have
//! - [`source`]: where these come from
//! - `held`: the rows that one user has, and when it draws others

mod held;
pub mod source;
pub mod unique;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::{Message, Recipient};
use akrida_core::data::{Feeder, OnExhausted, Per, Pick, pick};
use akrida_core::ids::RunId;
use fastrand::Rng;

pub(super) use held::HeldRows;
use source::RowSource;
use unique::UniqueRows;

/// The feeders of a run, in the order of `Scenario::feeders`; shared by all arbiters of the process.
#[derive(Debug, Default)]
pub struct RunFeeders {
    feeders: Box<[RunFeeder]>,
}

/// A feeder of a run.
#[derive(Debug)]
pub(super) struct RunFeeder {
    feeder: Feeder,
    rows: Rows,
}

/// Where the next row comes from.
#[derive(Debug)]
enum Rows {
    Random,
    RoundRobin(DrawNumbers),
    Unique(Arc<UniqueRows>),
}

/// What came of drawing a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// A row.
    Row(u64),
    /// Its source was asked for more rows and has not answered.
    Asked,
    /// Others have all rows, and will be done with them.
    InUse,
    /// None is left for good.
    Exhausted,
}

/// A worker's place among the workers of a run, for draws that all of them take from one sequence.
#[derive(Clone, Copy, Debug)]
pub struct DrawPlace {
    /// Which worker, from 0.
    pub position: u64,
    /// How many there are.
    pub workers: u64,
}

/// A feeder whose end is that of the run has no row left. Sent once in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct DataExhausted {
    /// Which run.
    pub run: RunId,
}

/// Whom a run tells that its data is exhausted.
#[derive(Clone, Debug)]
pub struct ExhaustedNotice {
    /// The run.
    pub run: RunId,
    /// Who takes it.
    pub to: Recipient<DataExhausted>,
}

/// The numbers of the draws of one worker: of `n` workers, worker `k` draws the numbers `k`, `k + n`, `k + 2n`, …
#[derive(Debug)]
struct DrawNumbers {
    next: AtomicU64,
    step: u64,
}

impl DrawPlace {
    /// The only worker.
    pub const ALONE: Self = Self { position: 0, workers: 1 };
}

impl RunFeeders {
    /// Feeders from which nothing was drawn. `source_of` is asked for the source of each `unique` one.
    pub fn new(
        feeders: &[Feeder],
        place: DrawPlace,
        notice: Option<&ExhaustedNotice>,
        source_of: impl Fn(&Feeder) -> Box<dyn RowSource>,
    ) -> Self {
        let feeders = feeders.iter().map(|feeder| {
            let rows = match feeder.pick {
                Pick::Random => Rows::Random,
                Pick::RoundRobin => Rows::RoundRobin(DrawNumbers::of(place)),
                Pick::Unique(on_exhausted) => {
                    let notice = notice.filter(|_| on_exhausted == OnExhausted::StopRun);
                    Rows::Unique(Arc::new(UniqueRows::new(feeder, on_exhausted, source_of(feeder), notice.cloned())))
                }
            };
            RunFeeder { feeder: feeder.clone(), rows }
        });
        Self { feeders: feeders.collect() }
    }

    /// Gives back what was not drawn. For the end of the run, when no user is left.
    pub fn close(&self) {
        self.feeders.iter().filter_map(RunFeeder::unique).for_each(|rows| rows.close());
    }

    fn get(&self, feeder: usize) -> &RunFeeder {
        &self.feeders[feeder]
    }
}

impl RunFeeder {
    fn draw(&self, random: &mut Rng) -> Draw {
        let rows = self.feeder.table.rows();
        match &self.rows {
            Rows::Random => Draw::Row(pick::random(rows, random)),
            Rows::RoundRobin(numbers) => Draw::Row(pick::round_robin(rows, numbers.next())),
            Rows::Unique(unique) => unique.draw(),
        }
    }

    fn unique(&self) -> Option<&Arc<UniqueRows>> {
        match &self.rows {
            Rows::Unique(unique) => Some(unique),
            Rows::Random | Rows::RoundRobin(_) => None,
        }
    }

    fn draws_each_iteration(&self) -> bool {
        self.feeder.per == Per::Iteration
    }
}

impl DrawNumbers {
    fn of(place: DrawPlace) -> Self {
        Self { next: AtomicU64::new(place.position), step: place.workers.max(1) }
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(self.step, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draws_of_all_workers_are_one_sequence() {
        let workers = [0, 1, 2].map(|position| DrawNumbers::of(DrawPlace { position, workers: 3 }));
        let mut drawn: Vec<u64> = workers.iter().flat_map(|numbers| [numbers.next(), numbers.next()]).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 2, 3, 4, 5]);
    }
}
