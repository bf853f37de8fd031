//! Connections to another master: made, kept up and written to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use akrida_core::limits;
use akrida_core::wire::frame::FrameKind;
use akrida_core::wire::handshake::Role;
use akrida_core::wire::handshake::refusal::Refusal;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::{PeerAddress, Site};
use crate::link::addresses::resolve;
use crate::link::connection::{Connection, FrameReader, FrameWriter};
use crate::link::error::LinkError;
use crate::link::queue::{FrameSender, queue};
use crate::link::{greet, stream};

/// The connections to one other master. They end when this is dropped.
pub(super) struct Outgoing {
    /// For small messages.
    urgent: Lane,
    /// For large ones.
    bulk: Lane,
}

/// One connection, as long as it is up, and the task that keeps it.
struct Lane {
    up: Slot,
    trouble: Trouble,
    wake: Arc<Notify>,
    task: AbortHandle,
}

/// Why there is no connection, once one was tried in vain.
type Trouble = Arc<Mutex<Option<String>>>;

/// Where messages go while a connection is up.
type Slot = Arc<Mutex<Option<FrameSender>>>;

impl Outgoing {
    pub(super) fn start(runtime: &Handle, site: &Arc<Site>, address: &PeerAddress) -> Self {
        Self { urgent: Lane::start(runtime, site, address), bulk: Lane::start(runtime, site, address) }
    }

    /// Queues a message, if there is a connection and place.
    pub(super) fn send(&self, kind: FrameKind, body: Bytes) -> bool {
        let lane = if body.len() > limits::PEER_URGENT_BYTES_MAX { &self.bulk } else { &self.urgent };
        body.len() <= limits::FRAME_BYTES_MAX && of(&lane.up).as_ref().is_some_and(|up| up.try_push(kind, body).is_ok())
    }

    /// Why it cannot be reached, if it was tried in vain.
    pub(super) fn trouble(&self) -> Option<String> {
        self.urgent.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The other master is there: do not wait with the next attempt.
    pub(super) fn wake(&self) {
        self.urgent.wake.notify_one();
        self.bulk.wake.notify_one();
    }
}

impl Lane {
    fn start(runtime: &Handle, site: &Arc<Site>, address: &PeerAddress) -> Self {
        let (up, trouble, wake) = (Slot::default(), Trouble::default(), Arc::new(Notify::new()));
        let (slot, told) = (Arc::clone(&up), Arc::clone(&trouble));
        let keeping = keep(Arc::clone(site), address.clone(), slot, told, Arc::clone(&wake));
        let task = runtime.spawn(keeping).abort_handle();
        Self { up, trouble, wake, task }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn of(slot: &Slot) -> std::sync::MutexGuard<'_, Option<FrameSender>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Connects again and again.
async fn keep(site: Arc<Site>, address: PeerAddress, slot: Slot, trouble: Trouble, wake: Arc<Notify>) {
    let name = &address.name;
    let mut attempt = 0;
    let set =
        |now: Option<String>| std::mem::replace(&mut *trouble.lock().unwrap_or_else(PoisonError::into_inner), now);
    loop {
        match call(&site, &address).await {
            Ok((reader, writer)) => {
                tracing::info!(master = %name, "connected to another master");
                attempt = 0;
                set(None);
                let since = Instant::now();
                let error = carry(reader, writer, &slot).await;
                tracing::warn!(master = %name, %error, "connection to another master has ended");
                site.inbox.gone(name);
                // Whether it lives is asked at once, but not again and again.
                if since.elapsed() >= limits::PEER_RECONNECT_MAX {
                    continue;
                }
            }
            Err(error) => {
                if error.is_refused() {
                    site.inbox.ended(name);
                }
                let error = error.to_string();
                // The same reason again and again is said once.
                if set(Some(error.clone())).as_ref() == Some(&error) {
                    tracing::debug!(master = %name, %error, "cannot connect to another master");
                } else {
                    tracing::warn!(master = %name, %error, "cannot connect to another master");
                }
            }
        }
        let pause = pause(attempt, fastrand::u32(..1_000));
        attempt += 1;
        tokio::select! {
            () = sleep(pause) => {}
            () = wake.notified() => {}
        }
    }
}

/// The pause after an attempt: doubled each time, with a part of it left to chance.
fn pause(attempt: u32, chance_permille: u32) -> Duration {
    let doubled = limits::PEER_RECONNECT_MIN.saturating_mul(1 << attempt.min(16));
    doubled.min(limits::PEER_RECONNECT_MAX) * (500 + chance_permille / 2) / 1_000
}

async fn call(site: &Site, address: &PeerAddress) -> Result<(FrameReader, FrameWriter), LinkError> {
    let mut last = None;
    for candidate in timeout(limits::HANDSHAKE_DEADLINE, resolve(&address.host, address.port))
        .await
        .map_err(|_| LinkError::HandshakeTimeout(limits::HANDSHAKE_DEADLINE))??
    {
        match timeout(limits::HANDSHAKE_DEADLINE, call_at(site, address, candidate)).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(LinkError::HandshakeTimeout(limits::HANDSHAKE_DEADLINE)),
        }
    }
    Err(last.unwrap_or(LinkError::NoAddressLeft))
}

async fn call_at(
    site: &Site,
    address: &PeerAddress,
    candidate: std::net::SocketAddr,
) -> Result<(FrameReader, FrameWriter), LinkError> {
    let options = &site.options;
    let stream = stream::connect(candidate, &address.host, options.tls.as_ref(), options.connect_timeout).await?;
    let own = options.own.borrow().clone();
    let check = |grant: &akrida_core::wire::handshake::Grant| {
        if grant.master.name != address.name {
            let answered = Arc::clone(&grant.master.name);
            return Err(Refusal::OtherMaster { called: Arc::clone(&address.name), answered });
        }
        site.inbox.hello(&grant.master).map_err(|reason| Refusal::Other(reason.into()))
    };
    let connection = Connection::new(stream.io);
    let (connection, grant) = greet::call(connection, Role::Peer(own), options.secrets.cluster(), check).await?;
    Ok(connection.open(grant.protocol, options.idle))
}

/// Writes what is sent, until the connection ends.
async fn carry(mut reader: FrameReader, writer: FrameWriter, slot: &Slot) -> LinkError {
    let (sender, waiting) = queue();
    *of(slot) = Some(sender);
    let never = Notify::new();
    let ended = tokio::select! {
        error = writer.run(waiting, &never) => error,
        // The other side sends nothing but pongs here.
        received = reader.next() => received.map_or_else(|error| error, |frame| LinkError::NotAllowed(frame.kind)),
    };
    *of(slot) = None;
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_are_never_nothing() {
        for (attempt, least, most) in [(0, 50, 100), (1, 100, 200), (3, 400, 800), (4, 500, 1_000), (900, 500, 1_000)] {
            assert_eq!(pause(attempt, 0), Duration::from_millis(least));
            assert!(pause(attempt, 999) <= Duration::from_millis(most));
        }
    }
}
