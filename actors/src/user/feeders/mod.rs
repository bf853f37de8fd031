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
use akrida_core::data::ranges::RowRange;
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

/// A worker's place among the workers of a run, as it was when the worker joined, for draws that all of them take from
/// one sequence.
#[derive(Clone, Copy, Debug)]
pub struct DrawPlace {
    /// Which worker, from 0.
    pub position: u64,
    /// How many there were.
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
///
/// If the rows and `n` have a common divisor, a worker would find itself at the row where it began before it has seen all
/// of them. Then it goes on with the next row, as all others do after as many draws: so the workers with which the run
/// began draw every row equally often together, and each worker does alone, also one that joined later, whose numbers
/// others draw as well.
#[derive(Debug)]
struct DrawNumbers {
    draws: AtomicU64,
    first: u64,
    step: u64,
    /// Draws after which the rows shift by one; `None` if they need not.
    round: Option<u64>,
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
        source_of: impl Fn(usize, &Feeder) -> Box<dyn RowSource>,
    ) -> Self {
        let feeders = feeders.iter().enumerate().map(|(at, feeder)| {
            let rows = match feeder.pick {
                Pick::Random => Rows::Random,
                Pick::RoundRobin => Rows::RoundRobin(DrawNumbers::of(place, feeder.table.rows())),
                Pick::Unique(on_exhausted) => {
                    let notice = notice.filter(|_| on_exhausted == OnExhausted::StopRun);
                    Rows::Unique(Arc::new(UniqueRows::new(
                        feeder,
                        on_exhausted,
                        source_of(at, feeder),
                        notice.cloned(),
                    )))
                }
            };
            RunFeeder { feeder: feeder.clone(), rows }
        });
        Self { feeders: feeders.collect() }
    }

    /// Rows of a `unique` feeder came that a source was asked for; none if it has none.
    pub fn give(&self, feeder: u32, rows: &[RowRange]) {
        if let Some(unique) = self.feeders.get(feeder as usize).and_then(RunFeeder::unique) {
            unique.granted(rows);
        }
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
    fn of(place: DrawPlace, rows: u64) -> Self {
        let (rows, step) = (rows.max(1), place.workers.max(1));
        let divisor = greatest_common_divisor(rows, step);
        let round = (divisor > 1).then_some(rows / divisor);
        Self { draws: AtomicU64::new(0), first: place.position, step, round }
    }

    fn next(&self) -> u64 {
        let draw = self.draws.fetch_add(1, Ordering::Relaxed);
        let shift = self.round.map_or(0, |round| draw / round);
        self.first.wrapping_add(draw.wrapping_mul(self.step)).wrapping_add(shift)
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(position: u64, workers: u64, rows: u64) -> DrawNumbers {
        DrawNumbers::of(DrawPlace { position, workers }, rows)
    }

    #[test]
    fn the_draws_of_all_workers_are_one_sequence() {
        let workers = [0, 1, 2].map(|position| numbers(position, 3, 100));
        let mut drawn: Vec<u64> = workers.iter().flat_map(|numbers| [numbers.next(), numbers.next()]).collect();
        drawn.sort_unstable();
        assert_eq!(drawn, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn every_row_is_drawn_equally_often_by_all_workers_together_and_by_each_alone() {
        for (workers, rows) in [(1, 5), (2, 4), (3, 4), (4, 4), (4, 6), (6, 4)] {
            let mut together = vec![0_u64; rows as usize];
            for position in 0..workers {
                let numbers = numbers(position, workers, rows);
                let mut alone = vec![0_u64; rows as usize];
                (0..rows * workers).for_each(|_| alone[pick::round_robin(rows, numbers.next()) as usize] += 1);
                assert!(alone.iter().all(|count| *count == workers), "{workers} {rows}: {alone:?}");
                together.iter_mut().zip(&alone).for_each(|(sum, count)| *sum += count);
            }
            assert!(together.iter().all(|count| *count == workers * workers));
        }
    }

    #[test]
    fn one_pass_of_all_workers_takes_every_row_once() {
        let workers = [0, 1].map(|position| numbers(position, 2, 4));
        let pass = |_| workers.iter().flat_map(|numbers| [numbers.next() % 4, numbers.next() % 4]).collect::<Vec<_>>();
        for mut rows in (0..4).map(pass) {
            rows.sort_unstable();
            assert_eq!(rows, [0, 1, 2, 3]);
        }
    }
}
