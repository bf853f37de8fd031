//! Reading: from the text of a scenario file to a tree of nodes that know where they stand in it.

pub(super) mod json;
pub(super) mod node;
pub(super) mod scalar;
pub(super) mod toml;
pub(super) mod yaml;

use super::problem::{Position, Problems};
use super::{Format, Source};
use crate::limits::SCENARIO_BYTES_MAX;
use node::Node;

/// Reads a file. What is wrong with it is added to the problems; `None` when there is no tree to go on with.
pub(super) fn read(source: &Source<'_>, problems: &mut Problems) -> Option<Node> {
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
