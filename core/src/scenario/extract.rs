//! Extractions: variables taken from a response.

use std::sync::Arc;

use regex::bytes::Regex as BytesRegex;
use scraper::Selector;
use serde_json::Value;

use super::body::ParsedBody;
use super::json_query::JsonQuery;
use super::response::ResponseView;
use crate::document::problem::cut_text;
use crate::limits::ERROR_TEXT_CHARS_MAX;

/// One extraction from a response.
#[derive(Clone, Debug)]
pub struct Extract {
    /// The variable that is set.
    pub variable: Arc<str>,
    /// Where its value is found.
    pub from: ExtractFrom,
    /// The value when nothing is found; without one, finding nothing fails the sample.
    pub default: Option<Value>,
}

/// Where an extraction looks.
#[derive(Clone, Debug)]
pub enum ExtractFrom {
    /// A JSONPath in the body; the value keeps its type, several values become a list.
    Json(JsonQuery),
    /// A group of the first match of a pattern in the body.
    Regex {
        /// The pattern.
        pattern: BytesRegex,
        /// The group, 0 for the whole match.
        group: usize,
    },
    /// The first element of the HTML that a CSS selector finds.
    Css {
        /// The selector as it was written.
        source: Arc<str>,
        /// The compiled selector.
        selector: Selector,
        /// The attribute to take; the trimmed text of the element when there is none.
        attribute: Option<Arc<str>>,
    },
    /// The first header of this name.
    Header(Arc<str>),
    /// A cookie that this response sets.
    Cookie(Arc<str>),
}

impl Extract {
    /// Takes the value from a response and its body.
    ///
    /// # Errors
    /// Why there is no value, in at most [`ERROR_TEXT_CHARS_MAX`] characters. With a default there is always one.
    pub fn apply(&self, response: &ResponseView<'_>, body: &ParsedBody<'_>) -> Result<Value, String> {
        let found = match &self.from {
            ExtractFrom::Json(query) => from_json(query, body),
            ExtractFrom::Regex { pattern, group } => from_regex(pattern, *group, body),
            ExtractFrom::Css { source, selector, attribute } => from_css(source, selector, attribute.as_deref(), body),
            ExtractFrom::Header(name) => {
                response.headers.header(name).map(Value::from).ok_or_else(|| format!("header {name} is missing"))
            }
            ExtractFrom::Cookie(name) => response
                .headers
                .set_cookie(name)
                .map(Value::from)
                .ok_or_else(|| format!("response sets no cookie {name}")),
        };
        match (found, &self.default) {
            (Ok(value), _) => Ok(value),
            (Err(_), Some(default)) => Ok(default.clone()),
            (Err(reason), None) => {
                Err(cut_text(&format!("cannot extract {}: {reason}", self.variable), ERROR_TEXT_CHARS_MAX))
            }
        }
    }
}

fn from_json(query: &JsonQuery, body: &ParsedBody<'_>) -> Result<Value, String> {
    body.find(query)?.ok_or_else(|| format!("{} found nothing", query.source()))
}

fn from_regex(pattern: &BytesRegex, group: usize, body: &ParsedBody<'_>) -> Result<Value, String> {
    let captures = pattern
        .captures(body.bytes())
        .ok_or_else(|| format!("{:?} does not match the body{}", pattern.as_str(), body.cut_note()))?;
    let matched = captures.get(group).ok_or_else(|| format!("group {group} of {:?} took no part", pattern.as_str()))?;
    std::str::from_utf8(matched.as_bytes())
        .map(Value::from)
        .map_err(|_| format!("what {:?} matches is not UTF-8", pattern.as_str()))
}

fn from_css(
    source: &str,
    selector: &Selector,
    attribute: Option<&str>,
    body: &ParsedBody<'_>,
) -> Result<Value, String> {
    let element = body
        .html()?
        .select(selector)
        .next()
        .ok_or_else(|| format!("{source:?} finds no element{}", body.cut_note()))?;
    match attribute {
        None => Ok(Value::from(element.text().collect::<String>().trim())),
        Some(name) => {
            element.attr(name).map(Value::from).ok_or_else(|| format!("element {source:?} has no attribute {name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    /// The scenario is shared by the arbiters of a process.
    #[test]
    fn a_scenario_can_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<crate::scenario::model::Scenario>();
    }
}
