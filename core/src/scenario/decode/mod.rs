//! Decoding: from located nodes to the compiled model, with every problem of the file collected on the way.
//!
//! A function that decodes something returns `None` when it has reported a problem, so that its caller goes on with
//! the rest of the file.

mod auth;
mod body;
mod check;
mod class;
mod cursor;
mod extract;
pub(crate) mod keys;
mod names;
mod request;
pub(super) mod scalars;
mod steps;
mod tasks;
mod values;
mod wait_time;

use std::sync::Arc;

use super::model::Scenario;
use super::problem::Problems;
use super::read::node::Node;
use super::template::Templates;
use cursor::Cursor;
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
    /// How many task sets are around what is being decoded: 0 in `on_start` and `on_stop`, 1 in the tasks of a class.
    set_depth: usize,
}

/// Decodes a document. Its problems are added to those of the reading; `None` when there are any.
pub(super) fn decode(
    document: &Node,
    file: &str,
    templates: Templates,
    problems: Problems,
) -> (Option<Scenario>, Problems) {
    let mut decoder =
        Decoder { problems, templates, names: Names::of(document), sets: NamedSets::default(), set_depth: 0 };
    let cursor = Cursor { node: document, path: String::new() };
    let decoded = decoder.document(&cursor);
    decoder.check_names();
    let Decoder { problems, templates, .. } = decoder;
    let scenario = decoded.filter(|_| problems.is_empty()).map(|(host, classes)| Scenario {
        name: file.into(),
        host,
        classes,
        templates: Arc::new(templates),
    });
    (scenario, problems)
}
