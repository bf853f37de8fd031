//! Reads a scenario file and picks from it what the options ask for.

use std::io;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use akrida_actors::user::functions;
use akrida_core::limits;
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::problem::Problem;
use akrida_core::scenario::ratio::{self, Ratio, Ratios};
use akrida_core::scenario::select::{Selection, select};
use akrida_core::scenario::{Format, Source, load_with};

use crate::cli::RunOptions;

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
    /// The options do not fit it.
    #[error("{file}: {reason}")]
    Selection {
        /// The file.
        file: String,
        /// Why.
        reason: akrida_core::scenario::select::SelectError,
    },
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Reads and understands a file.
pub(super) fn read(file: &Path) -> Result<Arc<Scenario>, ScenarioFileError> {
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
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let read_data = move |data: &str| read_data(&folder.join(data));
    load_with(&Source { name: &name, text: &text, format }, functions::register, &read_data)
        .map_err(ScenarioFileError::Problems)
}

fn read_data(file: &Path) -> io::Result<Vec<u8>> {
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

/// The scenario that the options ask for, and the classes that their tags left without tasks.
pub(super) fn selected(options: &RunOptions) -> Result<(Arc<Scenario>, Vec<Arc<str>>), ScenarioFileError> {
    let scenario = read(&options.scenario)?;
    let selection = Selection {
        classes: &options.user_classes,
        tags: &options.tags,
        exclude_tags: &options.exclude_tags,
        equal_weights: options.equal_weights,
        host: options.host.as_deref(),
    };
    let file = options.scenario.display().to_string();
    let selected = select(&scenario, &selection).map_err(|reason| ScenarioFileError::Selection { file, reason })?;
    Ok((Arc::new(selected.scenario), selected.without_tasks))
}

/// The user classes of a scenario, as `--list` prints them.
pub(super) fn list(options: &RunOptions) -> Result<String, ScenarioFileError> {
    let scenario = read(&options.scenario)?;
    let names = scenario.classes.iter().map(|class| format!("    {}\n", class.name));
    Ok(format!("Available Users:\n{}", names.collect::<String>()))
}

/// The shares of classes and tasks, as `--show-task-ratio` prints them.
pub(super) fn task_ratio(options: &RunOptions, json: bool) -> Result<String, ScenarioFileError> {
    let (scenario, _) = selected(options)?;
    let ratios = Ratios::of(&scenario, &ratio::shares_by_weight(&scenario));
    if json {
        return Ok(format!("{:#}\n", ratios.to_json()));
    }
    Ok(ratio_tables(&ratios))
}

/// Locust's layout.
fn ratio_tables(ratios: &Ratios) -> String {
    let mut text = String::new();
    for (title, tree) in [("Task ratio per User class", &ratios.per_class), ("Total task ratio", &ratios.total)] {
        text.push_str(&format!("\n {title}\n{}\n", "-".repeat(80)));
        write_tree(&mut text, tree, 0);
    }
    text
}

fn write_tree(text: &mut String, ratios: &[Ratio], depth: usize) {
    for ratio in ratios {
        let indent = "  ".repeat(depth);
        let percent = format!("{indent}{:.1}", ratio.ratio * 100.0);
        text.push_str(&format!(" {percent:<10} {:<50}\n", format!("{indent}{}", ratio.name)));
        write_tree(text, ratio.tasks.as_deref().unwrap_or_default(), depth + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_laid_out_as_in_locust() {
        let home = Ratio { name: "home".into(), ratio: 0.75, tasks: None };
        let visitor = |ratio| Ratio { name: "Visitor".into(), ratio, tasks: Some(vec![home.clone()]) };
        let text = ratio_tables(&Ratios { per_class: vec![visitor(1.0)], total: vec![visitor(0.25)] });
        let rule = "-".repeat(80);
        let names = [format!("{:<50}", "Visitor"), format!("{:<50}", "  home")];
        let lines = [
            "",
            " Task ratio per User class",
            &rule,
            &format!(" 100.0      {}", names[0]),
            &format!("   75.0     {}", names[1]),
            "",
            " Total task ratio",
            &rule,
            &format!(" 25.0       {}", names[0]),
            &format!("   75.0     {}", names[1]),
            "",
        ];
        assert_eq!(text.split('\n').collect::<Vec<_>>(), lines);
    }
}
