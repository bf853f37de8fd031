//! Reads a scenario file.

use std::io;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use akrida_actors::user::functions;
use akrida_core::limits;
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::problem::Problem;
use akrida_core::scenario::{Format, ReadFile, Source, load_with};

/// Why there is no scenario.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScenarioFileError {
    /// The file cannot be read.
    #[error("{file}: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: std::io::Error,
    },
    /// It is too large to be a scenario.
    #[error("{0}: a scenario has at most {max} bytes", max = limits::SCENARIO_BYTES_MAX)]
    TooLarge(String),
    /// It is no text.
    #[error("{0}: a scenario is UTF-8 text")]
    NotText(String),
    /// Its extension says nothing known.
    #[error("{0}: the extension of a scenario file is one of .yml, .yaml, .json, .toml{1}")]
    UnknownExtension(String, &'static str),
    /// It was understood, and is wrong.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads and understands a file.
pub(super) fn read(file: &Path) -> Result<Arc<Scenario>, ScenarioFileError> {
    text_of(file)?.understood(&|data| read_data(&in_folder_of(file, data)))
}

/// Where a file is that the scenario in `file` names.
pub(super) fn in_folder_of(file: &Path, data: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(data)
}

/// A scenario file that was read and not yet understood.
#[derive(Debug)]
pub(super) struct ScenarioText {
    /// The file as it was named.
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) text: String,
}

impl ScenarioText {
    /// Understands it, and the files that it names.
    pub(super) fn understood(&self, read_file: &ReadFile<'_>) -> Result<Arc<Scenario>, ScenarioFileError> {
        let source = Source { name: &self.name, text: &self.text, format: self.format };
        load_with(&source, functions::register, read_file).map_err(ScenarioFileError::Problems)
    }
}

/// Reads a file without understanding it.
pub(super) fn text_of(file: &Path) -> Result<ScenarioText, ScenarioFileError> {
    let name = file.display().to_string();
    let format = format_of(file, &name)?;
    let unreadable = |reason| ScenarioFileError::Unreadable { file: name.clone(), reason };
    if std::fs::metadata(file).map_err(unreadable)?.len() > limits::SCENARIO_BYTES_MAX as u64 {
        return Err(ScenarioFileError::TooLarge(name));
    }
    // A device or a pipe has no length: it must not fill the memory either.
    let mut bytes = Vec::new();
    let mut opened = std::fs::File::open(file).map_err(unreadable)?.take(limits::SCENARIO_BYTES_MAX as u64 + 1);
    opened.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limits::SCENARIO_BYTES_MAX {
        return Err(ScenarioFileError::TooLarge(name));
    }
    let text = String::from_utf8(bytes).map_err(|_| ScenarioFileError::NotText(name.clone()))?;
    Ok(ScenarioText { name, format, text })
}

/// Reads a data file.
pub(super) fn read_data(file: &Path) -> io::Result<Vec<u8>> {
    if std::fs::metadata(file)?.len() > limits::DATA_BYTES_MAX as u64 {
        let reason = format!("a data file has at most {} bytes", limits::DATA_BYTES_MAX);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    std::fs::read(file)
}

fn format_of(file: &Path, name: &str) -> Result<Format, ScenarioFileError> {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("yml" | "yaml") => Ok(Format::Yaml),
        Some("json") => Ok(Format::Json),
        Some("toml") => Ok(Format::Toml),
        Some("py") => {
            Err(ScenarioFileError::UnknownExtension(name.to_owned(), "; Python locustfiles are not run by this build"))
        }
        Some(_) | None => Err(ScenarioFileError::UnknownExtension(name.to_owned(), "")),
    }
}
