//! A run on this machine, from the options to the exit code.

use std::sync::Arc;

use akrida_actors::coordinator::ViewReceiver;
use akrida_actors::engine::{EngineOptions, RowOrigin};
use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::scenario::model::Scenario;
use akrida_core::state::command::StopReason;
use akrida_core::view::RunView;
use akrida_core::view::validity::Verdict;
use tokio::sync::mpsc;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::follow::{Display, follow};
use super::outputs::{self, Outputs};
use super::runnable::{Origin, Runnable};
use super::shutdown::Signals;
use super::standalone::Standalone;
use super::{http_setup, logging, preflight, print_to_stderr, run_spec};
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
        let Some(exit) = run_scenario(&runnable, options).await? else { return Ok(Exit::Failed { code: 1 }) };
        stay(options).await?;
        Ok(exit)
    })
}

/// Runs a scenario to its end, prints, writes and judges the result; `None` if the operator left at once. Needs a running
/// actix system.
async fn run_scenario(runnable: &Runnable, options: &RunOptions) -> anyhow::Result<Option<Exit>> {
    let Runnable { scenario, natives } = runnable;
    let mut outputs = Outputs::open(options)?;
    let spec = run_spec::of(scenario, &run_spec::asked_for(options)?);
    run_spec::warnings(scenario, options).iter().for_each(|warning| tracing::warn!("{warning}"));
    warn_of_limits(spec.plan.users_max());
    let engine = EngineOptions {
        http: http_setup::http_options(scenario, options).await?,
        scenario: Some(Arc::clone(scenario)),
        natives: Arc::clone(natives),
        arbiters: options.processes.get(),
        seed: fastrand::u64(..),
        compile: None,
        row_origin: RowOrigin::Own,
    };
    let group = Standalone::start(engine).await?;
    let display = display(options, group.views())?;
    group.order(Order::Start(RunId(fastrand::u64(..)), Box::new(spec))).await??;
    let Some(view) = follow(&group, Signals::listen()?, &mut outputs, display).await? else { return Ok(None) };
    conclude(&view, scenario, &mut outputs, options).map(Some)
}

/// Prints and writes the result, and judges it.
pub(super) fn conclude(
    view: &RunView,
    scenario: &Scenario,
    outputs: &mut Outputs,
    options: &RunOptions,
) -> anyhow::Result<Exit> {
    outputs::print_summary(view);
    outputs.finish(view, scenario, options)?;
    if let Some(reason) = without_workers(view) {
        print_to_stderr(&format!("akrida: {reason}\n"));
        return Ok(Exit::Failed { code: 1 });
    }
    // A scenario that says what it is held to decides itself which failures matter.
    let failed = if view.thresholds.is_empty() {
        view.total.failures > 0
    } else {
        view.thresholds.iter().any(|threshold| !threshold.verdict.is_kept())
    };
    // Nobody did what was asked for to its end.
    let is_cut = matches!(view.run.stop_reason, Some(StopReason::NoWorkerReady | StopReason::WorkerLost));
    let failed = failed || is_cut || !view.exceptions.is_empty();
    Ok(Exit::of_run(failed, view.validity.verdict == Verdict::Invalid, options))
}

/// Why a run ended that no worker was left for.
fn without_workers(view: &RunView) -> Option<String> {
    match view.run.stop_reason? {
        StopReason::NoWorkerReady => {
            let left_out = view.incidents.excluded_workers.iter();
            let reasons: Vec<_> = left_out.map(|(worker, reason)| format!("{worker}: {reason}")).collect();
            Some(format!("the run was not started, since no worker could prepare it: {}", reasons.join("; ")))
        }
        StopReason::WorkerLost => Some("the run was ended by the loss of a worker".to_owned()),
        _ => None,
    }
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

/// How the run is shown while it lasts.
pub(super) fn display(options: &RunOptions, views: ViewReceiver) -> anyhow::Result<Display> {
    if options.console.only_summary {
        return Ok(Display::Nothing);
    }
    if LiveView::is_possible() && !options.outputs.json_stdout {
        let (keys, receiver) = mpsc::channel(KEYS_WAITING_MAX);
        return Ok(Display::Live(LiveView::start(views, keys)?, receiver));
    }
    Ok(Display::Tables)
}

fn warn_of_limits(users: u64) {
    match preflight::raise_descriptor_limit() {
        Ok(descriptors) => preflight::warnings(users, descriptors, preflight::local_ports())
            .iter()
            .for_each(|warning| tracing::warn!("{warning}")),
        Err(error) => tracing::warn!(%error, "the limit of open files is not known"),
    }
}
