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
pub mod roles;
mod span;
mod start_mode;
mod subcommand;
pub mod target_args;
mod values;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::FromArgMatches;

use crate::api::MasterAddress;

use checked::Source;
pub use checked::{ExpectedWorkers, RunOptions};
pub use cluster_args::{ClusterCommand, ExportTo, MASTERS_VARIABLE, RestoreArgs, RunsCommand};
pub use cluster_run::ClusterRun;
pub use environment::Environment;
pub use error::CliError;
pub use exit::Exit;
pub use flags::{Flags, command};
pub use problem::{Origin, Problem};
pub use roles::{MasterRole, WorkerRole};
pub use span::SPAN_MAX;
pub use start_mode::StartMode;
pub use target_args::TargetArgs;

use crate::config::ConfigFile;
use flags::CommandLine;
use layers::{Effective, Reading};
use roles::Role;

/// What the program was asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// Run a scenario.
    Run(Box<RunOptions>),
    /// Be a master.
    Master(Box<MasterRole>),
    /// Be a worker.
    Worker(Box<WorkerRole>),
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
    /// Check configuration files of masters and workers and print the settings that follow from them.
    CheckConfig {
        /// The files; at least one.
        files: Vec<PathBuf>,
        /// The master whose settings are meant; the first one if `None`.
        node: Option<String>,
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
    if let Some(arguments) = subcommand::with_role_as_option(&arguments) {
        return parse_run(arguments, environment, &Source::File);
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
    if subcommand::is_named_by(&arguments) && arguments.get(1).is_some_and(|first| first != "help") {
        let word = arguments[1].to_string_lossy();
        return Err(CliError::of_problems(&[Problem::on_command_line(format!(
            "'{word}' is a command of akrida, and this program has none; a user class of that name comes after '--'"
        ))]));
    }
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
    let effective = Effective::of(settings);
    let flags = match typed(effective.arguments()) {
        Ok(flags) => flags,
        Err(error) => {
            problems.push(Problem::on_command_line(argument_text::message_of(&error)));
            return Err(CliError::of_problems(&problems));
        }
    };
    let file = roles::cluster_file(&flags, environment);
    let role = role(&flags, &effective, &file);
    let file = file.unwrap_or_else(|of_file| {
        problems.extend(of_file);
        None
    });
    let role = role.unwrap_or_else(|problem| {
        problems.push(problem);
        Role::UNKNOWN
    });
    match checked::check(&flags, &effective, environment, source, role) {
        Ok(options) if problems.is_empty() => asked_for(role, file, &flags, options, &effective, environment)
            .map_err(|problem| CliError::of_problems(&[problem])),
        Ok(_) => Err(CliError::of_problems(&problems)),
        Err(relations) => {
            if all_names_are_known && all_options_are_usable {
                problems.extend(relations);
            }
            Err(CliError::of_problems(&problems))
        }
    }
}

/// What the process is. Questions about a scenario are answered by any.
fn role(
    flags: &Flags,
    effective: &Effective,
    file: &Result<Option<ConfigFile>, Vec<Problem>>,
) -> Result<Role, Problem> {
    let asks = &flags.scenario;
    if asks.list || asks.show_task_ratio || asks.show_task_ratio_json || asks.debug_user {
        return Ok(Role::Alone);
    }
    match file {
        Ok(file) => roles::decide(flags, effective, file.as_ref()),
        Err(_) => Ok(Role::UNKNOWN),
    }
}

fn typed(arguments: Vec<OsString>) -> Result<Flags, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    CommandLine::from_arg_matches(&matches).map(|line| line.flags)
}

fn asked_for(
    role: Role,
    file: Option<ConfigFile>,
    flags: &Flags,
    options: RunOptions,
    effective: &Effective,
    environment: &Environment,
) -> Result<Invocation, Problem> {
    let boxed = |options| Box::new(options);
    if flags.scenario.list {
        Ok(Invocation::List(boxed(options)))
    } else if flags.scenario.show_task_ratio_json {
        Ok(Invocation::TaskRatio { json: true, options: boxed(options) })
    } else if flags.scenario.show_task_ratio {
        Ok(Invocation::TaskRatio { json: false, options: boxed(options) })
    } else if flags.scenario.debug_user {
        Ok(Invocation::DebugUser { secrets: flags.scenario.debug_secrets, options: boxed(options) })
    } else {
        roles::with_role(role, file, flags, options, effective, environment)
    }
}
