//! Dealing slots: in whole numbers, so that every master deals alike.
//!
//! Slots are dealt in ascending order, so that the users of any plan, of which the first ones live in the lowest slots,
//! are shared as evenly as the slots are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::slots::SLOTS_U64;

/// Somebody who takes slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taker {
    /// Its number.
    pub position: u16,
    /// Its share beside others; more than 0.
    pub weight: u64,
    /// How many slots it takes at most.
    pub slots_max: u64,
    /// How many more users it takes at most; any number if `None`.
    pub users_max: Option<u64>,
}

/// Users of a plan with `users` users that live in a slot.
#[must_use]
pub fn users_in(slot: u16, users: u64) -> u64 {
    users / SLOTS_U64 + u64::from(u64::from(slot) < users % SLOTS_U64)
}

/// Deals slots, given in ascending order, by the weights of the takers: after any number of slots each taker has its
/// share of them, to within about one. Of a plan with `users` users nobody gets more than it takes; a slot that nobody
/// takes goes to `None`. What a taker still takes goes down with what it got.
#[must_use]
pub fn deal(slots: &[u16], takers: &mut [Taker], users: u64) -> Vec<(u16, Option<u16>)> {
    let mut dealt = vec![0_u64; takers.len()];
    let mut turns: BinaryHeap<_> = (0..takers.len()).map(|at| Reverse((turn(0, takers[at].weight), at))).collect();
    let mut passed_over = Vec::new();
    let mut owners = Vec::with_capacity(slots.len());
    for &slot in slots {
        let load = users_in(slot, users);
        let mut owner = None;
        while let Some(Reverse((due, at))) = turns.pop() {
            if takers[at].slots_max == 0 {
                continue;
            }
            if takers[at].users_max.is_none_or(|room| load <= room) {
                owner = Some(at);
                break;
            }
            passed_over.push(Reverse((due, at)));
        }
        turns.extend(passed_over.drain(..));
        if let Some(at) = owner {
            takers[at].slots_max -= 1;
            takers[at].users_max = takers[at].users_max.map(|room| room - load);
            dealt[at] += 1;
            turns.push(Reverse((turn(dealt[at], takers[at].weight), at)));
        }
        owners.push((slot, owner.map(|at| takers[at].position)));
    }
    owners
}

/// When it is the turn of a taker that has so many slots: the smaller, the sooner.
fn turn(dealt: u64, weight: u64) -> u64 {
    ((2 * dealt + 1) << 40) / weight.max(1)
}

/// Shares of a total by weight, which add up to it; all 0 when there are no weights.
#[must_use]
pub fn quotas(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: &u64| u128::from(total) * u128::from(*weight);
    let mut shares: Vec<u64> = weights.iter().map(|weight| (exact(weight) / sum) as u64).collect();
    let mut by_rest: Vec<usize> = (0..weights.len()).collect();
    by_rest.sort_by_key(|at| Reverse(exact(&weights[*at]) % sum));
    let left = total - shares.iter().sum::<u64>();
    by_rest.iter().take(left as usize).for_each(|at| shares[*at] += 1);
    shares
}

/// So many of the slots, spread evenly over them.
#[must_use]
pub fn spread(slots: &[u16], count: u64) -> Vec<u16> {
    let len = slots.len() as u64;
    let count = count.min(len);
    let taken = |at: &usize| (*at as u64 + 1) * count / len > *at as u64 * count / len;
    (0..slots.len()).filter(taken).map(|at| slots[at]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_slots() -> Vec<u16> {
        (0..=u16::MAX).collect()
    }

    fn takers(weights: &[u64]) -> Vec<Taker> {
        let taker = |(position, weight): (usize, &u64)| Taker {
            position: position as u16,
            weight: *weight,
            slots_max: u64::MAX,
            users_max: None,
        };
        weights.iter().enumerate().map(taker).collect()
    }

    fn counts(owners: &[(u16, Option<u16>)], takers: usize) -> Vec<u64> {
        let mut counts = vec![0; takers];
        owners.iter().filter_map(|(_, owner)| *owner).for_each(|owner| counts[usize::from(owner)] += 1);
        counts
    }

    #[test]
    fn equal_takers_take_turns() {
        let owners: Vec<_> = deal(&[0, 1, 2, 3, 4], &mut takers(&[7, 7]), 0).iter().map(|(_, owner)| *owner).collect();
        assert_eq!(owners, [Some(0), Some(1), Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn nobody_gets_more_users_than_it_takes_and_what_is_too_many_goes_to_nobody() {
        let mut few = takers(&[1, 1]);
        (few[0].users_max, few[1].users_max) = (Some(3), Some(10));
        let owners = deal(&all_slots(), &mut few, 20);
        let users = |position| owners[..20].iter().filter(|(_, owner)| *owner == position).count();
        assert_eq!((users(Some(0)), users(Some(1)), users(None)), (3, 10, 7));
        assert!(owners[20..].iter().all(|(_, owner)| owner.is_some()), "slots without users cost nothing");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_number_of_users_is_shared_by_weight(
            weights in prop::collection::vec(1_u64..2_000, 1..20), users in 1_usize..65_536,
        ) {
            let owners = deal(&all_slots(), &mut takers(&weights), 0);
            let sum = weights.iter().sum::<u64>() as f64;
            for (count, weight) in counts(&owners[..users], weights.len()).iter().zip(&weights) {
                let exact = users as f64 * *weight as f64 / sum;
                prop_assert!((*count as f64 - exact).abs() <= 1.0 + weights.len() as f64 / 2.0, "{count} of {exact}");
            }
        }

        #[test]
        fn quotas_add_up_and_are_exact_to_within_one(
            total in 0_u64..100_000, weights in prop::collection::vec(0_u64..1_000, 1..20),
        ) {
            let sum = weights.iter().sum::<u64>();
            let shares = quotas(total, &weights);
            prop_assert_eq!(shares.iter().sum::<u64>(), if sum == 0 { 0 } else { total });
            for (share, weight) in shares.iter().zip(&weights) {
                let exact = total as f64 * *weight as f64 / sum.max(1) as f64;
                prop_assert!((*share as f64 - exact).abs() < 1.0);
            }
        }

        #[test]
        fn a_spread_takes_so_many_and_evenly(len in 1_usize..2_000, count in 0_u64..3_000, cut in 0_usize..2_000) {
            let slots: Vec<u16> = (0..len as u16).collect();
            let count = count.min(len as u64);
            let taken = spread(&slots, count);
            prop_assert_eq!(taken.len() as u64, count);
            let before = taken.iter().filter(|slot| usize::from(**slot) < cut.min(len)).count() as f64;
            let exact = count as f64 * cut.min(len) as f64 / len as f64;
            prop_assert!((before - exact).abs() <= 1.0);
        }
    }
}
