//! What a master looks after all the time: who it says that it is, whom it calls, and what the state says of the masters.

use std::sync::Arc;
use std::time::Duration;

use akrida_core::ids::RaftId;
use akrida_core::wire::handshake::PeerHello;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::control::Control;

/// How often it looks when nothing happens.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks after a master until it is dropped.
#[derive(Debug)]
pub(super) struct Upkeep(JoinHandle<()>);

impl Upkeep {
    /// Starts on the calling thread's runtime.
    pub(super) fn start(control: Arc<Control>, own: watch::Sender<PeerHello>) -> Self {
        Self(actix_rt::spawn(look_after(control, own)))
    }
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn look_after(control: Arc<Control>, own: watch::Sender<PeerHello>) {
    let mut status = control.raft_status();
    loop {
        introduce(&control, &own);
        control.note_leader();
        control.resources().look();
        control.look_after_members().await;
        // It is enough to look again when something has changed, or now and then.
        if let Ok(Err(_)) = timeout(LOOK_EVERY, status.changed()).await {
            return;
        }
    }
}

/// Says who this master is, once that is written, and which cluster it belongs to, once it does.
fn introduce(control: &Control, own: &watch::Sender<PeerHello>) {
    let status = control.raft_status();
    let (id, cluster) = {
        let status = status.borrow();
        (status.id, status.cluster.map(|cluster| cluster.0))
    };
    own.send_if_modified(|hello| {
        // Until the raft thread has begun, what the data folder says is known better.
        let id = if id == RaftId(0) { hello.raft_id } else { id };
        let cluster = cluster.or(hello.cluster);
        let changed = hello.raft_id != id || hello.cluster != cluster;
        (hello.raft_id, hello.cluster) = (id, cluster);
        changed
    });
}
