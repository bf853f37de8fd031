//! Which row comes next when rows may repeat. For rows that may not, see [`super::leases`].

/// Any row of a table, all with the same probability. A table has at least one row.
pub fn random(rows: u64, random: &mut fastrand::Rng) -> u64 {
    random.u64(0..rows.max(1))
}

/// The row of the draw with this number, from 0, in the order of the table and from the start again after the last.
///
/// Whoever draws from several places without counting together gives each a share of the numbers: of `n` places, place
/// `k` draws the numbers `k`, `k + n`, `k + 2n`, …
#[must_use]
pub fn round_robin(rows: u64, draw: u64) -> u64 {
    draw % rows.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_robin_takes_every_row_before_it_repeats_one() {
        let drawn: Vec<u64> = (0..7).map(|draw| round_robin(3, draw)).collect();
        assert_eq!(drawn, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn random_rows_are_rows_and_all_of_them_come_up() {
        let mut generator = fastrand::Rng::with_seed(1);
        let mut drawn = [0_u32; 5];
        (0..1_000).for_each(|_| drawn[random(5, &mut generator) as usize] += 1);
        assert!(drawn.iter().all(|count| *count > 100), "{drawn:?}");
    }
}
