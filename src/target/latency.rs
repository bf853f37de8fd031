//! How long the target takes for an answer.

use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fastrand::Rng;
use thiserror::Error;

use super::limits::DELAY_MAX;

/// The time between a request and its answer. No sample is negative or longer than ten minutes.
///
/// As text: `5ms`, `5ms..20ms`, `normal 20ms 5ms` (mean, standard deviation), `exponential 10ms` (mean).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// Evenly spread from the first to the second, both included.
    Uniform(Duration, Duration),
    /// Normally distributed, cut off at zero.
    Normal {
        /// Mean of the distribution before it is cut off.
        mean: Duration,
        /// Its standard deviation.
        deviation: Duration,
    },
    /// Exponentially distributed.
    Exponential {
        /// Mean of the distribution.
        mean: Duration,
    },
}

/// Why a text is no latency.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LatencyProblem {
    /// None of the known forms.
    #[error("latency \"{0}\" is none of 5ms, 5ms..20ms, normal 20ms 5ms (mean, deviation), exponential 10ms (mean)")]
    Form(String),
    /// A part of it is not a time.
    #[error("\"{0}\" is not a time such as 5ms or 1s")]
    Time(String),
    /// A time is beyond what the target can wait.
    #[error("\"{0}\" is longer than 10m")]
    TooLong(String),
    /// The range ends before it begins.
    #[error("the range \"{0}\" ends before it begins")]
    Backwards(String),
}

impl Default for Latency {
    fn default() -> Self {
        Self::Fixed(Duration::ZERO)
    }
}

impl Latency {
    /// One latency, drawn with `random`.
    pub fn sample(&self, random: &mut Rng) -> Duration {
        match *self {
            Self::Fixed(latency) => latency,
            Self::Uniform(from, to) => {
                let width_ns = (to - from).as_nanos() as u64;
                from + Duration::from_nanos(random.u64(0..=width_ns))
            }
            Self::Normal { mean, deviation } => {
                // Box-Muller; the logarithm's argument is in (0, 1].
                let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
                let standard = radius * (TAU * random.f64()).cos();
                bounded(mean.as_secs_f64() + standard * deviation.as_secs_f64())
            }
            Self::Exponential { mean } => bounded(-mean.as_secs_f64() * (1.0 - random.f64()).ln()),
        }
    }
}

fn bounded(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, DELAY_MAX.as_secs_f64()))
}

impl FromStr for Latency {
    type Err = LatencyProblem;

    fn from_str(text: &str) -> Result<Self, LatencyProblem> {
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (time(from)?, time(to)?);
            return if from <= to {
                Ok(Self::Uniform(from, to))
            } else {
                Err(LatencyProblem::Backwards(text.to_owned()))
            };
        }
        match text.split_whitespace().collect::<Vec<_>>()[..] {
            ["normal", mean, deviation] => Ok(Self::Normal { mean: time(mean)?, deviation: time(deviation)? }),
            ["exponential", mean] => Ok(Self::Exponential { mean: time(mean)? }),
            ["normal" | "exponential", ..] | [] => Err(LatencyProblem::Form(text.to_owned())),
            [single] => Ok(Self::Fixed(time(single)?)),
            _ => Err(LatencyProblem::Form(text.to_owned())),
        }
    }
}

fn time(text: &str) -> Result<Duration, LatencyProblem> {
    let text = text.trim();
    let time = humantime::parse_duration(text).map_err(|_| LatencyProblem::Time(text.to_owned()))?;
    if time > DELAY_MAX { Err(LatencyProblem::TooLong(text.to_owned())) } else { Ok(time) }
}

/// Writes the text that parses to the same value.
impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |time: Duration| humantime::format_duration(time).to_string().replace(' ', "");
        match *self {
            Self::Fixed(latency) => f.write_str(&text(latency)),
            Self::Uniform(from, to) => write!(f, "{}..{}", text(from), text(to)),
            Self::Normal { mean, deviation } => write!(f, "normal {} {}", text(mean), text(deviation)),
            Self::Exponential { mean } => write!(f, "exponential {}", text(mean)),
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use proptest::prelude::*;

    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn every_form_is_read() {
        for (text, latency) in [
            ("0s", Latency::default()),
            ("5ms", Latency::Fixed(ms(5))),
            (" 5ms ", Latency::Fixed(ms(5))),
            ("1m30s", Latency::Fixed(ms(90_000))),
            ("5ms..20ms", Latency::Uniform(ms(5), ms(20))),
            ("5ms .. 20ms", Latency::Uniform(ms(5), ms(20))),
            ("0s..0s", Latency::Uniform(ms(0), ms(0))),
            ("normal 20ms 5ms", Latency::Normal { mean: ms(20), deviation: ms(5) }),
            ("exponential 10ms", Latency::Exponential { mean: ms(10) }),
        ] {
            assert_eq!(text.parse(), Ok(latency), "{text}");
        }
    }

    #[test]
    fn what_is_no_latency_is_refused_with_the_reason() {
        let form = |text: &str| LatencyProblem::Form(text.to_owned());
        let time = |text: &str| LatencyProblem::Time(text.to_owned());
        for (text, problem) in [
            ("", form("")),
            ("normal", form("normal")),
            ("normal 20ms", form("normal 20ms")),
            ("exponential 1ms 2ms", form("exponential 1ms 2ms")),
            ("pareto 1ms", form("pareto 1ms")),
            ("fast", time("fast")),
            ("5", time("5")),
            ("-5ms", time("-5ms")),
            ("5ms..", time("")),
            ("normal 20ms wide", time("wide")),
            ("11m", LatencyProblem::TooLong("11m".to_owned())),
            ("20ms..5ms", LatencyProblem::Backwards("20ms..5ms".to_owned())),
        ] {
            assert_eq!(text.parse::<Latency>(), Err(problem), "{text}");
        }
    }

    fn any_latency() -> impl Strategy<Value = Latency> {
        let time = || (0..=DELAY_MAX.as_nanos() as u64).prop_map(Duration::from_nanos);
        prop_oneof![
            time().prop_map(Latency::Fixed),
            (time(), time()).prop_map(|(a, b)| Latency::Uniform(a.min(b), a.max(b))),
            (time(), time()).prop_map(|(mean, deviation)| Latency::Normal { mean, deviation }),
            time().prop_map(|mean| Latency::Exponential { mean }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(latency in any_latency()) {
            prop_assert_eq!(latency.to_string().parse(), Ok(latency));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(normal |exponential )?[0-9a-z. ]{0,20}") {
            let _ = text.parse::<Latency>();
        }

        #[test]
        fn samples_stay_in_bounds(latency in any_latency(), seed: u64) {
            let sample = latency.sample(&mut Rng::with_seed(seed));
            prop_assert!(sample <= DELAY_MAX);
            match latency {
                Latency::Fixed(fixed) => prop_assert_eq!(sample, fixed),
                Latency::Uniform(from, to) => prop_assert!((from..=to).contains(&sample)),
                Latency::Normal { .. } | Latency::Exponential { .. } => {}
            }
        }
    }

    /// Mean and standard deviation of 100 000 samples, in milliseconds.
    fn moments_ms(latency: Latency) -> (f64, f64) {
        let mut random = Rng::with_seed(7);
        let samples: Vec<f64> = (0..100_000).map(|_| latency.sample(&mut random).as_secs_f64() * 1e3).collect();
        let mean = samples.iter().sum::<f64>() / samples.len() as f64;
        let variance = samples.iter().map(|sample| (sample - mean).powi(2)).sum::<f64>() / samples.len() as f64;
        (mean, variance.sqrt())
    }

    #[test]
    fn samples_have_the_moments_of_their_distribution() {
        for (latency, mean, deviation) in [
            (Latency::Uniform(ms(10), ms(22)), 16.0, 12.0 / 12f64.sqrt()),
            (Latency::Normal { mean: ms(50), deviation: ms(5) }, 50.0, 5.0),
            (Latency::Exponential { mean: ms(10) }, 10.0, 10.0),
        ] {
            let (sample_mean, sample_deviation) = moments_ms(latency);
            assert!((sample_mean - mean).abs() < 0.02 * mean, "{latency}: mean {sample_mean}");
            assert!((sample_deviation - deviation).abs() < 0.02 * deviation, "{latency}: deviation {sample_deviation}");
        }
    }
}
