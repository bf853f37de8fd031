//! A node together with its path in the document, and how objects are taken apart.

use std::fmt::Write;

use super::closest;
use super::node::{Entry, Node, NodeValue};
use super::problem::{Position, Problems, shown};

/// A node and its path.
#[derive(Clone, Debug)]
pub struct Cursor<'n> {
    /// The node.
    pub node: &'n Node,
    /// Its path; empty for the document itself.
    pub path: String,
}

impl<'n> Cursor<'n> {
    /// The document itself.
    #[must_use]
    pub fn document(node: &'n Node) -> Self {
        Self { node, path: String::new() }
    }

    /// The value of an entry of this node.
    #[must_use]
    pub fn entry(&self, entry: &'n Entry) -> Self {
        Self { node: &entry.node, path: self.key_path(&entry.key) }
    }

    /// An item of this list.
    #[must_use]
    pub fn item(&self, index: usize, node: &'n Node) -> Self {
        Self { node, path: format!("{}[{index}]", self.path) }
    }

    /// The items of this node, when it is a list.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Self>> {
        match &self.node.value {
            NodeValue::List(items) => {
                Some(items.iter().enumerate().map(|(index, node)| self.item(index, node)).collect())
            }
            _ => None,
        }
    }

    /// The path of a key of this node.
    #[must_use]
    pub fn key_path(&self, key: &str) -> String {
        let mut path = self.path.clone();
        let separator = if path.is_empty() { "" } else { "." };
        let _ = write!(path, "{separator}{}", shown(key));
        path
    }

    /// Where the node begins.
    #[must_use]
    pub fn at(&self) -> Position {
        self.node.at
    }
}

/// An object whose keys were checked.
#[derive(Clone, Debug)]
pub struct Object<'n> {
    /// The object itself.
    pub cursor: Cursor<'n>,
    entries: &'n [Entry],
}

impl<'n> Object<'n> {
    /// The value of a key, if it is given.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Cursor<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.cursor.entry(entry))
    }

    /// The values of those of the keys that are given.
    #[must_use]
    pub fn given(&self, keys: &[&'static str]) -> Vec<(&'static str, Cursor<'n>)> {
        keys.iter().filter_map(|key| self.get(key).map(|cursor| (*key, cursor))).collect()
    }
}

impl Problems {
    /// Reports a problem of a node.
    pub fn of_node(&mut self, cursor: &Cursor<'_>, message: impl Into<String>) {
        self.add(cursor.at(), &cursor.path, message);
    }

    /// Reports a node of the wrong kind.
    pub fn wrong_kind(&mut self, cursor: &Cursor<'_>, allowed: &str) {
        self.of_node(cursor, format!("found {}, expected {allowed}", cursor.node.described()));
    }

    /// An object with these keys; unknown ones are reported and otherwise ignored.
    pub fn object<'n>(&mut self, cursor: &Cursor<'n>, keys: &[&str]) -> Option<Object<'n>> {
        let NodeValue::Map(entries) = &cursor.node.value else {
            self.wrong_kind(cursor, &format!("an object with the keys {}", keys.join(", ")));
            return None;
        };
        for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
            self.unknown_key(cursor, entry, keys);
        }
        Some(Object { cursor: cursor.clone(), entries })
    }

    /// Reports a key that is not allowed.
    pub fn unknown_key(&mut self, cursor: &Cursor<'_>, entry: &Entry, allowed: &[&str]) {
        if self.is_full() {
            self.add(entry.at, "", "");
            return;
        }
        let mut message = format!("unknown key `{}`", shown(&entry.key));
        if let Some(meant) = closest(&entry.key, allowed.iter().copied()) {
            let _ = write!(message, ", did you mean `{meant}`?");
        }
        let _ = write!(message, " (allowed: {})", allowed.join(", "));
        self.add(entry.at, &cursor.key_path(&entry.key), message);
    }

    /// The entries of an object whose keys are names that the file chooses.
    pub fn entries<'n>(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<&'n [Entry]> {
        match &cursor.node.value {
            NodeValue::Map(entries) => Some(entries),
            _ => {
                self.wrong_kind(cursor, what);
                None
            }
        }
    }
}
