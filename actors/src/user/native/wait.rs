//! Pauses between tasks.

use std::time::Duration;

use akrida_core::scenario::model::WaitTime;

/// Always the same pause.
#[must_use]
pub fn constant(pause: Duration) -> WaitTime {
    WaitTime::Constant(pause)
}

/// Any pause between two bounds, all equally likely.
#[must_use]
pub fn between(low: Duration, high: Duration) -> WaitTime {
    WaitTime::Between(low, high)
}

/// A task so often, from start to start; one that overruns is followed at once.
#[must_use]
pub fn pacing(pace: Duration) -> WaitTime {
    WaitTime::Pacing(pace)
}

/// So many tasks per second and user, evenly spaced.
#[must_use]
pub fn throughput(tasks_per_s: f64) -> WaitTime {
    WaitTime::Pacing(period(tasks_per_s))
}

/// Exponentially distributed pauses, so many of them per second on average.
#[must_use]
pub fn poisson(pauses_per_s: f64) -> WaitTime {
    WaitTime::Poisson(period(pauses_per_s))
}

/// One that no clock can hold is out of bounds, and is refused with the description that it is part of.
fn period(per_s: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / per_s).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_one_over_its_period() {
        assert_eq!(throughput(4.0), WaitTime::Pacing(Duration::from_millis(250)));
        for none in [0.0, -1.0, f64::NAN] {
            assert_eq!(poisson(none), WaitTime::Poisson(Duration::MAX), "{none}");
        }
    }
}
