//! The tree that all formats are read into.

use std::collections::BTreeMap;

use serde_json::Number;

use crate::document::problem::{Position, Problems, shown};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub value: NodeValue,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// No value.
    Null,
    /// True or false.
    Bool(bool),
    /// A finite number, with its text as written.
    Number(Number, String),
    /// `.nan`, `.inf` and their like.
    NotFinite(String),
    /// Text.
    Text(String),
    /// Nodes in order.
    List(Vec<Node>),
    /// Entries in order, their keys distinct.
    Map(Vec<Entry>),
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub at: Position,
    /// The value.
    pub node: Node,
}

impl Node {
    /// The kind of this node with its value where that is short, for messages: `the number 5`, `a list`.
    #[must_use]
    pub fn described(&self) -> String {
        match &self.value {
            NodeValue::Null => "nothing".to_owned(),
            NodeValue::Bool(value) => format!("`{value}`"),
            NodeValue::Number(_, text) | NodeValue::NotFinite(text) => format!("the number {}", shown(text)),
            NodeValue::Text(text) if text.is_empty() => "an empty text".to_owned(),
            NodeValue::Text(text) => format!("the text {:?}", shown(text)),
            NodeValue::List(_) => "a list".to_owned(),
            NodeValue::Map(_) => "an object".to_owned(),
        }
    }

    /// How many nodes this one holds, itself included.
    #[must_use]
    pub fn size(&self) -> usize {
        1 + match &self.value {
            NodeValue::List(items) => items.iter().map(Self::size).sum(),
            NodeValue::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
            _ => 0,
        }
    }

    /// About how many bytes this node takes in memory once it is decoded: its texts, and a fixed share a value.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const VALUE_BYTES: usize = 100;
        VALUE_BYTES
            + match &self.value {
                NodeValue::Text(text) => text.len(),
                NodeValue::List(items) => items.iter().map(Self::bytes).sum(),
                NodeValue::Map(entries) => entries.iter().map(|entry| entry.key.len() + entry.node.bytes()).sum(),
                _ => 0,
            }
    }

    /// How deep this node nests; 0 for a scalar.
    #[must_use]
    pub fn height(&self) -> usize {
        match &self.value {
            NodeValue::List(items) => 1 + items.iter().map(Self::height).max().unwrap_or(0),
            NodeValue::Map(entries) => 1 + entries.iter().map(|entry| entry.node.height()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Keeps the first of the entries with the same key and reports the others.
pub(crate) fn refuse_duplicates(entries: Vec<Entry>, problems: &mut Problems) -> Vec<Entry> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut distinct = Vec::with_capacity(entries.len());
    for entry in entries {
        match first.get(&entry.key) {
            Some(line) => {
                let message = format!("the key `{}` is already given on line {line}", shown(&entry.key));
                problems.add(entry.at, "", message);
            }
            None => {
                first.insert(entry.key.clone(), entry.at.line);
                distinct.push(entry);
            }
        }
    }
    distinct
}
