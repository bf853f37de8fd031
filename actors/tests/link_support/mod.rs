//! Both ends of links for tests: a master that records what it hears, a worker that does, and raw ends that can misbehave.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::{Actor, Arbiter, Context, Handler, Recipient};
use akrida_actors::link::addresses::MasterAddress;
use akrida_actors::link::masters::{MasterLinks, MasterLinksOptions};
use akrida_actors::link::peers::{PeerFrameKind, PeerInbox, Peers};
use akrida_actors::link::runtime::LinkRuntime;
use akrida_actors::link::server::{LinkServer, ServerError, ServerOptions};
use akrida_actors::link::session::Attachments;
use akrida_actors::link::{Attach, Detach, Heard, LinkEvent, Says, Uplink};
use akrida_core::ids::{Incarnation, RaftId, WorkerId};
use akrida_core::limits;
use akrida_core::wire::frame::{Decoder, Frame, FrameKind};
use akrida_core::wire::handshake::acceptor::{self, Acceptor, Policy};
use akrida_core::wire::handshake::initiator::{self, Initiator};
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::{Secret, Secrets};
use akrida_core::wire::handshake::{Grant, HandshakeError, Hello, PROTOCOL, PeerHello, Role, WorkerHello};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

/// Fails a test that hangs. Nothing is asserted about how long anything takes.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("it hangs")
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

pub(crate) fn cluster_secret(text: &str) -> Secrets {
    Secrets::new(Some(secret(text)), None).unwrap()
}

pub(crate) fn peer(name: &str, port: u16) -> PeerHello {
    let (raft_id, host, incarnation) = (RaftId(1), "127.0.0.1".into(), Incarnation(1));
    PeerHello { name: name.into(), raft_id, host, port, cluster: Some(1), incarnation }
}

pub(crate) fn own(name: &str) -> watch::Receiver<PeerHello> {
    watch::channel(peer(name, 0)).1
}

/// What a master is told.
#[derive(Debug)]
pub(crate) enum Told {
    Attached(Attach),
    Detached(Detach),
    Said(Uplink),
}

/// A master's actor.
struct Recorder(mpsc::UnboundedSender<Told>);

impl Actor for Recorder {
    type Context = Context<Self>;
}

impl Handler<Attach> for Recorder {
    type Result = ();
    fn handle(&mut self, attach: Attach, _: &mut Self::Context) {
        let _ = self.0.send(Told::Attached(attach));
    }
}

impl Handler<Detach> for Recorder {
    type Result = ();
    fn handle(&mut self, detach: Detach, _: &mut Self::Context) {
        let _ = self.0.send(Told::Detached(detach));
    }
}

impl Handler<Uplink> for Recorder {
    type Result = ();
    fn handle(&mut self, uplink: Uplink, _: &mut Self::Context) {
        let _ = self.0.send(Told::Said(uplink));
    }
}

/// A master with its port.
pub(crate) struct Master {
    pub(crate) server: LinkServer,
    told: mpsc::UnboundedReceiver<Told>,
    _runtime: LinkRuntime,
}

pub(crate) fn local(name: &str) -> ServerOptions {
    ServerOptions::new("127.0.0.1", 0, own(name))
}

impl Master {
    pub(crate) fn start(options: ServerOptions) -> Self {
        Self::with_peers(options, &LinkRuntime::start().unwrap(), None)
    }

    pub(crate) fn with_peers(options: ServerOptions, runtime: &LinkRuntime, peers: Option<Peers>) -> Self {
        let (sender, told) = mpsc::unbounded_channel();
        let recorder = Recorder(sender).start();
        let to = Attachments {
            attach: recorder.clone().recipient(),
            detach: recorder.clone().recipient(),
            uplink: recorder.recipient(),
        };
        let start = || LinkServer::start(options.clone(), runtime, Arbiter::current(), to.clone(), peers.clone());
        // The port of a master before this one may not be closed yet.
        let server = (0..10_000)
            .find_map(|_| match start() {
                Err(ServerError::Bind { reason, .. }) if reason.kind() == ErrorKind::AddrInUse => {
                    std::thread::yield_now();
                    None
                }
                started => Some(started.unwrap()),
            })
            .expect("a free port");
        Self { server, told, _runtime: runtime.clone() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) async fn told(&mut self) -> Told {
        within(self.told.recv()).await.expect("the server is up")
    }

    pub(crate) async fn attached(&mut self) -> Attach {
        match self.told().await {
            Told::Attached(attach) => attach,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn detached(&mut self) -> Detach {
        match self.told().await {
            Told::Detached(detach) => detach,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn said(&mut self) -> Uplink {
        match self.told().await {
            Told::Said(uplink) => uplink,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn is_told_nothing(&mut self) -> bool {
        self.told.try_recv().is_err()
    }
}

/// A worker's actor.
struct Listener(mpsc::UnboundedSender<Heard>);

impl Actor for Listener {
    type Context = Context<Self>;
}

impl Handler<Heard> for Listener {
    type Result = ();
    fn handle(&mut self, heard: Heard, _: &mut Self::Context) {
        let _ = self.0.send(heard);
    }
}

/// A worker with its links.
pub(crate) struct Worker {
    pub(crate) links: MasterLinks,
    heard: mpsc::UnboundedReceiver<Heard>,
}

pub(crate) fn worker_options(masters: &[SocketAddr]) -> MasterLinksOptions {
    let masters = masters.iter().map(|at| MasterAddress { host: at.ip().to_string().into(), port: at.port() });
    MasterLinksOptions {
        reconnect_interval: Duration::from_millis(10),
        ..MasterLinksOptions::new(masters.collect(), WorkerId("w1".into()), Incarnation(7))
    }
}

impl Worker {
    pub(crate) async fn start(options: MasterLinksOptions) -> Self {
        let (sender, heard) = mpsc::unbounded_channel();
        let links = MasterLinks::start(options, Listener(sender).start().recipient()).await;
        Self { links, heard }
    }

    pub(crate) async fn heard(&mut self) -> LinkEvent {
        within(self.heard.recv()).await.expect("the links are up").event
    }

    pub(crate) async fn up(&mut self) -> (Arc<str>, Recipient<Says>) {
        match self.heard().await {
            LinkEvent::Up { master, uplink } => (master, uplink),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn has_heard_nothing(&mut self) -> bool {
        self.heard.try_recv().is_err()
    }
}

/// One end of a connection in the hands of a test.
pub(crate) struct Raw {
    pub(crate) tcp: TcpStream,
    decoder: Decoder,
}

impl Raw {
    pub(crate) fn new(tcp: TcpStream) -> Self {
        Self { tcp, decoder: Decoder::new(limits::FRAME_BYTES_MAX) }
    }

    pub(crate) async fn connect(to: SocketAddr) -> Self {
        Self::new(within(TcpStream::connect(to)).await.unwrap())
    }

    /// The next frame; `None` when the connection has ended.
    pub(crate) async fn read(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.decoder.take().unwrap() {
                return Some(frame);
            }
            match within(self.tcp.read_buf(self.decoder.buffer())).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame that is no ping.
    pub(crate) async fn read_message(&mut self) -> Option<Frame> {
        loop {
            match self.read().await {
                Some(frame) if matches!(frame.kind, FrameKind::Ping | FrameKind::Pong) => {}
                other => return other,
            }
        }
    }

    pub(crate) async fn write(&mut self, frame: &Frame) {
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes).unwrap();
        within(self.tcp.write_all(&bytes)).await.unwrap();
    }

    pub(crate) async fn say(&mut self, kind: FrameKind, body: Bytes) {
        self.write(&Frame { kind, version: PROTOCOL.max, body }).await;
    }

    /// Whether the other side has ended the connection, whatever it said before.
    pub(crate) async fn has_ended(mut self) -> bool {
        while self.read().await.is_some() {}
        true
    }

    /// A handshake as caller.
    pub(crate) async fn call(&mut self, hello: Hello, secret: Option<&Secret>) -> Result<Grant, Refusal> {
        let mut caller = Initiator::new(hello, secret);
        self.write(&caller.hello()).await;
        loop {
            let answer = self.read().await.expect("an answer");
            match caller.step(&answer) {
                Ok(initiator::Progress::Send(frame)) => self.write(&frame).await,
                Ok(initiator::Progress::Accepted(grant)) => {
                    self.say(FrameKind::Ping, Bytes::new()).await;
                    return Ok(grant);
                }
                Err(HandshakeError::Refuse(refusal) | HandshakeError::Refused(refusal)) => return Err(refusal),
            }
        }
    }

    /// A handshake as master, of cluster 1.
    pub(crate) async fn answer(&mut self, name: &str, peers: &[&str]) -> Role {
        self.answer_as(peer(name, 0), peers).await
    }

    pub(crate) async fn answer_as(&mut self, master: PeerHello, peers: &[&str]) -> Role {
        let policy = Policy {
            master,
            protocol: PROTOCOL,
            secrets: Secrets::default(),
            peers: peers.iter().map(|name| (*name).into()).collect(),
        };
        let mut master = Acceptor::new(policy, [3; 32]);
        loop {
            let received = self.read().await.expect("a caller");
            match master.step(&received).unwrap() {
                acceptor::Progress::Send(frame) => self.write(&frame).await,
                acceptor::Progress::Verified(role) => {
                    self.write(&master.accept().unwrap().0).await;
                    return role;
                }
            }
        }
    }
}

pub(crate) fn worker_hello(name: &str) -> Hello {
    let worker = WorkerHello { id: WorkerId(name.into()), incarnation: Incarnation(1), cluster: None };
    Hello { protocol: PROTOCOL, role: Role::Worker(worker), nonce: [5; 32] }
}

pub(crate) fn peer_hello(name: &str) -> Hello {
    Hello { protocol: PROTOCOL, role: Role::Peer(peer(name, 0)), nonce: [5; 32] }
}

/// What a master hears of another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FromPeer {
    Hello(String),
    Message(String, PeerFrameKind, Bytes),
    Gone(String),
    Ended(String),
}

/// An inbox that records.
#[derive(Debug)]
pub(crate) struct Inbox {
    sender: mpsc::UnboundedSender<FromPeer>,
    refuses: Mutex<Option<String>>,
}

impl Inbox {
    pub(crate) fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<FromPeer>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Arc::new(Self { sender, refuses: Mutex::default() }), receiver)
    }

    pub(crate) fn refuse(&self, reason: &str) {
        *self.refuses.lock().unwrap() = Some(reason.to_owned());
    }
}

impl PeerInbox for Inbox {
    fn hello(&self, peer: &PeerHello) -> Result<(), String> {
        if let Some(reason) = &*self.refuses.lock().unwrap() {
            return Err(reason.clone());
        }
        let _ = self.sender.send(FromPeer::Hello(peer.name.to_string()));
        Ok(())
    }

    fn receive(&self, peer: &PeerHello, kind: PeerFrameKind, body: Bytes) {
        let _ = self.sender.send(FromPeer::Message(peer.name.to_string(), kind, body));
    }

    fn gone(&self, name: &str) {
        let _ = self.sender.send(FromPeer::Gone(name.to_owned()));
    }

    fn ended(&self, name: &str) {
        let _ = self.sender.send(FromPeer::Ended(name.to_owned()));
    }
}
