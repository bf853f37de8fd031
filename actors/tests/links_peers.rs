//! Masters that talk to each other.

#![allow(clippy::unwrap_used, reason = "tests")]

mod link_support;

use std::sync::Arc;

use akrida_actors::link::peers::{PeerAddress, PeerFrameKind, PeerOptions, Peers};
use akrida_actors::link::runtime::LinkRuntime;
use akrida_actors::link::server::ServerOptions;
use akrida_core::limits;
use akrida_core::wire::frame::FrameKind;
use bytes::Bytes;
use link_support::{FromPeer, Inbox, Master, Raw, cluster_secret, own, within};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const LARGE: usize = 20_000_000;

/// A master with its peers, and what it hears of them.
struct Node {
    peers: Peers,
    heard: mpsc::UnboundedReceiver<FromPeer>,
    master: Master,
}

fn at(name: &str, port: u16) -> PeerAddress {
    PeerAddress { name: name.into(), host: "127.0.0.1".into(), port }
}

impl Node {
    fn start(name: &str, port: u16, secret: &str) -> Self {
        let runtime = LinkRuntime::start().unwrap();
        let (inbox, heard) = Inbox::new();
        let secrets = cluster_secret(secret);
        let options = PeerOptions { secrets: secrets.clone(), ..PeerOptions::new(own(name), Vec::new()) };
        let peers = Peers::start(options, &runtime, inbox);
        let server = ServerOptions { secrets, ..ServerOptions::new("127.0.0.1", port, own(name)) };
        let master = Master::with_peers(server, &runtime, Some(peers.clone()));
        Self { peers, heard, master }
    }

    fn port(&self) -> u16 {
        self.master.address().port()
    }

    async fn next(&mut self) -> FromPeer {
        within(self.heard.recv()).await.unwrap()
    }

    /// The next message, whatever connections come and go.
    async fn message(&mut self) -> (String, PeerFrameKind, Bytes) {
        loop {
            if let FromPeer::Message(from, kind, body) = self.next().await {
                return (from, kind, body);
            }
        }
    }

    async fn gone(&mut self, name: &str) {
        while self.next().await != FromPeer::Gone(name.into()) {}
    }

    /// Sends as soon as there is a connection.
    async fn send(&self, to: &str, kind: PeerFrameKind, body: &Bytes) {
        within(async {
            while !self.peers.send(to, kind, body.clone()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

fn pair() -> (Node, Node) {
    let (a, b) = (Node::start("a", 0, "s"), Node::start("b", 0, "s"));
    let all = vec![at("a", a.port()), at("b", b.port())];
    a.peers.set(all.clone());
    b.peers.set(all);
    (a, b)
}

#[actix::test]
async fn masters_hear_each_other() {
    let (mut a, mut b) = pair();
    let small = Bytes::from_static(b"vote for me");
    a.send("b", PeerFrameKind::Raft, &small).await;
    assert_eq!(b.message().await, ("a".into(), PeerFrameKind::Raft, small.clone()));
    b.send("a", PeerFrameKind::Formation, &small).await;
    assert_eq!(a.message().await, ("b".into(), PeerFrameKind::Formation, small.clone()));
    let large: Bytes = (0..=255).cycle().take(LARGE).collect::<Vec<u8>>().into();
    a.send("b", PeerFrameKind::Raft, &large).await;
    assert_eq!(b.message().await.2, large);
    assert!(!a.peers.send("c", PeerFrameKind::Raft, small), "nobody of that name");
    let too_large = Bytes::from(vec![0; limits::FRAME_BYTES_MAX + 1]);
    assert!(!a.peers.send("b", PeerFrameKind::Raft, too_large));
}

#[actix::test]
async fn messages_arrive_in_order() {
    let (a, mut b) = pair();
    let number = |number: u32| Bytes::copy_from_slice(&number.to_be_bytes());
    for sent in 0..5_000 {
        a.send("b", PeerFrameKind::Raft, &number(sent)).await;
    }
    for sent in 0..5_000 {
        assert_eq!(b.message().await.2, number(sent));
    }
}

#[actix::test]
async fn a_small_message_does_not_wait_behind_a_large_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let runtime = LinkRuntime::start().unwrap();
    let b = at("b", listener.local_addr().unwrap().port());
    let (inbox, _heard) = Inbox::new();
    let peers = Peers::start(PeerOptions::new(own("a"), vec![b]), &runtime, inbox);
    let send = async |body: Bytes| {
        within(async {
            while !peers.send("b", PeerFrameKind::Raft, body.clone()) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let mut lanes = Vec::new();
    for _ in 0..2 {
        let mut lane = Raw::new(within(listener.accept()).await.unwrap().0);
        lane.answer("b", &["a"]).await;
        lanes.push(lane);
    }
    // Nobody reads the large frame, so it stays under way for as long as the small ones take.
    send(Bytes::from(vec![7; LARGE])).await;
    for number in 0..100_u8 {
        send(Bytes::from(vec![number])).await;
    }
    let (mut first, mut second) = (lanes.remove(0), lanes.remove(0));
    let urgent_is_first = within(async {
        tokio::select! {
            is_small = begins_small(&first) => is_small,
            is_small = begins_small(&second) => !is_small,
        }
    })
    .await;
    let (urgent, bulk) = if urgent_is_first { (&mut first, &mut second) } else { (&mut second, &mut first) };
    for number in 0..100_u8 {
        let frame = urgent.read_message().await.unwrap();
        assert_eq!((frame.kind, frame.body), (FrameKind::Raft, Bytes::from(vec![number])));
    }
    let large = bulk.read_message().await.unwrap();
    assert_eq!(large.body, Bytes::from(vec![7; LARGE]));
}

/// Whether the first frame on a connection that is no ping is a small one. Takes nothing from it.
async fn begins_small(lane: &Raw) -> bool {
    let mut seen = [0; 4_096];
    loop {
        lane.tcp.readable().await.unwrap();
        let length = lane.tcp.peek(&mut seen).await.unwrap();
        let mut rest = &seen[..length];
        while let [l0, l1, l2, l3, kind, ..] = *rest {
            let body = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
            if kind == FrameKind::Raft as u8 {
                return body < 1_000;
            }
            rest = rest.get(10 + body..).unwrap_or_default();
        }
        tokio::task::yield_now().await;
    }
}

#[actix::test]
async fn a_master_that_does_not_read_fills_a_bounded_queue() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let runtime = LinkRuntime::start().unwrap();
    let b = at("b", listener.local_addr().unwrap().port());
    let (inbox, _heard) = Inbox::new();
    let peers = Peers::start(PeerOptions::new(own("a"), vec![b]), &runtime, inbox);
    let mut lanes = Vec::new();
    for _ in 0..2 {
        let mut lane = Raw::new(within(listener.accept()).await.unwrap().0);
        lane.answer("b", &["a"]).await;
        lanes.push(lane);
    }
    let body = Bytes::from(vec![0; 10_000_000]);
    within(async {
        while !peers.send("b", PeerFrameKind::Raft, body.clone()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut taken = 1;
    while peers.send("b", PeerFrameKind::Raft, body.clone()) {
        taken += 1;
        assert!(taken < 20);
    }
    assert!(peers.send("b", PeerFrameKind::Raft, Bytes::from_static(b"small")), "the other lane has place");
}

#[actix::test]
async fn a_master_that_comes_back_is_heard_again() {
    let (mut a, mut b) = pair();
    let hello = Bytes::from_static(b"hello");
    a.send("b", PeerFrameKind::Raft, &hello).await;
    b.message().await;
    let port = b.port();
    b.peers.stop();
    drop(b);
    a.gone("b").await;
    // Nobody listens at its port any more.
    while a.next().await != FromPeer::Ended("b".into()) {}
    within(async {
        while a.peers.send("b", PeerFrameKind::Raft, hello.clone()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let mut b = Node::start("b", port, "s");
    b.peers.set(vec![at("a", a.port())]);
    a.send("b", PeerFrameKind::Raft, &hello).await;
    assert_eq!(b.message().await.2, hello);
    b.send("a", PeerFrameKind::Raft, &hello).await;
    assert_eq!(a.message().await.2, hello);
}

#[actix::test]
async fn a_master_that_is_removed_is_neither_called_nor_heard() {
    let (mut a, b) = pair();
    let hello = Bytes::from_static(b"hello");
    b.send("a", PeerFrameKind::Raft, &hello).await;
    a.message().await;
    a.send("b", PeerFrameKind::Raft, &hello).await;
    a.peers.set(vec![at("a", a.port())]);
    assert!(!a.peers.send("b", PeerFrameKind::Raft, hello.clone()));
    within(async {
        while b.peers.send("a", PeerFrameKind::Raft, hello.clone()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[actix::test]
async fn who_answers_must_be_who_was_called() {
    let runtime = LinkRuntime::start().unwrap();
    let mut c = Node::start("c", 0, "s");
    c.peers.set(vec![at("a", 1)]);
    let (inbox, mut heard) = Inbox::new();
    let options = PeerOptions { secrets: cluster_secret("s"), ..PeerOptions::new(own("a"), Vec::new()) };
    let peers = Peers::start(options, &runtime, Arc::clone(&inbox) as _);
    peers.set(vec![at("b", c.port())]);
    // It was about to be let in when it found out who had answered.
    for _ in 0..2 {
        // Where c calls it, nobody listens.
        let event = loop {
            match c.next().await {
                FromPeer::Ended(_) => {}
                other => break other,
            }
        };
        assert_eq!(event, FromPeer::Hello("a".into()));
    }
    assert!(!peers.send("b", PeerFrameKind::Raft, Bytes::new()));
    let b = Node::start("b", 0, "s");
    b.peers.set(vec![at("a", 1)]);
    peers.set(vec![at("b", b.port())]);
    assert_eq!(within(heard.recv()).await, Some(FromPeer::Hello("b".into())));
}
