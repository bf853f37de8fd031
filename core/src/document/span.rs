//! Times as files write them.

use std::time::Duration;

use super::problem::shown;

/// Reads `2`, `2s`, `1.5s`, `500ms`, `1m30s`; a number without a unit is in seconds.
///
/// # Errors
/// What is wrong with the text.
pub fn duration_of(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let wrong = || format!("{:?} is no time", shown(text));
    if text.starts_with('-') {
        return Err(format!("{:?} is negative", shown(text)));
    }
    if text.parse::<f64>().is_ok() && text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return seconds(text, 1.0).ok_or_else(wrong);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit() && character != '.').ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|character: char| !character.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let unit_s = match unit {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return Err(format!("{:?} has no unit that is known (us, ms, s, m, h)", shown(text))),
        };
        total = seconds(number, unit_s).and_then(|part| total.checked_add(part)).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

fn seconds(number: &str, unit_s: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit_s).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_and_without_units() {
        for (text, milliseconds) in [
            ("0", 0),
            ("2", 2_000),
            ("2s", 2_000),
            ("1.5s", 1_500),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1h 1s", 3_601_000),
        ] {
            assert_eq!(duration_of(text), Ok(Duration::from_millis(milliseconds)), "{text:?}");
        }
        for text in ["", "s", "-1s", "2 parsecs", "1.2.3s", "inf", "NaN", "5s3", "1e400", "ä"] {
            assert!(duration_of(text).is_err(), "{text:?}");
        }
    }
}
