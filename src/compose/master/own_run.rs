//! What a master does beside being one: it brings a scenario, and starts a run by itself and follows it to its end.

use std::sync::Arc;
use std::time::Duration;

use akrida_actors::coordinator::ViewReceiver;
use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::scenario::bundle::Bundle;
use akrida_core::scenario::model::Scenario;
use akrida_core::state::command::RunSpec;
use akrida_core::view::{RunView, Status};
use anyhow::Context;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::control::Control;
use super::intent::Intent;
use super::own_start::{Begun, Wish, begun};
use super::{distribution, farewell, offer};
use crate::cli::{Exit, MasterRole, RunOptions, StartMode};
use crate::compose::follow::{Display, follow};
use crate::compose::outputs::Outputs;
use crate::compose::run_command::{conclude, display};
use crate::compose::run_group::RunGroup;
use crate::compose::runnable::Origin;
use crate::compose::shutdown::Signals;
use crate::compose::{print_to_stderr, run_spec};
use crate::web::{ControlError, MasterControl};

/// What a master does beside being one.
pub(super) struct Part {
    options: RunOptions,
    is_alone: bool,
    bundle: Option<Arc<Bundle>>,
    own: Option<OwnRun>,
}

/// A run that the master starts by itself.
struct OwnRun {
    scenario: Arc<Scenario>,
    wish: Wish,
    outputs: Outputs,
    warnings: Vec<String>,
}

impl Part {
    /// What the options ask for. The scenario is read here, so that what is wrong with it is said before anything starts.
    pub(super) fn of(origin: &Origin, role: &MasterRole) -> anyhow::Result<Self> {
        let options = role.options.clone();
        let bundle = origin.bundle(&options)?;
        let own = match options.mode {
            StartMode::WebUi => None,
            StartMode::Headless | StartMode::Autostart { .. } => {
                let bundle = bundle.as_ref().context("no scenario to run: -f/--locustfile names none")?;
                Some(OwnRun::of(origin, role, bundle)?)
            }
        };
        Ok(Self { options, is_alone: role.config.is_alone(), bundle, own })
    }

    /// Does it, until the master is to end.
    pub(super) async fn play(&mut self, control: &Arc<Control>, signals: &mut Signals) -> anyhow::Result<Exit> {
        if let Some(bundle) = self.bundle.take() {
            actix_rt::spawn(offer::offer(bundle, self.is_alone, Arc::clone(control)));
        }
        let Some(own) = &mut self.own else {
            signals.next().await;
            return Ok(Exit::Passed);
        };
        let _intent = Intent::keep(own.wish.command, control);
        own.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
        let begun = tokio::select! {
            begun = begun(&own.wish, control) => begun,
            () = signals.next() => {
                print_to_stderr("akrida: left before the run was started\n");
                return Ok(Exit::Failed { code: 1 });
            }
        };
        let (exit, quits_after) = match begun {
            Begun::GivenUp(reason) => {
                print_to_stderr(&format!("akrida: the run was not started: {reason}\n"));
                (Exit::Failed { code: 1 }, None)
            }
            Begun::Run(run) => {
                let Some(view) = own.followed(run, control, signals, &self.options, self.is_alone).await? else {
                    return Ok(Exit::Failed { code: 1 });
                };
                if self.options.mode == StartMode::Headless {
                    farewell::dismiss(control).await;
                }
                let exit = conclude(&view, &own.scenario, &mut own.outputs, &self.options)?;
                (exit, autoquit(self.options.mode))
            }
        };
        let is_told = self.options.mode != StartMode::Headless && stays(quits_after, signals).await;
        if !is_told {
            farewell::farewell(control).await;
        }
        Ok(exit)
    }
}

/// With `--autostart`, the master stays after the run; whether it was a signal that ended that.
async fn stays(quits_after: Option<Duration>, signals: &mut Signals) -> bool {
    let over = async {
        match quits_after {
            Some(delay) => tokio::time::sleep(delay).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => false,
        () = signals.next() => true,
    }
}

fn autoquit(mode: StartMode) -> Option<Duration> {
    match mode {
        StartMode::Autostart { autoquit } => autoquit,
        StartMode::WebUi | StartMode::Headless => None,
    }
}

impl OwnRun {
    fn of(origin: &Origin, role: &MasterRole, bundle: &Arc<Bundle>) -> anyhow::Result<Self> {
        let (config, options) = (&role.config, &role.options);
        let scenario = origin.bundled(bundle)?;
        let asked = run_spec::asked_for(options)?.on_cluster(Arc::clone(bundle), distribution(config));
        let spec = run_spec::of(&scenario, &asked);
        let wish = Wish {
            command: fingerprint(&spec),
            spec,
            expect_workers: config.workers.expect_workers,
            max_wait: config.workers.expect_wait,
        };
        let warnings = run_spec::warnings(&scenario, options);
        Ok(Self { scenario, wish, outputs: Outputs::open(options)?, warnings })
    }

    /// Follows the run to its end; `None` if this master left before. The only master stops the run when it is told to
    /// end, as without a cluster; of several, one that is told to end leaves the run to the others.
    async fn followed(
        &mut self,
        run: RunId,
        control: &Arc<Control>,
        signals: &mut Signals,
        options: &RunOptions,
        is_alone: bool,
    ) -> anyhow::Result<Option<Arc<RunView>>> {
        let group = Followed::of(run, control);
        let display = display(options, group.views())?;
        let ended = if is_alone || matches!(display, Display::Live(..)) {
            let ended = follow(&group, Signals::listen()?, &mut self.outputs, display).await?;
            // Those that stopped the run do not end the master too.
            *signals = Signals::listen()?;
            ended
        } else {
            tokio::select! {
                ended = follow(&group, Signals::ignored(), &mut self.outputs, display) => ended?,
                () = signals.next() => None,
            }
        };
        if ended.is_none() {
            print_to_stderr(&format!("akrida: left; 'akrida runs stop {run}' stops the run if it still goes on\n"));
        }
        Ok(ended)
    }
}

/// A run, as the master has applied it.
struct Followed {
    control: Arc<Control>,
    views: ViewReceiver,
}

impl Followed {
    fn of(run: RunId, control: &Arc<Control>) -> Self {
        let (sender, views) = watch::channel(None);
        actix_rt::spawn(publish(run, Arc::clone(control), sender));
        Self { control: Arc::clone(control), views }
    }
}

impl RunGroup for Followed {
    fn views(&self) -> ViewReceiver {
        self.views.clone()
    }

    async fn order(&self, order: Order) -> anyhow::Result<Result<(), String>> {
        Ok(match self.control.order(order, None).await {
            Ok(_) => Ok(()),
            Err(ControlError::NotLeader) => Err("another master leads: 'akrida runs stop' stops the run".to_owned()),
            Err(error) => Err(error.to_string()),
        })
    }
}

/// Publishes the views of one run, to its last one, whatever other runs there are before and after it.
async fn publish(run: RunId, control: Arc<Control>, sender: watch::Sender<Option<Arc<RunView>>>) {
    let mut views = control.views();
    while !sender.is_closed() {
        let latest = views.borrow_and_update().clone();
        let view = match latest.filter(|view| view.run.id == run) {
            Some(view) => Some(view),
            None => control.run_view(run).await.ok().flatten(),
        };
        if let Some(view) = view {
            let has_ended = view.status == Status::Stopped;
            sender.send_replace(Some(view));
            if has_ended {
                return;
            }
        }
        if views.changed().await.is_err() {
            return;
        }
    }
}

/// The same for all masters that were told the same.
fn fingerprint(spec: &RunSpec) -> u64 {
    let bytes = rmp_serde::to_vec(spec).expect("writing to memory does not fail");
    let digest = Sha256::digest(bytes);
    u64::from_be_bytes(digest.first_chunk().copied().expect("a digest of 32 bytes"))
}
