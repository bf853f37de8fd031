//! The port of a master: workers and other masters connect to it.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ArbiterHandle};
use akrida_core::limits;
use akrida_core::wire::handshake::acceptor::{Acceptor, Policy};
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::Secrets;
use akrida_core::wire::handshake::{PROTOCOL, PeerHello, Role, WorkerHello};
use rustls::pki_types::CertificateDer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::Connection;
use super::error::LinkError;
use super::greet;
use super::handshakes::{Handshakes, Turn};
use super::peers::Peers;
use super::places::{Place, Places};
use super::runtime::LinkRuntime;
use super::session::{Attachments, Line, Session};
use super::strangers::{Caller, Strangers};
use super::stream;
use super::tls::LinkTls;

/// What a server needs to know.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The address or host name to listen on.
    pub host: String,
    /// The port; 0 for any free one.
    pub port: u16,
    /// Who this master is, as it is now.
    pub own: watch::Receiver<PeerHello>,
    /// What callers must know.
    pub secrets: Secrets,
    /// TLS; none if callers are spoken to in the clear.
    pub tls: Option<LinkTls>,
    /// Connections at most, those of other masters included.
    pub connections_max: usize,
    /// How long nothing may come on a link.
    pub idle: Duration,
    /// How long a handshake may take.
    pub handshake_deadline: Duration,
}

impl ServerOptions {
    /// A server in the clear, without a secret, with the usual limits.
    #[must_use]
    pub fn new(host: &str, port: u16, own: watch::Receiver<PeerHello>) -> Self {
        Self {
            host: host.to_owned(),
            port,
            own,
            secrets: Secrets::default(),
            tls: None,
            connections_max: limits::CONNECTIONS_MAX,
            idle: limits::LINK_IDLE,
            handshake_deadline: limits::HANDSHAKE_DEADLINE,
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port cannot be had.
    #[error("cannot listen on {host}:{port}: {reason}")]
    Bind {
        /// The address.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        reason: io::Error,
    },
    /// TLS is wanted, and this master has no certificate.
    #[error("TLS on the port of a master needs a certificate and a key")]
    NoCertificate,
}

/// A port that is open until this is dropped or stopped.
#[derive(Debug)]
pub struct LinkServer {
    address: SocketAddr,
    warning: Option<String>,
    strangers: Strangers,
    stop: watch::Sender<bool>,
}

impl LinkServer {
    /// Opens the port and serves it, as [`Self::serve`].
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn start(
        options: ServerOptions,
        runtime: &LinkRuntime,
        sessions: ArbiterHandle,
        to: Attachments,
        peers: Option<Peers>,
    ) -> Result<Self, ServerError> {
        let (host, port) = (options.host.clone(), options.port);
        let listener = StdListener::bind((host.as_str(), port));
        let listener = listener.map_err(|reason| ServerError::Bind { host, port, reason })?;
        Self::serve(listener, options, runtime, sessions, to, peers)
    }

    /// Takes the calls of a port that is open, whatever the options say of where to listen. Handshakes and connections of
    /// masters run on `runtime`, sessions of workers on `sessions`. Without `peers` no other master is let in.
    ///
    /// # Errors
    /// When TLS lacks a certificate, or the port cannot be used.
    pub fn serve(
        listener: StdListener,
        options: ServerOptions,
        runtime: &LinkRuntime,
        sessions: ArbiterHandle,
        to: Attachments,
        peers: Option<Peers>,
    ) -> Result<Self, ServerError> {
        let tls = match &options.tls {
            None => None,
            Some(tls) => Some(TlsAcceptor::from(Arc::clone(tls.server.as_ref().ok_or(ServerError::NoCertificate)?))),
        };
        let (listener, address) = {
            let _entered = runtime.handle().enter();
            let (host, port) = (options.host.clone(), options.port);
            usable(listener).map_err(|reason| ServerError::Bind { host, port, reason })?
        };
        let warning = warning(&options, address);
        let (stop, stopped) = watch::channel(false);
        let places = Places::new(options.connections_max);
        let (under_way, strangers) = (Handshakes::default(), Strangers::default());
        let known = strangers.clone();
        let door = Door { options, tls, sessions, to, peers, places, stop: stopped, under_way, strangers };
        runtime.handle().spawn(listen(listener, Arc::new(door)));
        Ok(Self { address, warning, strangers: known, stop })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an operator should be told loudly about the safety of this port.
    #[must_use]
    pub fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// Who was not let in.
    #[must_use]
    pub fn strangers(&self) -> Strangers {
        self.strangers.clone()
    }

    /// Begins to close the port and to end the links of all workers. Those of other masters are ended by [`Peers::stop`].
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

impl Drop for LinkServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn usable(listener: StdListener) -> io::Result<(TcpListener, SocketAddr)> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

fn warning(options: &ServerOptions, address: SocketAddr) -> Option<String> {
    let is_mutual = options.tls.as_ref().is_some_and(|tls| tls.mutual);
    if address.ip().is_loopback() || options.secrets.cluster().is_some() || is_mutual {
        return None;
    }
    let without = if options.tls.is_some() { "a cluster secret or mutual TLS" } else { "a cluster secret and TLS" };
    Some(format!("{address} is open without {without}: whoever reaches this port can join and control the cluster"))
}

/// What each connection that comes in is measured by.
struct Door {
    options: ServerOptions,
    tls: Option<TlsAcceptor>,
    sessions: ArbiterHandle,
    to: Attachments,
    peers: Option<Peers>,
    places: Places,
    stop: watch::Receiver<bool>,
    under_way: Handshakes,
    strangers: Strangers,
}

async fn listen(listener: TcpListener, door: Arc<Door>) {
    let mut stop = door.stop.clone();
    tokio::select! {
        () = take_in(&listener, &door) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    door.under_way.end_older_than(Duration::ZERO);
}

async fn take_in(listener: &TcpListener, door: &Arc<Door>) {
    loop {
        let turn = door.under_way.turn().await;
        match listener.accept().await {
            Ok((tcp, remote)) => door.begin(turn, tcp, remote),
            Err(error) => {
                door.strangers.note("whoever calls", &format!("cannot take a connection: {error}"));
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }
}

/// A caller that may come in.
enum Admitted {
    Worker(WorkerHello, Place),
    Peer(PeerHello, Peers),
}

impl Door {
    fn begin(self: &Arc<Self>, turn: Turn, tcp: TcpStream, remote: SocketAddr) {
        let door = Arc::clone(self);
        let mut caller = Caller::new(self.strangers.clone(), remote.ip());
        self.under_way.run(turn, async move {
            let deadline = door.options.handshake_deadline;
            let done = timeout(deadline, door.let_in(tcp, &mut caller.claimed)).await;
            let done = done.unwrap_or(Err(LinkError::HandshakeTimeout(deadline)));
            caller.end(done.map_err(|error| error.to_string()));
        });
    }

    /// `claimed` is who the caller says that it is, as soon as it has said so.
    async fn let_in(&self, tcp: TcpStream, claimed: &mut Option<String>) -> Result<(), LinkError> {
        let stream = stream::accept(tcp, self.tls.as_ref()).await?;
        let master = Acceptor::new(self.policy(), greet::nonce()?);
        let (connection, master, role) = greet::hear(Connection::new(stream.io), master, claimed).await?;
        let admitted = match self.admit(role, stream.certificate.as_ref()) {
            Ok(admitted) => admitted,
            Err(refusal) => return Err(greet::refuse(connection, refusal).await),
        };
        let (connection, version) = greet::let_in(connection, master).await?;
        let (reader, writer) = connection.open(version, self.options.idle);
        match admitted {
            Admitted::Peer(peer, peers) => peers.take(peer, reader, writer),
            Admitted::Worker(worker, place) => {
                let line = Line { reader, writer, to: self.to.clone(), stop: self.stop.clone(), place };
                let is_running = self.sessions.spawn(async move {
                    Session::new(worker, line).start();
                });
                if !is_running {
                    return Err(LinkError::ListenerGone);
                }
            }
        }
        Ok(())
    }

    fn policy(&self) -> Policy {
        Policy {
            master: self.options.own.borrow().clone(),
            protocol: PROTOCOL,
            secrets: self.options.secrets.clone(),
            peers: self.peers.as_ref().map(Peers::names).unwrap_or_default(),
        }
    }

    fn admit(&self, role: Role, certificate: Option<&CertificateDer<'_>>) -> Result<Admitted, Refusal> {
        match (role, &self.peers) {
            (Role::Worker(worker), peers) => {
                let reserved = peers.as_ref().map_or(0, Peers::places);
                Ok(Admitted::Worker(worker, self.places.take(reserved)?))
            }
            (Role::Peer(peer), Some(peers)) => {
                peers.admit(&peer, certificate)?;
                Ok(Admitted::Peer(peer, peers.clone()))
            }
            (Role::Peer(peer), None) => Err(Refusal::UnknownPeer { name: peer.name }),
        }
    }
}
