//! What happens to a request, decided from its number and its arrival.

use std::time::Duration;

use fastrand::Rng;

use super::latency::Latency;
use super::stall::Stall;

/// How the target treats requests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Behaviour {
    pub(super) latency: Latency,
    pub(super) stall: Option<Stall>,
    /// Share of requests that are answered with 500, from 0 to 1.
    pub(super) error_rate: f64,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    /// When it is handled, counted from the start of the server.
    pub(super) answer_at: Duration,
    /// Whether it is answered with 500 instead of by its handler.
    pub(super) fails: bool,
}

impl Behaviour {
    /// The verdict on the request with this number that arrived at this time since the start of the server.
    ///
    /// The number alone seeds the chance in it, so two servers with the same options treat their n-th request alike and
    /// concurrency changes no total. While the target is frozen no work begins and no answer leaves.
    pub(super) fn decide(&self, number: u64, arrival: Duration) -> Verdict {
        let mut random = Rng::with_seed(scatter(number));
        let released = |at| self.stall.map_or(at, |stall| stall.release(at));
        let answer_at = released(released(arrival) + self.latency.sample(&mut random));
        Verdict { answer_at, fails: random.f64() < self.error_rate }
    }
}

/// Spreads consecutive numbers over all seeds: the finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn scatter(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn failures_of_10_000(error_rate: f64) -> usize {
        let behaviour = Behaviour { latency: Latency::default(), stall: None, error_rate };
        (0..10_000).filter(|&number| behaviour.decide(number, ms(0)).fails).count()
    }

    #[test]
    fn the_share_of_errors_is_the_error_rate() {
        assert_eq!(failures_of_10_000(0.0), 0);
        assert_eq!(failures_of_10_000(1.0), 10_000);
        for (rate, expected) in [(0.01_f64, 100), (0.25, 2_500), (0.5, 5_000), (0.9, 9_000)] {
            // Five standard deviations of the binomial distribution; the numbers are fixed, so this cannot flake.
            let tolerance = (5.0 * (10_000.0 * rate * (1.0 - rate)).sqrt()) as usize;
            let failures = failures_of_10_000(rate);
            assert!(failures.abs_diff(expected) <= tolerance, "{failures} at rate {rate}");
        }
    }

    #[test]
    fn errors_do_not_follow_the_latency() {
        let latency = Latency::Uniform(ms(0), ms(100));
        let behaviour = Behaviour { latency, stall: None, error_rate: 0.5 };
        let verdicts: Vec<_> = (0..10_000).map(|number| behaviour.decide(number, ms(0))).collect();
        let slow_failures = verdicts.iter().filter(|v| v.fails && v.answer_at > ms(50)).count();
        assert!(slow_failures.abs_diff(2_500) < 250, "{slow_failures}");
    }

    #[test]
    fn a_frozen_target_neither_begins_nor_answers() {
        let stall = Some("1s every 10s".parse().expect("a stall"));
        let behaviour = Behaviour { latency: Latency::Fixed(ms(200)), stall, error_rate: 0.0 };
        for (arrival_ms, answer_ms) in [(0, 200), (8_700, 8_900), (8_900, 10_000), (9_500, 10_200), (10_000, 10_200)] {
            assert_eq!(behaviour.decide(1, ms(arrival_ms)).answer_at, ms(answer_ms), "{arrival_ms} ms");
        }
    }
}
