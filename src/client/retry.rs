//! When a request is made again, and when no more. Decisions only: neither clock nor randomness.

use std::time::Duration;

use akrida_core::limits;

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long a request is repeated until a master answers it.
    pub total: Duration,
    /// How long to wait first before all masters are asked again; the pauses double.
    pub pause_min: Duration,
    /// How long to wait at most.
    pub pause_max: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            total: limits::CLIENT_PATIENCE,
            pause_min: limits::CLIENT_PAUSE_MIN,
            pause_max: limits::CLIENT_PAUSE_MAX,
        }
    }
}

impl Patience {
    /// How long to wait after all masters were asked `rounds` times, at least once; `chance` is from 0 to 1. Half of each
    /// pause is chance, so that clients do not come all at once.
    pub(super) fn pause(&self, rounds: u32, chance: f64) -> Duration {
        let doubled = self.pause_min.saturating_mul(1 << rounds.saturating_sub(1).min(16));
        doubled.min(self.pause_max).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// Whether another master, or the same one later, may do what an answer with this status says was not done.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 502..=504)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_never_less_than_half_of_it() {
        let patience = Patience::default();
        let ms = |rounds, chance| patience.pause(rounds, chance).as_millis();
        assert_eq!([1, 2, 3, 4, 5, u32::MAX].map(|rounds| ms(rounds, 1.0)), [200, 400, 800, 1_600, 2_000, 2_000]);
        assert_eq!([ms(1, 0.0), ms(9, 0.0)], [100, 1_000]);
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        assert!([502, 503, 504].into_iter().all(may_pass));
        assert!(![200, 400, 404, 409, 413, 422, 500].into_iter().any(may_pass));
    }
}
