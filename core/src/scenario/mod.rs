//! What users do: from a scenario file to compiled steps.
//!
//! A file is read into a tree of located nodes, the tree is decoded into the [`model`] with every problem collected
//! (file, line, column, allowed values), and the names, cycles, templates and patterns are checked on the way. What
//! comes out is complete: running it needs no further look at the file.

pub mod body;
pub mod check;
mod decode;
pub mod extract;
pub mod hosts;
pub mod json_query;
pub mod model;
pub mod problem;
pub mod ratio;
mod read;
pub mod render;
pub mod response;
pub mod schema;
pub mod select;
pub mod template;
mod template_size;

use std::sync::Arc;

pub(crate) use decode::keys::closest;
use problem::{Problem, Problems};

/// A scenario file that was read but not yet understood.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file as the user named it, for messages.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its format.
    pub format: Format,
}

/// The format of a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
    /// TOML 1.0.
    Toml,
}

/// Understands a scenario file.
///
/// # Errors
/// Every problem of the file, in the order of its lines.
pub fn load(source: &Source<'_>, register: template::RegisterFunctions) -> Result<Arc<model::Scenario>, Vec<Problem>> {
    let mut problems = Problems::of(source.name);
    let Some(document) = read::read(source, &mut problems) else { return Err(problems.in_order()) };
    let (scenario, problems) = decode::decode(&document, source.name, template::Templates::new(register), problems);
    scenario.map(Arc::new).ok_or_else(|| problems.in_order())
}
