//! Which class a user is of: fixed counts first, then by weight.

use serde::{Deserialize, Serialize};

/// How many users of a class there shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassShare {
    /// Exactly this many, before the weighted ones.
    pub fixed_count: u64,
    /// Share among the rest, in thousandths.
    pub weight_milli: u32,
}

/// The class of every user index; the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassSequence {
    /// Cumulative fixed counts.
    fixed_up_to: Vec<u64>,
    /// One period of the weighted classes; empty when no class has a weight.
    period: Vec<u16>,
}

/// Longest period; larger weights are scaled down to it.
const PERIOD_MAX: u64 = 65_536;

impl ClassSequence {
    /// The sequence for these classes.
    ///
    /// Weighted classes are interleaved by smooth weighted round-robin, so that any prefix of the sequence is close to
    /// the exact shares. A class with a fixed count has no weighted share.
    #[must_use]
    pub fn new(classes: &[ClassShare]) -> Self {
        let fixed_up_to = classes.iter().scan(0_u64, |sum, class| {
            *sum = sum.saturating_add(class.fixed_count);
            Some(*sum)
        });
        let weights: Vec<u64> =
            classes.iter().map(|class| if class.fixed_count > 0 { 0 } else { u64::from(class.weight_milli) }).collect();
        Self { fixed_up_to: fixed_up_to.collect(), period: period(&reduced(&weights)) }
    }

    /// The class of a user; `None` if only fixed counts are given and the user is beyond them.
    #[must_use]
    pub fn class_of(&self, user: u64) -> Option<usize> {
        let fixed = self.fixed_up_to.last().copied().unwrap_or(0);
        if user < fixed {
            return Some(self.fixed_up_to.partition_point(|up_to| *up_to <= user));
        }
        let at = (user - fixed).checked_rem(self.period.len() as u64)?;
        self.period.get(at as usize).map(|class| usize::from(*class))
    }

    /// The most users there can be; `None` if there is no such bound.
    #[must_use]
    pub fn users_max(&self) -> Option<u64> {
        self.period.is_empty().then(|| self.fixed_up_to.last().copied().unwrap_or(0))
    }
}

/// The weights divided by their greatest common divisor, scaled down if their sum is still too large.
fn reduced(weights: &[u64]) -> Vec<u64> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let sum = weights.iter().map(|weight| weight / divisor).sum::<u64>();
    let scale = sum.div_ceil(PERIOD_MAX).max(1);
    let scaled = weights.iter().map(|weight| match weight / divisor {
        0 => 0,
        weight => (weight / scale).max(1),
    });
    scaled.collect()
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn period(weights: &[u64]) -> Vec<u16> {
    let sum = weights.iter().sum::<u64>() as i64;
    let mut credit = vec![0_i64; weights.len()];
    let next = |_| {
        credit.iter_mut().zip(weights).for_each(|(credit, weight)| *credit += *weight as i64);
        let best =
            (0..credit.len()).filter(|at| weights[*at] > 0).max_by_key(|at| (credit[*at], std::cmp::Reverse(*at)))?;
        credit[best] -= sum;
        Some(best as u16)
    };
    (0..sum).filter_map(next).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weighted(weights: &[u32]) -> ClassSequence {
        let shares: Vec<_> = weights.iter().map(|w| ClassShare { fixed_count: 0, weight_milli: w * 1_000 }).collect();
        ClassSequence::new(&shares)
    }

    #[test]
    fn weights_interleave() {
        let sequence = weighted(&[3, 1]);
        let classes: Vec<_> = (0..8).filter_map(|user| sequence.class_of(user)).collect();
        assert_eq!(classes, [0, 0, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn fixed_counts_come_first_and_bound_the_users_when_nothing_has_a_weight() {
        let share = |fixed_count, weight_milli| ClassShare { fixed_count, weight_milli };
        let sequence = ClassSequence::new(&[share(2, 1_000), share(0, 1_000), share(1, 0)]);
        let classes: Vec<_> = (0..6).map(|user| sequence.class_of(user)).collect();
        assert_eq!(classes, [Some(0), Some(0), Some(2), Some(1), Some(1), Some(1)]);
        let only_fixed = ClassSequence::new(&[share(2, 1_000)]);
        assert_eq!((only_fixed.class_of(2), only_fixed.users_max()), (None, Some(2)));
    }

    #[test]
    fn extreme_weights_are_scaled_and_none_is_lost() {
        let sequence = weighted(&[1_000_000, 999_999, 1]);
        let last = (0..PERIOD_MAX + 3).filter(|user| sequence.class_of(*user) == Some(2)).count();
        assert!(last >= 1);
    }

    proptest! {
        #[test]
        fn any_prefix_is_near_its_exact_share(
            weights in prop::collection::vec(0_u32..50, 1..8).prop_filter("some weight", |w| w.iter().any(|w| *w > 0)),
            users in 1_u64..5_000,
        ) {
            let sequence = weighted(&weights);
            let sum = weights.iter().sum::<u32>();
            for (class, weight) in weights.iter().enumerate() {
                let count = (0..users).filter(|user| sequence.class_of(*user) == Some(class)).count() as f64;
                let exact = users as f64 * f64::from(*weight) / f64::from(sum);
                prop_assert!((count - exact).abs() <= weights.len() as f64, "class {}: {} of {}", class, count, exact);
            }
        }
    }
}
