//! Amounts as deployments write them: sizes, shares of a processor, percentages; and amounts as they are shown.

use std::time::Duration;

/// The units of sizes, each with its bytes.
const SIZE_UNITS: [(&str, u64); 17] = [
    ("Ti", 1 << 40),
    ("TiB", 1 << 40),
    ("T", 1_000_000_000_000),
    ("TB", 1_000_000_000_000),
    ("Gi", 1 << 30),
    ("GiB", 1 << 30),
    ("G", 1_000_000_000),
    ("GB", 1_000_000_000),
    ("Mi", 1 << 20),
    ("MiB", 1 << 20),
    ("M", 1_000_000),
    ("MB", 1_000_000),
    ("Ki", 1 << 10),
    ("KiB", 1 << 10),
    ("K", 1_000),
    ("KB", 1_000),
    ("B", 1),
];

/// What a size may look like.
pub const SIZE: &str = "a size such as `4GB`, `2Gi` or `512MiB`";

/// What a share of a processor may look like.
pub const CPU: &str = "cores such as `2` or `1.5`, or thousandths of one such as `1000m`";

/// What a percentage may look like.
pub const PERCENT: &str = "a percentage from `1%` to `100%`";

/// Reads a size in bytes; one without a unit counts bytes. Case does not matter, except that `m` alone is refused:
/// Kubernetes means a thousandth by it.
///
/// # Errors
/// What is wrong with it.
pub fn bytes_of(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text);
    let unit_bytes = match unit {
        "" => Some(1),
        "m" => None,
        _ => SIZE_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, bytes)| *bytes),
    };
    unit_bytes
        .and_then(|bytes| thousandths_of(number)?.checked_mul(u128::from(bytes)))
        .and_then(|thousandths| u64::try_from(thousandths / 1_000).ok())
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("{:?} is no size, expected {SIZE}", shown(text)))
}

/// Reads a share of a processor in thousandths of a core.
///
/// # Errors
/// What is wrong with it.
pub fn cpu_millis_of(text: &str) -> Result<u32, String> {
    let (number, unit) = number_and_unit(text);
    let millis = match unit {
        "" => thousandths_of(number),
        "m" => thousandths_of(number).map(|thousandths| thousandths / 1_000),
        _ => None,
    };
    millis
        .and_then(|millis| u32::try_from(millis).ok())
        .filter(|millis| *millis > 0)
        .ok_or_else(|| format!("{:?} is no share of a processor, expected {CPU}", shown(text)))
}

/// Reads a percentage.
///
/// # Errors
/// What is wrong with it.
pub fn percent_of(text: &str) -> Result<u8, String> {
    text.strip_suffix('%')
        .and_then(|number| number.trim_end().parse::<u8>().ok())
        .filter(|percent| (1..=100).contains(percent))
        .ok_or_else(|| format!("{:?} is no percentage, expected {PERCENT}", shown(text)))
}

fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

fn number_and_unit(text: &str) -> (&str, &str) {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// Thousandths of a decimal number; what is smaller is cut.
fn thousandths_of(number: &str) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    let digits = &fraction[..fraction.len().min(3)];
    let thousandths = digits.parse::<u128>().ok()? * 10_u128.pow(3 - digits.len() as u32);
    whole.parse::<u64>().ok().map(|whole| u128::from(whole) * 1_000 + thousandths)
}

/// A size with the largest unit that tells it exactly.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    const UNITS: [&str; 8] = ["Ti", "TB", "Gi", "GB", "Mi", "MB", "Ki", "KB"];
    let units = SIZE_UNITS.iter().filter(|(name, _)| UNITS.contains(name));
    let exact = units.into_iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    exact.map_or_else(|| format!("{bytes}B"), |(name, unit)| format!("{}{name}", bytes / unit))
}

/// A time to the microsecond, such as `1m 30s` or `500ms`.
#[must_use]
pub fn span_text(span: Duration) -> String {
    let micros = span.as_micros();
    let parts: Vec<String> = [
        (micros / 3_600_000_000, "h"),
        (micros / 60_000_000 % 60, "m"),
        (micros / 1_000_000 % 60, "s"),
        (micros / 1_000 % 1_000, "ms"),
        (micros % 1_000, "us"),
    ]
    .into_iter()
    .filter(|(amount, _)| *amount > 0)
    .map(|(amount, unit)| format!("{amount}{unit}"))
    .collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal_or_binary() {
        for (text, bytes) in [
            ("4GB", 4_000_000_000),
            ("2Gi", 2 << 30),
            ("100MB", 100_000_000),
            ("1.5 KiB", 1_536),
            ("512", 512),
            ("10b", 10),
            ("3T", 3_000_000_000_000),
            ("1k", 1_000),
        ] {
            assert_eq!(bytes_of(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "0", "-1GB", "4 parsecs", "1m", "99999999999999999999", "9999999999TB", "1.2.3K", "1.GB"]
        {
            assert!(bytes_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shares_of_a_processor_are_cores_or_thousandths() {
        for (text, millis) in [("1000m", 1_000), ("2", 2_000), ("1.5", 1_500), ("0.25", 250), ("250m", 250)] {
            assert_eq!(cpu_millis_of(text), Ok(millis), "{text}");
        }
        for text in ["", "0", "m", "-1", "1M", "80%", "99999999999"] {
            assert!(cpu_millis_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn percentages_end_at_a_hundred() {
        assert_eq!((percent_of("80%"), percent_of("100 %")), (Ok(80), Ok(100)));
        for text in ["", "%", "0%", "101%", "80", "8.5%", "-1%"] {
            assert!(percent_of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_as_the_same() {
        for bytes in [1, 999, 1_000, 1_024, 4_000_000_000, 2 << 30, 1_500_000, u64::MAX] {
            assert_eq!(bytes_of(&bytes_text(bytes)), Ok(bytes), "{}", bytes_text(bytes));
        }
        assert_eq!((bytes_text(4_000_000_000), bytes_text(2 << 30)), ("4GB".to_owned(), "2Gi".to_owned()));
        assert_eq!(span_text(Duration::from_millis(90_500)), "1m 30s 500ms");
        assert_eq!(span_text(Duration::ZERO), "0s");
    }
}
