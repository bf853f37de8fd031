//! Plan time on this machine: microseconds of a monotonic clock since the run's anchor.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Converts between the monotonic clock and plan time. Anchored once, when a run is launched.
#[derive(Clone, Copy, Debug)]
pub struct PlanClock {
    origin: Instant,
    /// Plan time at the origin; negative if the run starts after it.
    at_origin_us: i64,
}

impl PlanClock {
    /// A clock whose plan time is 0 at `zero`, which may lie in the future.
    #[must_use]
    pub fn anchored_at(zero: Instant) -> Self {
        Self { origin: zero, at_origin_us: 0 }
    }

    /// A clock whose plan time is 0 that many microseconds after `origin`; before it if negative. That may be before the
    /// machine was started.
    #[must_use]
    pub fn anchored_after(origin: Instant, us: i64) -> Self {
        Self { origin, at_origin_us: us.saturating_neg() }
    }

    /// Plan time now; 0 before the anchor.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.at_us(Instant::now())
    }

    /// Plan time of an instant; 0 before the anchor, and that of the origin before the origin.
    #[must_use]
    pub fn at_us(&self, instant: Instant) -> u64 {
        let since_us = instant.saturating_duration_since(self.origin).as_micros() as i64;
        since_us.saturating_add(self.at_origin_us).max(0) as u64
    }

    /// The instant of a plan time; the origin for one before it.
    #[must_use]
    pub fn instant_of(&self, plan_us: u64) -> Instant {
        let plan_us = i64::try_from(plan_us).unwrap_or(i64::MAX);
        let since_us = u64::try_from(plan_us.saturating_sub(self.at_origin_us)).unwrap_or(0);
        // What lies beyond the end of all clocks is never reached either way.
        self.origin.checked_add(Duration::from_micros(since_us)).unwrap_or(self.origin + FAR)
    }
}

/// A hundred years.
const FAR: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The clock of what is prepared on one arbiter before the run is launched. Until then plan time stands for nothing.
#[derive(Debug)]
pub struct ArbiterClock(Cell<PlanClock>);

impl ArbiterClock {
    /// A clock that may be anchored anew.
    #[must_use]
    pub fn new(clock: PlanClock) -> Self {
        Self(Cell::new(clock))
    }

    /// Anchors it.
    pub fn anchor(&self, clock: PlanClock) {
        self.0.set(clock);
    }

    /// As [`PlanClock::now_us`].
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.0.get().now_us()
    }

    /// As [`PlanClock::at_us`].
    #[must_use]
    pub fn at_us(&self, instant: Instant) -> u64 {
        self.0.get().at_us(instant)
    }

    /// As [`PlanClock::instant_of`].
    #[must_use]
    pub fn instant_of(&self, plan_us: u64) -> Instant {
        self.0.get().instant_of(plan_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plan_time_may_begin_after_or_long_before_the_origin() {
        let origin = Instant::now();
        let at = |us| origin + Duration::from_micros(us);
        let ahead = PlanClock::anchored_after(origin, 200);
        assert_eq!([0, 199, 200, 350].map(|us| ahead.at_us(at(us))), [0, 0, 0, 150]);
        assert_eq!(ahead.instant_of(150), at(350));
        let joined = PlanClock::anchored_after(origin, -3_600_000_000);
        assert_eq!(joined.at_us(at(5)), 3_600_000_005);
        assert_eq!((joined.instant_of(3_600_000_005), joined.instant_of(7)), (at(5), origin));
        assert!(joined.instant_of(u64::MAX) > at(u64::from(u32::MAX)));
    }
}
