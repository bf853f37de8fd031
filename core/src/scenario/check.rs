//! Checks of a response: each passes or fails the sample with a readable message.
//!
//! Messages are keys of the error statistics, so they hold what was expected and, where few values are possible, what
//! was found; a measured time would make every failure a line of its own.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use regex::bytes::Regex as BytesRegex;

use super::body::ParsedBody;
use super::json_query::{JsonQuery, json_equal, json_text};
use super::model::ValueTemplate;
use super::render::Renderer;
use super::response::ResponseView;
use super::template::Template;
use crate::document::problem::cut_text;
use crate::limits::ERROR_TEXT_CHARS_MAX;

/// One check of a response.
#[derive(Clone, Debug)]
pub enum Check {
    /// The status is in one of these ranges.
    Status(Vec<StatusRange>),
    /// A header of this name is as expected.
    Header {
        /// The name, case-insensitive.
        name: Arc<str>,
        /// What is expected of it.
        expected: HeaderExpectation,
    },
    /// The body contains a text.
    BodyContains(Template),
    /// The body does not contain a text.
    BodyLacks(Template),
    /// The body matches a pattern somewhere.
    BodyMatches(BytesRegex),
    /// What a JSONPath finds in the body is as expected.
    Json {
        /// Where to look.
        query: JsonQuery,
        /// What is expected there.
        expected: JsonExpectation,
    },
    /// The response is complete in less than this time.
    Time(Duration),
}

/// Status codes from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The lowest code.
    pub low: u16,
    /// The highest code.
    pub high: u16,
}

/// What is expected of a header.
#[derive(Clone, Debug)]
pub enum HeaderExpectation {
    /// It is there.
    Present,
    /// It is not there.
    Absent,
    /// Its value is this text.
    Equals(Template),
    /// Its value contains this text.
    Contains(Template),
    /// Its value matches this pattern somewhere.
    Matches(Regex),
}

/// What is expected of a JSON value.
#[derive(Clone, Debug)]
pub enum JsonExpectation {
    /// The path finds something, `null` included.
    Exists,
    /// The path finds nothing.
    Absent,
    /// The value is this one; numbers are compared by value.
    Equals(ValueTemplate),
    /// The value is a string that contains this text, or a list that contains it as an element.
    Contains(Template),
    /// The text of the value matches this pattern somewhere.
    Matches(Regex),
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            write!(f, "{}", self.low)
        } else if self.low.is_multiple_of(100) && self.high == self.low + 99 {
            write!(f, "{}xx", self.low / 100)
        } else {
            write!(f, "{}..{}", self.low, self.high)
        }
    }
}

impl Check {
    /// Whether this check is about the status. Such a check replaces the rule that a status of 400 or more fails.
    #[must_use]
    pub fn is_status(&self) -> bool {
        matches!(self, Self::Status(_))
    }

    /// Holds the check against a response and its body.
    ///
    /// # Errors
    /// What was expected and not met, in at most [`ERROR_TEXT_CHARS_MAX`] characters; also when a template of the
    /// check cannot be rendered.
    pub fn evaluate(
        &self,
        response: &ResponseView<'_>,
        body: &ParsedBody<'_>,
        renderer: &Renderer<'_>,
    ) -> Result<(), String> {
        let outcome = match self {
            Self::Status(ranges) => check_status(response.status, ranges),
            Self::Header { name, expected } => check_header(name, response.headers.header(name), expected, renderer),
            Self::BodyContains(text) => check_body_contains(body, text, renderer),
            Self::BodyLacks(text) => check_body_lacks(body, text, renderer),
            Self::BodyMatches(pattern) if pattern.is_match(body.bytes()) => Ok(()),
            Self::BodyMatches(pattern) => {
                Err(format!("body does not match {}{}", quoted(pattern.as_str()), body.cut_note()))
            }
            Self::Json { query, expected } => check_json(body, query, expected, renderer),
            Self::Time(limit) if response.elapsed < *limit => Ok(()),
            Self::Time(limit) => Err(format!("response took too long, expected less than {limit:?}")),
        };
        outcome.map_err(|message| cut_text(&message, ERROR_TEXT_CHARS_MAX))
    }
}

fn check_status(status: u16, ranges: &[StatusRange]) -> Result<(), String> {
    if ranges.iter().any(|range| (range.low..=range.high).contains(&status)) {
        return Ok(());
    }
    let expected: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    Err(format!("status was {status}, expected {}", expected.join(" or ")))
}

fn check_header(
    name: &str,
    found: Option<&str>,
    expected: &HeaderExpectation,
    renderer: &Renderer<'_>,
) -> Result<(), String> {
    if let HeaderExpectation::Absent = expected {
        return match found {
            None => Ok(()),
            Some(_) => Err(format!("header {name} is present, expected none")),
        };
    }
    let value = found.ok_or_else(|| format!("header {name} is missing"))?;
    match expected {
        HeaderExpectation::Present | HeaderExpectation::Absent => Ok(()),
        HeaderExpectation::Equals(template) => {
            let text = rendered(template, renderer)?;
            let message = || format!("header {name} was {}, expected {}", quoted(value), quoted(&text));
            (value == text).then_some(()).ok_or_else(message)
        }
        HeaderExpectation::Contains(template) => {
            let text = rendered(template, renderer)?;
            let message = || format!("header {name} was {}, expected it to contain {}", quoted(value), quoted(&text));
            value.contains(&*text).then_some(()).ok_or_else(message)
        }
        HeaderExpectation::Matches(pattern) => pattern.is_match(value).then_some(()).ok_or_else(|| {
            format!("header {name} was {}, expected it to match {}", quoted(value), quoted(pattern.as_str()))
        }),
    }
}

fn check_body_contains(body: &ParsedBody<'_>, text: &Template, renderer: &Renderer<'_>) -> Result<(), String> {
    let text = rendered(text, renderer)?;
    if contains(body.bytes(), text.as_bytes()) {
        return Ok(());
    }
    Err(format!("body does not contain {}{}", quoted(&text), body.cut_note()))
}

fn check_body_lacks(body: &ParsedBody<'_>, text: &Template, renderer: &Renderer<'_>) -> Result<(), String> {
    let text = rendered(text, renderer)?;
    if contains(body.bytes(), text.as_bytes()) {
        return Err(format!("body contains {}", quoted(&text)));
    }
    if body.is_cut() {
        // What was dropped may contain it, so the check cannot be said to hold.
        return Err(format!("body does not contain {}{}", quoted(&text), body.cut_note()));
    }
    Ok(())
}

fn check_json(
    body: &ParsedBody<'_>,
    query: &JsonQuery,
    expected: &JsonExpectation,
    renderer: &Renderer<'_>,
) -> Result<(), String> {
    let path = query.source();
    let found = body.find(query)?;
    if let JsonExpectation::Absent = expected {
        return found.map_or(Ok(()), |value| Err(format!("{path} was {}, expected nothing", shortened(&value))));
    }
    let value = found.ok_or_else(|| format!("{path} found nothing"))?;
    match expected {
        JsonExpectation::Exists | JsonExpectation::Absent => Ok(()),
        JsonExpectation::Equals(template) => {
            let wanted = match template {
                ValueTemplate::Literal(value) => Cow::Borrowed(value),
                other => Cow::Owned(renderer.value(other).map_err(|error| error.to_string())?),
            };
            let message = || format!("{path} was {}, expected {}", shortened(&value), shortened(&wanted));
            json_equal(&value, &wanted).then_some(()).ok_or_else(message)
        }
        JsonExpectation::Contains(template) => {
            let text = rendered(template, renderer)?;
            let held = match &value {
                serde_json::Value::String(value) => value.contains(&*text),
                serde_json::Value::Array(items) => items.iter().any(|item| json_text(item) == text),
                _ => false,
            };
            let message = || format!("{path} was {}, expected it to contain {}", shortened(&value), quoted(&text));
            held.then_some(()).ok_or_else(message)
        }
        JsonExpectation::Matches(pattern) => pattern.is_match(&json_text(&value)).then_some(()).ok_or_else(|| {
            format!("{path} was {}, expected it to match {}", shortened(&value), quoted(pattern.as_str()))
        }),
    }
}

fn rendered<'t>(template: &'t Template, renderer: &Renderer<'_>) -> Result<Cow<'t, str>, String> {
    renderer.text(template).map_err(|error| error.to_string())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    match std::str::from_utf8(haystack) {
        // The standard library's search of text is linear; that of windows is not.
        Ok(text) => std::str::from_utf8(needle).is_ok_and(|needle| text.contains(needle)),
        Err(_) => needle.is_empty() || haystack.windows(needle.len()).any(|window| window == needle),
    }
}

/// Characters of a found or expected value that a message shows.
const SHOWN_CHARS_MAX: usize = 80;

fn quoted(text: &str) -> String {
    format!("{:?}", cut_text(text, SHOWN_CHARS_MAX))
}

fn shortened(value: &serde_json::Value) -> String {
    cut_text(&value.to_string(), SHOWN_CHARS_MAX)
}
