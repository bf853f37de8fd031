//! Documents: from the text of a YAML, JSON or TOML file to a tree of nodes that know where they stand in it, and what
//! takes such a tree apart with every problem collected. Scenarios and configurations are read this way.

pub mod cursor;
pub(crate) mod json;
mod likeness;
pub mod node;
pub mod problem;
mod scalar;
pub(crate) mod span;
pub(crate) mod toml;
mod values;
pub(crate) mod yaml;

use serde::{Deserialize, Serialize};

use crate::limits::SCENARIO_BYTES_MAX;
pub use likeness::closest;
use node::Node;
use problem::{Position, Problems};
pub use scalar::plain;
pub use span::duration_of;

/// A file that was read but not yet understood.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file as the user named it, for messages.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its format.
    pub format: Format,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// YAML 1.2.
    Yaml,
    /// JSON.
    Json,
    /// TOML 1.0.
    Toml,
}

/// Reads a file. What is wrong with it is added to the problems; `None` when there is no tree to go on with.
pub fn read(source: &Source<'_>, problems: &mut Problems) -> Option<Node> {
    if source.text.len() > SCENARIO_BYTES_MAX {
        let message = format!("the file has {} bytes, at most {SCENARIO_BYTES_MAX} are read", source.text.len());
        problems.add(Position::START, "", message);
        return None;
    }
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(source.text);
    match source.format {
        Format::Yaml => yaml::read(text, problems),
        Format::Json => json::read(text, problems),
        Format::Toml => toml::read(text, problems),
    }
}
