//! Plain YAML scalars by the core schema of YAML 1.2: `NO` and `12:30` are text, `0x1F` is a number.

use serde_json::Number;

use super::node::NodeValue;

/// The type of a plain scalar.
#[must_use]
pub fn plain(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => number(text).unwrap_or_else(|| NodeValue::Text(text.to_owned())),
    }
}

/// A number in the notation of the core schema.
fn number(text: &str) -> Option<NodeValue> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(text, digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(text, digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(NodeValue::NotFinite(text.to_owned()));
    }
    if !is_decimal(unsigned) {
        return None;
    }
    let whole = text.strip_prefix('+').unwrap_or(text);
    if let Ok(value) = whole.parse::<i64>() {
        return Some(NodeValue::Number(value.into(), text.to_owned()));
    }
    if let Ok(value) = whole.parse::<u64>() {
        return Some(NodeValue::Number(value.into(), text.to_owned()));
    }
    let value = whole.parse::<f64>().ok()?;
    Some(match Number::from_f64(value) {
        Some(number) => NodeValue::Number(number, text.to_owned()),
        None => NodeValue::NotFinite(text.to_owned()),
    })
}

fn radix(text: &str, digits: &str, radix: u32) -> Option<NodeValue> {
    let well_formed = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    let value = u64::from_str_radix(digits, radix).ok().filter(|_| well_formed)?;
    Some(NodeValue::Number(value.into(), text.to_owned()))
}

/// Whether a text is `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, with an optional exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_holds = digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    let exponent_holds = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_holds && exponent_holds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match plain(text) {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "bool",
            NodeValue::Number(..) => "number",
            NodeValue::NotFinite(_) => "not finite",
            NodeValue::Text(_) => "text",
            NodeValue::List(_) | NodeValue::Map(_) => "collection",
        }
    }

    #[test]
    fn scalars_have_the_types_of_the_core_schema() {
        for (expected, texts) in [
            ("text", &["NO", "yes", "on", "12:30", "1_000", "0b1", "2s", "-", ".", "e5", "1e", "0x", "0xG", "+-1"][..]),
            ("number", &["0", "-7", "+7", "012", "0o17", "0xfF", "1.5", ".5", "5.", "1e3", "-1.5E-3"]),
            ("not finite", &[".nan", ".inf", "-.INF", "1e999"]),
            ("null", &["", "~", "null"]),
            ("bool", &["true", "False"]),
        ] {
            for text in texts {
                assert_eq!(kind(text), expected, "{text:?}");
            }
        }
    }

    #[test]
    fn large_whole_numbers_keep_their_digits() {
        assert_eq!(
            plain("18446744073709551615"),
            NodeValue::Number(u64::MAX.into(), "18446744073709551615".to_owned())
        );
        assert_eq!(plain("0o17"), NodeValue::Number(15.into(), "0o17".to_owned()));
    }
}
