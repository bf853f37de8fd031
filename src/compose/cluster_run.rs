//! A run on a cluster, followed from here: the same outputs and exit codes as of a run on this machine.

use std::rc::Rc;
use std::sync::Arc;

use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::limits;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::scenario::model::Scenario;
use akrida_core::view::RunView;
use anyhow::anyhow;
use tokio::time::{Instant, sleep};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::follow::follow as follow_to_the_end;
use super::outputs::Outputs;
use super::run_command::{conclude, display};
use super::shutdown::Signals;
use super::{bundle_file, logging, print_to_stderr, run_spec};
use crate::api::{StartRun, WorkerStatus};
use crate::cli::{ClusterRun, Exit, ExpectedWorkers, RunOptions};
use crate::client::{ClientError, ClusterClient, Patience, follow};
use crate::live::LogLines;

/// Runs what the options ask for on a cluster.
pub(super) fn run(cluster: &ClusterRun, options: &RunOptions) -> anyhow::Result<Exit> {
    let bundle = Arc::new(bundle_file::pack(options)?);
    let scenario = run_spec::bundled(&bundle)?;
    logging::start(&options.log, BoxMakeWriter::new(LogLines))?;
    let warnings = run_spec::warnings(&scenario, options);
    warnings.iter().chain(&no_effect(options)).for_each(|warning| tracing::warn!("{warning}"));
    let start = StartRun {
        select_tags: cluster.select_workers.clone(),
        on_loss: cluster.on_loss,
        ..start_run(options, bundle)
    };
    let client = || Rc::new(ClusterClient::new(cluster.masters.clone(), Patience::default()));
    let ended = actix_rt::System::new().block_on(run_scenario(client(), &start, &scenario, options))?;
    Ok(ended.exit)
}

/// The run that the options ask for.
pub(super) fn start_run(options: &RunOptions, bundle: Arc<Bundle>) -> StartRun {
    StartRun {
        bundle: Some(bundle),
        users: options.users,
        spawn_rate_per_s: options.spawn_rate_per_s,
        run_time_ms: options.run_time.map(|time| time.as_millis() as u64),
        stop_timeout_ms: options.stop_timeout.as_millis() as u64,
        reset_stats: options.reset_stats,
        profile: options.profile.clone(),
        select_tags: Vec::new(),
        on_loss: None,
        strategy: None,
    }
}

/// How a run on a cluster ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What it means for the exit code.
    pub(super) exit: Exit,
    /// Its figures; `None` if it was not followed to its end.
    pub(super) view: Option<Arc<RunView>>,
}

impl Ended {
    fn without_result(exit: Exit) -> Self {
        Self { exit, view: None }
    }
}

/// Starts a run, follows it to its end, prints and writes the result. Needs a running actix system.
pub(super) async fn run_scenario(
    client: Rc<ClusterClient>,
    start: &StartRun,
    scenario: &Scenario,
    options: &RunOptions,
) -> anyhow::Result<Ended> {
    let mut outputs = Outputs::open(options)?;
    let mut signals = Signals::listen()?;
    if let Some(exit) = without_workers(&client, start, options, &mut signals).await {
        return Ok(Ended::without_result(exit));
    }
    let started = match started(&client, start, &mut signals).await {
        Ok(Some(started)) => started,
        Ok(None) => {
            print_to_stderr("akrida: left without knowing whether the run was started; 'akrida runs list' tells\n");
            return Ok(Ended::without_result(Exit::Failed { code: 1 }));
        }
        Err(error) => {
            print_to_stderr(&format!("akrida: the run was not started: {error}\n"));
            return Ok(Ended::without_result(exit_of(&error)));
        }
    };
    let run = started.run;
    tracing::info!(%run, "started on the cluster");
    let followed = follow(client, run);
    if started.is_unwanted {
        followed.order(Order::Stop).map_err(|error| anyhow!(error))?;
    }
    let display = display(options, followed.views())?;
    match follow_to_the_end(&followed, signals, &mut outputs, display).await {
        Ok(Some(view)) => {
            let exit = conclude(&view, scenario, &mut outputs, options)?;
            Ok(Ended { exit, view: Some(view) })
        }
        Ok(None) => {
            print_to_stderr(&format!("akrida: left; 'akrida runs stop {run}' stops the run if it still goes on\n"));
            Ok(Ended::without_result(Exit::Failed { code: 1 }))
        }
        Err(error) => {
            // The run is lost to us, or something is wrong on this side.
            let Some(reason) = followed.lost() else { return Err(error) };
            print_to_stderr(&format!("akrida: run {run} could not be followed to its end: {reason}\n"));
            Ok(Ended::without_result(Exit::Failed { code: 1 }))
        }
    }
}

/// Waits for as many workers as the options want; how the program ends if they do not come.
async fn without_workers(
    client: &ClusterClient,
    start: &StartRun,
    options: &RunOptions,
    signals: &mut Signals,
) -> Option<Exit> {
    let left = tokio::select! {
        left = await_workers(client, &start.select_tags, options.workers) => left,
        () = signals.next() => Err("left before the run was started".to_owned()),
    };
    let reason = left.err()?;
    print_to_stderr(&format!("akrida: the run was not started: {reason}\n"));
    Some(Exit::Failed { code: 1 })
}

/// Waits until so many workers with these tags are there. Without a word about it in the options, the cluster decides.
async fn await_workers(client: &ClusterClient, tags: &[String], wanted: ExpectedWorkers) -> Result<(), String> {
    if wanted == ExpectedWorkers::default() {
        return Ok(());
    }
    let (since, mut told) = (Instant::now(), None);
    let max_wait = wanted.max_wait.filter(|wait| !wait.is_zero());
    loop {
        let status = client.status().await.map_err(|error| error.to_string())?;
        let expected = wanted.count.unwrap_or(status.expected_workers);
        let is_ready = |worker: &&WorkerStatus| {
            !["missing", "quarantined"].contains(&worker.state.as_str())
                && tags.iter().all(|tag| worker.tags.contains(tag))
        };
        let there = status.workers.iter().filter(is_ready).count() as u64;
        if there >= expected {
            return Ok(());
        }
        if told.replace(there) != Some(there) {
            tracing::info!("waiting for workers to be ready, {there} of {expected} connected");
        }
        if max_wait.is_some_and(|most| since.elapsed() >= most) {
            return Err(format!("gave up waiting for workers to connect: {there} of {expected} did"));
        }
        sleep(limits::CLIENT_VIEW_EVERY).await;
    }
}

/// A run that was started.
struct StartedRun {
    run: RunId,
    /// Whether the operator has wished it to stop meanwhile.
    is_unwanted: bool,
}

/// Starts a run. Once that is under way nobody knows whether it was done, so a first signal is remembered until it is
/// known; a second one leaves at once (`None`).
async fn started(
    client: &ClusterClient,
    start: &StartRun,
    signals: &mut Signals,
) -> Result<Option<StartedRun>, ClientError> {
    let mut starting = std::pin::pin!(client.start(start));
    let mut is_unwanted = false;
    loop {
        tokio::select! {
            run = &mut starting => return Ok(Some(StartedRun { run: run?, is_unwanted })),
            () = signals.next() => {
                if is_unwanted {
                    return Ok(None);
                }
                is_unwanted = true;
                tracing::info!("stopping the run as soon as it is known; once more leaves at once");
            }
        }
    }
}

/// How the program ends when the cluster does not do what it was asked.
pub(super) fn exit_of(error: &ClientError) -> Exit {
    match error {
        ClientError::Refused { status: 400, .. } => Exit::Usage,
        _ => Exit::Failed { code: 1 },
    }
}

/// Options that are the workers' own.
fn no_effect(options: &RunOptions) -> Vec<String> {
    let given = [
        ("--insecure", options.tls.insecure),
        ("--cacert", options.tls.ca.is_some()),
        ("--client-cert", options.tls.client.is_some()),
        ("--allow-host", !options.allowed_hosts.is_empty()),
    ];
    let given = given.into_iter().filter(|(_, given)| *given);
    given.map(|(flag, _)| format!("no effect of {flag}: it is an option of each worker of the cluster")).collect()
}
