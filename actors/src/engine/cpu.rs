//! How much of its core a thread uses.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

/// Measures the calling thread between two calls.
#[derive(Debug)]
pub(super) struct ThreadCpu {
    since: Instant,
    used: Duration,
}

impl ThreadCpu {
    /// Starts measuring the calling thread.
    pub(super) fn start() -> Self {
        Self { since: Instant::now(), used: used_by_this_thread() }
    }

    /// CPU time per wall time since the last call, in thousandths, at most 1 000. Call it from the same thread.
    pub(super) fn permille(&mut self) -> u16 {
        let (now, used) = (Instant::now(), used_by_this_thread());
        let (wall, cpu) = (now - self.since, used.saturating_sub(self.used));
        (self.since, self.used) = (now, used);
        share_permille(cpu, wall)
    }
}

fn share_permille(cpu: Duration, wall: Duration) -> u16 {
    let permille = (cpu.as_micros() * 1_000).checked_div(wall.as_micros()).unwrap_or(0);
    u16::try_from(permille.min(1_000)).unwrap_or(1_000)
}

fn used_by_this_thread() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_bounded_and_defined_for_no_time_at_all() {
        let ms = Duration::from_millis;
        assert_eq!(share_permille(ms(250), ms(1_000)), 250);
        assert_eq!(share_permille(ms(1_001), ms(1_000)), 1_000);
        assert_eq!(share_permille(ms(1), Duration::ZERO), 0);
    }
}
