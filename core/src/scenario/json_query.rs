//! JSONPath queries, compiled once.

use std::sync::Arc;

use serde_json::Value;
use serde_json_path::JsonPath;

use super::json_outline::Step;
use crate::limits::{JSONPATH_BRACKETS_MAX, JSONPATH_FILTERS_MAX};

/// A JSONPath query (RFC 9535).
#[derive(Clone, Debug)]
pub struct JsonQuery {
    source: Arc<str>,
    path: JsonPath,
    /// The steps of a query that leads to one place at most.
    steps: Option<Arc<[Step]>>,
}

impl JsonQuery {
    /// Compiles a query.
    ///
    /// # Errors
    /// Why the text is not a JSONPath.
    pub fn parse(source: &str) -> Result<Self, String> {
        if !source.starts_with('$') {
            return Err("it does not begin with $".to_owned());
        }
        let count = |wanted: &[char]| source.chars().filter(|character| wanted.contains(character)).count();
        // The parser's time grows with nested filters, and its stack with brackets.
        if count(&['?']) > JSONPATH_FILTERS_MAX || count(&['(', '[']) > JSONPATH_BRACKETS_MAX {
            return Err(format!(
                "it has more than {JSONPATH_FILTERS_MAX} filters or more than {JSONPATH_BRACKETS_MAX} brackets"
            ));
        }
        let path = JsonPath::parse(source).map_err(|error| error.to_string())?;
        Ok(Self { source: source.into(), path, steps: steps(source).map(Into::into) })
    }

    /// The query as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The steps to the one place where the query looks, if it is that simple.
    pub(super) fn steps(&self) -> Option<&[Step]> {
        self.steps.as_deref()
    }

    /// What the query finds: the value when it finds one, a list of the values when it finds several, `None` when it
    /// finds nothing.
    #[must_use]
    pub fn find(&self, document: &Value) -> Option<Value> {
        let mut found = self.path.query(document).all();
        match found.len() {
            0 => None,
            1 => found.pop().cloned(),
            _ => Some(Value::Array(found.into_iter().cloned().collect())),
        }
    }
}

/// The steps of a valid JSONPath such as `$.a[0]['b']`; `None` if anything else is in it.
fn steps(source: &str) -> Option<Vec<Step>> {
    let mut rest = source.strip_prefix('$').filter(|rest| !rest.is_empty())?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c.is_ascii()).unwrap_or(name.len());
            (Step::Member(name[..end].into()), &name[end..])
        } else {
            let (inner, after) = bracketed(rest.strip_prefix('[')?)?;
            (inner, after.strip_prefix(']')?)
        };
        if matches!(&step, Step::Member(name) if name.is_empty() && rest.starts_with('.')) {
            return None;
        }
        steps.push(step);
        rest = after;
    }
    Some(steps)
}

/// What begins behind an opening bracket: a quoted name without escapes, or an index from the front.
fn bracketed(text: &str) -> Option<(Step, &str)> {
    if let Some(quote @ ('\'' | '"')) = text.chars().next() {
        let (name, after) = text[1..].split_once(quote)?;
        return (!name.contains('\\')).then(|| (Step::Member(name.into()), after));
    }
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    Some((Step::Element(text[..end].parse().ok()?), &text[end..]))
}

/// Whether two JSON values are equal, numbers by their value: 1 and 1.0 are.
#[must_use]
pub(super) fn json_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        // Whole numbers beyond 2^53 share a float without being equal.
        (Value::Number(left), Value::Number(right)) if is_whole(left) && is_whole(right) => left == right,
        (Value::Number(left), Value::Number(right)) => left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| json_equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| json_equal(value, other)))
        }
        _ => left == right,
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64()
}

/// The text that a pattern is held against: a string's own text, any other value's JSON.
#[must_use]
pub(super) fn json_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_hit_is_a_value_and_several_are_a_list() {
        let document = json!({"id": 3, "items": [{"n": "a"}, {"n": "b"}], "none": null});
        let find = |path: &str| JsonQuery::parse(path).expect("valid").find(&document);
        assert_eq!(find("$.id"), Some(json!(3)));
        assert_eq!(find("$.items[*].n"), Some(json!(["a", "b"])));
        assert_eq!(find("$.none"), Some(json!(null)));
        assert_eq!(find("$.missing"), None);
        assert!(JsonQuery::parse("id").is_err());
    }

    #[test]
    fn queries_that_would_take_the_parser_too_far_are_refused() {
        for (open, close) in [("(", ")"), ("!(", ")"), ("@[?", "]"), ("value(", ")")] {
            let query = format!("$[?{}@.a{}]", open.repeat(1_000), close.repeat(1_000));
            assert!(JsonQuery::parse(&query).is_err(), "{open}");
        }
        assert!(JsonQuery::parse(&format!("${}", "[0]".repeat(60))).is_ok());
    }

    #[test]
    fn only_queries_that_lead_to_one_place_have_steps() {
        let steps = |path: &str| JsonQuery::parse(path).expect("valid").steps().map(<[Step]>::to_vec);
        let member = |name: &str| Step::Member(name.into());
        assert_eq!(steps("$.a.b_1[0]"), Some(vec![member("a"), member("b_1"), Step::Element(0)]));
        assert_eq!(steps("$['a b'][\"c'\"].é"), Some(vec![member("a b"), member("c'"), member("é")]));
        for path in ["$", "$.*", "$..a", "$[-1]", "$[0:2]", "$['a','b']", "$[?@.a]", "$['a\\'b']", "$[ 0 ]", "$ .a"] {
            assert_eq!(steps(path), None, "{path}");
        }
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(json_equal(&json!({"a": [1, 2.0]}), &json!({"a": [1.0, 2]})));
        assert!(!json_equal(&json!(1), &json!("1")));
        assert!(!json_equal(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        assert!(!json_equal(&json!({"a": 1}), &json!({"a": 1, "b": 2})));
    }
}
