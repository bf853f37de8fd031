//! The names of variables: which ones the scenario sets, and which ones its templates use.
//!
//! A name that is set nowhere is a misspelling that would otherwise fail every request of a run. Where it is set is not
//! followed: a variable may come from a step that runs earlier or never.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Decoder;
use super::cursor::Cursor;
use super::keys::closest;
use crate::scenario::problem::{Position, shown};
use crate::scenario::read::node::{Node, NodeValue};

/// Names that every template knows beside its functions.
const KNOWN: &[&str] = &["user", "loop_index"];

/// Keys whose values are objects of variables.
const SETTERS: &[&str] = &["variables", "set", "extract"];

/// Words of the template language, and the name that it uses itself.
const RESERVED: &[&str] = &[
    "__value", "true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "else", "loop",
    "self",
];

/// Names of variables: those that are set anywhere, and the uses of names as they are found.
pub(super) struct Names<'n> {
    set: BTreeSet<&'n str>,
    used: Vec<(Position, String, String)>,
}

impl<'n> Names<'n> {
    /// The names that a document sets. It is looked through before it is decoded, so that a step with a problem still
    /// counts as setting its variables.
    pub(super) fn of(document: &'n Node) -> Self {
        let mut set = BTreeSet::new();
        collect(document, &mut set);
        Self { set, used: Vec::new() }
    }

    /// Notes that the template of a node uses these names.
    pub(super) fn used(&mut self, cursor: &Cursor<'_>, names: Vec<String>) {
        self.used.extend(names.into_iter().map(|name| (cursor.at(), cursor.path.clone(), name)));
    }
}

impl<'n> Decoder<'n> {
    /// The name of a variable that is set.
    pub(super) fn variable(&mut self, cursor: &Cursor<'n>, name: &str) -> Option<Arc<str>> {
        let mut characters = name.chars();
        let begins = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
        if !begins || !characters.all(|character| character.is_ascii_alphanumeric() || character == '_') {
            let message =
                format!("`{}` is no name for a variable: letters, digits and `_`, no digit first", shown(name));
            self.problem(cursor, message);
            return None;
        }
        if KNOWN.contains(&name) || RESERVED.contains(&name) {
            self.problem(cursor, format!("`{name}` has a meaning of its own and cannot be set"));
            return None;
        }
        Some(name.into())
    }

    /// Reports the names that are used and set nowhere.
    pub(super) fn check_names(&mut self) {
        let Names { set, used } = &self.names;
        let is_known = |name: &str| KNOWN.contains(&name) || set.contains(name);
        for (at, path, name) in used.iter().filter(|(_, _, name)| !is_known(name)) {
            if self.problems.is_full() {
                self.problems.add(*at, "", "");
                continue;
            }
            let known = KNOWN.iter().chain(set).copied();
            let meant = closest(name, known).map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
            let message = format!("no variable or function `{}`{meant}", shown(name));
            self.problems.add(*at, path, message);
        }
    }
}

/// Adds the keys of all objects under the keys that set variables.
fn collect<'n>(node: &'n Node, set: &mut BTreeSet<&'n str>) {
    match &node.value {
        NodeValue::List(items) => items.iter().for_each(|item| collect(item, set)),
        NodeValue::Map(entries) => {
            for entry in entries {
                if let (true, NodeValue::Map(variables)) = (SETTERS.contains(&&*entry.key), &entry.node.value) {
                    set.extend(variables.iter().map(|variable| &*variable.key));
                }
                collect(&entry.node, set);
            }
        }
        _ => {}
    }
}
