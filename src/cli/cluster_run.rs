//! `akrida run`: the options of a run, and those of the cluster that it runs on.
//!
//! The options of a run come from the same layers as without a cluster. Those of the cluster are few, and are taken out
//! of the command line before.

use std::ffi::OsString;

use akrida_core::state::command::LossPolicy;
use clap::{CommandFactory, FromArgMatches};

use super::cluster_args::ClusterRunArgs;
use super::{CliError, Environment, Invocation, Problem, argument_text, checked, command, parse_run};
use crate::api::MasterAddress;

/// The name of the command.
const NAME: &str = "run";

/// Where and how a run uses a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterRun {
    /// The masters; at least one.
    pub masters: Vec<MasterAddress>,
    /// Only workers with all these tags take part; all if there are none.
    pub select_workers: Vec<String>,
    /// What happens when a worker is lost; as the masters are configured if `None`.
    pub on_loss: Option<LossPolicy>,
}

/// The options of the cluster alone.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "akrida run", disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    args: ClusterRunArgs,
}

/// Whether the first argument after the program's name is this command.
pub(super) fn is_named_by(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|first| first == NAME)
}

/// Reads a command line whose first argument is this command.
///
/// # Errors
/// Help, or all that is wrong.
pub(super) fn parse(arguments: Vec<OsString>, environment: &Environment) -> Result<Invocation, CliError> {
    if asks_for_help(&arguments) {
        command().try_get_matches_from(&arguments[..2]).map_err(CliError::from)?;
        let help = [arguments[0].clone(), NAME.into(), "--help".into()];
        command().try_get_matches_from(help).map_err(CliError::from)?;
    }
    let (own, rest) = split(arguments);
    let cluster = cluster_run(own, environment);
    match (cluster, parse_run(rest, environment, &checked::Source::File)) {
        (Ok(cluster), Ok(Invocation::Run(mut options))) => {
            // They are about the web UI of this process, which has none.
            options.notices.clear();
            Ok(Invocation::RunOnCluster { cluster, options })
        }
        (Ok(_), other) => other,
        (Err(problem), _) => Err(CliError::of_problems(&[problem])),
    }
}

fn asks_for_help(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "-h" || argument == "--help")
}

/// The options of the cluster, and all else; each with the program's name first.
fn split(arguments: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let line = Line::command();
    let names: Vec<String> =
        line.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}")).collect();
    let mut arguments = arguments.into_iter();
    let program = arguments.next().unwrap_or_default();
    let (mut own, mut rest) = (vec![program.clone()], vec![program]);
    // The name of the command is for nobody.
    let mut arguments = arguments.skip(1);
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy().into_owned();
        let name = text.split('=').next().unwrap_or_default();
        if text == "--" {
            rest.push(argument);
            rest.extend(arguments);
            break;
        }
        if names.iter().any(|known| known == name) {
            let has_value = text.contains('=');
            own.push(argument);
            own.extend(if has_value { None } else { arguments.next() });
        } else {
            rest.push(argument);
        }
    }
    (own, rest)
}

fn cluster_run(own: Vec<OsString>, environment: &Environment) -> Result<ClusterRun, Problem> {
    let problem = |message: String| Problem::on_command_line(message);
    let matches =
        Line::command().try_get_matches_from(own).map_err(|error| problem(argument_text::message_of(&error)))?;
    let line = Line::from_arg_matches(&matches).map_err(|error| problem(argument_text::message_of(&error)))?;
    let masters = line.args.masters.named(environment).map_err(problem)?;
    let masters = masters.ok_or_else(|| {
        problem("'akrida run' needs --masters or AKRIDA_MASTERS; without a cluster, leave 'run' out".to_owned())
    })?;
    let tags = line.args.select_workers;
    if tags.iter().any(String::is_empty) {
        return Err(problem("--select-workers: a tag is empty".to_owned()));
    }
    Ok(ClusterRun { masters, select_workers: tags, on_loss: line.args.on_worker_loss.map(LossPolicy::from) })
}
