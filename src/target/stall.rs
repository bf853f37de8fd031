//! Freezes of the target.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::limits::DELAY_MAX;

/// A freeze at the end of every period, as by a garbage collector or a backup.
///
/// The first period begins when the server starts, so `1s every 10s` freezes from 9 s to 10 s, from 19 s to 20 s and so
/// on. As text: `LENGTH every PERIOD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    length: Duration,
    period: Duration,
}

/// Why a text is no stall.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StallProblem {
    /// Not of the known form.
    #[error("stall \"{0}\" is not of the form 1s every 10s")]
    Form(String),
    /// A part of it is not a time.
    #[error("\"{0}\" is not a time such as 100ms or 1s")]
    Time(String),
    /// The lengths do not fit together.
    #[error("a stall is longer than 0s and shorter than its period, which is at most 10m, but it is {} every {}",
        humantime::format_duration(*length), humantime::format_duration(*period))]
    Lengths {
        /// Length of the freeze.
        length: Duration,
        /// Time from one freeze to the next.
        period: Duration,
    },
}

impl Stall {
    /// Freezes for the last `length` of every `period`.
    ///
    /// # Errors
    /// If `length` is zero, not shorter than `period`, or `period` longer than ten minutes.
    pub fn new(length: Duration, period: Duration) -> Result<Self, StallProblem> {
        if length.is_zero() || length >= period || period > DELAY_MAX {
            return Err(StallProblem::Lengths { length, period });
        }
        Ok(Self { length, period })
    }

    /// When something that is ready at `at` can happen: at once, or at the end of the freeze. Both times count from the
    /// start of the server.
    pub fn release(&self, at: Duration) -> Duration {
        let offset_ns = at.as_nanos() % self.period.as_nanos();
        if offset_ns < (self.period - self.length).as_nanos() {
            return at;
        }
        // The offset is below the period, which fits in 64 bits by its bound.
        at + (self.period - Duration::from_nanos(offset_ns as u64))
    }
}

impl FromStr for Stall {
    type Err = StallProblem;

    fn from_str(text: &str) -> Result<Self, StallProblem> {
        let (length, period) = text.split_once(" every ").ok_or_else(|| StallProblem::Form(text.to_owned()))?;
        Self::new(time(length)?, time(period)?)
    }
}

fn time(text: &str) -> Result<Duration, StallProblem> {
    humantime::parse_duration(text.trim()).map_err(|_| StallProblem::Time(text.trim().to_owned()))
}

/// Writes the text that parses to the same value.
impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} every {}", humantime::format_duration(self.length), humantime::format_duration(self.period))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn only_the_end_of_a_period_is_frozen() {
        let stall: Stall = "1s every 10s".parse().expect("a stall");
        for (at_ms, released_ms) in [
            (0, 0),
            (5_000, 5_000),
            (8_999, 8_999),
            (9_000, 10_000),
            (9_999, 10_000),
            (10_000, 10_000),
            (18_999, 18_999),
            (19_500, 20_000),
            (86_400_000 - 1, 86_400_000),
        ] {
            assert_eq!(stall.release(ms(at_ms)), ms(released_ms), "{at_ms} ms");
        }
    }

    #[test]
    fn what_is_no_stall_is_refused_with_the_reason() {
        let lengths = |length, period| StallProblem::Lengths { length: ms(length), period: ms(period) };
        for (text, problem) in [
            ("", StallProblem::Form(String::new())),
            ("1s", StallProblem::Form("1s".to_owned())),
            ("1s every", StallProblem::Form("1s every".to_owned())),
            ("1s every now", StallProblem::Time("now".to_owned())),
            ("0s every 1s", lengths(0, 1_000)),
            ("1s every 1s", lengths(1_000, 1_000)),
            ("2s every 1s", lengths(2_000, 1_000)),
            ("1s every 11m", lengths(1_000, 660_000)),
        ] {
            assert_eq!(text.parse::<Stall>(), Err(problem), "{text}");
        }
    }

    proptest! {
        #[test]
        fn release_is_never_early_never_frozen_and_waits_at_most_one_freeze(
            period_ms in 2u64..600_000, share in 0.0f64..1.0, at_us in 0u64..1_000_000_000_000,
        ) {
            let length_ms = 1 + (share * (period_ms - 2) as f64) as u64;
            let stall = Stall::new(ms(length_ms), ms(period_ms)).expect("a valid stall");
            let at = Duration::from_micros(at_us);
            let released = stall.release(at);
            prop_assert!(released >= at && released - at <= ms(length_ms));
            prop_assert_eq!(stall.release(released), released);
            prop_assert_eq!(stall.to_string().parse(), Ok(stall));
        }
    }
}
