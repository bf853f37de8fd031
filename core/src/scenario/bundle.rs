//! A scenario as it travels: its text, its data files and what of it is selected.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Format;
use super::select::Selection;

/// All that a worker needs to make the users of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// The name of the scenario file, as it was named.
    pub name: Arc<str>,
    /// How it is written.
    pub format: Format,
    /// Its text.
    pub text: Arc<str>,
    /// The data files that it names, by the name that it gives them.
    pub files: BTreeMap<Arc<str>, FileContent>,
    /// What of it runs.
    pub selection: BundleSelection,
    /// Whether the users are code: `name` is that of a program, which masters and workers are, and there is no text. All
    /// classes that run are selected by name, in the order of the program.
    #[serde(default)]
    pub is_program: bool,
}

/// The bytes of a file.
#[derive(Clone, PartialEq, Eq)]
pub struct FileContent(pub Arc<[u8]>);

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileContent({} bytes)", self.0.len())
    }
}

impl Serialize for FileContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for FileContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_bytes::ByteBuf::deserialize(deserializer).map(|bytes| Self(bytes.into_vec().into()))
    }
}

/// What of a scenario runs: the same as [`super::select::Selection`], owned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleSelection {
    /// The user classes; all if there are none.
    pub classes: Vec<String>,
    /// Only tasks with one of these tags; all if there are none.
    pub tags: Vec<String>,
    /// No tasks with one of these tags.
    pub exclude_tags: Vec<String>,
    /// Ignore weights.
    pub equal_weights: bool,
    /// The base URL of the target, if it is not the scenario's.
    pub host: Option<String>,
}

impl BundleSelection {
    /// The same, borrowed.
    #[must_use]
    pub fn as_selection(&self) -> Selection<'_> {
        Selection {
            classes: &self.classes,
            tags: &self.tags,
            exclude_tags: &self.exclude_tags,
            equal_weights: self.equal_weights,
            host: self.host.as_deref(),
        }
    }
}
