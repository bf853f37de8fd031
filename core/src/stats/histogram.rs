//! A sparse HDR histogram: only the buckets that hold something.
//!
//! The bucket layout is that of HdrHistogram (`hdrhistogram`'s, lowest discernible value 1): values below
//! `2 × 10^digits`, rounded up to a power of two, are exact; above it each doubling has half as many buckets as that
//! power, so that a bucket is never wider than `10^-digits` of its value. Dense histograms live only in the recorder.

use hdrhistogram::Histogram as Dense;
use serde::{Deserialize, Serialize};

use super::varint;

/// A mergeable histogram of values in microseconds with exact count, sum, minimum and maximum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    digits: u8,
    /// Bucket index and count, by ascending index, no zero counts.
    buckets: Vec<(u32, u64)>,
    count: u64,
    sum_us: u64,
    min_us: u64,
    max_us: u64,
}

/// Exact figures that accompany the buckets of a dense histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// The sum of all values.
    pub sum_us: u64,
    /// The smallest value.
    pub min_us: u64,
    /// The largest value.
    pub max_us: u64,
}

impl Histogram {
    /// An empty histogram with this many significant decimal digits (1 to 5).
    #[must_use]
    pub fn new(digits: u8) -> Self {
        debug_assert!((1..=5).contains(&digits), "digits are 1 to 5");
        Self { digits, buckets: Vec::new(), count: 0, sum_us: 0, min_us: 0, max_us: 0 }
    }

    /// The content of a dense histogram of the same digits.
    #[must_use]
    pub fn from_dense(dense: &Dense<u64>, exact: Exact) -> Self {
        let mut sparse = Self::new(dense.sigfig());
        if dense.is_empty() {
            return sparse;
        }
        sparse.buckets = dense
            .iter_recorded()
            .map(|step| (bucket_of(dense.sigfig(), step.value_iterated_to()), step.count_at_value()))
            .collect();
        sparse.count = dense.len();
        (sparse.sum_us, sparse.min_us, sparse.max_us) = (exact.sum_us, exact.min_us, exact.max_us);
        sparse
    }

    /// Records one value. For tests and rare values; the hot path records into a dense histogram.
    pub fn record(&mut self, value_us: u64) {
        let index = bucket_of(self.digits, value_us);
        match self.buckets.binary_search_by_key(&index, |(bucket, _)| *bucket) {
            Ok(at) => self.buckets[at].1 += 1,
            Err(at) => self.buckets.insert(at, (index, 1)),
        }
        self.min_us = if self.count == 0 { value_us } else { self.min_us.min(value_us) };
        self.max_us = self.max_us.max(value_us);
        self.count += 1;
        self.sum_us = self.sum_us.saturating_add(value_us);
    }

    /// Adds the content of another histogram. Both must have the same digits; if they differ, the other's buckets are
    /// mapped by their highest value.
    pub fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        self.min_us = if self.count == 0 { other.min_us } else { self.min_us.min(other.min_us) };
        self.max_us = self.max_us.max(other.max_us);
        self.count = self.count.saturating_add(other.count);
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        if self.digits == other.digits {
            self.buckets = merged(&self.buckets, &other.buckets);
        } else {
            let mut mapped = Self::new(self.digits);
            for &(bucket, count) in &other.buckets {
                let index = bucket_of(self.digits, highest_of(other.digits, bucket));
                mapped.buckets = merged(&mapped.buckets, &[(index, count)]);
            }
            self.buckets = merged(&self.buckets, &mapped.buckets);
        }
    }

    /// The number of values.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The significant decimal digits of the buckets.
    #[must_use]
    pub fn digits(&self) -> u8 {
        self.digits
    }

    /// The exact sum.
    #[must_use]
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// The exact minimum; `None` when empty.
    #[must_use]
    pub fn min_us(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min_us)
    }

    /// The exact maximum; `None` when empty.
    #[must_use]
    pub fn max_us(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max_us)
    }

    /// The exact mean; `None` when empty.
    #[must_use]
    pub fn mean_us(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum_us as f64 / self.count as f64)
    }

    /// The value below or at which the fraction `quantile` (0 to 1) of all values lies: the highest value of the first
    /// bucket at which the count of values so far reaches `ceil(quantile × count)`, as HdrHistogram's
    /// `value_at_quantile`, but never outside the exact minimum and maximum. `None` when empty.
    #[must_use]
    pub fn quantile_us(&self, quantile: f64) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let wanted = ((quantile.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count);
        let mut seen = 0;
        for &(bucket, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return Some(highest_of(self.digits, bucket).clamp(self.min_us, self.max_us));
            }
        }
        Some(self.max_us)
    }

    /// The buckets that hold something: lowest and highest value of each, and its count, ascending.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64, u64)> + '_ {
        self.buckets
            .iter()
            .map(|&(bucket, count)| (lowest_of(self.digits, bucket), highest_of(self.digits, bucket), count))
    }
}

fn merged(left: &[(u32, u64)], right: &[(u32, u64)]) -> Vec<(u32, u64)> {
    let mut all = Vec::with_capacity(left.len().max(right.len()));
    let (mut l, mut r) = (left.iter().copied().peekable(), right.iter().copied().peekable());
    loop {
        let next = match (l.peek().copied(), r.peek().copied()) {
            (Some(a), Some(b)) if a.0 == b.0 => {
                l.next();
                r.next();
                (a.0, a.1.saturating_add(b.1))
            }
            (Some(a), Some(b)) if a.0 < b.0 => {
                l.next();
                a
            }
            (Some(_), Some(b)) | (None, Some(b)) => {
                r.next();
                b
            }
            (Some(a), None) => {
                l.next();
                a
            }
            (None, None) => return all,
        };
        all.push(next);
    }
}

/// log2 of half the number of buckets of the first, exact range.
fn half_bits(digits: u8) -> u32 {
    let exact_below = 2 * 10_u64.pow(u32::from(digits));
    exact_below.next_power_of_two().trailing_zeros() - 1
}

fn bucket_of(digits: u8, value: u64) -> u32 {
    let half_bits = half_bits(digits);
    let shift = (64 - value.leading_zeros()).saturating_sub(half_bits + 1);
    (shift << half_bits) + (value >> shift) as u32
}

fn lowest_of(digits: u8, bucket: u32) -> u64 {
    let half_bits = half_bits(digits);
    let shift = (bucket >> half_bits).saturating_sub(1);
    u64::from(bucket - (shift << half_bits)) << shift
}

fn highest_of(digits: u8, bucket: u32) -> u64 {
    let shift = (bucket >> half_bits(digits)).saturating_sub(1);
    lowest_of(digits, bucket) + ((1_u64 << shift) - 1)
}

/// Why bytes are not a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed histogram")]
pub struct Malformed;

impl Histogram {
    /// The histogram as bytes: digits, count of buckets, minimum, maximum, sum, then for each bucket the distance to
    /// the previous index and the count, all as LEB128 variable-length integers.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.buckets.len() * 3);
        bytes.push(self.digits);
        for value in [self.buckets.len() as u64, self.min_us, self.max_us, self.sum_us] {
            varint::write(&mut bytes, value);
        }
        let mut previous = 0;
        for &(bucket, count) in &self.buckets {
            varint::write(&mut bytes, u64::from(bucket - previous));
            varint::write(&mut bytes, count);
            previous = bucket;
        }
        bytes
    }

    /// Reads what [`Histogram::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are cut, have a surplus, or describe what no histogram holds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let (&digits, mut rest) = bytes.split_first().ok_or(Malformed)?;
        if !(1..=5).contains(&digits) {
            return Err(Malformed);
        }
        let mut next = || varint::read(&mut rest).ok_or(Malformed);
        let (length, min_us, max_us, sum_us) = (next()?, next()?, next()?, next()?);
        let mut histogram = Self { min_us, max_us, sum_us, ..Self::new(digits) };
        let bucket_max = u64::from(bucket_of(digits, u64::MAX));
        let mut bucket = 0;
        for at in 0..length {
            let (distance, count) = (next()?, next()?);
            bucket = u64::checked_add(bucket, distance).filter(|bucket| *bucket <= bucket_max).ok_or(Malformed)?;
            if count == 0 || (at > 0 && distance == 0) {
                return Err(Malformed);
            }
            histogram.count = histogram.count.checked_add(count).ok_or(Malformed)?;
            histogram.buckets.push((bucket as u32, count));
        }
        if rest.is_empty() && min_us <= max_us { Ok(histogram) } else { Err(Malformed) }
    }
}

impl Serialize for Histogram {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> serde::de::Visitor<'de> for Bytes {
            type Value = Histogram;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the bytes of a histogram")
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Histogram, E> {
                Histogram::from_bytes(bytes).map_err(E::custom)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut sequence: A) -> Result<Histogram, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = sequence.next_element()? {
                    bytes.push(byte);
                }
                self.visit_bytes(&bytes)
            }
        }
        deserializer.deserialize_bytes(Bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(digits: u8, values: &[u64]) -> Histogram {
        let mut histogram = Histogram::new(digits);
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    fn dense(digits: u8, values: &[u64]) -> Dense<u64> {
        let mut dense = Dense::new(digits).expect("digits are valid");
        dense.auto(true);
        values.iter().for_each(|value| dense.record(*value).expect("resizes"));
        dense
    }

    #[test]
    fn percentiles_of_a_known_set_are_exact_to_the_digits_promised() {
        let values: Vec<u64> = (1..=100_000).collect();
        let histogram = recorded(3, &values);
        for (quantile, exact) in [(0.5, 50_000.0), (0.9, 90_000.0), (0.99, 99_000.0), (0.999, 99_900.0), (1.0, 1e5)] {
            let found = histogram.quantile_us(quantile).expect("not empty") as f64;
            assert!((found - exact).abs() / exact <= 0.001, "p{quantile}: {found} is not {exact}");
        }
        assert_eq!(histogram.quantile_us(0.0), Some(1));
        assert_eq!((histogram.min_us(), histogram.max_us()), (Some(1), Some(100_000)));
        assert_eq!(histogram.mean_us(), Some(50_000.5));
    }

    #[test]
    fn an_empty_histogram_has_no_figures() {
        let histogram = Histogram::new(3);
        assert_eq!((histogram.quantile_us(0.5), histogram.min_us(), histogram.mean_us()), (None, None, None));
    }

    #[test]
    fn the_first_range_is_exact() {
        let histogram = recorded(3, &[0, 1, 2047]);
        assert_eq!(histogram.buckets().collect::<Vec<_>>(), [(0, 0, 1), (1, 1, 1), (2047, 2047, 1)]);
    }

    proptest! {
        #[test]
        fn sparse_equals_dense(values in prop::collection::vec(0_u64..4_000_000_000, 1..300), digits in 2_u8..=3) {
            let (sparse, dense) = (recorded(digits, &values), dense(digits, &values));
            let exact = Exact {
                sum_us: values.iter().sum(),
                min_us: *values.iter().min().expect("some"),
                max_us: *values.iter().max().expect("some"),
            };
            prop_assert_eq!(&Histogram::from_dense(&dense, exact), &sparse);
            for quantile in [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
                let found = dense.value_at_quantile(quantile);
                let expected = if quantile == 0.0 { dense.highest_equivalent(found) } else { found };
                prop_assert_eq!(sparse.quantile_us(quantile), Some(expected.clamp(exact.min_us, exact.max_us)));
            }
        }

        #[test]
        fn merging_equals_recording_in_one(
            left in prop::collection::vec(0_u64..100_000_000, 0..100),
            right in prop::collection::vec(0_u64..100_000_000, 0..100),
        ) {
            let mut merged = recorded(3, &left);
            merged.merge(&recorded(3, &right));
            prop_assert_eq!(merged, recorded(3, &[left, right].concat()));
        }

        #[test]
        fn bytes_round_trip(values in prop::collection::vec(any::<u64>().prop_map(|v| v >> 8), 0..100)) {
            let histogram = recorded(3, &values);
            prop_assert_eq!(Histogram::from_bytes(&histogram.to_bytes()), Ok(histogram));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Histogram::from_bytes(&bytes);
        }

        #[test]
        fn cut_bytes_are_refused(values in prop::collection::vec(0_u64..1_000_000, 1..20), cut in any::<prop::sample::Index>()) {
            let bytes = recorded(3, &values).to_bytes();
            let kept = cut.index(bytes.len());
            prop_assert_eq!(Histogram::from_bytes(&bytes[..kept]), Err(Malformed));
        }
    }
}
