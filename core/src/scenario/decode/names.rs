//! The names of variables: which ones the scenario sets, and which ones its templates use.
//!
//! A name that is set nowhere is a misspelling that would otherwise fail every request of a run. Where it is set is not
//! followed: a variable may come from a step that runs earlier or never.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Decoder;
use super::cursor::Cursor;
use crate::data::Feeder;
use crate::document::closest;
use crate::document::node::{Entry, Node, NodeValue};
use crate::document::problem::{Position, shown};

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
    /// Those of data feeders among them.
    feeders: BTreeSet<&'n str>,
    /// The feeders that were used since this was emptied.
    pub(super) drawn: BTreeSet<&'n str>,
    used: Vec<Used>,
}

/// A name that a template uses.
struct Used {
    at: Position,
    path: String,
    name: String,
    /// What is asked of it: `index` of `user.index`.
    attribute: Option<String>,
}

impl<'n> Names<'n> {
    /// The names that a document sets. It is looked through before it is decoded, so that a step with a problem still
    /// counts as setting its variables.
    pub(super) fn of(document: &'n Node) -> Self {
        let mut set = BTreeSet::new();
        collect(document, &mut set);
        let feeders = feeders(document);
        set.extend(&feeders);
        Self { set, feeders, drawn: BTreeSet::new(), used: Vec::new() }
    }

    /// Notes that the template of a node uses these names.
    pub(super) fn used(&mut self, cursor: &Cursor<'_>, names: Vec<String>) {
        for full in names {
            let mut parts = full.split('.');
            let name = parts.next().unwrap_or_default().to_owned();
            self.drawn.extend(self.feeders.get(&*name));
            let used =
                Used { at: cursor.at(), path: cursor.path.clone(), name, attribute: parts.next().map(Into::into) };
            self.used.push(used);
        }
    }
}

impl<'n> Decoder<'n> {
    /// The name of a variable that a step or a class sets.
    pub(super) fn variable(&mut self, cursor: &Cursor<'n>, name: &str) -> Option<Arc<str>> {
        if self.names.feeders.contains(name) {
            self.problem(cursor, format!("`{name}` is a data feeder and cannot be set"));
            return None;
        }
        self.identifier(cursor, name)
    }

    /// A name for a variable.
    pub(super) fn identifier(&mut self, cursor: &Cursor<'n>, name: &str) -> Option<Arc<str>> {
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

    /// Reports the names that are used and set nowhere, and the columns that no feeder of the name has.
    pub(super) fn check_names(&mut self) {
        let Names { set, used, .. } = &self.names;
        for Used { at, path, name, attribute } in used {
            let is_known = KNOWN.contains(&&**name) || set.contains(&**name);
            if is_known && attribute.as_ref().is_none_or(|column| has_column(&self.feeders, name, column)) {
                continue;
            }
            if self.problems.is_full() {
                self.problems.add(*at, "", "");
                continue;
            }
            let message = match attribute {
                Some(column) if is_known => no_column(&self.feeders, name, column),
                _ => {
                    let meant = meant(name, KNOWN.iter().chain(set).copied());
                    format!("no variable or function `{}`{meant}", shown(name))
                }
            };
            self.problems.add(*at, path, message);
        }
    }
}

/// Whether a feeder of this name has this column, or there is none to tell.
fn has_column(feeders: &[Feeder], name: &str, column: &str) -> bool {
    let mut named = feeders.iter().filter(|feeder| *feeder.name == *name).peekable();
    named.peek().is_none() || named.any(|feeder| feeder.table.column(column).is_some())
}

fn no_column(feeders: &[Feeder], name: &str, column: &str) -> String {
    let columns = || feeders.iter().filter(|feeder| *feeder.name == *name).flat_map(|feeder| feeder.table.columns());
    let meant = meant(column, columns().map(|column| &**column));
    let all = columns().map(|column| &**column).collect::<Vec<_>>().join(", ");
    format!("the data feeder `{name}` has no column `{}`{meant} (there are {})", shown(column), shown(&all))
}

fn meant<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    closest(name, known).map(|meant| format!(", did you mean `{}`?", shown(meant))).unwrap_or_default()
}

/// The names of the feeders of the document and of all classes.
fn feeders(document: &Node) -> BTreeSet<&str> {
    let classes = entries(document).iter().filter(|entry| entry.key == "users");
    let classes = classes.flat_map(|users| entries(&users.node)).map(|class| &class.node);
    let data = std::iter::once(document).chain(classes).flat_map(entries).filter(|entry| entry.key == "data");
    data.flat_map(|data| entries(&data.node)).map(|feeder| &*feeder.key).collect()
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        NodeValue::Map(entries) => entries,
        _ => &[],
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
