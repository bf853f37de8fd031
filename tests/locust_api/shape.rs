//! Compares what JSON is made of: names and types, not values.

use serde_json::Value;

/// Numbers that Locust itself has sometimes with and sometimes without a fraction, or not at all.
const VARYING: [&str; 6] = [
    "response_time_percentile_",
    "median_response_time",
    "min_response_time",
    "avg_content_length",
    "current_rps",
    "current_fail_per_sec",
];

/// What of `own` has other names or types than `locust`, each with its place.
pub(crate) fn differences(locust: &Value, own: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", locust, own, &mut found);
    found
}

fn compare(place: &str, locust: &Value, own: &Value, found: &mut Vec<String>) {
    match (locust, own) {
        (Value::Object(locust), Value::Object(own)) => {
            for name in locust.keys().chain(own.keys().filter(|name| !locust.contains_key(*name))) {
                let place = format!("{place}.{name}");
                match (locust.get(name), own.get(name)) {
                    (Some(locust), Some(own)) => compare(&place, locust, own, found),
                    (Some(_), None) => found.push(format!("{place} is missing")),
                    _ => found.push(format!("{place} is not in Locust's")),
                }
            }
        }
        (Value::Array(locust), Value::Array(own)) => {
            if locust.is_empty() != own.is_empty() {
                found.push(format!("{place} has {} elements, Locust's {}", own.len(), locust.len()));
            }
            for (number, (locust, own)) in locust.iter().zip(own).enumerate() {
                compare(&format!("{place}[{number}]"), locust, own, found);
            }
        }
        _ if type_of(place, locust) == type_of(place, own) => {}
        _ => found.push(format!("{place} is {}, Locust's {}", type_of(place, own), type_of(place, locust))),
    }
}

fn type_of(place: &str, value: &Value) -> &'static str {
    let name = place.rsplit(']').next().unwrap_or(place);
    let varies = VARYING.iter().any(|varying| name.contains(varying));
    match value {
        Value::Null | Value::Number(_) if varies => "a number that varies",
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[test]
fn names_and_types_are_compared_and_values_are_not() {
    let of = |locust: &str, own: &str| {
        differences(&serde_json::from_str(locust).unwrap(), &serde_json::from_str(own).unwrap())
    };
    assert!(of(r#"{"a": [{"b": 1.5}]}"#, r#"{"a": [{"b": 2.0}, {"c": 1}]}"#).is_empty());
    assert!(of(r#"{"current_rps": 0}"#, r#"{"current_rps": 0.5}"#).is_empty());
    assert_eq!(of(r#"{"a": 1, "b": ""}"#, r#"{"a": 1.0}"#).len(), 2);
    assert_eq!(of(r#"{"a": []}"#, r#"{"a": [1], "b": 1}"#).len(), 2);
}
