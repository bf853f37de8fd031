//! Who can reach whom, how long that takes, and what gets lost.

use std::collections::BTreeMap;

use fastrand::Rng;

use crate::clock::MS;
use crate::event::Node;

/// The network between masters and workers.
#[derive(Debug)]
pub(crate) struct Network {
    /// Directions in which nothing passes, and how many faults cut each.
    cuts: BTreeMap<(Node, Node), u32>,
    /// Of a thousand messages between masters so many are lost, and so many come twice.
    pub(crate) loss_permille: u32,
    pub(crate) double_permille: u32,
    /// The longest that a message usually takes; a few take ten times as long.
    pub(crate) delay_us: u64,
}

impl Network {
    /// A network in good order.
    pub(crate) fn good() -> Self {
        Self { cuts: BTreeMap::new(), loss_permille: 0, double_permille: 0, delay_us: 2 * MS }
    }

    /// Whether anything passes in a direction.
    pub(crate) fn passes(&self, from: Node, to: Node) -> bool {
        !self.cuts.contains_key(&(from, to))
    }

    /// Nothing passes in these directions any more.
    pub(crate) fn cut(&mut self, directions: &[(Node, Node)]) {
        directions.iter().for_each(|direction| *self.cuts.entry(*direction).or_default() += 1);
    }

    /// Undoes what [`cut`](Self::cut) did.
    pub(crate) fn mend(&mut self, directions: &[(Node, Node)]) {
        for direction in directions {
            let Some(count) = self.cuts.get_mut(direction) else { continue };
            *count -= 1;
            if *count == 0 {
                self.cuts.remove(direction);
            }
        }
    }

    /// Ends all that is wrong.
    pub(crate) fn heal(&mut self) {
        *self = Self::good();
    }

    /// How long a message takes.
    pub(crate) fn delay(&self, random: &mut Rng) -> u64 {
        let most = if random.u32(..1_000) < 10 { 10 * self.delay_us } else { self.delay_us };
        random.u64(100..=most.max(100))
    }

    /// How often a message between masters arrives.
    pub(crate) fn copies(&self, random: &mut Rng) -> u32 {
        match random.u32(..1_000) {
            chance if chance < self.loss_permille => 0,
            chance if chance >= 1_000 - self.double_permille => 2,
            _ => 1,
        }
    }
}
