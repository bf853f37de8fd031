//! The clocks of a machine, as functions of true time.

/// Microseconds in a millisecond and in a second.
pub(crate) const MS: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000;

/// How fast a machine's monotonic clock goes, and how wrong its wall clock is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// Millionths by which it is too fast.
    pub(crate) fast_ppm: i64,
    /// Milliseconds by which the wall clock is ahead.
    pub(crate) wall_ahead_ms: i64,
}

/// The wall clock at true time 0, in milliseconds since the Unix epoch.
const EPOCH_MS: i64 = 1_750_000_000_000;

impl Clock {
    /// Monotonic time that passes while true time does.
    pub(crate) fn elapsed_us(&self, true_us: u64) -> u64 {
        let drift = true_us as i64 / 1_000 * self.fast_ppm / 1_000;
        true_us.saturating_add_signed(drift)
    }

    /// The wall clock.
    pub(crate) fn unix_ms(&self, now_us: u64) -> u64 {
        (EPOCH_MS + self.wall_ahead_ms).max(0) as u64 + now_us / MS
    }
}

/// The monotonic clock of a process: 0 when it started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monotonic {
    clock: Clock,
    started_us: u64,
}

impl Monotonic {
    pub(crate) fn started(clock: Clock, now_us: u64) -> Self {
        Self { clock, started_us: now_us }
    }

    /// What it shows at a true time.
    pub(crate) fn at(&self, now_us: u64) -> u64 {
        self.clock.elapsed_us(now_us.saturating_sub(self.started_us))
    }

    /// A true time at which it shows at least this much.
    pub(crate) fn when(&self, mono_us: u64) -> u64 {
        let mut true_us = mono_us.saturating_add_signed(-(mono_us as i64 / 1_000 * self.clock.fast_ppm / 1_000));
        while self.clock.elapsed_us(true_us) < mono_us {
            true_us += 1 + (mono_us - self.clock.elapsed_us(true_us));
        }
        self.started_us + true_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_is_waited_for_has_come() {
        for fast_ppm in [-900, -1, 0, 1, 900] {
            let clock = Monotonic::started(Clock { fast_ppm, wall_ahead_ms: 0 }, 77);
            for mono_us in [0, 1, 999, 1_000, 123_456_789, 3_600_000_000] {
                let when = clock.when(mono_us);
                assert!(clock.at(when) >= mono_us);
                assert!(clock.at(when) - mono_us < 10_000, "not much later");
            }
        }
    }
}
