//! Where the ticks of an axis are and what they say.

use crate::report::numbers::grouped;

/// A place on an axis, as a fraction of its length, with its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) at: f64,
    pub(super) label: String,
}

/// An axis from 0 to a round number not below `max`, with about five ticks at multiples of 1, 2 or 5.
pub(super) fn linear(max: f64) -> (f64, Vec<Tick>) {
    let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
    let rough = max / 5.0;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    let count = (max / step * 0.999_999).ceil().max(1.0);
    let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
    let label = |value: f64| if decimals == 0 { grouped(value.round() as u64) } else { format!("{value:.decimals$}") };
    let ticks = (0..=count as u64).map(|at| Tick { at: at as f64 / count, label: label(at as f64 * step) });
    (step * count, ticks.collect())
}

/// Ticks of an axis of elapsed time from 0 to `length_s`, at most eight, at whole seconds, minutes or hours.
pub(super) fn elapsed(length_s: f64) -> Vec<Tick> {
    const STEPS_S: [u64; 18] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400];
    let fits = |step: &u64| length_s / (*step as f64) <= 7.0;
    let step = STEPS_S.into_iter().find(fits).unwrap_or_else(|| 86_400 * (length_s / 86_400.0 / 7.0).ceil() as u64);
    let tick = |at: u64| Tick { at: (at * step) as f64 / length_s, label: clock(at * step) };
    (0..=(length_s / step as f64) as u64).map(tick).collect()
}

/// Elapsed time as `m:ss`, or `h:mm:ss` from an hour up.
pub(super) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn linear_axes_end_at_a_round_number() {
        let (top, ticks) = linear(290.0);
        assert_eq!((top, labels(&ticks)), (300.0, vec!["0", "100", "200", "300"]));
        let (top, ticks) = linear(0.42);
        assert!((top - 0.5).abs() < 1e-9);
        assert_eq!(labels(&ticks), ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(labels(&linear(5_000.0).1), ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]);
        assert_eq!((ticks[0].at, ticks[5].at), (0.0, 1.0));
    }

    #[test]
    fn an_axis_of_nothing_still_has_a_length() {
        for max in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            assert_eq!(linear(max).0, 1.0);
        }
    }

    #[test]
    fn elapsed_time_has_few_ticks_whatever_its_length() {
        assert_eq!(labels(&elapsed(60.0)), ["0:00", "0:10", "0:20", "0:30", "0:40", "0:50", "1:00"]);
        assert_eq!(labels(&elapsed(7_200.0))[1], "30:00");
        for length_s in [0.5, 1.0, 59.0, 3_600.0, 90_000.0, 3e6, 1e9] {
            let count = elapsed(length_s).len();
            assert!((1..=8).contains(&count), "{length_s} s: {count}");
        }
    }

    #[test]
    fn hours_show_only_when_there_are_some() {
        assert_eq!([59, 61, 3_723].map(clock), ["0:59", "1:01", "1:02:03"]);
    }
}
