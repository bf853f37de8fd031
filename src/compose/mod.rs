//! Puts the parts together: the only place in this crate that knows all of them.

mod check_command;
mod demo;
mod follow;
mod http_setup;
mod logging;
mod outputs;
mod preflight;
mod run_command;
mod scenario_file;
mod shutdown;
mod standalone;
mod target_command;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use crate::cli::{self, CliError, Environment, Exit, Invocation};
use crate::init;

/// Runs the program: parses its arguments, does what they ask for, and says how it ended.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let invocation = match cli::parse(arguments, &Environment::of_process()) {
        Ok(invocation) => invocation,
        Err(error) => return refused(&error),
    };
    match carry_out(invocation) {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("akrida: {error:#}");
            Exit::Usage.into()
        }
    }
}

fn refused(error: &CliError) -> ExitCode {
    match error.exit() {
        Exit::Passed => print_all(error.text()),
        Exit::Failed { .. } | Exit::Usage | Exit::Invalid => eprint!("{}", error.text()),
    }
    error.exit().into()
}

fn carry_out(invocation: Invocation) -> anyhow::Result<Exit> {
    match invocation {
        Invocation::Run(options) => return run_command::run(&options),
        Invocation::List(options) => print_all(scenario_file::list(&options)?),
        Invocation::TaskRatio { json, options } => print_all(scenario_file::task_ratio(&options, json)?),
        Invocation::Demo => return demo::run(),
        Invocation::Init { file } => {
            init::write(&file).with_context(|| format!("{} was not written", file.display()))?;
            print_all(format!("{} is written; run it with 'akrida -f {0}'\n", file.display()));
        }
        Invocation::Check { files } => return Ok(check_command::check(&files)),
        Invocation::Schema => print_all(akrida_core::scenario::schema::SCHEMA),
        Invocation::Target(arguments) => target_command::serve(&arguments)?,
        Invocation::Completions(shell) => print_all(cli::generate::completions(shell)),
        Invocation::Man => print_all(cli::generate::man_page()?),
    }
    Ok(Exit::Passed)
}

/// Prints to standard output. A reader that closes the pipe early has had enough: that is no error.
fn print_all(text: impl AsRef<[u8]>) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout.write_all(text.as_ref()).and_then(|()| stdout.flush()) {
        tracing::debug!(%error, "standard output is closed");
    }
}
