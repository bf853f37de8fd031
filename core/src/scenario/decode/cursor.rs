//! A node together with its path in the document, and how objects are taken apart.

use std::fmt::Write;

use super::Decoder;
use super::keys::{Keys, closest};
use crate::scenario::problem::{Position, shown};
use crate::scenario::read::node::{Entry, Node, NodeValue};

/// A node and its path.
#[derive(Clone)]
pub(super) struct Cursor<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
}

impl<'n> Cursor<'n> {
    /// The value of an entry of this node.
    pub(super) fn entry(&self, entry: &'n Entry) -> Self {
        Self { node: &entry.node, path: self.key_path(&entry.key) }
    }

    /// An item of this list.
    pub(super) fn item(&self, index: usize, node: &'n Node) -> Self {
        Self { node, path: format!("{}[{index}]", self.path) }
    }

    /// The items of this node, when it is a list.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match &self.node.value {
            NodeValue::List(items) => {
                Some(items.iter().enumerate().map(|(index, node)| self.item(index, node)).collect())
            }
            _ => None,
        }
    }

    /// The path of a key of this node.
    pub(super) fn key_path(&self, key: &str) -> String {
        let mut path = self.path.clone();
        let separator = if path.is_empty() { "" } else { "." };
        let _ = write!(path, "{separator}{}", shown(key));
        path
    }

    pub(super) fn at(&self) -> Position {
        self.node.at
    }
}

/// An object whose keys were checked.
pub(super) struct Object<'n> {
    pub(super) cursor: Cursor<'n>,
    entries: &'n [Entry],
}

impl<'n> Object<'n> {
    /// The value of a key, if it is given.
    pub(super) fn get(&self, key: &str) -> Option<Cursor<'n>> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(self.cursor.entry(entry))
    }

    /// The values of those of the keys that are given.
    pub(super) fn given(&self, keys: &[&'static str]) -> Vec<(&'static str, Cursor<'n>)> {
        keys.iter().filter_map(|key| self.get(key).map(|cursor| (*key, cursor))).collect()
    }
}

impl<'n> Decoder<'n> {
    /// Reports a problem of a node.
    pub(super) fn problem(&mut self, cursor: &Cursor<'_>, message: impl Into<String>) {
        self.problems.add(cursor.at(), &cursor.path, message);
    }

    /// Reports a node of the wrong kind.
    pub(super) fn wrong_kind(&mut self, cursor: &Cursor<'_>, allowed: &str) {
        self.problem(cursor, format!("found {}, expected {allowed}", cursor.node.described()));
    }

    /// An object with these keys; unknown ones are reported and otherwise ignored.
    pub(super) fn object(&mut self, cursor: &Cursor<'n>, keys: &Keys) -> Option<Object<'n>> {
        let NodeValue::Map(entries) = &cursor.node.value else {
            self.wrong_kind(cursor, &format!("an object with the keys {}", keys.keys.join(", ")));
            return None;
        };
        for entry in entries.iter().filter(|entry| !keys.keys.contains(&entry.key.as_str())) {
            self.unknown_key(cursor, entry, keys.keys);
        }
        Some(Object { cursor: cursor.clone(), entries })
    }

    /// Reports a key that is not allowed.
    pub(super) fn unknown_key(&mut self, cursor: &Cursor<'_>, entry: &Entry, allowed: &[&str]) {
        if self.problems.is_full() {
            self.problems.add(entry.at, "", "");
            return;
        }
        let mut message = format!("unknown key `{}`", shown(&entry.key));
        if let Some(meant) = closest(&entry.key, allowed.iter().copied()) {
            let _ = write!(message, ", did you mean `{meant}`?");
        }
        let _ = write!(message, " (allowed: {})", allowed.join(", "));
        self.problems.add(entry.at, &cursor.key_path(&entry.key), message);
    }

    /// The entries of an object whose keys are names that the file chooses.
    pub(super) fn entries(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<&'n [Entry]> {
        match &cursor.node.value {
            NodeValue::Map(entries) => Some(entries),
            _ => {
                self.wrong_kind(cursor, what);
                None
            }
        }
    }

    /// Decodes each item, reporting the problems of all of them; `None` when any has one.
    pub(super) fn all<I, T>(
        &mut self,
        items: impl IntoIterator<Item = I>,
        mut decode: impl FnMut(&mut Self, I) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut complete = true;
        let mut decoded = Vec::new();
        for item in items {
            match decode(self, item) {
                Some(item) => decoded.push(item),
                None => complete = false,
            }
        }
        complete.then_some(decoded)
    }

    /// Decodes the value of a key if it is given: `Some(None)` when it is not.
    pub(super) fn optional<T>(
        &mut self,
        object: &Object<'n>,
        key: &str,
        decode: impl FnOnce(&mut Self, &Cursor<'n>) -> Option<T>,
    ) -> Option<Option<T>> {
        match object.get(key) {
            None => Some(None),
            Some(cursor) => decode(self, &cursor).map(Some),
        }
    }
}
