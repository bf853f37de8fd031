//! Links between masters, on a thread of their own.
//!
//! Each master calls every other one and sends on the connections that it made itself; what the other says comes on the
//! other's. Two connections go to each: one for small messages, such as heartbeats, and one for large ones, so that no
//! small message waits behind a large one. Messages of one connection arrive in order, or are lost with it.

mod incoming;
mod outgoing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use akrida_core::limits;
use akrida_core::wire::frame::FrameKind;
use akrida_core::wire::handshake::PeerHello;
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::Secrets;
use bytes::Bytes;
use rustls::pki_types::CertificateDer;
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::incoming::Incoming;
use self::outgoing::Outgoing;
use super::connection::{FrameReader, FrameWriter};
use super::runtime::LinkRuntime;
use super::tls::{self, LinkTls};

/// Another master, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress {
    /// Its name.
    pub name: Arc<str>,
    /// Its host name or address. With mutual TLS its certificate must be for it.
    pub host: Arc<str>,
    /// Its port for masters and workers.
    pub port: u16,
}

/// What masters say to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerFrameKind {
    /// A message of the Raft group.
    Raft,
    /// A message of masters that form a group, or change it.
    Formation,
}

/// Takes what other masters say. All calls come from the thread of the links: they must be quick and never wait.
pub trait PeerInbox: Send + Sync {
    /// Another master has proved its name, as caller or as called. Called for each connection.
    ///
    /// # Errors
    /// When it is not wanted; it is told the reason.
    fn hello(&self, peer: &PeerHello) -> Result<(), String>;

    /// It says something. `peer` is what it was when it connected.
    fn receive(&self, peer: &PeerHello, kind: PeerFrameKind, body: Bytes);

    /// One of the connections with it has ended; what was under way on it may be lost. Others may be left.
    fn gone(&self, name: &str);

    /// Nobody listens where it can be reached: its process has ended.
    fn ended(&self, name: &str);
}

/// What the links between masters need to know.
#[derive(Clone, Debug)]
pub struct PeerOptions {
    /// Who this master is, as it is now.
    pub own: watch::Receiver<PeerHello>,
    /// The masters; this one among them is left out.
    pub addresses: Vec<PeerAddress>,
    /// What masters must know of each other.
    pub secrets: Secrets,
    /// TLS; none if it is not set up.
    pub tls: Option<LinkTls>,
    /// How long nothing may come on a link.
    pub idle: Duration,
    /// How long to try to connect to one address.
    pub connect_timeout: Duration,
}

impl PeerOptions {
    /// In the clear, without a secret, with the usual limits.
    #[must_use]
    pub fn new(own: watch::Receiver<PeerHello>, addresses: Vec<PeerAddress>) -> Self {
        Self {
            own,
            addresses,
            secrets: Secrets::default(),
            tls: None,
            idle: limits::LINK_IDLE,
            connect_timeout: limits::PEER_CONNECT_TIMEOUT,
        }
    }
}

/// The links to all other masters. They end when the last clone is dropped.
#[derive(Clone)]
pub struct Peers(Arc<Shared>);

struct Shared {
    site: Arc<Site>,
    runtime: Handle,
    peers: Mutex<BTreeMap<Arc<str>, Peer>>,
}

/// What every connection needs.
struct Site {
    options: PeerOptions,
    inbox: Arc<dyn PeerInbox>,
}

/// What there is of one other master.
struct Peer {
    address: PeerAddress,
    outgoing: Outgoing,
    incoming: Incoming,
}

impl Peers {
    /// Starts to call the other masters.
    #[must_use]
    pub fn start(options: PeerOptions, runtime: &LinkRuntime, inbox: Arc<dyn PeerInbox>) -> Self {
        let addresses = options.addresses.clone();
        let site = Arc::new(Site { options, inbox });
        let peers = Self(Arc::new(Shared { site, runtime: runtime.handle().clone(), peers: Mutex::default() }));
        peers.set(addresses);
        peers
    }

    /// Sends a message, if the other master is connected and keeps up with what it is sent; `false` means that it was
    /// not sent, `true` that it may arrive. Never waits.
    #[must_use]
    pub fn send(&self, to: &str, kind: PeerFrameKind, body: Bytes) -> bool {
        self.0.peers().get(to).is_some_and(|peer| peer.outgoing.send(kind.into(), body))
    }

    /// Changes who the other masters are. Links to those that stay as they are stay up.
    pub fn set(&self, addresses: Vec<PeerAddress>) {
        let own = Arc::clone(&self.0.site.options.own.borrow().name);
        let mut wanted: BTreeMap<Arc<str>, PeerAddress> = addresses
            .into_iter()
            .filter(|address| address.name != own)
            .map(|address| (Arc::clone(&address.name), address))
            .collect();
        let mut peers = self.0.peers();
        peers.retain(|name, peer| wanted.get(name) == Some(&peer.address));
        wanted.retain(|name, _| !peers.contains_key(name));
        for (name, address) in wanted {
            let outgoing = Outgoing::start(&self.0.runtime, &self.0.site, &address);
            peers.insert(name, Peer { address, outgoing, incoming: Incoming::default() });
        }
    }

    /// The other masters whose connections are up, as they have said of themselves.
    #[must_use]
    pub fn present(&self) -> Vec<PeerHello> {
        self.0.peers().values().filter_map(|peer| peer.incoming.hello().cloned()).collect()
    }

    /// Why the other masters cannot be reached that were called in vain.
    #[must_use]
    pub fn troubles(&self) -> BTreeMap<Arc<str>, String> {
        let peers = self.0.peers();
        peers.iter().filter_map(|(name, peer)| Some((Arc::clone(name), peer.outgoing.trouble()?))).collect()
    }

    /// Ends all links. No other master is let in any more.
    pub fn stop(&self) {
        self.set(Vec::new());
    }

    pub(super) fn names(&self) -> BTreeSet<Arc<str>> {
        self.0.peers().keys().cloned().collect()
    }

    /// Places for connections that are reserved for other masters.
    pub(super) fn places(&self) -> usize {
        self.0.peers().len() * limits::PEER_CONNECTIONS_MAX
    }

    /// Whether a master that calls may come in.
    pub(super) fn admit(&self, hello: &PeerHello, certificate: Option<&CertificateDer<'_>>) -> Result<(), Refusal> {
        let host = self.0.peers().get(&hello.name).map(|peer| Arc::clone(&peer.address.host));
        let host = host.ok_or_else(|| Refusal::UnknownPeer { name: Arc::clone(&hello.name) })?;
        // Without this a worker's certificate would do for whoever says that he is a master.
        if let Some(certificate) = certificate
            && !tls::is_for(certificate, &host)
        {
            return Err(Refusal::OtherCertificate { host });
        }
        self.0.site.inbox.hello(hello).map_err(|reason| Refusal::Other(reason.into()))
    }

    /// Takes over the connection of a master that was admitted.
    pub(super) fn take(&self, hello: PeerHello, reader: FrameReader, writer: FrameWriter) {
        if let Some(peer) = self.0.peers().get_mut(&hello.name) {
            peer.outgoing.wake();
            peer.incoming.take(&self.0.runtime, &self.0.site, hello, reader, writer);
        }
    }
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").field("names", &self.names()).finish()
    }
}

impl Shared {
    /// Held for a moment only, never while waiting.
    fn peers(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<PeerFrameKind> for FrameKind {
    fn from(kind: PeerFrameKind) -> Self {
        match kind {
            PeerFrameKind::Raft => Self::Raft,
            PeerFrameKind::Formation => Self::Formation,
        }
    }
}
