//! Puts the parts together: the only place in this crate that knows all of them.

mod app;
mod bundle_file;
mod check_command;
mod cluster_command;
mod cluster_run;
mod config_command;
mod debug_command;
mod demo;
mod follow;
mod http_setup;
mod link_security;
mod listings;
mod logging;
mod master;
mod monitoring;
mod outputs;
mod preflight;
mod restore_command;
mod run_command;
mod run_group;
mod run_spec;
mod runnable;
mod runs_command;
mod scenario_file;
mod shutdown;
mod standalone;
mod target_command;
mod web_documents;
pub mod web_parts;
mod worker_role;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::{self, CliError, Environment, Exit, Invocation};
use crate::init;

pub use app::App;
use runnable::Origin;

/// Runs the program: parses its arguments, does what they ask for, and says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match cli::parse(arguments, &Environment::of_process()) {
        Ok(invocation) => concluded_by(invocation, &Origin::File),
        Err(error) => refused(&error),
    }
}

fn concluded_by(invocation: Invocation, origin: &Origin) -> ExitCode {
    concluded(carry_out(invocation, origin))
}

fn refused(error: &CliError) -> ExitCode {
    if error.exit() == Exit::Passed {
        let printed = print_all(error.text()).map(|()| Exit::Passed);
        return concluded(printed);
    }
    print_to_stderr(error.text());
    error.exit().into()
}

fn concluded(exit: anyhow::Result<Exit>) -> ExitCode {
    let exit = exit.unwrap_or_else(|error| {
        print_to_stderr(&format!("akrida: {error:#}\n"));
        Exit::Usage
    });
    exit.into()
}

fn carry_out(invocation: Invocation, origin: &Origin) -> anyhow::Result<Exit> {
    match invocation {
        Invocation::Run(options) => return run_command::run(origin, &options),
        Invocation::Master(role) => return master::run(origin, &role),
        Invocation::Worker(role) => return worker_role::run(origin, &role),
        Invocation::DebugUser { secrets, options } => return debug_command::debug(origin, &options, secrets),
        Invocation::List(options) => print_all(listings::list(&origin.all(&options)?.scenario))?,
        Invocation::TaskRatio { json, options } => {
            print_all(listings::task_ratio(&origin.selected(&options)?.0.scenario, json))?;
        }
        Invocation::RunOnCluster { cluster, options } => return cluster_run::run(&cluster, &options),
        Invocation::Runs { masters, command } => return runs_command::carry_out(masters, &command),
        Invocation::Cluster { masters, command } => return cluster_command::carry_out(masters, command),
        Invocation::Demo => return demo::run(),
        Invocation::Init { file } => {
            init::write(&file).with_context(|| format!("{} was not written", file.display()))?;
            print_all(format!("{} is written; run it with 'akrida -f {0}'\n", file.display()))?;
        }
        Invocation::Check { files } => return check_command::check(&files),
        Invocation::CheckConfig { files, node } => return config_command::check(&files, node.as_deref()),
        Invocation::Schema => print_all(akrida_core::scenario::schema::SCHEMA)?,
        Invocation::Target(arguments) => target_command::serve(&arguments)?,
        Invocation::Completions(shell) => print_all(cli::generate::completions(shell))?,
        Invocation::Man => print_all(cli::generate::man_page()?)?,
    }
    Ok(Exit::Passed)
}

/// Prints to standard output. A reader that closes the pipe early has had enough: that is no error.
fn print_all(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to standard output"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints for whoever looks on. A terminal that is gone is no reason to end: there are files to write, and an exit code.
fn print_to_stderr(text: &str) {
    if let Err(error) = std::io::stderr().write_all(text.as_bytes()) {
        tracing::debug!(%error, "standard error is closed");
    }
}
