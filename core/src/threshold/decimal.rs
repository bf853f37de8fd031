//! Exact decimal numbers, so that a limit such as `0.1%` is what it says.

/// A number with digits behind the point: `mantissa / 10^places`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    mantissa: u64,
    places: u32,
}

/// Digits of a number; more do not fit.
const DIGITS_MAX: usize = 18;

impl Decimal {
    /// Reads digits with at most one point among them.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let is_number = text.starts_with(|first: char| first.is_ascii_digit())
            && text.ends_with(|last: char| last.is_ascii_digit())
            && [whole, fraction].iter().all(|part| part.bytes().all(|digit| digit.is_ascii_digit()));
        let digits = format!("{whole}{fraction}");
        if !is_number || digits.trim_start_matches('0').len() > DIGITS_MAX || fraction.len() > DIGITS_MAX {
            return None;
        }
        Some(Self { mantissa: digits.parse().ok()?, places: fraction.len() as u32 })
    }

    /// The number times a factor, if that is a whole number that fits.
    pub(super) fn times(self, factor: u64) -> Option<u64> {
        let (scaled, one) = (u128::from(self.mantissa) * u128::from(factor), 10_u128.pow(self.places));
        scaled.is_multiple_of(one).then(|| u64::try_from(scaled / one).ok())?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        for (text, factor, product) in [
            ("300", 1_000, Some(300_000)),
            ("0.1", 10_000, Some(1_000)),
            ("99.9", 1_000, Some(99_900)),
            ("1.50", 1, None),
            ("2.0", 1, Some(2)),
            ("0.0001", 10_000, Some(1)),
            ("0.00001", 10_000, None),
            ("999999999999999999", 1_000_000, None),
        ] {
            assert_eq!(Decimal::parse(text).expect(text).times(factor), product, "{text} * {factor}");
        }
        for text in ["", ".", ".5", "5.", "1.2.3", "-1", "1e3", "1_000", " 1", "٣", "9999999999999999999"] {
            assert_eq!(Decimal::parse(text), None, "{text:?}");
        }
    }
}
