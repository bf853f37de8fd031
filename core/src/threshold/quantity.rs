//! Figures and limits: whole numbers of a small unit, and how they are shown.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A figure or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// How many of the unit.
    pub value: u64,
    /// The unit.
    pub unit: Unit,
}

/// The unit of a figure or a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Millionths of a second.
    Microseconds,
    /// Millionths of the whole: 10 000 is 1 %.
    PartsPerMillion,
    /// Millionths of one per second.
    MillionthsPerSecond,
    /// Pieces.
    Count,
}

impl Unit {
    /// So many of this unit.
    #[must_use]
    pub fn of(self, value: u64) -> Quantity {
        Quantity { value, unit: self }
    }
}

/// As thresholds are written: `312ms`, `1.5s`, `0.45%`, `1002.3/s`, `12`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.value;
        match self.unit {
            Unit::Microseconds if value == 0 => f.write_str("0ms"),
            Unit::Microseconds if value < 1_000 => write!(f, "{value}us"),
            Unit::Microseconds if value < 1_000_000 => write!(f, "{}ms", Decimals(value, 3)),
            Unit::Microseconds => write!(f, "{}s", Decimals(value, 6)),
            Unit::PartsPerMillion => write!(f, "{}%", Decimals(value, 4)),
            Unit::MillionthsPerSecond => write!(f, "{}/s", Decimals(value, 6)),
            Unit::Count => write!(f, "{value}"),
        }
    }
}

/// A number whose last digits stand behind the point, without zeros at its end.
struct Decimals(u64, u32);

impl fmt::Display for Decimals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(self.1);
        let (whole, rest) = (self.0 / one, self.0 % one);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{rest:0width$}", width = self.1 as usize);
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_as_they_are_written() {
        for (unit, value, text) in [
            (Unit::Microseconds, 0, "0ms"),
            (Unit::Microseconds, 999, "999us"),
            (Unit::Microseconds, 312_000, "312ms"),
            (Unit::Microseconds, 312_050, "312.05ms"),
            (Unit::Microseconds, 1_500_000, "1.5s"),
            (Unit::PartsPerMillion, 4_500, "0.45%"),
            (Unit::PartsPerMillion, 1_000_000, "100%"),
            (Unit::MillionthsPerSecond, 1_002_300_000, "1002.3/s"),
            (Unit::MillionthsPerSecond, 1, "0.000001/s"),
            (Unit::Count, 12, "12"),
        ] {
            assert_eq!(unit.of(value).to_string(), text);
        }
    }
}
