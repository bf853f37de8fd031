//! Joins the links between masters with the Raft group: what is heard goes to the raft thread, what it says goes out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use akrida_actors::link::peers::{PeerFrameKind, PeerInbox, Peers};
use akrida_core::ids::{Incarnation, RaftId};
use akrida_core::wire::handshake::PeerHello;
use bytes::Bytes;
use tokio::sync::watch;

use crate::config::NodeConfig;
use crate::raft::RaftHandle;
use crate::raft::peers::{PeerFrame, PeerSender};
use crate::raft::store::Identity;

/// What this master says of itself. What its data folder says of it is known before anybody else hears of it: a link that
/// was made without would carry messages of another cluster.
pub(super) fn own_hello(node: &NodeConfig, identity: Option<Identity>) -> watch::Sender<PeerHello> {
    let (name, host) = (node.name.as_str().into(), node.host.as_str().into());
    let (raft_id, cluster) = identity.map_or((RaftId(0), None), |known| (known.raft_id, known.cluster_id));
    let (cluster, incarnation) = (cluster.map(|cluster| cluster.0), Incarnation(fastrand::u64(..)));
    watch::Sender::new(PeerHello { name, raft_id, host, port: node.port, cluster, incarnation })
}

/// Where messages of other masters come in. What comes before the raft thread is there is lost, as in a network.
#[derive(Debug, Default)]
pub(super) struct Door {
    raft: OnceLock<RaftHandle>,
    /// Which life of each other master was heard last.
    lives: Mutex<BTreeMap<Arc<str>, Incarnation>>,
}

impl Door {
    /// From now on, messages reach the raft thread.
    pub(super) fn open(&self, raft: RaftHandle) {
        // It is opened once, by whoever made it.
        let _ = self.raft.set(raft);
    }

    /// Whether another life of this master was heard before.
    fn is_restarted(&self, peer: &PeerHello) -> bool {
        let mut lives = self.lives.lock().unwrap_or_else(PoisonError::into_inner);
        lives.insert(Arc::clone(&peer.name), peer.incarnation).is_some_and(|before| before != peer.incarnation)
    }
}

impl PeerInbox for Door {
    fn hello(&self, peer: &PeerHello) -> Result<(), String> {
        if self.is_restarted(peer) {
            self.ended(&peer.name);
        }
        Ok(())
    }

    fn receive(&self, peer: &PeerHello, kind: PeerFrameKind, body: Bytes) {
        let kind = match kind {
            PeerFrameKind::Raft => PeerFrame::Raft,
            PeerFrameKind::Formation => PeerFrame::Formation,
        };
        if let Some(raft) = self.raft.get() {
            raft.deliver(&peer.name, kind, body);
        }
    }

    fn gone(&self, _: &str) {}

    fn ended(&self, name: &str) {
        if let Some(raft) = self.raft.get() {
            raft.ended(name);
        }
    }
}

/// Where messages to other masters go out.
pub(super) struct Mouth(pub(super) Peers);

impl PeerSender for Mouth {
    fn send(&self, to: &str, kind: PeerFrame, body: Bytes) -> bool {
        let kind = match kind {
            PeerFrame::Raft => PeerFrameKind::Raft,
            PeerFrame::Formation => PeerFrameKind::Formation,
        };
        self.0.send(to, kind, body)
    }
}
