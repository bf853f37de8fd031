//! TOML: the parser's items become nodes.

use std::ops::Range;

use serde_json::Number;
use toml_edit::{Document, Item, Key, TableLike, Value};

use super::node::{Entry, Node, NodeValue};
use crate::document::problem::{Lines, Position, Problems};
use crate::limits::SCENARIO_DEPTH_MAX;

/// Reads a text.
pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Node> {
    let lines = Lines::of(text);
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let at = error.span().map_or(Position::START, |span| lines.position(span.start));
            problems.add(at, "", format!("not valid TOML: {}", error.message()));
            return None;
        }
    };
    let mut reader = Reader { lines, problems };
    let value = reader.table(document.as_table(), Position::START, 0)?;
    Some(Node { at: Position::START, value })
}

struct Reader<'a, 'p> {
    lines: Lines<'a>,
    problems: &'p mut Problems,
}

impl Reader<'_, '_> {
    fn position(&self, span: Option<Range<usize>>, otherwise: Position) -> Position {
        span.map_or(otherwise, |span| self.lines.position(span.start))
    }

    fn table(&mut self, table: &dyn TableLike, at: Position, depth: usize) -> Option<NodeValue> {
        self.bound(at, depth)?;
        let mut entries = Vec::new();
        for (key, item) in table.iter() {
            let key_at = self.position(table.key(key).and_then(Key::span), at);
            let node = self.item(item, key_at, depth + 1)?;
            entries.push(Entry { key: key.to_owned(), at: key_at, node });
        }
        Some(NodeValue::Map(entries))
    }

    fn item(&mut self, item: &Item, key_at: Position, depth: usize) -> Option<Node> {
        match item {
            Item::None => Some(Node { at: key_at, value: NodeValue::Null }),
            Item::Value(value) => self.value(value, key_at, depth),
            Item::Table(table) => {
                let at = if table.is_dotted() { key_at } else { self.position(table.span(), key_at) };
                Some(Node { at, value: self.table(table, at, depth)? })
            }
            Item::ArrayOfTables(tables) => {
                self.bound(key_at, depth)?;
                let mut items = Vec::new();
                for table in tables.iter() {
                    let at = self.position(table.span(), key_at);
                    items.push(Node { at, value: self.table(table, at, depth + 1)? });
                }
                Some(Node { at: key_at, value: NodeValue::List(items) })
            }
        }
    }

    fn value(&mut self, value: &Value, key_at: Position, depth: usize) -> Option<Node> {
        let at = self.position(value.span(), key_at);
        let value = match value {
            Value::String(text) => NodeValue::Text(text.value().clone()),
            Value::Integer(number) => NodeValue::Number((*number.value()).into(), number.value().to_string()),
            Value::Float(number) => match Number::from_f64(*number.value()) {
                Some(finite) => NodeValue::Number(finite, number.value().to_string()),
                None => NodeValue::NotFinite(number.value().to_string()),
            },
            Value::Boolean(value) => NodeValue::Bool(*value.value()),
            Value::Datetime(time) => NodeValue::Text(time.value().to_string()),
            Value::Array(array) => {
                self.bound(at, depth)?;
                let items = array.iter().map(|item| self.value(item, at, depth + 1)).collect::<Option<_>>()?;
                NodeValue::List(items)
            }
            Value::InlineTable(table) => self.table(table, at, depth)?,
        };
        Some(Node { at, value })
    }

    fn bound(&mut self, at: Position, depth: usize) -> Option<()> {
        if depth < SCENARIO_DEPTH_MAX {
            return Some(());
        }
        self.problems.add(at, "", format!("nested more than {SCENARIO_DEPTH_MAX} levels deep"));
        None
    }
}
