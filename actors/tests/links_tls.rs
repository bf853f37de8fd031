//! Links over TLS with certificates of a private authority.

#![allow(clippy::unwrap_used, reason = "tests")]

mod link_support;

use std::path::{Path, PathBuf};
use std::process::Command;

use akrida_actors::link::peers::{PeerAddress, PeerFrameKind, PeerOptions, Peers};
use akrida_actors::link::runtime::LinkRuntime;
use akrida_actors::link::server::{LinkServer, ServerError, ServerOptions};
use akrida_actors::link::session::Attachments;
use akrida_actors::link::tls::{LinkTls, LinkTlsOptions};
use akrida_actors::link::{LinkEvent, Says};
use akrida_core::ids::RunId;
use akrida_core::wire::FromWorker;
use bytes::Bytes;
use link_support::{FromPeer, Inbox, Master, Raw, Worker, local, own, within, worker_hello, worker_options};

/// A folder with certificates, gone at the end of the test.
struct Certificates(PathBuf);

impl Certificates {
    fn make(test: &str, nodes: &[&str]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/make-certs.sh");
        let made = Command::new("bash").arg(script).arg(&folder).args(nodes).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }

    fn of(&self, node: &str) -> LinkTls {
        LinkTls::load(&LinkTlsOptions {
            ca_file: self.0.join("ca.pem"),
            certificate: Some(self.0.join(format!("{node}.pem"))),
            key: Some(self.0.join(format!("{node}-key.pem"))),
            mutual: true,
        })
        .unwrap()
    }

    fn without_own(&self) -> LinkTls {
        LinkTls::load(&LinkTlsOptions { ca_file: self.0.join("ca.pem"), ..LinkTlsOptions::default() }).unwrap()
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const MASTER: &str = "master,127.0.0.1,localhost";

/// That a worker with this TLS does not get in.
async fn assert_kept_out(master: &mut Master, tls: Option<LinkTls>) {
    let mut options = worker_options(&[master.address()]);
    options.tls = tls;
    let mut worker = Worker::start(options).await;
    within(worker.links.cycles().wait_for(|cycles| *cycles >= 1)).await.unwrap();
    assert!(worker.has_heard_nothing());
    assert!(master.is_told_nothing());
}

#[actix::test]
async fn a_worker_with_a_certificate_of_the_authority_gets_in() {
    let certificates = Certificates::make("right", &[MASTER, "worker"]);
    let tls = Some(certificates.of("master"));
    let mut master = Master::start(ServerOptions { tls, ..local("a") });
    let mut options = worker_options(&[master.address()]);
    options.tls = Some(certificates.of("worker"));
    let mut worker = Worker::start(options).await;
    let attach = master.attached().await;
    let (_, uplink) = worker.up().await;
    let ready = FromWorker::Ready { run: RunId(1) };
    uplink.send(Says(ready.clone())).await.unwrap();
    assert_eq!(master.said().await.message, ready);
    let reason: String = "x".repeat(3_000_000);
    let large = akrida_core::wire::ToWorker::Refused { reason: reason.into() };
    attach.downlink.try_send(akrida_actors::link::Downlink::Message(large)).unwrap();
    assert!(matches!(worker.heard().await, LinkEvent::Says(_)));
    uplink.send(Says(FromWorker::Goodbye)).await.unwrap();
    worker.links.close().await;
    assert_eq!(master.said().await.message, FromWorker::Goodbye);
    assert!(master.detached().await.died);
}

#[actix::test]
async fn another_authority_no_certificate_and_no_tls_are_kept_out() {
    let certificates = Certificates::make("ours", &[MASTER]);
    let others = Certificates::make("theirs", &["worker"]);
    let tls = Some(certificates.of("master"));
    let mut master = Master::start(ServerOptions { tls, ..local("a") });
    assert_kept_out(&mut master, Some(others.of("worker"))).await;
    assert_kept_out(&mut master, Some(certificates.without_own())).await;
    let mut raw = Raw::connect(master.address()).await;
    raw.write(&akrida_core::wire::handshake::initiator::Initiator::new(worker_hello("w"), None).hello()).await;
    drop(raw);
    assert!(master.is_told_nothing());
}

#[actix::test]
async fn a_worker_does_not_trust_a_master_of_another_authority_or_host() {
    let others = Certificates::make("false", &[MASTER, "elsewhere,10.1.2.3"]);
    let ours = Certificates::make("trusted", &["worker"]);
    let mut master = Master::start(ServerOptions { tls: Some(others.of("master")), ..local("a") });
    assert_kept_out(&mut master, Some(ours.of("worker"))).await;
    let mut elsewhere = Master::start(ServerOptions { tls: Some(others.of("elsewhere")), ..local("a") });
    assert_kept_out(&mut elsewhere, Some(others.of("master"))).await;
}

/// Peers of `a` that call `b` with a certificate.
fn calling(runtime: &LinkRuntime, port: u16, tls: LinkTls) -> Peers {
    let b = PeerAddress { name: "b".into(), host: "127.0.0.1".into(), port };
    let options = PeerOptions { tls: Some(tls), ..PeerOptions::new(own("a"), vec![b]) };
    Peers::start(options, runtime, Inbox::new().0)
}

#[actix::test]
async fn a_workers_certificate_does_not_make_a_master() {
    let certificates = Certificates::make("peers", &[MASTER, "worker"]);
    let runtime = LinkRuntime::start().unwrap();
    let (inbox, mut heard) = Inbox::new();
    // Nobody listens there: only incoming connections matter.
    let a = PeerAddress { name: "a".into(), host: "127.0.0.1".into(), port: 1 };
    let of_b = PeerOptions { tls: Some(certificates.of("master")), ..PeerOptions::new(own("b"), vec![a]) };
    let peers = Peers::start(of_b, &runtime, inbox);
    let options = ServerOptions { tls: Some(certificates.of("master")), ..local("b") };
    let b = Master::with_peers(options, &runtime, Some(peers));
    let port = b.address().port();

    let worker = calling(&runtime, port, certificates.of("worker"));
    let master = calling(&runtime, port, certificates.of("master"));
    let hello = Bytes::from_static(b"hello");
    within(async {
        while !master.send("b", PeerFrameKind::Raft, hello.clone()) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!worker.send("b", PeerFrameKind::Raft, Bytes::from_static(b"forged")));
    loop {
        match within(heard.recv()).await.unwrap() {
            FromPeer::Message(_, _, body) => break assert_eq!(body, hello),
            FromPeer::Hello(_) | FromPeer::Gone(_) | FromPeer::Ended(_) => {}
        }
    }
}

#[actix::test]
async fn a_master_needs_a_certificate_of_its_own() {
    let certificates = Certificates::make("none", &["worker"]);
    let runtime = LinkRuntime::start().unwrap();
    let options = ServerOptions { tls: Some(certificates.without_own()), ..local("a") };
    let to = recipients();
    let started = LinkServer::start(options, &runtime, actix::Arbiter::current(), to, None);
    assert!(matches!(started, Err(ServerError::NoCertificate)));
}

fn recipients() -> Attachments {
    struct Nobody;
    impl actix::Actor for Nobody {
        type Context = actix::Context<Self>;
    }
    impl<M: actix::Message<Result = ()>> actix::Handler<M> for Nobody {
        type Result = ();
        fn handle(&mut self, _: M, _: &mut Self::Context) {}
    }
    let nobody = actix::Actor::start(Nobody);
    Attachments { attach: nobody.clone().recipient(), detach: nobody.clone().recipient(), uplink: nobody.recipient() }
}
