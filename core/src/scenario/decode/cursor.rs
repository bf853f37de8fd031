//! What taking a scenario apart has in common for all of its objects.

use super::Decoder;
use super::keys::Keys;
pub(super) use crate::document::cursor::{Cursor, Object};
use crate::document::node::Entry;

impl<'n> Decoder<'n> {
    /// Reports a problem of a node.
    pub(super) fn problem(&mut self, cursor: &Cursor<'_>, message: impl Into<String>) {
        self.problems.of_node(cursor, message);
    }

    /// Reports a node of the wrong kind.
    pub(super) fn wrong_kind(&mut self, cursor: &Cursor<'_>, allowed: &str) {
        self.problems.wrong_kind(cursor, allowed);
    }

    /// An object with these keys; unknown ones are reported and otherwise ignored.
    pub(super) fn object(&mut self, cursor: &Cursor<'n>, keys: &Keys) -> Option<Object<'n>> {
        self.problems.object(cursor, keys.keys)
    }

    /// Reports a key that is not allowed.
    pub(super) fn unknown_key(&mut self, cursor: &Cursor<'_>, entry: &Entry, allowed: &[&str]) {
        self.problems.unknown_key(cursor, entry, allowed);
    }

    /// The entries of an object whose keys are names that the file chooses.
    pub(super) fn entries(&mut self, cursor: &Cursor<'n>, what: &str) -> Option<&'n [Entry]> {
        self.problems.entries(cursor, what)
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
