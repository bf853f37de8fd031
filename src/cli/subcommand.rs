//! The commands beside the flags.

use std::ffi::OsString;

use clap::FromArgMatches;

use super::flags::{CommandLine, Subcommand};
use super::{CliError, Environment, Invocation, Problem, command};

/// Wrong, missing, added or swapped letters that a name is still recognised with.
const MISTAKES_MAX: usize = 1;

/// Whether the first argument after the program's name is that of a subcommand.
pub(super) fn is_named_by(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|first| first == "help" || command().find_subcommand(first).is_some())
}

/// The subcommand that a word without any other meaning may have been meant to be.
pub(super) fn meant_by(word: &str) -> Option<String> {
    command()
        .get_subcommands()
        .map(|subcommand| subcommand.get_name().to_owned())
        .find(|name| strsim::damerau_levenshtein(name, word) <= MISTAKES_MAX)
}

/// `akrida master ...` as the same with `--master`, and so for workers; `None` if the command line begins with no role.
/// What follows `help` or stands before it is not looked at.
pub(super) fn with_role_as_option(arguments: &[OsString]) -> Option<Vec<OsString>> {
    let option = match arguments.get(1)?.to_str()? {
        "master" => "--master",
        "worker" => "--worker",
        _ => return None,
    };
    let mut arguments = arguments.to_vec();
    arguments[1] = option.into();
    Some(arguments)
}

/// Reads a command line whose first argument is a subcommand.
///
/// # Errors
/// Help, or what clap has against it.
pub(super) fn parse(arguments: Vec<OsString>, environment: &Environment) -> Result<Invocation, CliError> {
    if arguments.len() == 2 && arguments[1] == "help" {
        return Err(CliError::of_answer(command().render_help().to_string()));
    }
    let matches = command().try_get_matches_from(arguments)?;
    match CommandLine::from_arg_matches(&matches)?.command {
        Some(Subcommand::Runs { masters, command }) => {
            Ok(Invocation::Runs { masters: masters.named_or_local(environment).map_err(on_command_line)?, command })
        }
        Some(Subcommand::Cluster { masters, command }) => {
            Ok(Invocation::Cluster { masters: masters.named_or_local(environment).map_err(on_command_line)?, command })
        }
        Some(Subcommand::Demo) => Ok(Invocation::Demo),
        Some(Subcommand::Init { file }) => Ok(Invocation::Init { file }),
        Some(Subcommand::Check { files }) => Ok(Invocation::Check { files }),
        Some(Subcommand::CheckConfig { files, node }) => Ok(Invocation::CheckConfig { files, node }),
        Some(Subcommand::Schema) => Ok(Invocation::Schema),
        Some(Subcommand::Target(arguments)) => Ok(Invocation::Target(arguments)),
        Some(Subcommand::Completions { shell }) => Ok(Invocation::Completions(shell)),
        Some(Subcommand::Man) => Ok(Invocation::Man),
        Some(Subcommand::Run { .. } | Subcommand::Master(_) | Subcommand::Worker(_)) | None => {
            Err(on_command_line("no command was named".to_owned()))
        }
    }
}

fn on_command_line(message: String) -> CliError {
    CliError::of_problems(&[Problem::on_command_line(message)])
}
