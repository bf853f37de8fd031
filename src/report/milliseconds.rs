//! Latencies, held in microseconds, written in milliseconds.

/// For tables: whole milliseconds from 10 ms up, two decimals below, three below 0.1 ms, and "0" for zero.
///
/// Locust truncates to whole milliseconds, which shows a fast target as 0.
#[must_use]
pub fn for_table(us: u64) -> String {
    match us {
        0 => "0".to_owned(),
        1..100 => format!("{:.3}", us as f64 / 1e3),
        // From 9.995 ms two decimals would round to 10.00.
        100..9_995 => format!("{:.2}", us as f64 / 1e3),
        _ => whole(us).to_string(),
    }
}

/// Rounded to whole milliseconds, halves up.
#[must_use]
pub fn whole(us: u64) -> u64 {
    us.saturating_add(500) / 1_000
}

/// Exact, as a fraction.
#[must_use]
pub fn exact(us: u64) -> f64 {
    us as f64 / 1e3
}

/// As a JSON number: whole milliseconds from 10 ms up, as Locust has them, and two decimals below.
#[must_use]
pub fn as_json(us: u64) -> serde_json::Value {
    if us < 9_995 { ((us as f64 / 10.0).round() / 100.0).into() } else { whole(us).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_never_show_a_fast_target_as_zero() {
        let texts = [0, 4, 99, 100, 420, 9_994, 9_995, 10_400, 10_500, 1_234_567].map(for_table);
        assert_eq!(texts, ["0", "0.004", "0.099", "0.10", "0.42", "9.99", "10", "10", "11", "1235"]);
    }

    #[test]
    fn json_is_whole_from_ten_milliseconds_up() {
        assert_eq!(as_json(421).to_string(), "0.42");
        assert_eq!(as_json(10_499).to_string(), "10");
    }
}
