//! Figures in few characters.

use akrida_core::stats::histogram::Histogram;

/// A count: exact up to seven digits, then in millions or thousand millions.
pub(super) fn count(n: u64) -> String {
    match n {
        0..10_000_000 => n.to_string(),
        10_000_000..10_000_000_000 => format!("{:.1}M", n as f64 / 1e6),
        _ => format!("{:.1}G", n as f64 / 1e9),
    }
}

/// Something per second.
pub(super) fn rate(per_s: f64) -> String {
    if per_s < 1_000.0 { format!("{per_s:.1}") } else { count(per_s.round() as u64) }
}

/// A share of a whole, in per cent. What is more than nothing never reads as nothing, nor less than all as all.
pub(super) fn percent(ratio: f64) -> String {
    match ratio * 100.0 {
        p if p > 0.0 && p < 0.01 => "<0.01%".to_owned(),
        p if p < 100.0 && p > 99.9 => ">99.9%".to_owned(),
        p if p == 0.0 || p >= 100.0 => format!("{p:.0}%"),
        p if p < 10.0 => format!("{p:.2}%"),
        p => format!("{p:.1}%"),
    }
}

/// A quantile of latencies in milliseconds; `-` without any.
pub(super) fn quantile_ms(latency: &Histogram, quantile: f64) -> String {
    latency.quantile_us(quantile).map_or_else(|| "-".to_owned(), ms)
}

/// The largest latency in milliseconds; `-` without any.
pub(super) fn max_ms(latency: &Histogram) -> String {
    latency.max_us().map_or_else(|| "-".to_owned(), ms)
}

/// Microseconds as milliseconds, with three significant digits or all whole ones.
fn ms(us: u64) -> String {
    match us {
        0..10_000 => format!("{:.2}", us as f64 / 1e3),
        10_000..100_000 => format!("{:.1}", us as f64 / 1e3),
        _ => format!("{:.0}", us as f64 / 1e3),
    }
}

/// Whole seconds as `m:ss` or `h:mm:ss`.
pub(super) fn clock(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    let (hours, minutes, seconds) = (s / 3_600, s / 60 % 60, s % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// One column for each value, as high as it is compared with the largest.
pub(super) fn sparkline(values: &[f64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let largest = values.iter().copied().fold(0.0, f64::max);
    let height = |value: f64| if largest > 0.0 { (value / largest * 7.0).round().clamp(0.0, 7.0) as usize } else { 0 };
    values.iter().map(|value| HEIGHTS[height(*value)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_stay_short_and_never_hide_a_failure() {
        assert_eq!([9_999_999, 12_345_678, u64::MAX].map(count), ["9999999", "12.3M", "18446744073.7G"]);
        assert_eq!([0.0, 999.94, 1_234.5].map(rate), ["0.0", "999.9", "1235"]);
        assert_eq!([0.0, 1e-6, 0.1234, 0.999_999, 1.0].map(percent), ["0%", "<0.01%", "12.3%", ">99.9%", "100%"]);
        assert_eq!([420, 12_345, 1_234_567].map(ms), ["0.42", "12.3", "1235"]);
        assert_eq!([-1.0, 61.9, 3_725.0].map(clock), ["0:00", "1:01", "1:02:05"]);
    }

    #[test]
    fn a_sparkline_spans_from_nothing_to_the_largest() {
        assert_eq!(sparkline(&[0.0, 50.0, 100.0]), "▁▅█");
        assert_eq!(sparkline(&[0.0, 0.0]), "▁▁");
        assert_eq!(sparkline(&[f64::NAN, 1.0]), "▁█");
    }
}
