//! A run on this machine, from the options to the exit code.

use std::sync::Arc;

use akrida_actors::engine::EngineOptions;
use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::plan::classes::{ClassSequence, ClassShare};
use akrida_core::plan::rate::SpawnRate;
use akrida_core::scenario::model::{LoadModel, Scenario};
use akrida_core::state::command::{Distribution, RunSpec};
use akrida_core::threshold::names::unknown_names;
use akrida_core::view::RunView;
use akrida_core::view::validity::Verdict;
use anyhow::Context;
use tokio::sync::mpsc;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::follow::{Display, follow};
use super::outputs::{self, Outputs};
use super::runnable::{Origin, Runnable};
use super::shutdown::Signals;
use super::standalone::Standalone;
use super::{http_setup, logging, preflight};
use crate::cli::{Exit, RunOptions, StartMode};
use crate::live::{LiveView, LogLines};

/// Keys that wait to be acted on.
const KEYS_WAITING_MAX: usize = 64;

/// Runs what the options ask for.
pub(super) fn run(origin: &Origin, options: &RunOptions) -> anyhow::Result<Exit> {
    let (runnable, without_tasks) = origin.selected(options)?;
    logging::start(&options.log, BoxMakeWriter::new(LogLines))?;
    options.notices.iter().for_each(|notice| tracing::info!("{notice}"));
    without_tasks.iter().for_each(|class| tracing::warn!(%class, "no task is left with these tags"));
    actix_rt::System::new().block_on(async {
        let Some(result) = run_scenario(&runnable, options).await? else { return Ok(Exit::Failed { code: 1 }) };
        stay(options).await?;
        Ok(result.exit)
    })
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct RunResult {
    /// Its figures.
    pub(super) view: Arc<RunView>,
    /// What they mean for the exit code.
    pub(super) exit: Exit,
}

/// Runs a scenario to its end, prints and writes the result; `None` if the operator left at once. Needs a running
/// actix system.
pub(super) async fn run_scenario(runnable: &Runnable, options: &RunOptions) -> anyhow::Result<Option<RunResult>> {
    let Runnable { scenario, natives } = runnable;
    let mut outputs = Outputs::open(options)?;
    let spec = spec(scenario, options)?;
    warn_of_limits(spec.plan.users_max());
    let engine = EngineOptions {
        http: http_setup::http_options(scenario, options).await?,
        scenario: Arc::clone(scenario),
        natives: Arc::clone(natives),
        arbiters: options.processes.get(),
        seed: fastrand::u64(..),
    };
    let group = Standalone::start(engine).await?;
    let display = display(options, &group)?;
    group.order(Order::Start(RunId(fastrand::u64(..)), Box::new(spec))).await??;
    let Some(view) = follow(&group, &mut outputs, display).await? else { return Ok(None) };
    let exit = conclude(&view, scenario, &mut outputs, options)?;
    Ok(Some(RunResult { view, exit }))
}

/// Prints and writes the result, and judges it.
fn conclude(view: &RunView, scenario: &Scenario, outputs: &mut Outputs, options: &RunOptions) -> anyhow::Result<Exit> {
    outputs::print_summary(view);
    outputs.finish(view, scenario, options)?;
    // A scenario that says what it is held to decides itself which failures matter.
    let failed = if view.thresholds.is_empty() {
        view.total.failures > 0
    } else {
        view.thresholds.iter().any(|threshold| !threshold.verdict.is_kept())
    };
    let failed = failed || !view.exceptions.is_empty();
    Ok(Exit::of_run(failed, view.validity.verdict == Verdict::Invalid, options))
}

/// With `--autostart`, the program stays after the run.
async fn stay(options: &RunOptions) -> anyhow::Result<()> {
    let StartMode::Autostart { autoquit } = options.mode else { return Ok(()) };
    let mut signals = Signals::listen()?;
    match autoquit {
        Some(delay) => tokio::select! {
            () = tokio::time::sleep(delay) => (),
            () = signals.next() => (),
        },
        None => signals.next().await,
    }
    Ok(())
}

fn display(options: &RunOptions, group: &Standalone) -> anyhow::Result<Display> {
    if options.console.only_summary {
        return Ok(Display::Nothing);
    }
    if LiveView::is_possible() && !options.outputs.json_stdout {
        let (keys, receiver) = mpsc::channel(KEYS_WAITING_MAX);
        return Ok(Display::Live(LiveView::start(group.views(), keys)?, receiver));
    }
    Ok(Display::Tables)
}

/// The run as the leader knows it.
fn spec(scenario: &Scenario, options: &RunOptions) -> anyhow::Result<RunSpec> {
    let rate = SpawnRate::per_second(options.spawn_rate_per_s).context("--spawn-rate is out of range")?;
    let shares: Vec<_> = scenario
        .classes
        .iter()
        .map(|class| ClassShare { fixed_count: class.fixed_count, weight_milli: class.weight_milli })
        .collect();
    let users = match ClassSequence::new(&shares).users_max() {
        Some(most) if most < options.users => {
            tracing::warn!(users = most, asked_for = options.users, "fixed counts allow fewer users");
            most
        }
        Some(_) | None => options.users,
    };
    if scenario.load.model != LoadModel::CommandLine && !options.load_flags.is_empty() {
        let flags = options.load_flags.join(" and ");
        tracing::warn!("no effect of {flags}: the scenario says itself how much load it makes");
    }
    for unknown in unknown_names(&scenario.thresholds, scenario) {
        tracing::warn!("{unknown}");
    }
    let run_time = [options.run_time, scenario.load.length()].into_iter().flatten().min();
    Ok(RunSpec {
        plan: scenario.load.plan(users, rate, options.run_time),
        run_time_ms: run_time.map(|run_time| run_time.as_millis() as u64),
        scenario: Arc::clone(&scenario.name),
        host: one_host(scenario),
        profile: options.profile.as_deref().map(Arc::from),
        classes: scenario.classes.iter().map(|class| Arc::clone(&class.name)).collect(),
        shares,
        stop_timeout_ms: options.stop_timeout.as_millis() as u64,
        reset_when_spawned: options.reset_stats,
        warm_up_ms: scenario.load.warm_up.as_millis() as u64,
        thresholds: scenario.thresholds.clone(),
        bundle: None,
        distribution: Distribution::default(),
    })
}

/// The host that all classes load, if it is one.
fn one_host(scenario: &Scenario) -> Option<Arc<str>> {
    let mut hosts = scenario.classes.iter().map(|class| class.host.as_ref().or(scenario.host.as_ref()));
    let first = hosts.next()??;
    hosts.all(|host| host == Some(first)).then(|| Arc::clone(first))
}

fn warn_of_limits(users: u64) {
    match preflight::raise_descriptor_limit() {
        Ok(descriptors) => preflight::warnings(users, descriptors, preflight::local_ports())
            .iter()
            .for_each(|warning| tracing::warn!("{warning}")),
        Err(error) => tracing::warn!(%error, "the limit of open files is not known"),
    }
}
