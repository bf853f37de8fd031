//! Follows a run from its start to its end: prints, writes, and passes on what the operator wants.

use std::sync::Arc;
use std::time::Duration;

use akrida_actors::coordinator::ViewReceiver;
use akrida_core::coordinator::Order;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::view::{RunView, Status};
use anyhow::Context;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::outputs::{self, Outputs};
use super::run_group::RunGroup;
use super::shutdown::Signals;
use crate::live::{KeyAction, LiveView, edit_of};

/// How often the table is printed, as in Locust.
const TABLE_EVERY: Duration = Duration::from_secs(2);

/// How often the growing files are brought up to date.
const FILES_EVERY: Duration = Duration::from_secs(1);

/// How a run is shown while it lasts.
#[derive(Debug)]
pub(super) enum Display {
    /// A live view on the terminal.
    Live(LiveView, mpsc::Receiver<KeyAction>),
    /// A table every two seconds.
    Tables,
    /// Nothing.
    Nothing,
}

/// What an operator wants.
enum Wish {
    Stop,
    LeaveAtOnce,
    AddUsers(i64),
}

/// Follows the active run until it has ended, or until the operator leaves at once (`None`). Signals are wishes of the
/// operator.
pub(super) async fn follow(
    group: &impl RunGroup,
    mut signals: Signals,
    outputs: &mut Outputs,
    mut display: Display,
) -> anyhow::Result<Option<Arc<RunView>>> {
    let mut views = group.views();
    let (mut table, mut files) = (interval(TABLE_EVERY), interval(FILES_EVERY));
    table.set_missed_tick_behavior(MissedTickBehavior::Skip);
    files.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            view = ended(&mut views) => break Some(view?),
            _ = files.tick() => latest(&views).iter().for_each(|view| outputs.update(view)),
            _ = table.tick(), if matches!(display, Display::Tables) => {
                latest(&views).iter().for_each(|view| outputs::print_progress(view));
            }
            wish = next_wish(&mut signals, &mut display) => match wish {
                Wish::LeaveAtOnce => break None,
                Wish::Stop if stopping => break None,
                Wish::Stop => {
                    stopping = true;
                    tracing::info!("stopping the run; once more leaves at once");
                    give(group, Order::Stop).await?;
                }
                Wish::AddUsers(delta) => add_users(group, &views, delta).await?,
            },
        }
    };
    if let Display::Live(live, _) = display {
        live.finish();
    }
    Ok(ended)
}

async fn ended(views: &mut ViewReceiver) -> anyhow::Result<Arc<RunView>> {
    let is_over = |view: &Option<Arc<RunView>>| view.as_ref().is_some_and(|view| view.status == Status::Stopped);
    let view = views.wait_for(is_over).await.context("the run is no longer heard of")?;
    view.clone().context("a run that has ended has a view")
}

fn latest(views: &ViewReceiver) -> Option<Arc<RunView>> {
    views.borrow().clone()
}

/// The next wish. A live view listens to signals itself and passes them on as keys; without one they come from here.
async fn next_wish(signals: &mut Signals, display: &mut Display) -> Wish {
    if let Display::Live(_, keys) = display {
        match keys.recv().await {
            Some(KeyAction::AddUsers(delta)) => return Wish::AddUsers(delta),
            Some(KeyAction::Stop) => return Wish::Stop,
            Some(KeyAction::Quit) => return Wish::LeaveAtOnce,
            None => tracing::warn!("the live view has ended; the run goes on without it"),
        }
        *display = Display::Nothing;
    }
    signals.next().await;
    Wish::Stop
}

/// Gives an order. One that is refused changes nothing, and the operator is told.
async fn give(group: &impl RunGroup, order: Order) -> anyhow::Result<()> {
    if let Err(refusal) = group.order(order).await? {
        tracing::warn!("{refusal}");
    }
    Ok(())
}

async fn add_users(group: &impl RunGroup, views: &ViewReceiver, delta: i64) -> anyhow::Result<()> {
    let Some(view) = latest(views) else { return Ok(()) };
    match edit_of(&view, delta) {
        Ok(edit) => {
            let rate = SpawnRate::per_second(edit.spawn_rate_per_s).context("the rate of an edit is valid")?;
            give(group, Order::Edit { users: edit.users, rate }).await
        }
        Err(refused) => {
            tracing::warn!("{refused}");
            Ok(())
        }
    }
}
