//! The flags, as close to what was typed as the types allow: nothing is defaulted and nothing is judged against
//! anything else. The fields bear the names of the options.

pub mod cluster;
pub mod connection;
pub mod later;
pub mod load;
pub mod logging;
pub mod output;
pub mod scenario;

use std::path::PathBuf;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, CommandFactory};

use super::TargetArgs;
use super::cluster_args::{ClusterCommand, ClusterRunArgs, MastersArgs, RunsCommand};

/// The flags of a run, by topic.
#[derive(clap::Args, Clone, Debug)]
pub struct Flags {
    /// Which scenario, and which part of it.
    #[command(flatten)]
    pub scenario: scenario::ScenarioFlags,
    /// How much load for how long.
    #[command(flatten)]
    pub load: load::LoadFlags,
    /// How the target is reached.
    #[command(flatten)]
    pub connection: connection::ConnectionFlags,
    /// Masters and workers.
    #[command(flatten)]
    pub cluster: cluster::ClusterFlags,
    /// What is printed and written.
    #[command(flatten)]
    pub output: output::OutputFlags,
    /// What is logged.
    #[command(flatten)]
    pub logging: logging::LoggingFlags,
}

/// Load testing with Locust's workflow.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "akrida",
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    max_term_width = 120,
    after_help = "Options can also be given in files (~/.locust.conf, locust.conf, pyproject.toml, --config) and as \
                  LOCUST_* or AKRIDA_* variables, such as AKRIDA_SPAWN_RATE; the command line wins. A first argument \
                  that names a command is that command; after '--' it is a user class."
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) flags: Flags,
    #[command(subcommand)]
    pub(crate) command: Option<Subcommand>,
}

/// What stands beside the flags.
#[derive(clap::Subcommand, Clone, Debug)]
pub(crate) enum Subcommand {
    /// Run a scenario on a cluster, and show and judge it here
    Run {
        #[command(flatten)]
        cluster: ClusterRunArgs,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// List, show, compare, export or stop runs of a cluster
    Runs {
        #[command(flatten)]
        masters: MastersArgs,
        #[command(subcommand)]
        command: RunsCommand,
    },
    /// Look at a cluster, or change its masters
    Cluster {
        #[command(flatten)]
        masters: MastersArgs,
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Run a demonstration against a built-in target
    Demo,
    /// Write a commented first scenario
    Init {
        /// File to write; it must not exist
        #[arg(value_name = "FILE", default_value = super::checked::DEFAULT_SCENARIO)]
        file: PathBuf,
    },
    /// Check scenario files and show all that is wrong with them
    Check {
        /// Scenario files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Be a master of a cluster; takes the options of a run, as --master does
    #[command(disable_help_flag = true)]
    Master(RoleArguments),
    /// Be a worker of a cluster; takes the options of a run, as --worker does
    #[command(disable_help_flag = true)]
    Worker(RoleArguments),
    /// Check configuration files of masters and workers and print the settings that follow from them
    CheckConfig {
        /// Configuration files
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The master to print the settings of [default: the first]
        #[arg(long, value_name = "NAME")]
        node: Option<String>,
    },
    /// Print the JSON Schema of scenario files
    Schema,
    /// Run a target server for trying things out
    Target(TargetArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Print the man page
    Man,
}

/// What follows the name of a role: read as the options of a run.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct RoleArguments {
    /// Options of a run
    #[arg(value_name = "OPTION", allow_hyphen_values = true, trailing_var_arg = true)]
    pub(crate) options: Vec<std::ffi::OsString>,
}

/// The whole command line as clap knows it, with the options that are known but cannot be used.
#[must_use]
pub fn command() -> clap::Command {
    // One help for -h and --help: there is nothing longer to say.
    let help = Arg::new("help")
        .short('h')
        .long("help")
        .action(ArgAction::HelpShort)
        .help("Print help")
        .help_heading(Resettable::Reset)
        .global(true);
    CommandLine::command().disable_help_flag(true).arg(help).args(later::arguments())
}
