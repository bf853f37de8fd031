//! Dealing numbers evenly to places, without a pattern that a set of numbers could share.

/// A number without a pattern for each number (the finaliser of SplitMix64).
#[must_use]
pub fn mixed(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Which of `places` a number is dealt to. Of any `places` numbers in a row that begin with a multiple of `places`, each
/// goes to another one; in which order has no pattern, so that any other choice of numbers is dealt evenly, too.
#[must_use]
pub fn place_of(number: u64, places: u64) -> u64 {
    let places = places.max(1);
    let (round, at) = (number / places, number % places);
    (at + mixed(round) % places) % places
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_round_deals_one_to_each_place() {
        for round in 0..100 {
            let places: BTreeSet<u64> = (0..7).map(|at| place_of(round * 7 + at, 7)).collect();
            assert_eq!(places.len(), 7);
        }
    }

    #[test]
    fn a_choice_by_any_step_is_dealt_evenly() {
        for step in 1..=16 {
            let mut counts = [0_u32; 4];
            (0..4_000).for_each(|number| counts[place_of(number * step, 4) as usize] += 1);
            assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{step}: {counts:?}");
        }
    }
}
