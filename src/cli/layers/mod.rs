//! The layers that options come from, from the weakest to the strongest: `~/.locust.conf`,
//! `pyproject.toml`, `locust.conf`, the `--config` file, `LOCUST_*` variables, `AKRIDA_*` variables, the command line.
//!
//! A stronger layer replaces the whole value of an option, lists included. Every layer ends as a list of [`Setting`]s
//! whose values are still text, and those of all layers are checked by the same value parsers.

mod command_line;
mod effective;
mod entry;
mod files;
mod key_value_file;
mod toml_file;
mod variables;

use std::ffi::OsString;

use super::option_table::OptionSpec;
use super::{CliError, Environment, Origin, Problem};

pub use effective::Effective;
pub(crate) use effective::with_valid_values;
pub(in crate::cli) use files::is_cluster_file;

/// An option as one layer sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The option.
    pub option: &'static OptionSpec,
    /// Its value.
    pub value: SettingValue,
    /// Where it was set.
    pub origin: Origin,
}

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    /// Of a flag.
    Flag(bool),
    /// Of an option with values: one, or those of a list.
    Texts(Vec<OsString>),
}

/// What was read.
pub(crate) struct Reading {
    /// What the layers set, from the weakest layer to the strongest.
    pub(crate) settings: Vec<Setting>,
    /// What could not be understood.
    pub(crate) problems: Vec<Problem>,
}

/// Reads all layers.
///
/// # Errors
/// Help and version, if they were asked for.
pub(crate) fn read(arguments: Vec<OsString>, environment: &Environment) -> Result<Reading, CliError> {
    let typed = command_line::read(arguments)?;
    let mut reading = files::read(&typed.settings, environment);
    for stronger in [variables::read(environment), typed] {
        reading.settings.extend(stronger.settings);
        reading.problems.extend(stronger.problems);
    }
    Ok(reading)
}
