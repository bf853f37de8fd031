//! Points in time as text, always in UTC.

use akrida_core::view::RunView;
use jiff::Timestamp;

use super::numbers::finite;

/// `2026-11-24T21:57:56Z`, cut to whole seconds.
#[must_use]
pub fn to_seconds(unix_ms: u64) -> String {
    instant(unix_ms / 1_000).to_string()
}

/// `2026-11-24 21:57:56`, for readers who know that it is UTC.
#[must_use]
pub fn for_people(unix_ms: u64) -> String {
    instant(unix_ms / 1_000).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds since the Unix epoch with fractions, as Locust's JSON has them.
#[must_use]
pub fn unix_s(unix_ms: u64) -> f64 {
    unix_ms as f64 / 1e3
}

/// The moment that a view is of, in milliseconds since the Unix epoch: the end of its measured span.
#[must_use]
pub fn moment_unix_ms(view: &RunView) -> u64 {
    view.run.statistics_since_unix_ms.saturating_add((finite(view.elapsed_s) * 1e3) as u64)
}

/// Instants beyond the calendar (year 9999) become its last one.
fn instant(unix_s: u64) -> Timestamp {
    i64::try_from(unix_s).ok().and_then(|unix_s| Timestamp::from_second(unix_s).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_cut_not_rounded() {
        assert_eq!(to_seconds(1_795_557_476_999), "2026-11-24T21:57:56Z");
        assert_eq!(for_people(1_795_557_476_999), "2026-11-24 21:57:56");
    }

    #[test]
    fn an_impossible_time_does_not_panic() {
        assert!(to_seconds(u64::MAX).starts_with("9999-"));
    }
}
