//! Connections that another master has made: it speaks on them, this one only answers its pings.

use std::collections::VecDeque;
use std::sync::Arc;

use akrida_core::limits;
use akrida_core::wire::frame::FrameKind;
use akrida_core::wire::handshake::PeerHello;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::{PeerFrameKind, PeerInbox, Site};
use crate::link::connection::{FrameReader, FrameWriter};
use crate::link::error::LinkError;
use crate::link::queue::queue;

/// Connections of one other master, the oldest first. They end when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Incoming(VecDeque<(PeerHello, AbortHandle)>);

impl Incoming {
    /// Takes a connection. One too many ends the oldest: a master that restarts is heard at once, even if it is not known
    /// yet that its connections before are dead.
    pub(super) fn take(
        &mut self,
        runtime: &Handle,
        site: &Site,
        peer: PeerHello,
        reader: FrameReader,
        writer: FrameWriter,
    ) {
        self.0.retain(|(_, connection)| !connection.is_finished());
        if self.0.len() >= limits::PEER_CONNECTIONS_MAX
            && let Some((_, oldest)) = self.0.pop_front()
        {
            oldest.abort();
        }
        let (inbox, hello) = (Arc::clone(&site.inbox), peer.clone());
        let task = runtime.spawn(async move {
            // Nothing is sent this way; the queue is open so that the writer goes on with pings and pongs.
            let (open, waiting) = queue();
            let never = Notify::new();
            let ended = tokio::select! {
                error = writer.run(waiting, &never) => error,
                error = receive(reader, &peer, &*inbox) => error,
            };
            drop(open);
            tracing::debug!(master = %peer.name, error = %ended, "connection of another master has ended");
            inbox.gone(&peer.name);
        });
        self.0.push_back((hello, task.abort_handle()));
    }

    /// What the other master said of itself on the latest connection that is up.
    pub(super) fn hello(&self) -> Option<&PeerHello> {
        self.0.iter().rev().find(|(_, connection)| !connection.is_finished()).map(|(hello, _)| hello)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.0.iter().for_each(|(_, connection)| connection.abort());
    }
}

async fn receive(mut reader: FrameReader, peer: &PeerHello, inbox: &dyn PeerInbox) -> LinkError {
    loop {
        let frame = match reader.next().await {
            Ok(frame) => frame,
            Err(error) => return error,
        };
        let kind = match frame.kind {
            FrameKind::Raft => PeerFrameKind::Raft,
            FrameKind::Formation => PeerFrameKind::Formation,
            other => return LinkError::NotAllowed(other),
        };
        inbox.receive(peer, kind, frame.body);
    }
}
