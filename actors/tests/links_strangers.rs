//! The port of a master against everybody who does not belong there.

#![allow(clippy::unwrap_used, reason = "tests")]

mod link_support;

use std::sync::Arc;
use std::time::Duration;

use akrida_actors::link::peers::{PeerAddress, PeerOptions, Peers};
use akrida_actors::link::runtime::LinkRuntime;
use akrida_actors::link::server::ServerOptions;
use akrida_core::limits;
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::Secrets;
use akrida_core::wire::handshake::{Hello, PROTOCOL, ProtocolRange, Role, WorkerHello};
use link_support::{
    Inbox, Master, Raw, Worker, cluster_secret, local, own, peer_hello, secret, within, worker_hello, worker_options,
};
use tokio::io::AsyncWriteExt;

async fn assert_still_open(master: &mut Master) {
    let mut raw = Raw::connect(master.address()).await;
    raw.call(worker_hello("good"), None).await.unwrap();
    assert_eq!(&*master.attached().await.worker.0, "good");
    drop(raw);
    master.detached().await;
}

#[actix::test]
async fn garbage_is_turned_away_at_once() {
    let mut master = Master::start(local("a"));
    let four_gigabytes = [0xff; 4];
    let just_too_long = (limits::HANDSHAKE_FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    for garbage in [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], &four_gigabytes, &just_too_long, &[0; 4_000]] {
        let mut raw = Raw::connect(master.address()).await;
        within(raw.tcp.write_all(garbage)).await.unwrap();
        assert!(raw.has_ended().await, "{garbage:?}");
    }
    assert_still_open(&mut master).await;
}

#[actix::test]
async fn a_handshake_that_does_not_go_on_ends() {
    let handshake_deadline = Duration::from_millis(100);
    let mut master = Master::start(ServerOptions { handshake_deadline, ..local("a") });
    let silent = Raw::connect(master.address()).await;
    assert!(silent.has_ended().await);
    let mut half = Raw::connect(master.address()).await;
    within(half.tcp.write_all(&[0, 0, 0, 50, 1, 1])).await.unwrap();
    assert!(half.has_ended().await);
    assert_still_open(&mut master).await;
}

#[actix::test]
async fn half_open_connections_keep_nobody_out() {
    let handshake_deadline = Duration::from_secs(3_600);
    let mut master = Master::start(ServerOptions { handshake_deadline, ..local("a") });
    let mut half_open = Vec::new();
    for _ in 0..limits::HANDSHAKES_MAX + 5 {
        half_open.push(Raw::connect(master.address()).await);
    }
    assert_still_open(&mut master).await;
}

#[actix::test]
async fn who_does_not_know_the_secret_is_told_so_and_never_attached() {
    let mut master = Master::start(ServerOptions { secrets: cluster_secret("right"), ..local("a") });
    for (hello, known, told) in [
        (worker_hello("w"), Some("wrong"), Refusal::WrongSecret { role: "worker".into() }),
        (peer_hello("b"), Some("right"), Refusal::UnknownPeer { name: "b".into() }),
        (worker_hello("w"), None, Refusal::SecretMissing),
    ] {
        let mut raw = Raw::connect(master.address()).await;
        assert_eq!(raw.call(hello, known.map(secret).as_ref()).await, Err(told));
    }
    let mut options = worker_options(&[master.address()]);
    options.secret = Some(secret("wrong"));
    let mut wrong = Worker::start(options.clone()).await;
    within(wrong.links.cycles().wait_for(|cycles| *cycles == 1)).await.unwrap();
    assert!(wrong.has_heard_nothing());
    assert!(master.is_told_nothing());
    options.secret = Some(secret("right"));
    let mut right = Worker::start(options).await;
    right.up().await;
    master.attached().await;
}

#[actix::test]
async fn another_cluster_and_another_protocol_are_refused_with_the_reason() {
    let mut master = Master::start(local("a"));
    let mut hello = worker_hello("w");
    if let Role::Worker(WorkerHello { cluster, .. }) = &mut hello.role {
        *cluster = Some(2);
    }
    let told = Raw::connect(master.address()).await.call(hello, None).await;
    assert_eq!(told, Err(Refusal::OtherCluster { caller: 2, master: 1 }));
    let protocol = ProtocolRange { min: PROTOCOL.max + 1, max: PROTOCOL.max + 2 };
    let told = Raw::connect(master.address()).await.call(Hello { protocol, ..worker_hello("w") }, None).await;
    assert_eq!(told, Err(Refusal::NoCommonProtocol { caller: protocol, master: PROTOCOL }));
    assert!(master.is_told_nothing());
    assert_still_open(&mut master).await;
}

fn peers(runtime: &LinkRuntime, secrets: Secrets) -> (Peers, Arc<Inbox>) {
    let (inbox, _) = Inbox::new();
    // Nobody listens there: only incoming connections matter.
    let b = PeerAddress { name: "b".into(), host: "127.0.0.1".into(), port: 1 };
    let options = PeerOptions { secrets, ..PeerOptions::new(own("a"), vec![b]) };
    (Peers::start(options, runtime, Arc::clone(&inbox) as _), inbox)
}

#[actix::test]
async fn a_full_master_refuses_workers_and_takes_masters() {
    let runtime = LinkRuntime::start().unwrap();
    let (peers, _) = peers(&runtime, Secrets::default());
    let connections_max = limits::PEER_CONNECTIONS_MAX + 1;
    let options = ServerOptions { connections_max, ..local("a") };
    let mut master = Master::with_peers(options, &runtime, Some(peers));
    let mut first = Raw::connect(master.address()).await;
    first.call(worker_hello("w1"), None).await.unwrap();
    master.attached().await;
    let full = Refusal::Full { connections_max: connections_max as u64 };
    let second = Raw::connect(master.address()).await.call(worker_hello("w2"), None).await;
    assert_eq!(second, Err(full));
    let mut connected = Vec::new();
    for _ in 0..limits::PEER_CONNECTIONS_MAX + 1 {
        let mut raw = Raw::connect(master.address()).await;
        raw.call(peer_hello("b"), None).await.unwrap();
        connected.push(raw);
    }
    assert!(connected.remove(0).has_ended().await, "one too many ends the oldest");
    drop(first);
    master.detached().await;
    Raw::connect(master.address()).await.call(worker_hello("w3"), None).await.unwrap();
    master.attached().await;
}

#[actix::test]
async fn a_master_must_be_configured_know_its_secret_and_be_wanted() {
    let runtime = LinkRuntime::start().unwrap();
    let secrets = Secrets::new(Some(secret("masters")), Some(secret("workers"))).unwrap();
    let (peers, inbox) = peers(&runtime, secrets.clone());
    let master = Master::with_peers(ServerOptions { secrets, ..local("a") }, &runtime, Some(peers.clone()));
    let call = async |name: &str, known: &str| {
        Raw::connect(master.address()).await.call(peer_hello(name), Some(&secret(known))).await.map(|_| ())
    };
    assert_eq!(call("b", "workers").await, Err(Refusal::WrongSecret { role: "master".into() }));
    assert_eq!(call("c", "masters").await, Err(Refusal::UnknownPeer { name: "c".into() }));
    assert_eq!(call("b", "masters").await, Ok(()));
    inbox.refuse("its data folder is another one");
    assert_eq!(call("b", "masters").await, Err(Refusal::Other("its data folder is another one".into())));
    peers.stop();
    assert_eq!(call("b", "masters").await, Err(Refusal::UnknownPeer { name: "b".into() }));
}

#[actix::test]
async fn an_open_port_is_warned_of() {
    let everywhere = || ServerOptions::new("0.0.0.0", 0, own("a"));
    let warning = |options| Master::start(options).server.warning().map(str::to_owned);
    assert!(warning(everywhere()).unwrap().contains("without a cluster secret"));
    assert_eq!(warning(ServerOptions { secrets: cluster_secret("s"), ..everywhere() }), None);
    assert_eq!(warning(local("a")), None, "only this machine reaches it");
}
