//! The command line: what was typed, what was checked, and then what is run.
//!
//! [`parse`] is the only way in. It reads the layers of options ([`layers`]) into [`Flags`], which hold what was
//! asked for, and checks them into [`RunOptions`], which the rest of the program can rely on. It is a function of its
//! arguments, of an [`Environment`] and of the configuration files that lie there, so it can be tested without a
//! process.

mod argument_text;
pub mod checked;
mod cluster_args;
mod cluster_run;
pub mod environment;
mod error;
pub mod exit;
pub mod flags;
pub mod generate;
pub mod layers;
pub mod option_table;
mod problem;
mod span;
mod start_mode;
mod subcommand;
pub mod target_args;
mod values;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::FromArgMatches;

use crate::api::MasterAddress;

pub use checked::RunOptions;
use checked::Source;
pub use cluster_args::{ClusterCommand, ExportTo, MASTERS_VARIABLE, RunsCommand};
pub use cluster_run::ClusterRun;
pub use environment::Environment;
pub use error::CliError;
pub use exit::Exit;
pub use flags::{Flags, command};
pub use problem::{Origin, Problem};
pub use span::SPAN_MAX;
pub use start_mode::StartMode;
pub use target_args::TargetArgs;

use flags::CommandLine;
use layers::Reading;

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// Run a scenario.
    Run(Box<RunOptions>),
    /// Run one user and print all that it does.
    DebugUser {
        /// Whether secrets are printed too.
        secrets: bool,
        /// Which scenario and class, and how long.
        options: Box<RunOptions>,
    },
    /// Print the names of the user classes of a scenario.
    List(Box<RunOptions>),
    /// Print the shares of the tasks of a scenario.
    TaskRatio {
        /// As JSON instead of a table.
        json: bool,
        /// Which scenario, classes, tags and number of users.
        options: Box<RunOptions>,
    },
    /// Run a scenario on a cluster.
    RunOnCluster {
        /// Where, and on which workers.
        cluster: ClusterRun,
        /// The same as of a run on this machine.
        options: Box<RunOptions>,
    },
    /// Do something about the runs of a cluster.
    Runs {
        /// The masters; at least one.
        masters: Vec<MasterAddress>,
        /// What.
        command: RunsCommand,
    },
    /// Do something about a cluster.
    Cluster {
        /// The masters; at least one.
        masters: Vec<MasterAddress>,
        /// What.
        command: ClusterCommand,
    },
    /// Run the built-in demonstration.
    Demo,
    /// Write a first scenario.
    Init {
        /// The file to write, which must not exist.
        file: PathBuf,
    },
    /// Check scenario files without running them.
    Check {
        /// The files; at least one.
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of scenario files.
    Schema,
    /// Run the built-in target server.
    Target(TargetArgs),
    /// Print a completion script.
    Completions(clap_complete::Shell),
    /// Print the man page.
    Man,
}

/// Reads `arguments`, of which the first is the program's name, with the variables and files of `environment`.
///
/// A first argument that is the name of a subcommand is that subcommand, and neither variables nor files matter to
/// it. Everything else asks for a run.
///
/// # Errors
/// Help and version come as a [`CliError`] with exit code 0. Whatever is wrong comes as one error with exit code 2
/// that names all problems: of every layer, overridden ones included. Only what the options need of each other is left
/// out while an option is unknown or cannot be used, since the missing one may be it.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, environment: &Environment) -> Result<Invocation, CliError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if cluster_run::is_named_by(&arguments) {
        return cluster_run::parse(arguments, environment);
    }
    if subcommand::is_named_by(&arguments) {
        return subcommand::parse(arguments, environment);
    }
    parse_run(arguments, environment, &Source::File)
}

/// The same for a program that brings its own users: it has no subcommands and takes no scenario file, and its target
/// may speak any protocol.
///
/// # Errors
/// As [`parse`].
pub fn parse_for_program(
    arguments: impl IntoIterator<Item = OsString>,
    environment: &Environment,
) -> Result<Invocation, CliError> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let name = arguments.first().and_then(|program| Path::new(program).file_stem());
    let name = name.map_or_else(|| PathBuf::from("program"), PathBuf::from);
    parse_run(arguments, environment, &Source::Program(name))
}

fn parse_run(arguments: Vec<OsString>, environment: &Environment, source: &Source) -> Result<Invocation, CliError> {
    let Reading { settings, mut problems } = layers::read(arguments, environment)?;
    let all_names_are_known = problems.is_empty();
    let (settings, value_problems) = layers::with_valid_values(settings);
    let all_options_are_usable = value_problems.iter().all(|problem| flags::later::refusal(&problem.key).is_none());
    problems.extend(value_problems);
    let effective = layers::Effective::of(settings);
    let flags = match typed(effective.arguments()) {
        Ok(flags) => flags,
        Err(error) => {
            problems.push(Problem::on_command_line(argument_text::message_of(&error)));
            return Err(CliError::of_problems(&problems));
        }
    };
    match checked::check(&flags, &effective, environment, source) {
        Ok(options) if problems.is_empty() => Ok(asked_for(&flags, options)),
        Ok(_) => Err(CliError::of_problems(&problems)),
        Err(relations) => {
            if all_names_are_known && all_options_are_usable {
                problems.extend(relations);
            }
            Err(CliError::of_problems(&problems))
        }
    }
}

fn typed(arguments: Vec<OsString>) -> Result<Flags, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    CommandLine::from_arg_matches(&matches).map(|line| line.flags)
}

fn asked_for(flags: &Flags, options: RunOptions) -> Invocation {
    let options = Box::new(options);
    if flags.scenario.list {
        Invocation::List(options)
    } else if flags.scenario.show_task_ratio_json {
        Invocation::TaskRatio { json: true, options }
    } else if flags.scenario.show_task_ratio {
        Invocation::TaskRatio { json: false, options }
    } else if flags.scenario.debug_user {
        Invocation::DebugUser { secrets: flags.scenario.debug_secrets, options }
    } else {
        Invocation::Run(options)
    }
}
