//! Templates, values with templates in them, headers and named values.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Decoder;
use super::cursor::Cursor;
use crate::document::node::NodeValue;
use crate::document::problem::shown;
use crate::scenario::model::ValueTemplate;
use crate::scenario::template::{Parsed, Template, TemplateError};

/// Values with names, in the order of the file.
pub(super) type Named<T> = Vec<(Arc<str>, T)>;

impl<'n> Decoder<'n> {
    /// Text with templates.
    pub(super) fn template(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<Template> {
        let text = self.text(cursor, what)?;
        self.compile(cursor, text)
    }

    /// Compiles a text that stands at a node.
    pub(super) fn compile(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<Template> {
        let compiled = self.templates.text(text);
        self.compiled(cursor, compiled)
    }

    /// Notes the names that a template uses, or reports the reason why it was not compiled.
    pub(super) fn compiled<T: Parsed>(&mut self, cursor: &Cursor<'n>, compiled: Result<T, TemplateError>) -> Option<T> {
        match compiled {
            Ok(template) => {
                if let Some(compiled) = template.compiled() {
                    let names = self.templates.free_names(compiled);
                    self.names.used(cursor, names);
                }
                Some(template)
            }
            Err(error) => {
                self.problem(cursor, format!("{:?} is no template: {}", shown(&error.template), error.reason));
                None
            }
        }
    }

    /// A JSON value with templates in its texts.
    pub(super) fn value(&mut self, cursor: &Cursor<'n>) -> Option<ValueTemplate> {
        Some(match &cursor.node.value {
            NodeValue::Null => ValueTemplate::Literal(Value::Null),
            NodeValue::Bool(value) => ValueTemplate::Literal(Value::Bool(*value)),
            NodeValue::Number(number, _) => ValueTemplate::Literal(Value::Number(number.clone())),
            NodeValue::NotFinite(_) => {
                self.wrong_kind(cursor, "a finite number, as JSON has no other");
                return None;
            }
            NodeValue::Text(text) => self.value_of_text(cursor, text)?,
            NodeValue::List(_) => {
                let items = self.all(cursor.items().unwrap_or_default(), |decoder, item| decoder.value(&item))?;
                list(items)
            }
            NodeValue::Map(entries) => {
                let entries = self.all(entries, |decoder, entry| {
                    decoder.value(&cursor.entry(entry)).map(|value| (entry.key.clone(), value))
                })?;
                object(entries)
            }
        })
    }

    fn value_of_text(&mut self, cursor: &Cursor<'n>, text: &str) -> Option<ValueTemplate> {
        if let Some(compiled) = self.templates.value(text) {
            return self.compiled(cursor, compiled).map(ValueTemplate::Expression);
        }
        Some(match self.compile(cursor, text)? {
            Template::Literal(text) => ValueTemplate::Literal(Value::from(&*text)),
            template @ Template::Dynamic(_) => ValueTemplate::Text(template),
        })
    }

    /// A JSON value without templates.
    pub(super) fn literal(&mut self, cursor: &Cursor<'n>) -> Option<Value> {
        match self.value(cursor)? {
            ValueTemplate::Literal(value) => Some(value),
            _ => {
                self.problem(cursor, "templates are not allowed in this value");
                None
            }
        }
    }

    /// Variables and their values.
    pub(super) fn variables(&mut self, cursor: &Cursor<'n>) -> Option<Named<ValueTemplate>> {
        let entries = self.entries(cursor, "an object of variables and their values")?;
        self.all(entries, |decoder, entry| {
            let value_at = cursor.entry(entry);
            let name = decoder.variable(&value_at, &entry.key);
            let value = decoder.value(&value_at);
            Some((name?, value?))
        })
    }

    /// Fields of a form or a query: a list gives a field several values.
    pub(super) fn fields(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<Named<Template>> {
        let entries = self.entries(cursor, what)?;
        let fields = self.all(entries, |decoder, entry| {
            let name: Arc<str> = entry.key.as_str().into();
            let texts = decoder.texts(&cursor.entry(entry), "a text or a list of texts")?;
            decoder.all(texts, |decoder, (at, text)| decoder.compile(&at, text).map(|value| (name.clone(), value)))
        })?;
        Some(fields.into_iter().flatten().collect())
    }

    /// Headers and their values.
    pub(super) fn headers(&mut self, cursor: &Cursor<'n>) -> Option<Named<Template>> {
        let entries = self.entries(cursor, "an object of header names and values")?;
        self.all(entries, |decoder, entry| {
            let value_at = cursor.entry(entry);
            let name = decoder.header_name(&value_at, &entry.key);
            let value = decoder.header_value(&value_at);
            Some((name?, value?))
        })
    }

    /// The name of a header.
    pub(super) fn header_name(&mut self, cursor: &Cursor<'n>, name: &str) -> Option<Arc<str>> {
        if is_token(name) {
            return Some(name.into());
        }
        self.problem(cursor, format!("{:?} is no header name: letters, digits and !#$%&'*+-.^_`|~", shown(name)));
        None
    }

    fn header_value(&mut self, cursor: &Cursor<'n>) -> Option<Template> {
        let text = self.text(cursor, "the value of a header")?;
        if text.contains(['\r', '\n']) {
            self.problem(cursor, "a header value is one line, found a line break in it");
            return None;
        }
        let template = self.compile(cursor, text)?;
        let is_plain = |character: char| matches!(character, ' '..='~' | '\t');
        if matches!(template, Template::Literal(_)) && !text.chars().all(is_plain) {
            self.problem(cursor, format!("{:?} is no header value: only visible ASCII and blanks", shown(text)));
            return None;
        }
        Some(template)
    }
}

/// Whether a text is a token of RFC 9110, which header names and methods are.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A list, a literal when all of its items are.
fn list(items: Vec<ValueTemplate>) -> ValueTemplate {
    let literals: Option<Vec<Value>> = items.iter().map(literal_of).collect();
    literals.map_or(ValueTemplate::List(items), |values| ValueTemplate::Literal(Value::Array(values)))
}

/// An object, a literal when all of its values are.
fn object(entries: Vec<(String, ValueTemplate)>) -> ValueTemplate {
    let literals = entries.iter().map(|(key, value)| Some((key.clone(), literal_of(value)?))).collect();
    let literals: Option<serde_json::Map<String, Value>> = literals;
    literals.map_or(ValueTemplate::Object(entries), |values| ValueTemplate::Literal(Value::Object(values)))
}

fn literal_of(value: &ValueTemplate) -> Option<Value> {
    match value {
        ValueTemplate::Literal(value) => Some(value.clone()),
        _ => None,
    }
}

/// `more` on top of `base`: an entry takes the place of the one in the base that has the same key.
pub(super) fn overridden<T: Clone>(base: &Named<T>, more: Named<T>, key: fn(&str) -> String) -> Named<T> {
    let mut merged = base.clone();
    let mut places: BTreeMap<String, usize> =
        merged.iter().enumerate().map(|(place, (name, _))| (key(name), place)).collect();
    for (name, value) in more {
        match places.get(&key(&name)) {
            Some(place) => merged[*place] = (name, value),
            None => {
                places.insert(key(&name), merged.len());
                merged.push((name, value));
            }
        }
    }
    merged
}
