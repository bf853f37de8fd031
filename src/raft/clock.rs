//! Ticks from a real clock.

use std::time::{Duration, Instant};

/// Tells how many ticks are due. Ticks that were missed are caught up, so that a stalled thread does not go on believing
/// in a leader that is gone; but no more than two election time-outs, which is as good as for ever.
#[derive(Debug)]
pub(super) struct TickClock {
    tick: Duration,
    next: Instant,
    most: u32,
}

impl TickClock {
    pub(super) fn new(tick: Duration, election_ticks: usize, now: Instant) -> Self {
        Self { tick, next: now + tick, most: 2 * election_ticks as u32 }
    }

    /// Ticks that are due, and are taken to be made now.
    pub(super) fn due(&mut self, now: Instant) -> u32 {
        let mut due = 0;
        while self.next <= now {
            if due == self.most {
                self.next = now + self.tick;
                break;
            }
            self.next += self.tick;
            due += 1;
        }
        due
    }

    /// How long until the next tick.
    pub(super) fn until_next(&self, now: Instant) -> Duration {
        self.next.saturating_duration_since(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_caught_up_but_not_without_end() {
        let start = Instant::now();
        let tick = Duration::from_millis(20);
        let mut clock = TickClock::new(tick, 25, start);
        assert_eq!(clock.due(start), 0);
        assert_eq!(clock.until_next(start), tick);
        assert_eq!(clock.due(start + tick), 1);
        assert_eq!(clock.due(start + tick), 0);
        assert_eq!(clock.due(start + tick * 11), 10, "late ticks come all at once");
        let after_a_stop = start + Duration::from_secs(600);
        assert_eq!(clock.due(after_a_stop), 50);
        assert_eq!(clock.due(after_a_stop), 0);
        assert_eq!(clock.due(after_a_stop + tick), 1);
    }
}
