//! The strongest layer: what was typed.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::{Reading, Setting, SettingValue};
use crate::cli::option_table::{self, OptionKind, OptionSpec};
use crate::cli::{CliError, Origin, Problem, argument_text, command};

/// Unknown options that are reported; each costs a parse.
const UNKNOWN_OPTIONS_MAX: usize = 20;

/// Splits the command line into settings, by clap's rules but without looking at the values. Unknown options are
/// left out one by one, so that all of them are reported.
///
/// # Errors
/// Help and version, if they were asked for.
pub(super) fn read(mut arguments: Vec<OsString>) -> Result<Reading, CliError> {
    let mut problems = Vec::new();
    let untyped = command().mut_args(without_type);
    loop {
        let error = match untyped.clone().try_get_matches_from(&arguments) {
            Ok(matches) => return Ok(Reading { settings: settings(&matches), problems }),
            Err(error) => error,
        };
        match error.kind() {
            // The untyped command does not know the allowed values, which the help names.
            ErrorKind::DisplayHelp => return Err(CliError::of_answer(command().render_help().to_string())),
            ErrorKind::DisplayVersion => return Err(error.into()),
            _ => problems.push(Problem::on_command_line(argument_text::message_of(&error))),
        }
        match unknown_position(&error, &arguments) {
            Some(position) if problems.len() < UNKNOWN_OPTIONS_MAX => arguments.remove(position),
            _ => return Ok(Reading { settings: Vec::new(), problems }),
        };
    }
}

fn without_type(argument: Arg) -> Arg {
    if argument.get_action().takes_values() { argument.value_parser(ValueParser::os_string()) } else { argument }
}

/// The place of the option that clap does not know, if that is what it complains about.
fn unknown_position(error: &clap::Error, arguments: &[OsString]) -> Option<usize> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let name = argument_text::unknown_argument(error)?;
    arguments.iter().skip(1).position(|argument| names(&argument.to_string_lossy(), name)).map(|position| position + 1)
}

/// Whether an argument is the option `name`, with or without a value, alone or in a group of short options.
fn names(argument: &str, name: &str) -> bool {
    match (name.strip_prefix("--"), name.strip_prefix('-')) {
        (Some(_), _) => argument == name || argument.split_once('=').is_some_and(|(before, _)| before == name),
        (None, Some(short)) => argument.starts_with('-') && !argument.starts_with("--") && argument.contains(short),
        (None, None) => argument == name,
    }
}

fn settings(matches: &ArgMatches) -> Vec<Setting> {
    option_table::options().iter().filter_map(|option| setting(option, matches)).collect()
}

fn setting(option: &'static OptionSpec, matches: &ArgMatches) -> Option<Setting> {
    if matches.value_source(&option.id) != Some(ValueSource::CommandLine) {
        return None;
    }
    let value = match option.kind {
        OptionKind::Flag => SettingValue::Flag(matches.get_flag(&option.id)),
        OptionKind::Value | OptionKind::List => {
            SettingValue::Texts(matches.get_raw(&option.id)?.map(OsString::from).collect())
        }
    };
    Some(Setting { option, value, origin: Origin::CommandLine })
}
