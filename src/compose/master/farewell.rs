//! The end of masters whose run is over: first the workers go, then the masters that follow, the leader last.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::control::Control;

/// How often it is looked who is still there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long workers may take to go. One that cannot be reached finds no master any more.
const WORKERS_WAIT: Duration = Duration::from_secs(5);

/// How long a leader waits for the other masters to have everything and to go. One that does not go may be there for
/// something else.
const MASTERS_WAIT: Duration = Duration::from_secs(5);

/// Tells the workers that the masters end, if this master leads.
pub(super) async fn dismiss(control: &Arc<Control>) {
    if control.dismiss().await.is_err() {
        tracing::debug!("the coordinator does not answer");
    }
}

/// Waits until this master may end without anybody missing it.
pub(super) async fn farewell(control: &Arc<Control>) {
    let until = Instant::now() + WORKERS_WAIT;
    while Instant::now() < until && !workers_are_gone(control).await {
        dismiss(control).await;
        sleep(LOOK_EVERY).await;
    }
    let until = Instant::now() + MASTERS_WAIT;
    while Instant::now() < until && others_need_this_one(control) {
        sleep(LOOK_EVERY).await;
    }
}

/// Whether all have said goodbye, and that is in the log.
async fn workers_are_gone(control: &Arc<Control>) -> bool {
    let left = control.look(|sight| sight.state.workers().filter(|(_, worker)| worker.is_present).count());
    left.await.is_ok_and(|left| left == 0)
}

/// Whether this master leads and others still listen to it.
fn others_need_this_one(control: &Control) -> bool {
    let status = control.raft_status().borrow().clone();
    let Some(group) = status.group.filter(|group| group.leads) else { return false };
    group.members.iter().any(|member| member.id != group.id && member.is_voter && member.is_healthy)
}
