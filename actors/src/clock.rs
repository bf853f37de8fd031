//! Plan time on this machine: microseconds of a monotonic clock since the run's anchor.

use std::time::{Duration, Instant};

/// Converts between the monotonic clock and plan time. Anchored once, at the start of a run.
#[derive(Clone, Copy, Debug)]
pub struct PlanClock {
    zero: Instant,
}

impl PlanClock {
    /// A clock whose plan time is 0 at `zero`, which may lie in the future.
    #[must_use]
    pub fn anchored_at(zero: Instant) -> Self {
        Self { zero }
    }

    /// Plan time now; 0 before the anchor.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.at_us(Instant::now())
    }

    /// Plan time of an instant; 0 before the anchor.
    #[must_use]
    pub fn at_us(&self, instant: Instant) -> u64 {
        instant.saturating_duration_since(self.zero).as_micros() as u64
    }

    /// The instant of a plan time.
    #[must_use]
    pub fn instant_of(&self, plan_us: u64) -> Instant {
        self.zero + Duration::from_micros(plan_us)
    }
}
