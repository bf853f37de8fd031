//! The rate at which users are started or stopped.

use serde::{Deserialize, Serialize};

use crate::limits;

/// A spawn rate in millionths of a user per second: integers only, so that every machine computes the same instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SpawnRate {
    users_per_million_s: u64,
}

/// Microseconds in a second, and millionths in a whole.
const MILLION: u128 = 1_000_000;

impl SpawnRate {
    /// One user per second.
    pub const ONE_PER_SECOND: Self = Self { users_per_million_s: 1_000_000 };

    /// A rate in users per second; `None` unless it is finite, at least a millionth and at most
    /// `limits::SPAWN_RATE_MAX_PER_S`.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        let users_per_million_s = (rate * 1e6).round();
        let valid = users_per_million_s >= 1.0 && rate <= limits::SPAWN_RATE_MAX_PER_S;
        valid.then_some(Self { users_per_million_s: users_per_million_s as u64 })
    }

    /// The rate in users per second.
    #[must_use]
    pub fn as_per_second(self) -> f64 {
        self.users_per_million_s as f64 / 1e6
    }

    /// Steps done `elapsed_us` after the start; the first is done at 0.
    #[must_use]
    pub fn steps_by(self, elapsed_us: u64) -> u64 {
        let steps = u128::from(elapsed_us) * u128::from(self.users_per_million_s) / (MILLION * MILLION);
        u64::try_from(steps).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// When step `step` (from 0) is done, in microseconds after the start: the first instant at which
    /// [`SpawnRate::steps_by`] exceeds it.
    #[must_use]
    pub fn instant_of_us(self, step: u64) -> u64 {
        let us = (u128::from(step) * MILLION * MILLION).div_ceil(u128::from(self.users_per_million_s));
        u64::try_from(us).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn impossible_rates_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, limits::SPAWN_RATE_MAX_PER_S * 2.0] {
            assert_eq!(SpawnRate::per_second(rate), None, "{rate}");
        }
    }

    proptest! {
        #[test]
        fn a_step_is_done_at_its_instant_and_not_before(rate in 0.001_f64..100_000.0, step in 0_u64..1_000_000) {
            let rate = SpawnRate::per_second(rate).expect("valid");
            let at_us = rate.instant_of_us(step);
            prop_assert!(rate.steps_by(at_us) > step);
            if at_us > 0 {
                prop_assert!(rate.steps_by(at_us - 1) <= step);
            }
        }
    }
}
