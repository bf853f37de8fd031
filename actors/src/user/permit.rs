//! Until when the users of this process may send requests.
//!
//! The worker stops its users when its lease ends. Should the whole process be paused, users would go on before the worker
//! finds the time for it: so each looks here before each request. That costs one load of a number that hardly ever
//! changes, and where there are leases one look at the clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Shared by all arbiters; only the worker changes it.
#[derive(Debug)]
pub struct SendPermit {
    origin: Instant,
    /// Microseconds after the origin.
    until_us: AtomicU64,
}

impl SendPermit {
    /// A permit without end, whose times count from `origin`.
    #[must_use]
    pub fn endless(origin: Instant) -> Self {
        Self { origin, until_us: AtomicU64::new(u64::MAX) }
    }

    /// Users may send until that many microseconds after the origin; `u64::MAX` is without end.
    pub fn set_until_us(&self, until_us: u64) {
        // Nothing else is read or written along with it.
        self.until_us.store(until_us, Ordering::Relaxed);
    }

    /// Whether a request may be sent now.
    #[must_use]
    pub fn holds(&self) -> bool {
        let until_us = self.until_us.load(Ordering::Relaxed);
        until_us == u64::MAX || self.origin.elapsed().as_micros() < u128::from(until_us)
    }
}

impl Default for SendPermit {
    fn default() -> Self {
        Self::endless(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_ends_when_it_is_told_to_and_can_be_renewed() {
        let permit = SendPermit::default();
        assert!(permit.holds());
        permit.set_until_us(0);
        assert!(!permit.holds());
        permit.set_until_us(3_600_000_000);
        assert!(permit.holds());
    }
}
