//! Spans of time as Locust writes them: `300`, `20m`, `1h30m`, `3h30m10s`; also `500ms` and `1.5s`.

use std::time::Duration;

/// The longest span that is accepted, ten years, so that no sum of instants and spans can overflow.
pub const SPAN_MAX: Duration = Duration::from_secs(87_600 * 3_600);

/// The units, each smaller than the one before it, which is also the order in which they must be written.
const UNITS: [(&str, u128); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// Reads a span; a bare number counts seconds.
///
/// # Errors
/// Says what is allowed if the text is no span or one longer than [`SPAN_MAX`].
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let nanos = nanos(text).ok_or_else(|| {
        format!("\"{text}\" is not a span of time; allowed: such as 300, 300s, 500ms, 20m, 1h30m, 3h30m10s")
    })?;
    if nanos > SPAN_MAX.as_nanos() {
        return Err(format!("\"{text}\" is too long; allowed: up to {}h", SPAN_MAX.as_secs() / 3_600));
    }
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Ok(Duration::new(seconds as u64, rest as u32))
}

/// Reads a span that must not be zero.
///
/// # Errors
/// As [`parse`], and if the span is zero.
pub(crate) fn parse_positive(text: &str) -> Result<Duration, String> {
    match parse(text)? {
        Duration::ZERO => Err(format!("\"{text}\" is no time at all; allowed: more than 0s")),
        span => Ok(span),
    }
}

fn nanos(text: &str) -> Option<u128> {
    let (number, mut rest) = number_and_rest(text)?;
    if rest.is_empty() {
        return nanos_of(number, 1_000_000_000);
    }
    let mut total = 0;
    let mut number = number;
    let mut units = UNITS.iter();
    loop {
        let unit_len = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(unit_len);
        // The iterator moves on with each unit, so that one cannot come twice or after a smaller one.
        let (_, unit_nanos) = units.find(|(unit, _)| *unit == name)?;
        total = nanos_of(number, *unit_nanos)?.checked_add(total)?;
        if after.is_empty() {
            return Some(total);
        }
        (number, rest) = number_and_rest(after)?;
    }
}

/// Splits off a leading decimal number.
fn number_and_rest(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `number` units, exactly to the nanosecond; what is smaller is cut.
fn nanos_of(number: &str, unit_nanos: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = &fraction[..fraction.len().min(9)];
    let numerator: u128 = digits.parse().ok()?;
    let denominator = 10_u128.pow(digits.len() as u32);
    let whole: u128 = whole.parse().ok()?;
    whole.checked_mul(unit_nanos)?.checked_add(numerator * unit_nanos / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_locust_and_ours() {
        for (text, millis) in [
            ("300", 300_000),
            ("300s", 300_000),
            ("20m", 1_200_000),
            ("3h", 10_800_000),
            ("1h30m", 5_400_000),
            ("3h30m10s", 12_610_000),
            ("1h10s", 3_610_000),
            ("500ms", 500),
            ("1.5s", 1_500),
            ("1.5", 1_500),
            ("0.25h", 900_000),
            ("1s250ms", 1_250),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in
            ["", " ", "s", "1x", "-1", "1 s", "10s1h", "1s1s", "1h1", "1.s", ".5s", "1.2.3s", "1e3", "NaN", "1H", "٣s"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn spans_end_at_ten_years() {
        assert_eq!(parse("87600h"), Ok(SPAN_MAX));
        assert!(parse("87600h1ms").expect_err("too long").contains("87600h"));
        assert!(parse(&"9".repeat(60)).is_err());
    }

    #[test]
    fn a_run_time_of_nothing_is_refused() {
        assert!(parse_positive("0s").is_err());
        assert!(parse_positive("1ms").is_ok());
    }
}
