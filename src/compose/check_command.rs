//! `akrida check`: all problems of all files at once.

use std::path::PathBuf;

use akrida_core::threshold::names::unknown_names;

use super::{print_all, print_to_stderr, scenario_file};
use crate::cli::Exit;

/// Checks files: a line for each good one on standard output, a line for each problem on standard error.
pub(super) fn check(files: &[PathBuf]) -> anyhow::Result<Exit> {
    let mut exit = Exit::Passed;
    for file in files {
        match scenario_file::read(file) {
            Ok(scenario) => {
                let names: Vec<_> = scenario.classes.iter().map(|class| &*class.name).collect();
                print_all(format!("{}: good, user classes {}\n", file.display(), names.join(", ")))?;
                for unknown in unknown_names(&scenario.thresholds, &scenario) {
                    eprintln!("{}: warning: {unknown}", file.display());
                }
            }
            Err(error) => {
                print_to_stderr(&format!("{error}\n"));
                exit = Exit::Usage;
            }
        }
    }
    Ok(exit)
}
