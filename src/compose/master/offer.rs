//! The scenario that a master brings along for runs that name none.

use std::sync::Arc;
use std::time::Duration;

use akrida_core::scenario::bundle::Bundle;
use akrida_core::state::command::Command;
use tokio::time::sleep;

use super::control::Control;

/// How often it is looked whether this master leads.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Gives the cluster a scenario as soon as this master leads. A master that is alone has the last word; in a cluster of
/// several the first one has, so that a restart of one of them changes nothing.
pub(super) async fn offer(bundle: Arc<Bundle>, is_alone: bool, control: Arc<Control>) {
    loop {
        let seen = control.look(|sight| (sight.core.is_some(), sight.state.scenario().cloned())).await;
        match seen {
            Ok((_, Some(known))) if known == bundle => return,
            Ok((_, Some(known))) if !is_alone => {
                let (given, known) = (&bundle.name, &known.name);
                tracing::warn!("the cluster was given the scenario {known} before; that of {given} is not used");
                return;
            }
            Ok((true, _)) => {
                let command = Command::SetScenario { bundle: Arc::clone(&bundle), replaces: is_alone };
                if let Err(error) = control.propose(command).await {
                    tracing::debug!(%error, "the scenario is offered again");
                }
            }
            Ok((false, _)) | Err(_) => {}
        }
        sleep(LOOK_EVERY).await;
    }
}
