//! Workers and masters over TCP: messages both ways, restarts, and ends that misbehave.

#![allow(clippy::unwrap_used, reason = "tests")]

mod link_support;

use std::time::Duration;

use akrida_actors::link::addresses::MasterAddress;
use akrida_actors::link::masters::MasterLinksOptions;
use akrida_actors::link::server::ServerOptions;
use akrida_actors::link::{Downlink, LinkEvent, Says};
use akrida_core::ids::{Incarnation, RunId, WorkerId};
use akrida_core::limits;
use akrida_core::wire::body::{pack, unpack};
use akrida_core::wire::frame::FrameKind;
use akrida_core::wire::handshake::PeerHello;
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::{FromWorker, ToWorker};
use bytes::Bytes;
use link_support::{Master, Raw, Worker, local, own, peer, within, worker_hello, worker_options};
use tokio::net::TcpListener;

fn heard(sent_us: u64) -> ToWorker {
    ToWorker::HeartbeatHeard { sent_us, plan: None }
}

fn ready(run: u64) -> FromWorker {
    FromWorker::Ready { run: RunId(run) }
}

#[actix::test]
async fn a_worker_attaches_and_messages_go_both_ways_in_order() {
    let mut master = Master::start(local("a"));
    let mut worker = Worker::start(worker_options(&[master.address()])).await;
    let attach = master.attached().await;
    assert_eq!((attach.worker, attach.incarnation), (WorkerId("w1".into()), Incarnation(7)));
    let (name, uplink) = worker.up().await;
    assert_eq!(&*name, "a");
    for number in 0..200 {
        attach.downlink.try_send(Downlink::Message(heard(number))).unwrap();
        uplink.send(Says(ready(number))).await.unwrap();
    }
    attach.downlink.try_send(Downlink::Leads { term: 3 }).unwrap();
    attach.downlink.try_send(Downlink::Follows { term: 4 }).unwrap();
    for number in 0..200 {
        assert_eq!(master.said().await.message, ready(number));
        assert!(matches!(worker.heard().await, LinkEvent::Says(Downlink::Message(said)) if said == heard(number)));
    }
    assert!(matches!(worker.heard().await, LinkEvent::Says(Downlink::Leads { term: 3 })));
    assert!(matches!(worker.heard().await, LinkEvent::Says(Downlink::Follows { term: 4 })));
    // Said last and closed at once: it arrives.
    uplink.send(Says(FromWorker::Goodbye)).await.unwrap();
    worker.links.close().await;
    assert_eq!(master.said().await.message, FromWorker::Goodbye);
    let detach = master.detached().await;
    assert!(detach.died, "it said goodbye");
    assert_eq!(detach.downlink, attach.downlink);
}

#[actix::test]
async fn a_large_message_arrives_whole() {
    let mut master = Master::start(local("a"));
    let mut worker = Worker::start(worker_options(&[master.address()])).await;
    let attach = master.attached().await;
    worker.up().await;
    let reason: String = "0123456789".repeat(2_000_000);
    let large = ToWorker::Refused { reason: reason.into() };
    attach.downlink.try_send(Downlink::Message(large.clone())).unwrap();
    match worker.heard().await {
        LinkEvent::Says(Downlink::Message(said)) => assert!(said == large),
        other => panic!("{other:?}"),
    }
}

#[actix::test]
async fn a_link_is_restored_after_the_master_restarts() {
    let mut master = Master::start(local("a"));
    let address = master.address();
    let mut worker = Worker::start(worker_options(&[address])).await;
    master.attached().await;
    let (_, old) = worker.up().await;
    master.server.stop();
    assert!(!master.detached().await.died);
    drop(master);
    assert!(matches!(worker.heard().await, LinkEvent::Down));
    let mut cycles = worker.links.cycles();
    within(cycles.wait_for(|cycles| *cycles >= 2)).await.unwrap();
    let mut master = Master::start(ServerOptions::new("127.0.0.1", address.port(), own("a")));
    master.attached().await;
    let (_, uplink) = worker.up().await;
    assert_eq!(*cycles.borrow(), 0, "a master is reached");
    let _ = old.send(Says(ready(1))).await;
    uplink.send(Says(ready(2))).await.unwrap();
    assert_eq!(master.said().await.message, ready(2), "what was said to the old connection went nowhere");
}

#[actix::test]
async fn a_worker_that_is_gone_is_detached_and_not_called_dead() {
    let mut master = Master::start(local("a"));
    let mut raw = Raw::connect(master.address()).await;
    raw.call(worker_hello("w1"), None).await.unwrap();
    master.attached().await;
    drop(raw);
    assert!(!master.detached().await.died);
}

#[actix::test]
async fn each_master_gets_one_link_however_often_it_is_listed() {
    let (mut a, mut b) = (Master::start(local("a")), Master::start(local("b")));
    let mut options = worker_options(&[a.address(), b.address(), a.address()]);
    options.masters.push(MasterAddress { host: "localhost".into(), port: a.address().port() });
    let mut worker = Worker::start(options).await;
    assert_eq!(worker.links.count(), 4);
    let mut up = [worker.up().await, worker.up().await];
    up.sort_unstable_by(|(first, _), (second, _)| first.cmp(second));
    let [(first, to_a), (second, to_b)] = up;
    assert_eq!((&*first, &*second), ("a", "b"));
    a.attached().await;
    b.attached().await;
    to_a.send(Says(ready(1))).await.unwrap();
    to_b.send(Says(ready(2))).await.unwrap();
    assert_eq!((a.said().await.message, b.said().await.message), (ready(1), ready(2)));
    assert!(worker.has_heard_nothing());
}

#[actix::test]
async fn a_worker_that_does_not_read_loses_its_link_and_nobody_waits_for_it() {
    let mut master = Master::start(local("a"));
    let mut raw = Raw::connect(master.address()).await;
    raw.call(worker_hello("slow"), None).await.unwrap();
    let slow = master.attached().await;
    let reason: String = "x".repeat(1_000_000);
    let large = Downlink::Message(ToWorker::Refused { reason: reason.into() });
    // The sender never waits for the worker; the yields let the session take its messages.
    let mut sent = 0;
    while slow.downlink.connected() && sent < 10_000 {
        sent += u32::from(slow.downlink.try_send(large.clone()).is_ok());
        tokio::task::yield_now().await;
    }
    assert!(sent < 1_000, "{sent} MB were kept for a worker that reads nothing");
    assert!(!master.detached().await.died);
    assert!(raw.has_ended().await);
}

#[actix::test]
async fn a_worker_that_is_silent_loses_its_link_and_one_that_answers_does_not() {
    let idle = Duration::from_millis(300);
    let mut master = Master::start(ServerOptions { idle, ..local("a") });
    let mut silent = Raw::connect(master.address()).await;
    silent.call(worker_hello("silent"), None).await.unwrap();
    master.attached().await;
    master.detached().await;
    assert!(silent.has_ended().await);

    let mut alive = Raw::connect(master.address()).await;
    alive.call(worker_hello("alive"), None).await.unwrap();
    master.attached().await;
    // Three pings to an idle time: after so many the link would have ended twice.
    for _ in 0..8 {
        assert_eq!(alive.read().await.unwrap().kind, FrameKind::Ping);
        alive.say(FrameKind::Pong, Bytes::new()).await;
    }
    alive.say(FrameKind::FromWorker, pack(&ready(1))).await;
    assert_eq!(master.said().await.message, ready(1));
    alive.say(FrameKind::Ping, Bytes::new()).await;
    while alive.read().await.unwrap().kind != FrameKind::Pong {}
}

#[actix::test]
async fn a_worker_calls_again_when_its_master_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = worker_options(&[listener.local_addr().unwrap()]);
    let mut worker = Worker::start(MasterLinksOptions { idle: Duration::from_millis(200), ..options }).await;
    let mut first = Raw::new(within(listener.accept()).await.unwrap().0);
    first.answer("a", &[]).await;
    worker.up().await;
    assert!(matches!(worker.heard().await, LinkEvent::Down));
    let mut second = Raw::new(within(listener.accept()).await.unwrap().0);
    second.answer("a", &[]).await;
    worker.up().await;
}

#[actix::test]
async fn a_worker_cannot_speak_as_a_master() {
    let mut master = Master::start(local("a"));
    for kind in [FrameKind::Raft, FrameKind::Formation, FrameKind::ToWorker, FrameKind::Hello] {
        let mut raw = Raw::connect(master.address()).await;
        raw.call(worker_hello("w1"), None).await.unwrap();
        master.attached().await;
        raw.say(kind, Bytes::from_static(b"append")).await;
        master.detached().await;
        assert!(raw.has_ended().await, "{kind:?}");
    }
}

#[actix::test]
async fn what_cannot_be_understood_ends_the_link() {
    let mut master = Master::start(local("a"));
    let mut raw = Raw::connect(master.address()).await;
    raw.call(worker_hello("w1"), None).await.unwrap();
    master.attached().await;
    raw.say(FrameKind::FromWorker, Bytes::from_static(&[0xc1; 40])).await;
    master.detached().await;
    assert!(raw.has_ended().await);
}

#[actix::test]
async fn a_name_that_no_master_takes_is_given_up() {
    let master = Master::start(local("a"));
    let mut options = worker_options(&[master.address()]);
    options.worker = WorkerId("w".repeat(limits::NODE_NAME_BYTES_MAX + 1).into());
    let mut worker = Worker::start(options).await;
    assert!(matches!(worker.heard().await, LinkEvent::GivenUp { reason } if reason.contains("longer than 255 bytes")));
    assert_eq!(*worker.links.cycles().borrow(), u32::MAX);
    within(worker.links.close()).await;
}

/// What a worker that is linked to the master "a" of cluster 1 says to another one that would take it.
async fn second_master_is_told(second: PeerHello) -> Refusal {
    let (a, b) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let addresses = [a.local_addr().unwrap(), b.local_addr().unwrap()];
    let mut worker = Worker::start(worker_options(&addresses)).await;
    let mut first = Raw::new(within(a.accept()).await.unwrap().0);
    first.answer("a", &[]).await;
    worker.up().await;
    let mut other = Raw::new(within(b.accept()).await.unwrap().0);
    other.answer_as(second, &[]).await;
    let last = other.read().await.unwrap();
    assert_eq!(last.kind, FrameKind::Refused);
    assert!(other.has_ended().await);
    assert!(worker.has_heard_nothing());
    Refusal::of(&last)
}

#[actix::test]
async fn a_worker_belongs_to_the_cluster_that_took_it_first() {
    let told = second_master_is_told(PeerHello { cluster: Some(2), ..peer("b", 0) }).await;
    assert_eq!(told, Refusal::OtherCluster { caller: 1, master: 2 });
}

#[actix::test]
async fn a_second_way_to_the_same_master_is_not_taken() {
    assert_eq!(second_master_is_told(peer("a", 0)).await, Refusal::LinkedAlready { master: "a".into() });
}

#[actix::test]
async fn a_message_of_a_raw_master_is_heard() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut worker = Worker::start(worker_options(&[listener.local_addr().unwrap()])).await;
    let mut raw = Raw::new(within(listener.accept()).await.unwrap().0);
    raw.answer("a", &[]).await;
    let (_, uplink) = worker.up().await;
    raw.say(FrameKind::ToWorker, pack(&heard(9))).await;
    assert!(matches!(worker.heard().await, LinkEvent::Says(Downlink::Message(said)) if said == heard(9)));
    uplink.send(Says(ready(5))).await.unwrap();
    assert_eq!(unpack(&raw.read_message().await.unwrap().body), Ok(ready(5)));
    raw.say(FrameKind::Raft, Bytes::new()).await;
    assert!(matches!(worker.heard().await, LinkEvent::Down));
}
