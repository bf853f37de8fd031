//! The value of `check`.

use regex::Regex;

use super::Decoder;
use super::cursor::Cursor;
use super::keys::{BODY_CHECK, CHECK, HEADER_CHECK, JSON_CHECK};
use crate::document::node::{Entry, NodeValue};
use crate::document::problem::shown;
use crate::limits::{PATTERN_BYTES_MAX, PATTERNS_MAX, REQUEST_TIMEOUT_MAX};
use crate::scenario::check::{Check, HeaderExpectation, JsonExpectation, StatusRange};
use crate::scenario::json_query::JsonQuery;
use crate::scenario::template::Template;

const STATUS: &str = "a status such as `404`, a class such as `2xx` or a range such as `200..299`";

impl<'n> Decoder<'n> {
    /// All checks of a request.
    pub(super) fn checks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        let object = self.object(cursor, &CHECK)?;
        let given = object.given(CHECK.keys);
        let checks = self.all(given, |decoder, (kind, at)| match kind {
            "status" => decoder.status_check(&at).map(|check| vec![check]),
            "header" => decoder.header_checks(&at),
            "body" => decoder.body_checks(&at),
            "regex" => decoder.body_patterns(&at),
            "json" => decoder.json_checks(&at),
            _ => decoder.time_check(&at).map(|check| vec![check]),
        })?;
        Some(checks.into_iter().flatten().collect())
    }

    fn status_check(&mut self, cursor: &Cursor<'n>) -> Option<Check> {
        let texts = self.texts(cursor, STATUS)?;
        if texts.is_empty() {
            self.problem(cursor, format!("found an empty list, expected {STATUS}"));
            return None;
        }
        let ranges = self.all(texts, |decoder, (at, text)| {
            let range = status_range(text);
            if range.is_none() {
                decoder.problem(&at, format!("{:?} is no status, expected {STATUS}", shown(text)));
            }
            range
        })?;
        Some(Check::Status(ranges))
    }

    fn header_checks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        let entries = self.entries(cursor, "an object of header names and what is expected of them")?;
        let checks = self.all(entries, |decoder, entry| {
            let at = cursor.entry(entry);
            let name = decoder.header_name(&at, &entry.key);
            let expected = decoder.header_expectations(&at);
            let name = name?;
            Some(expected?.into_iter().map(move |expected| Check::Header { name: name.clone(), expected }))
        })?;
        Some(checks.into_iter().flatten().collect())
    }

    fn header_expectations(&mut self, cursor: &Cursor<'n>) -> Option<Vec<HeaderExpectation>> {
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            let text = self.template(cursor, "a text or an object with equals, contains, regex or present")?;
            return Some(vec![HeaderExpectation::Equals(text)]);
        }
        let object = self.object(cursor, &HEADER_CHECK)?;
        self.all(object.given(HEADER_CHECK.keys), |decoder, (kind, at)| match kind {
            "equals" => decoder.template(&at, "a text").map(HeaderExpectation::Equals),
            "contains" => decoder.template(&at, "a text").map(HeaderExpectation::Contains),
            "regex" => decoder.pattern(&at).map(HeaderExpectation::Matches),
            _ => Some(if decoder.switch(&at)? { HeaderExpectation::Present } else { HeaderExpectation::Absent }),
        })
    }

    fn body_checks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            return self.body_texts(cursor, Check::BodyContains);
        }
        let object = self.object(cursor, &BODY_CHECK)?;
        let checks = self.all(object.given(BODY_CHECK.keys), |decoder, (kind, at)| match kind {
            "contains" => decoder.body_texts(&at, Check::BodyContains),
            _ => decoder.body_texts(&at, Check::BodyLacks),
        })?;
        Some(checks.into_iter().flatten().collect())
    }

    pub(super) fn body_texts(&mut self, cursor: &Cursor<'n>, check: fn(Template) -> Check) -> Option<Vec<Check>> {
        let texts = self.texts(cursor, "a text or a list of texts")?;
        self.all(texts, |decoder, (at, text)| {
            if text.is_empty() {
                decoder.problem(&at, "every body contains an empty text");
                return None;
            }
            decoder.compile(&at, text).map(check)
        })
    }

    pub(super) fn body_patterns(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        let texts = self.texts(cursor, "a regular expression or a list of them")?;
        self.all(texts, |decoder, (at, text)| decoder.body_pattern(&at, text).map(Check::BodyMatches))
    }

    pub(super) fn json_checks(&mut self, cursor: &Cursor<'n>) -> Option<Vec<Check>> {
        let entries = self.entries(cursor, "an object of JSONPaths and what is expected there")?;
        let checks = self.all(entries, |decoder, entry| {
            let query = decoder.json_query_key(cursor, entry);
            let expected = decoder.json_expectations(&cursor.entry(entry));
            let query = query?;
            Some(expected?.into_iter().map(move |expected| Check::Json { query: query.clone(), expected }))
        })?;
        Some(checks.into_iter().flatten().collect())
    }

    fn json_query_key(&mut self, cursor: &Cursor<'n>, entry: &'n Entry) -> Option<JsonQuery> {
        match JsonQuery::parse(&entry.key) {
            Ok(query) => Some(query),
            Err(reason) => {
                let message = format!("{:?} is no JSONPath: {reason}", shown(&entry.key));
                self.problems.add(entry.at, &cursor.key_path(&entry.key), message);
                None
            }
        }
    }

    fn json_expectations(&mut self, cursor: &Cursor<'n>) -> Option<Vec<JsonExpectation>> {
        if !matches!(cursor.node.value, NodeValue::Map(_)) {
            return self.value(cursor).map(|value| vec![JsonExpectation::Equals(value)]);
        }
        let object = self.object(cursor, &JSON_CHECK)?;
        self.all(object.given(JSON_CHECK.keys), |decoder, (kind, at)| match kind {
            "equals" => decoder.value(&at).map(JsonExpectation::Equals),
            "contains" => decoder.template(&at, "a text").map(JsonExpectation::Contains),
            "regex" => decoder.pattern(&at).map(JsonExpectation::Matches),
            _ => Some(if decoder.switch(&at)? { JsonExpectation::Exists } else { JsonExpectation::Absent }),
        })
    }

    fn time_check(&mut self, cursor: &Cursor<'n>) -> Option<Check> {
        let limit = self.duration(cursor, "a time such as `500ms`", REQUEST_TIMEOUT_MAX)?;
        if limit.is_zero() {
            self.problem(cursor, "no response takes less than no time");
            return None;
        }
        Some(Check::Time(limit))
    }

    fn pattern(&mut self, cursor: &Cursor<'n>) -> Option<Regex> {
        let text = self.text(cursor, "a regular expression")?;
        self.count_pattern(cursor)?;
        let compiled = regex::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
        self.compiled_pattern(cursor, text, compiled)
    }

    /// A pattern for bodies, which need not be UTF-8.
    pub(super) fn body_pattern(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<regex::bytes::Regex> {
        self.count_pattern(cursor)?;
        let compiled = regex::bytes::RegexBuilder::new(text).size_limit(PATTERN_BYTES_MAX).build();
        self.compiled_pattern(cursor, text, compiled)
    }

    /// Compiled patterns can be large, so there are not many.
    fn count_pattern(&mut self, cursor: &Cursor<'n>) -> Option<()> {
        self.patterns += 1;
        if self.patterns <= PATTERNS_MAX {
            return Some(());
        }
        self.problem(cursor, format!("the scenario has more than {PATTERNS_MAX} regular expressions"));
        None
    }

    fn compiled_pattern<R>(&mut self, cursor: &Cursor<'n>, text: &str, compiled: Result<R, regex::Error>) -> Option<R> {
        match compiled {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let full = error.to_string();
                let reason = full.lines().last().unwrap_or(&full).trim_start_matches("error: ");
                self.problem(cursor, format!("{:?} is no regular expression: {reason}", shown(text)));
                None
            }
        }
    }
}

fn status_range(text: &str) -> Option<StatusRange> {
    let code = |text: &str| text.trim().parse::<u16>().ok().filter(|code| (100..=999).contains(code));
    if let Some(class) = text.trim().strip_suffix("xx").or_else(|| text.trim().strip_suffix("XX")) {
        let hundreds = class.parse::<u16>().ok().filter(|class| (1..=9).contains(class) && text.trim().len() == 3)?;
        return Some(StatusRange { low: hundreds * 100, high: hundreds * 100 + 99 });
    }
    let (low, high) = match text.split_once("..") {
        Some((low, high)) => (code(low)?, code(high)?),
        None => (code(text)?, code(text)?),
    };
    (low <= high).then_some(StatusRange { low, high })
}
