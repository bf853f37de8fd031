//! Decoding: from located nodes to the compiled model, with every problem of the file collected on the way.
//!
//! A function that decodes something returns `None` when it has reported a problem, so that its caller goes on with
//! the rest of the file.

mod auth;
mod body;
mod check;
pub(super) mod class;
mod connection;
mod cursor;
mod data;
mod extract;
pub(crate) mod keys;
mod load;
mod names;
mod request;
pub(super) mod scalars;
mod steps;
mod tasks;
mod thresholds;
mod values;
mod wait_time;
mod websocket;

use std::sync::Arc;

use super::ReadFile;
use super::model::Scenario;
use super::native::Settings;
use super::problem::Problems;
use super::template::Templates;
use crate::data::Feeder;
use crate::document::node::Node;
use crate::limits::SCENARIO_REUSED_BYTES_MAX;
use cursor::Cursor;
use data::Tables;
use names::Names;
use tasks::NamedSets;

/// What decoding needs at hand.
struct Decoder<'n> {
    problems: Problems,
    templates: Templates,
    /// The variables that are set and used.
    names: Names<'n>,
    /// The sets under `task_sets`.
    sets: NamedSets<'n>,
    /// Reads data files.
    read_file: &'n ReadFile<'n>,
    /// The data feeders found so far.
    feeders: Vec<Feeder>,
    /// The tables of data files read so far.
    tables: Tables<'n>,
    /// How many task sets are around what is being decoded: 0 in `on_start` and `on_stop`, 1 in the tasks of a class.
    set_depth: usize,
    /// How many regular expressions were compiled.
    patterns: usize,
    /// Size of all that was copied: named sets for each `use`, defaults for each class.
    copied_bytes: usize,
}

impl<'n> Decoder<'n> {
    fn new(document: &'n Node, outside: Outside<'n>, problems: Problems) -> Self {
        Self {
            problems,
            templates: outside.templates,
            read_file: outside.read_file,
            names: Names::of(document),
            sets: NamedSets::default(),
            feeders: Vec::new(),
            tables: Tables::new(),
            set_depth: 0,
            patterns: 0,
            copied_bytes: 0,
        }
    }

    /// Counts what is copied for the sake of a node.
    fn copied(&mut self, cursor: &Cursor<'_>, bytes: usize) -> Option<()> {
        self.copied_bytes = self.copied_bytes.saturating_add(bytes);
        if self.copied_bytes <= SCENARIO_REUSED_BYTES_MAX {
            return Some(());
        }
        self.problem(cursor, format!("more than {SCENARIO_REUSED_BYTES_MAX} bytes of sets and defaults are repeated"));
        None
    }
}

/// What decoding takes beside the document.
pub(super) struct Outside<'a> {
    /// The name of the scenario file.
    pub(super) file: &'a str,
    /// The templates, with their functions and without any text.
    pub(super) templates: Templates,
    /// Reads data files.
    pub(super) read_file: &'a ReadFile<'a>,
}

/// Decodes a document. Its problems are added to those of the reading; `None` when there are any.
pub(super) fn decode<'n>(document: &'n Node, outside: Outside<'n>, problems: Problems) -> (Option<Scenario>, Problems) {
    let file = outside.file;
    let mut decoder = Decoder::new(document, outside, problems);
    let cursor = Cursor { node: document, path: String::new() };
    let decoded = decoder.document(&cursor);
    decoder.check_names();
    let Decoder { problems, templates, feeders, .. } = decoder;
    let scenario = decoded.filter(|_| problems.is_empty()).map(|decoded| Scenario {
        name: file.into(),
        host: decoded.host,
        classes: decoded.classes,
        load: decoded.load,
        thresholds: decoded.thresholds,
        feeders,
        templates: Arc::new(templates),
    });
    (scenario, problems)
}

/// Decodes the settings of users that are code. Problems as in [`decode`].
pub(super) fn settings<'n>(
    document: &'n Node,
    outside: Outside<'n>,
    problems: Problems,
) -> (Option<Settings>, Problems) {
    let mut decoder = Decoder::new(document, outside, problems);
    let settings = decoder.settings(&Cursor { node: document, path: String::new() });
    let problems = decoder.problems;
    (settings.filter(|_| problems.is_empty()), problems)
}
