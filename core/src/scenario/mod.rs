//! What users do: from a scenario file to compiled steps.
//!
//! A file is read into a tree of located nodes, the tree is decoded into the [`model`] with every problem collected
//! (file, line, column, allowed values), and the names, cycles, templates and patterns are checked on the way. What
//! comes out is complete: running it needs no further look at the file.

pub mod body;
pub mod bundle;
pub mod check;
mod check_text;
pub mod connection;
mod decode;
pub mod extract;
pub mod hosts;
mod json_outline;
pub mod json_query;
pub mod model;
pub mod native;
pub mod plain_function;
mod plain_template;
pub mod ratio;
pub mod render;
pub mod response;
pub mod schema;
pub mod select;
pub mod template;
mod template_size;
pub mod websocket;

use std::io;
use std::sync::Arc;

use crate::document;
use crate::document::problem::Problems;
pub use crate::document::problem::{self, Problem};
pub use crate::document::{Format, Source};

/// Reads a file that a scenario names, by its name as written. Whoever reads finds relative names in the folder of the
/// scenario, and refuses what is longer than `limits::DATA_BYTES_MAX` before reading it.
pub type ReadFile<'a> = dyn Fn(&str) -> io::Result<Vec<u8>> + 'a;

/// Understands a scenario file that names no other files.
///
/// # Errors
/// Every problem of the file, in the order of its lines. A file that it names is one.
pub fn load(source: &Source<'_>, register: template::RegisterFunctions) -> Result<Arc<model::Scenario>, Vec<Problem>> {
    load_with(source, register, &no_files)
}

fn no_files(_: &str) -> io::Result<Vec<u8>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "data files are not read here"))
}

/// Understands a scenario file and the data files that it names.
///
/// # Errors
/// Every problem of the file, in the order of its lines. What is wrong with a data file is said where it is named.
pub fn load_with(
    source: &Source<'_>,
    register: template::RegisterFunctions,
    read_file: &ReadFile<'_>,
) -> Result<Arc<model::Scenario>, Vec<Problem>> {
    let mut problems = Problems::of(source.name);
    let Some(document) = document::read(source, &mut problems) else { return Err(problems.in_order()) };
    let outside = decode::Outside { file: source.name, templates: template::Templates::new(register), read_file };
    let (scenario, problems) = decode::decode(&document, outside, problems);
    scenario.map(Arc::new).ok_or_else(|| problems.in_order())
}
