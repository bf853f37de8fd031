//! Masters and workers: which of them the process is, and what it runs by.

use std::path::{Path, PathBuf};

use akrida_core::limits::CONFIG_BYTES_MAX;

use super::checked::Log;
use super::environment::read_up_to;
use super::flags::Flags;
use super::flags::cluster::ClusterFlags;
use super::layers::{Effective, is_cluster_file};
use super::{Environment, Invocation, Origin, Problem, RunOptions};
use crate::config::logging::LoggingConfig;
use crate::config::master::resolve::MasterError;
use crate::config::written::{MasterFile, WorkerFile};
use crate::config::{self, ConfigFile, MasterConfig, MasterOverrides, WorkerConfig, WorkerOverrides};

/// A master to be.
#[derive(Clone, Debug, PartialEq)]
pub struct MasterRole {
    /// What it runs by.
    pub config: MasterConfig,
    /// The scenario that it brings, if the cluster has none: a file, or the name of the program that brings users.
    pub scenario: Option<PathBuf>,
    /// The run that it starts by itself, or what its web UI offers. The logging is that of the configuration.
    pub options: RunOptions,
}

/// A worker to be.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerRole {
    /// What it runs by.
    pub config: WorkerConfig,
    /// The name of the program, if it brings users that are code.
    pub scenario: Option<PathBuf>,
    /// How it makes load: event loops and connections. What a run is comes from the masters. The logging is that of
    /// the configuration.
    pub options: RunOptions,
}

/// What the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A run on one machine.
    Alone,
    Master,
    Worker,
}

impl Role {
    /// Stands for what cannot be told, so that other problems are found all the same: a master needs the fewest options.
    pub(super) const UNKNOWN: Self = Self::Master;
}

/// Options that only a master has.
const OF_MASTERS: [&str; 9] = [
    "node",
    "master-bind-host",
    "master-bind-port",
    "expect-workers",
    "expect-workers-max-wait",
    "web-host",
    "web-port",
    "web-base-path",
    "data-dir",
];

/// Options that only a worker has.
const OF_WORKERS: [&str; 4] = ["master-host", "master-port", "node-id", "worker-tags"];

/// Reads the configuration of masters or workers that `--config` names, if it names one.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn cluster_file(flags: &Flags, environment: &Environment) -> Result<Option<ConfigFile>, Vec<Problem>> {
    let Some(file) = flags.scenario.config.as_deref().filter(|file| is_cluster_file(file)) else { return Ok(None) };
    read_file(file, "config", environment).map(Some)
}

/// Reads a configuration file of masters or workers, which the option `option` names, or none if that is empty.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_file(file: &Path, option: &str, environment: &Environment) -> Result<ConfigFile, Vec<Problem>> {
    let problem =
        |message: String| vec![Problem::new(Origin::CommandLine, option, format!("{}: {message}", file.display()))];
    let bytes = read_up_to(&environment.current_dir.join(file), CONFIG_BYTES_MAX)
        .map_err(|error| problem(format!("cannot be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|_| problem("not valid UTF-8".to_owned()))?;
    let read = environment.with_surroundings(|surroundings| config::read(file, &text, surroundings));
    read.map_err(|problems| problems.into_iter().map(Problem::from).collect())
}

/// What the process is: what the stronger of the options says, or else the configuration file.
///
/// # Errors
/// If two equally strong ones disagree.
pub(super) fn decide(flags: &Flags, effective: &Effective, file: Option<&ConfigFile>) -> Result<Role, Problem> {
    let mut claims: Vec<(u8, Role, String)> = Vec::new();
    for (key, role, is_claimed) in
        [("master", Role::Master, flags.cluster.master), ("worker", Role::Worker, flags.cluster.worker)]
    {
        if is_claimed {
            claims.push((strength(&effective.origin(key)), role, format!("--{key}")));
        }
    }
    let name = flags.scenario.config.as_deref().unwrap_or(Path::new("")).display();
    match file {
        Some(ConfigFile::Master(_)) => claims.push((strength(&Origin::CommandLine), Role::Master, name.to_string())),
        Some(ConfigFile::Worker(_)) => claims.push((strength(&Origin::CommandLine), Role::Worker, name.to_string())),
        None => {}
    }
    let Some(strongest) = claims.iter().map(|claim| claim.0).max() else { return Ok(Role::Alone) };
    claims.retain(|claim| claim.0 == strongest);
    match &claims[..] {
        [(_, role, _), others @ ..] if others.iter().all(|other| other.1 == *role) => Ok(*role),
        [(_, Role::Master, master), .., (_, _, worker)] => Err(both(master, worker)),
        [(_, _, worker), .., (_, _, master)] => Err(both(master, worker)),
        _ => Ok(Role::Alone),
    }
}

fn both(master: &str, worker: &str) -> Problem {
    Problem::on_command_line(format!("{master} asks for a master and {worker} for a worker; allowed: one of them"))
}

/// How strong the layer is that something was set in.
fn strength(origin: &Origin) -> u8 {
    match origin {
        Origin::CommandLine => 3,
        Origin::Variable(name) if name.starts_with("AKRIDA_") => 2,
        Origin::Variable(_) => 1,
        Origin::File { .. } | Origin::Document { .. } => 0,
    }
}

/// The options that were given and mean nothing to this role.
pub(super) fn notices(role: Role, effective: &Effective) -> Vec<String> {
    let (without_effect, why): (Vec<&str>, &str) = match role {
        Role::Alone => ([&OF_MASTERS[..], &OF_WORKERS[..]].concat(), "without --master or --worker"),
        Role::Master => ([&OF_WORKERS[..], &["processes"]].concat(), "on a master"),
        Role::Worker => ([&OF_MASTERS[..], &["locustfile"]].concat(), "on a worker"),
    };
    let given = without_effect.into_iter().filter(|key| effective.is_set(key));
    given.map(|key| format!("--{key} has no effect {why}")).collect()
}

/// The role with what it runs by.
///
/// # Errors
/// If the configuration and the options do not make one.
pub(super) fn with_role(
    role: Role,
    file: Option<ConfigFile>,
    flags: &Flags,
    options: RunOptions,
    effective: &Effective,
    environment: &Environment,
) -> Result<Invocation, Problem> {
    let scenario = Some(options.scenario.clone()).filter(|scenario| !scenario.as_os_str().is_empty());
    environment.with_surroundings(|surroundings| match role {
        Role::Alone => Ok(Invocation::Run(Box::new(options))),
        Role::Master => {
            let file = match file {
                Some(ConfigFile::Master(file)) => *file,
                Some(ConfigFile::Worker(_)) | None => MasterFile::default(),
            };
            let config = file
                .resolve(master_overrides(flags), surroundings)
                .map_err(|error| master_problem(&error, effective))?;
            let options = RunOptions { log: log(&config.logging, flags), ..options };
            Ok(Invocation::Master(Box::new(MasterRole { config, scenario, options })))
        }
        Role::Worker => {
            let file = match file {
                Some(ConfigFile::Worker(file)) => *file,
                Some(ConfigFile::Master(_)) | None => WorkerFile::default(),
            };
            let config = file
                .resolve(worker_overrides(flags, effective), surroundings)
                .map_err(|error| Problem::on_command_line(error.to_string()))?;
            let options = RunOptions { log: log(&config.logging, flags), ..options };
            Ok(Invocation::Worker(Box::new(WorkerRole { config, scenario, options })))
        }
    })
}

fn log(logging: &LoggingConfig, flags: &Flags) -> Log {
    Log { config: logging.clone(), skip: flags.logging.skip_log_setup }
}

fn master_problem(error: &MasterError, effective: &Effective) -> Problem {
    let message = error.to_string();
    match error {
        MasterError::UnknownNode { .. } | MasterError::NodeNotNamed { .. } | MasterError::BadName { .. } => {
            Problem::new(effective.origin("node"), "node", message)
        }
        MasterError::PortTakenTwice { .. } => Problem::on_command_line(message),
    }
}

fn master_overrides(flags: &Flags) -> MasterOverrides {
    let ClusterFlags { node, master_bind_host, master_bind_port, web_host, web_port, web_base_path, data_dir, .. } =
        &flags.cluster;
    MasterOverrides {
        node: node.clone(),
        bind_host: master_bind_host.clone(),
        bind_port: *master_bind_port,
        web_host: web_host.clone(),
        web_port: *web_port,
        web_base_path: web_base_path.clone(),
        expect_workers: flags.cluster.expect_workers.and_then(|count| count.try_into().ok()),
        expect_wait: flags.cluster.expect_workers_max_wait,
        data_dir: data_dir.clone(),
        log_level: flags.logging.loglevel,
        log_file: flags.logging.logfile.clone(),
    }
}

fn worker_overrides(flags: &Flags, effective: &Effective) -> WorkerOverrides {
    let ClusterFlags { master_host, master_port, node_id, worker_tags, .. } = &flags.cluster;
    WorkerOverrides {
        masters: master_host.clone(),
        port: *master_port,
        node_id: node_id.clone(),
        tags: effective.is_set("worker-tags").then(|| worker_tags.clone()),
        log_level: flags.logging.loglevel,
        log_file: flags.logging.logfile.clone(),
    }
}
