//! Numbers as text.

/// The number itself, or 0 for NaN and infinity, which neither JSON nor a table can hold.
#[must_use]
pub fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { 0.0 }
}

/// With a comma between groups of three digits: `1,234,567`.
#[must_use]
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The shortest text that reads back as the same number, always with a decimal point, as Python writes a float.
#[must_use]
pub fn shortest(value: f64) -> String {
    format!("{:?}", finite(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_of_three_digits() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_is_no_number_becomes_zero() {
        assert_eq!([f64::NAN, f64::INFINITY, 1.0, 0.1].map(shortest), ["0.0", "0.0", "1.0", "0.1"]);
    }
}
