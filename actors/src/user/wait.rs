//! How long a user pauses, as a pure function of a number drawn elsewhere.

use std::time::Duration;

use akrida_core::scenario::model::WaitTime;

/// The pause after a task.
///
/// `unit` is a number drawn uniformly from [0, 1). `since_start` is the time since the task was due to start: a pacing
/// is measured from there, so that a late timer does not add up, and a task that overran is followed at once.
pub(super) fn pause(wait: &WaitTime, unit: f64, since_start: Duration) -> Duration {
    match *wait {
        WaitTime::Constant(pause) => pause,
        WaitTime::Between(low, high) => low + high.saturating_sub(low).mul_f64(unit),
        WaitTime::Pacing(pace) => pace.saturating_sub(since_start),
        // The inverse of the exponential distribution's cumulative function.
        WaitTime::Poisson(mean) => mean.mul_f64(-(1.0 - unit).ln()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn pacing_is_from_start_to_start() {
        let wait = WaitTime::Pacing(ms(100));
        assert_eq!(pause(&wait, 0.5, ms(30)), ms(70));
        assert_eq!(pause(&wait, 0.5, ms(100)), Duration::ZERO);
        assert_eq!(pause(&wait, 0.5, ms(250)), Duration::ZERO, "a task that overran is followed at once");
    }

    #[test]
    fn a_paced_user_does_not_drift_when_its_timer_is_late() {
        let (mut due, mut now) = (Duration::ZERO, Duration::ZERO);
        for start in 1..=50 {
            now += ms(20);
            due = now + pause(&WaitTime::Pacing(ms(100)), 0.0, now - due);
            assert_eq!(due, ms(100) * start);
            now = due + ms(3);
        }
    }

    proptest! {
        #[test]
        fn between_stays_between(low in 0_u64..5_000, width in 0_u64..5_000, unit in 0.0..1.0_f64) {
            let drawn = pause(&WaitTime::Between(ms(low), ms(low + width)), unit, ms(9));
            prop_assert!(drawn >= ms(low) && drawn <= ms(low + width));
        }
    }

    #[test]
    fn poisson_pauses_have_their_mean() {
        let mut random = fastrand::Rng::with_seed(3);
        let total: Duration = (0..20_000).map(|_| pause(&WaitTime::Poisson(ms(10)), random.f64(), ms(0))).sum();
        // The mean of 20 000 has a standard deviation of 0.07 ms.
        let mean = total / 20_000;
        assert!(mean > Duration::from_micros(9_700) && mean < Duration::from_micros(10_300), "{mean:?}");
    }
}
