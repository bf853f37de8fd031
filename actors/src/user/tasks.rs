//! Which task is next, as pure functions of weights and a number drawn elsewhere.

use akrida_core::scenario::model::TaskOrder;

/// Weights of tasks, summed up: the task of position `p` is the first whose end is beyond it.
#[derive(Clone, Debug)]
pub(super) struct WeightTable {
    ends: Box<[u64]>,
}

impl WeightTable {
    pub(super) fn new(weights: impl Iterator<Item = u32>) -> Self {
        let ends = weights.scan(0_u64, |end, weight| {
            *end += u64::from(weight);
            Some(*end)
        });
        Self { ends: ends.collect() }
    }

    /// The sum of all weights, at least 1.
    pub(super) fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0).max(1)
    }

    /// The task at a position below the total.
    pub(super) fn at(&self, position: u64) -> usize {
        self.ends.partition_point(|&end| end <= position).min(self.ends.len().saturating_sub(1))
    }
}

/// How far one run of a task set has come.
#[derive(Clone, Debug)]
pub(super) struct Picks {
    order: TaskOrder,
    /// Position in the current pass.
    position: u64,
    rounds: u64,
}

impl Picks {
    pub(super) fn new(order: TaskOrder) -> Self {
        Self { order, position: 0, rounds: 0 }
    }

    /// The next task. `draw` gives a number below its argument and is called only where chance decides.
    pub(super) fn next(&mut self, table: &WeightTable, draw: impl FnOnce(u64) -> u64) -> usize {
        match self.order {
            TaskOrder::Random => {
                self.rounds += 1;
                table.at(draw(table.total()))
            }
            TaskOrder::Sequential => {
                let at = table.at(self.position);
                self.position += 1;
                if self.position == table.total() {
                    self.position = 0;
                    self.rounds += 1;
                }
                at
            }
        }
    }

    /// Picks of a random set, full passes of a sequential one.
    pub(super) fn rounds(&self) -> u64 {
        self.rounds
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_position_belongs_to_a_task_and_each_task_has_as_many_as_its_weight(
            weights in prop::collection::vec(0_u32..20, 1..12).prop_filter("some weight", |w| w.iter().any(|w| *w > 0)),
        ) {
            let table = WeightTable::new(weights.iter().copied());
            let mut counts = vec![0; weights.len()];
            for position in 0..table.total() {
                counts[table.at(position)] += 1;
            }
            prop_assert_eq!(counts, weights);
        }

        #[test]
        fn a_sequential_pass_runs_each_task_as_often_as_its_weight_and_in_order(
            weights in prop::collection::vec(1_u32..6, 1..8), passes in 1_u64..4,
        ) {
            let table = WeightTable::new(weights.iter().copied());
            let mut picks = Picks::new(TaskOrder::Sequential);
            let one_pass: Vec<usize> =
                weights.iter().enumerate().flat_map(|(at, &weight)| vec![at; weight as usize]).collect();
            let mut picked = Vec::new();
            while picks.rounds() < passes {
                picked.push(picks.next(&table, |_| unreachable!("a sequence draws nothing")));
            }
            prop_assert_eq!(picked, one_pass.repeat(passes as usize));
        }

        #[test]
        fn random_picks_follow_the_number_drawn(
            weights in prop::collection::vec(1_u32..6, 1..8), seed in any::<u64>(),
        ) {
            let table = WeightTable::new(weights.iter().copied());
            let mut picks = Picks::new(TaskOrder::Random);
            let drawn = seed % table.total();
            prop_assert_eq!(picks.next(&table, |below| { assert_eq!(below, table.total()); drawn }), table.at(drawn));
            prop_assert_eq!(picks.rounds(), 1);
        }
    }

    #[test]
    fn shares_come_close_to_the_weights() {
        let table = WeightTable::new([7, 2, 1].into_iter());
        let mut random = fastrand::Rng::with_seed(7);
        let mut picks = Picks::new(TaskOrder::Random);
        let mut counts = [0_u32; 3];
        for _ in 0..10_000 {
            counts[picks.next(&table, |below| random.u64(..below))] += 1;
        }
        // Four standard deviations of a binomial share at the most.
        for (count, expected) in counts.into_iter().zip([7_000_u32, 2_000, 1_000]) {
            assert!(count.abs_diff(expected) < 190, "{counts:?}");
        }
    }
}
