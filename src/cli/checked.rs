//! What was checked: options with all defaults filled in, that fit each other.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use akrida_actors::http::allowed_hosts::AllowedHost;

use super::flags::connection::{ConnectionFlags, DnsPolicy};
use super::flags::logging::LoggingFlags;
use super::flags::output::OutputFlags;
use super::layers::Effective;
use super::roles::{self, Role};
use super::start_mode::{self, StartMode};
use super::values::{PROCESSES_MAX, Processes};
use super::{Environment, Flags, Problem, subcommand, values};
use crate::config::logging::LoggingConfig;

/// The scenario that is run if none is named.
pub const DEFAULT_SCENARIO: &str = "akrida.yml";

/// All that a run needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// The scenario file, as it was named, or the name of the program that brings its own users. Empty for masters and
    /// workers that name none.
    pub scenario: PathBuf,
    /// The base URL of the target, if it is not the scenario's: `http` or `https` unless the program brings its own
    /// users.
    pub host: Option<String>,
    /// The peak number of users; at least 1.
    pub users: u64,
    /// Users started per second; finite and more than 0.
    pub spawn_rate_per_s: f64,
    /// Which of the options for users and their rate were given.
    pub load_flags: Vec<&'static str>,
    /// How long the run lasts, counted from its start; more than zero. `None` until it is stopped.
    pub run_time: Option<Duration>,
    /// How long running tasks may take to end when the run stops.
    pub stop_timeout: Duration,
    /// What happens around the run.
    pub mode: StartMode,
    /// What to tell the user before the run.
    pub notices: Vec<String>,
    /// What is written.
    pub outputs: Outputs,
    /// What is printed while the run lasts.
    pub console: Console,
    /// Run only tasks with one of these tags; all if there are none.
    pub tags: Vec<String>,
    /// Leave out tasks with one of these tags.
    pub exclude_tags: Vec<String>,
    /// The user classes to run; all if there are none.
    pub user_classes: Vec<String>,
    /// Ignore the weights of user classes and tasks.
    pub equal_weights: bool,
    /// Reset the statistics when all users have started.
    pub reset_stats: bool,
    /// The number of arbiters that run users.
    pub processes: NonZeroUsize,
    /// The workers that a run waits for. A master has that in its configuration too.
    pub workers: ExpectedWorkers,
    /// The label of the run.
    pub profile: Option<String>,
    /// The exit code of a run with failures, from 0 to 255.
    pub exit_code_on_error: i32,
    /// Whether an INVALID measurement has an exit code of its own.
    pub fail_on_invalid: bool,
    /// How certificates are judged and shown.
    pub tls: Tls,
    /// When names are resolved.
    pub dns: DnsPolicy,
    /// The hosts that requests may go to; any if there are none.
    pub allowed_hosts: Vec<AllowedHost>,
    /// What is logged.
    pub log: Log,
}

/// The workers that a run waits for, as far as the options say so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpectedWorkers {
    /// How many.
    pub count: Option<u64>,
    /// How long it waits for them; zero without end.
    pub max_wait: Option<Duration>,
}

/// What is written when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// The start of the names of the CSV files.
    pub csv_prefix: Option<PathBuf>,
    /// Whether the history holds each entry; only with a prefix.
    pub csv_full_history: bool,
    /// The HTML report.
    pub html: Option<PathBuf>,
    /// Whether the final statistics go to standard output as JSON.
    pub json_stdout: bool,
    /// The file for the final statistics as JSON.
    pub json_file: Option<PathBuf>,
    /// The file for the summary as JSON.
    pub summary_json: Option<PathBuf>,
}

/// What is printed while the run lasts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Console {
    /// Nothing until the end.
    pub only_summary: bool,
    /// The table from time to time also beside the web UI.
    pub print_stats: bool,
}

/// How certificates are judged and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Accept any certificate.
    pub insecure: bool,
    /// A PEM file with a further certificate authority.
    pub ca: Option<PathBuf>,
    /// Our own certificate.
    pub client: Option<ClientCertificate>,
}

/// The certificate that the target may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The PEM file with the certificate chain.
    pub certificate: PathBuf,
    /// The PEM file with its key.
    pub key: PathBuf,
}

/// What is logged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// How and where to.
    pub config: LoggingConfig,
    /// Leave logging alone.
    pub skip: bool,
}

/// Where the scenario of a run comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file.
    File,
    /// The program of this name, which brings its users.
    Program(PathBuf),
}

/// Fills in the defaults and checks the options against each other.
///
/// # Errors
/// All that does not fit, each with the place where the option was set.
pub(super) fn check(
    flags: &Flags,
    effective: &Effective,
    environment: &Environment,
    source: &Source,
    role: Role,
) -> Result<RunOptions, Vec<Problem>> {
    let mut problems = unmet_needs(flags, effective);
    let scenario = match source {
        Source::File => scenario(flags, environment, role),
        Source::Program(name) => program(name, flags, effective),
    };
    let scenario = scenario.unwrap_or_else(|problem| {
        problems.push(problem);
        PathBuf::new()
    });
    if matches!(source, Source::File) {
        let refused = flags.load.host.as_deref().and_then(|host| values::http_host(host).err());
        problems.extend(refused.map(|message| Problem::new(effective.origin("host"), "host", message)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let Flags { scenario: selection, load, connection, cluster, output, logging } = flags;
    let (mode, notice) = start_mode::decide(load, role == Role::Master);
    // What starts and how is up to the masters.
    let notice = notice.filter(|_| role != Role::Worker);
    let (users, spawn_rate_per_s) = (load.users.unwrap_or(1), load.spawn_rate.unwrap_or(1.0));
    Ok(RunOptions {
        scenario,
        host: load.host.clone(),
        users,
        spawn_rate_per_s,
        load_flags: [("--users", load.users.is_some()), ("--spawn-rate", load.spawn_rate.is_some())]
            .into_iter()
            .filter_map(|(flag, given)| given.then_some(flag))
            .collect(),
        run_time: load.run_time,
        stop_timeout: load.stop_timeout.unwrap_or_default(),
        mode,
        notices: notice.into_iter().map(str::to_owned).chain(roles::notices(role, effective)).collect(),
        outputs: outputs(output, users, spawn_rate_per_s, load.run_time),
        console: Console { only_summary: output.only_summary, print_stats: output.print_stats },
        tags: selection.tags.clone(),
        exclude_tags: selection.exclude_tags.clone(),
        user_classes: selection.user_classes.clone(),
        equal_weights: selection.equal_weights,
        reset_stats: load.reset_stats,
        processes: processes(load.processes.unwrap_or(Processes::Cores), environment),
        workers: ExpectedWorkers { count: cluster.expect_workers, max_wait: cluster.expect_workers_max_wait },
        profile: output.profile.clone(),
        exit_code_on_error: load.exit_code_on_error.unwrap_or(1),
        fail_on_invalid: load.fail_on_invalid,
        tls: tls(connection),
        dns: connection.dns.unwrap_or_default(),
        allowed_hosts: connection.allow_host.clone(),
        log: log(logging),
    })
}

/// The options that were given without the option that they need.
fn unmet_needs(flags: &Flags, effective: &Effective) -> Vec<Problem> {
    let Flags { load, connection, output, .. } = flags;
    let autoquits = matches!(load.autoquit, Some(super::values::Autoquit::After(_)));
    [
        ("csv-full-history", output.csv_full_history, "csv", output.csv.is_some()),
        ("debug-secrets", flags.scenario.debug_secrets, "debug-user", flags.scenario.debug_user),
        ("autoquit", autoquits, "autostart", load.autostart),
        ("client-cert", connection.client_cert.is_some(), "client-key", connection.client_key.is_some()),
        ("client-key", connection.client_key.is_some(), "client-cert", connection.client_cert.is_some()),
    ]
    .into_iter()
    .filter(|(_, given, _, met)| *given && !met)
    .map(|(key, _, needed, _)| Problem::new(effective.origin(key), key, format!("needs --{needed}")))
    .collect()
}

fn scenario(flags: &Flags, environment: &Environment, role: Role) -> Result<PathBuf, Problem> {
    if role == Role::Worker {
        return Ok(PathBuf::new());
    }
    if let Some(named) = &flags.scenario.locustfile {
        return Ok(named.clone());
    }
    if environment.current_dir.join(DEFAULT_SCENARIO).is_file() {
        return Ok(PathBuf::from(DEFAULT_SCENARIO));
    }
    if role == Role::Master {
        return Ok(PathBuf::new());
    }
    let meant = flags.scenario.user_classes.first().and_then(|class| subcommand::meant_by(class));
    Err(Problem::on_command_line(match meant {
        Some(name) => format!("no scenario to run; did you mean the command 'akrida {name}'? Commands come first"),
        None => format!(
            "no scenario to run: -f/--locustfile names none, and there is no {DEFAULT_SCENARIO} here; \
             'akrida init' writes one"
        ),
    }))
}

/// The name of a program stands for a scenario file.
fn program(name: &Path, flags: &Flags, effective: &Effective) -> Result<PathBuf, Problem> {
    if flags.scenario.locustfile.is_none() {
        return Ok(name.to_owned());
    }
    let message = "this program brings its own users; a scenario file is run by 'akrida -f FILE'";
    Err(Problem::new(effective.origin("locustfile"), "locustfile", message))
}

fn processes(asked_for: Processes, environment: &Environment) -> NonZeroUsize {
    let max = NonZeroUsize::new(PROCESSES_MAX).unwrap_or(NonZeroUsize::MIN);
    match asked_for {
        Processes::Cores => environment.cores.min(max),
        Processes::Count(count) => count,
    }
}

fn outputs(output: &OutputFlags, users: u64, spawn_rate_per_s: f64, run_time: Option<Duration>) -> Outputs {
    let html = output.html.as_ref().map(|template| {
        let name = template.replace("{u}", &users.to_string()).replace("{r}", &spawn_rate_per_s.to_string());
        match run_time {
            Some(span) => name.replace("{t}", &span.as_secs_f64().to_string()),
            None => name,
        }
    });
    Outputs {
        csv_prefix: output.csv.clone(),
        csv_full_history: output.csv_full_history,
        html: html.map(PathBuf::from),
        json_stdout: output.json,
        json_file: output.json_file.clone().map(with_json_extension),
        summary_json: output.summary_json.clone(),
    }
}

/// `NAME.json` for `NAME`, also if it has a dot in it; `NAME.json` stays as it is.
fn with_json_extension(name: PathBuf) -> PathBuf {
    if name.extension().is_some_and(|extension| extension == "json") {
        return name;
    }
    let mut name = OsString::from(name);
    name.push(".json");
    PathBuf::from(name)
}

fn tls(connection: &ConnectionFlags) -> Tls {
    let client = connection.client_cert.clone().zip(connection.client_key.clone());
    Tls {
        insecure: connection.insecure,
        ca: connection.cacert.clone(),
        client: client.map(|(certificate, key)| ClientCertificate { certificate, key }),
    }
}

fn log(logging: &LoggingFlags) -> Log {
    let (level, file) = (logging.loglevel.unwrap_or_default(), logging.logfile.clone());
    Log { config: LoggingConfig { level, file, ..LoggingConfig::default() }, skip: logging.skip_log_setup }
}
