//! What a line of a configuration file sets.

use std::collections::BTreeMap;

use super::{Reading, Setting, SettingValue};
use crate::cli::option_table::{self, OptionKind, OptionSpec};
use crate::cli::{Origin, Problem, values};

/// How alike, from 0 to 1, a known key must be to be suggested.
const SUGGESTION_LIKENESS_MIN: f64 = 0.7;

/// A key and its value as a file holds them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The key.
    pub(super) key: String,
    /// The value.
    pub(super) value: EntryValue,
    /// The line, from 1.
    pub(super) line: usize,
}

/// The value of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EntryValue {
    /// One text, which may still be a list.
    Text(String),
    /// A list by the syntax of the file.
    List(Vec<String>),
    /// Something that no option takes, by its name.
    Other(&'static str),
}

/// Turns the entries of the file `name` into settings.
pub(super) fn settings(name: &str, entries: Vec<Entry>) -> Reading {
    let mut reading = Reading { settings: Vec::new(), problems: Vec::new() };
    let mut first_lines = BTreeMap::new();
    for entry in entries {
        let origin = Origin::File { name: name.to_owned(), line: entry.line };
        let option = match known_option(&entry.key) {
            Ok(option) => option,
            Err(message) => {
                reading.problems.push(Problem::new(origin, &entry.key, message));
                continue;
            }
        };
        if let Some(first) = first_lines.insert(&option.key, entry.line) {
            reading.problems.push(Problem::new(origin, &entry.key, format!("given twice, first in line {first}")));
            continue;
        }
        match value(option, entry.value) {
            Ok(value) => reading.settings.push(Setting { option, value, origin }),
            Err(message) => reading.problems.push(Problem::new(origin, &entry.key, message)),
        }
    }
    reading
}

fn known_option(key: &str) -> Result<&'static OptionSpec, String> {
    match option_table::find(key) {
        Some(option) if option.in_files => Ok(option),
        Some(_) => Err("only allowed on the command line".to_owned()),
        None => Err(match most_like(key) {
            Some(known) => format!("unknown key; did you mean {known}?"),
            None => "unknown key; allowed: the long names of the options, see 'akrida --help'".to_owned(),
        }),
    }
}

fn most_like(key: &str) -> Option<&'static str> {
    option_table::options()
        .iter()
        .filter(|option| option.in_files)
        .flat_map(|option| std::iter::once(&option.key).chain(&option.aliases))
        .map(|known| (strsim::jaro_winkler(&key.replace('_', "-"), known), known.as_str()))
        .filter(|(likeness, _)| *likeness >= SUGGESTION_LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

fn value(option: &OptionSpec, value: EntryValue) -> Result<SettingValue, String> {
    match (option.kind, value) {
        (_, EntryValue::Other(what)) => Err(format!("takes a value, not {what}")),
        (_, EntryValue::Text(text)) if text.is_empty() => Err("the value is missing".to_owned()),
        (OptionKind::Flag, EntryValue::Text(text)) => values::boolean(&text).map(SettingValue::Flag),
        (OptionKind::Value, EntryValue::Text(text)) => Ok(SettingValue::Texts(vec![text.into()])),
        (OptionKind::List, EntryValue::Text(text)) => values::list(&text).map(texts),
        (OptionKind::List, EntryValue::List(items)) => Ok(texts(items)),
        (OptionKind::Flag | OptionKind::Value, EntryValue::List(_)) => Err("takes one value, not a list".to_owned()),
    }
}

fn texts(items: Vec<String>) -> SettingValue {
    SettingValue::Texts(items.into_iter().map(Into::into).collect())
}
