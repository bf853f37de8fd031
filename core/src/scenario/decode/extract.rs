//! The value of `extract`.

use regex::bytes::Regex;
use scraper::Selector;

use super::Decoder;
use super::cursor::{Cursor, Object};
use super::keys::EXTRACT;
use crate::document::node::NodeValue;
use crate::document::problem::shown;
use crate::scenario::extract::{Extract, ExtractFrom};
use crate::scenario::json_query::JsonQuery;

const SOURCES: &[&str] = &["json", "regex", "css", "header", "cookie"];

impl<'n> Decoder<'n> {
    /// All extractions of a request.
    pub(super) fn extracts(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Extract>> {
        let entries = self.entries(cursor, "an object of variables and where they are found")?;
        self.all(entries, |decoder, entry| {
            let at = cursor.entry(entry);
            let variable = decoder.variable(&at, &entry.key);
            let source = decoder.extract(&at);
            let (from, default) = source?;
            Some(Extract { variable: variable?, from, default })
        })
    }

    fn extract(&mut self, cursor: &Cursor<'n>) -> Option<(ExtractFrom, Option<serde_json::Value>)> {
        if let NodeValue::Text(_) = cursor.node.value {
            return self.json_query(cursor).map(|query| (ExtractFrom::Json(query), None));
        }
        let object = self.object(cursor, &EXTRACT)?;
        let mut given = object.given(SOURCES);
        if given.len() != 1 {
            self.problem(cursor, format!("expected exactly one of {}", SOURCES.join(", ")));
            return None;
        }
        let (source, at) = given.pop()?;
        self.belongs(&object, "group", "regex", source);
        self.belongs(&object, "attribute", "css", source);
        let from = match source {
            "json" => self.json_query(&at).map(ExtractFrom::Json),
            "regex" => self.regex_source(&at, &object),
            "css" => self.css_source(&at, &object),
            "header" => {
                let name = self.text(&at, "a header name")?;
                self.header_name(&at, name).map(ExtractFrom::Header)
            }
            _ => self.text(&at, "the name of a cookie").map(|name| ExtractFrom::Cookie(name.into())),
        };
        let default = self.optional(&object, "default", |decoder, at| decoder.literal(at));
        Some((from?, default?))
    }

    /// Reports a key that has a meaning only beside another source.
    fn belongs(&mut self, object: &Object<'n>, key: &str, owner: &str, source: &str) {
        if let Some(at) = object.get(key).filter(|_| owner != source) {
            self.problem(&at, format!("`{key}` has a meaning only beside `{owner}`"));
        }
    }

    fn json_query(&mut self, cursor: &Cursor<'n>) -> Option<JsonQuery> {
        let text = self.text(cursor, "a JSONPath such as `$.id`")?;
        match JsonQuery::parse(text) {
            Ok(query) => Some(query),
            Err(reason) => {
                self.problem(cursor, format!("{:?} is no JSONPath: {reason}", shown(text)));
                None
            }
        }
    }

    fn regex_source(&mut self, cursor: &Cursor<'n>, object: &Object<'n>) -> Option<ExtractFrom> {
        let text = self.text(cursor, "a regular expression")?;
        let pattern = self.body_pattern(cursor, text)?;
        let group = match object.get("group") {
            Some(at) => self.group(&at, &pattern)?,
            None => usize::from(pattern.captures_len() > 1),
        };
        Some(ExtractFrom::Regex { pattern, group })
    }

    /// The group that a number or a name stands for.
    fn group(&mut self, cursor: &Cursor<'n>, pattern: &Regex) -> Option<usize> {
        let groups = pattern.captures_len();
        let text = self.text(cursor, "the number or the name of a group")?;
        let by_number = text.parse::<usize>().ok().filter(|group| *group < groups);
        let group = by_number.or_else(|| pattern.capture_names().position(|name| name == Some(text)));
        if group.is_none() {
            let message = format!("the pattern has no group {:?}, its groups are 0 to {}", shown(text), groups - 1);
            self.problem(cursor, message);
        }
        group
    }

    fn css_source(&mut self, cursor: &Cursor<'n>, object: &Object<'n>) -> Option<ExtractFrom> {
        let text = self.text(cursor, "a CSS selector")?;
        let selector = match Selector::parse(text) {
            Ok(selector) => Some(selector),
            Err(error) => {
                let full = error.to_string();
                let reason = full.lines().last().unwrap_or(&full);
                self.problem(cursor, format!("{:?} is no CSS selector: {reason}", shown(text)));
                None
            }
        };
        let attribute = self.optional(object, "attribute", |decoder, at| decoder.text(at, "the name of an attribute"));
        Some(ExtractFrom::Css { source: text.into(), selector: selector?, attribute: attribute?.map(Into::into) })
    }
}
