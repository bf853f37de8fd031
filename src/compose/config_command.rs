//! `akrida check-config`: what the configuration of masters or workers comes to.

use std::path::{Path, PathBuf};

use super::{print_all, print_to_stderr};
use crate::cli::{Environment, Exit, roles};
use crate::config::{ConfigFile, MasterOverrides, Surroundings, WorkerOverrides};

/// The settings of one file, and what should be known about them.
struct Settings {
    text: String,
    warnings: Vec<String>,
}

/// Checks files: the settings of each good one on standard output, and a line for each problem and warning on standard
/// error.
pub(super) fn check(files: &[PathBuf], node: Option<&str>) -> anyhow::Result<Exit> {
    let environment = Environment::of_process();
    let mut exit = Exit::Passed;
    for file in files {
        match settings(file, node, &environment) {
            Ok(settings) => {
                for warning in settings.warnings {
                    print_to_stderr(&format!("{}: warning: {warning}\n", file.display()));
                }
                print_all(settings.text)?;
            }
            Err(problems) => {
                print_to_stderr(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>());
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}

fn settings(file: &Path, node: Option<&str>, environment: &Environment) -> Result<Settings, Vec<String>> {
    let written = roles::read_file(file, "", environment)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    environment
        .with_surroundings(|surroundings| resolved(written, node, surroundings))
        .map_err(|message| vec![format!("{}: {message}", file.display())])
}

fn resolved(written: ConfigFile, node: Option<&str>, surroundings: &Surroundings<'_>) -> Result<Settings, String> {
    match written {
        ConfigFile::Master(written) => {
            let node = node.map(str::to_owned).or_else(|| written.names().first().cloned());
            let overrides = MasterOverrides { node, ..MasterOverrides::default() };
            let config = written.resolve(overrides, surroundings).map_err(|error| error.to_string())?;
            let warnings = config.without_effect().into_iter().chain(config.warnings.clone()).collect();
            Ok(Settings { text: config.settings_text(), warnings })
        }
        ConfigFile::Worker(written) => {
            let config =
                written.resolve(WorkerOverrides::default(), surroundings).map_err(|error| error.to_string())?;
            Ok(Settings { text: config.settings_text(), warnings: config.warnings })
        }
    }
}
