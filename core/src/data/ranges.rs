//! Sets of row numbers, kept as ranges.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Consecutive rows `low..high`; never empty in an answer of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowRange {
    /// The first row.
    pub low: u64,
    /// The row after the last.
    pub high: u64,
}

/// A set of rows. Neighbouring ranges are one, so that equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSet {
    /// The end of each range by its start.
    ranges: BTreeMap<u64, u64>,
    count: u64,
}

impl RowRange {
    /// How many rows.
    #[must_use]
    pub fn count(self) -> u64 {
        self.high.saturating_sub(self.low)
    }
}

impl RowSet {
    /// The rows from the first up to this number.
    #[must_use]
    pub fn up_to(rows: u64) -> Self {
        let mut set = Self::default();
        set.insert(RowRange { low: 0, high: rows });
        set
    }

    /// The number of rows.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The ranges, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = RowRange> + '_ {
        self.ranges.iter().map(|(low, high)| RowRange { low: *low, high: *high })
    }

    /// Whether all rows of a range are in the set.
    #[must_use]
    pub fn contains(&self, range: RowRange) -> bool {
        let around = self.ranges.range(..=range.low).next_back();
        range.count() == 0 || around.is_some_and(|(_, high)| *high >= range.high)
    }

    /// Adds the rows of a range.
    pub fn insert(&mut self, range: RowRange) {
        if range.count() == 0 {
            return;
        }
        let RowRange { mut low, mut high } = range;
        // Ranges that overlap or touch become one.
        while let Some((&start, &end)) = self.ranges.range(..=high).next_back().filter(|(_, end)| **end >= low) {
            self.ranges.remove(&start);
            self.count -= end - start;
            (low, high) = (low.min(start), high.max(end));
        }
        self.ranges.insert(low, high);
        self.count += high - low;
    }

    /// Takes the rows of a range out, as far as they are in the set.
    pub fn remove(&mut self, range: RowRange) {
        if range.count() == 0 {
            return;
        }
        while let Some((&low, &high)) = self.ranges.range(..range.high).next_back().filter(|(_, end)| **end > range.low)
        {
            self.ranges.remove(&low);
            self.count -= high - low;
            self.insert(RowRange { low, high: range.low.max(low) });
            self.insert(RowRange { low: range.high.min(high), high });
        }
    }

    /// Takes the lowest row out.
    pub fn take_first(&mut self) -> Option<u64> {
        let (low, high) = self.ranges.pop_first()?;
        if low + 1 < high {
            self.ranges.insert(low + 1, high);
        }
        self.count -= 1;
        Some(low)
    }

    /// Takes the lowest rows out: at most so many, in at most so many ranges.
    pub fn take(&mut self, rows_max: u64, ranges_max: usize) -> Vec<RowRange> {
        let mut taken = Vec::new();
        let mut left = rows_max;
        while left > 0 && taken.len() < ranges_max {
            let Some((&low, &high)) = self.ranges.first_key_value() else { break };
            let range = RowRange { low, high: high.min(low.saturating_add(left)) };
            self.remove(range);
            left -= range.count();
            taken.push(range);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges_of(rows: &BTreeSet<u64>) -> Vec<RowRange> {
        let mut ranges: Vec<RowRange> = Vec::new();
        for &row in rows {
            match ranges.last_mut().filter(|last| last.high == row) {
                Some(last) => last.high += 1,
                None => ranges.push(RowRange { low: row, high: row + 1 }),
            }
        }
        ranges
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_set_of_ranges_is_a_set_of_rows(steps in prop::collection::vec((0_u8..4, 0_u64..40, 0_u64..12), 0..60)) {
            let (mut set, mut model) = (RowSet::default(), BTreeSet::new());
            for (kind, low, length) in steps {
                let range = RowRange { low, high: low + length };
                match kind {
                    0 => {
                        set.insert(range);
                        model.extend(low..low + length);
                    }
                    1 => {
                        set.remove(range);
                        model.retain(|row| !(low..low + length).contains(row));
                    }
                    2 => prop_assert_eq!(set.take_first(), model.pop_first()),
                    _ => {
                        let taken = set.take(length, 2);
                        let rows: Vec<u64> = taken.iter().flat_map(|range| range.low..range.high).collect();
                        let lowest: Vec<u64> = ranges_of(&model).iter().take(2).flat_map(|range| range.low..range.high).collect();
                        prop_assert_eq!(&rows, &lowest[..lowest.len().min(length as usize)]);
                        model.retain(|row| !rows.contains(row));
                    }
                }
                prop_assert_eq!(set.ranges().collect::<Vec<_>>(), ranges_of(&model));
                prop_assert_eq!(set.count(), model.len() as u64);
                prop_assert_eq!(set.contains(range), (low..low + length).all(|row| model.contains(&row)));
            }
        }
    }
}
