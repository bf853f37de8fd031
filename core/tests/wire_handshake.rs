//! The handshake: who gets in, who does not, and what both sides are told.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use akrida_core::ids::{Incarnation, RaftId, WorkerId};
use akrida_core::limits;
use akrida_core::wire::frame::{Frame, FrameKind};
use akrida_core::wire::handshake::acceptor::{self, Acceptor, Policy};
use akrida_core::wire::handshake::initiator::{self, Initiator};
use akrida_core::wire::handshake::refusal::Refusal;
use akrida_core::wire::handshake::secret::{RoleKind, Secret, Secrets, WorkerSecretAlone};
use akrida_core::wire::handshake::{
    Grant, HandshakeError, Hello, PROTOCOL, PeerHello, ProtocolRange, Role, WorkerHello,
};
use bytes::Bytes;
use proptest::prelude::*;

fn peer(name: &str, cluster: Option<u64>) -> PeerHello {
    PeerHello {
        name: name.into(),
        raft_id: RaftId(7),
        host: "localhost".into(),
        port: 5557,
        cluster,
        incarnation: Incarnation(1),
    }
}

fn a_peer(name: &str) -> Role {
    Role::Peer(peer(name, None))
}

fn worker(cluster: Option<u64>) -> Role {
    Role::Worker(WorkerHello { id: WorkerId("w1".into()), incarnation: Incarnation(3), cluster })
}

fn secret(text: &str) -> Secret {
    Secret::new(text).unwrap()
}

fn hello(role: Role) -> Hello {
    Hello { protocol: PROTOCOL, role, nonce: [1; 32] }
}

fn policy(secrets: Secrets) -> Policy {
    Policy { master: peer("a", Some(1)), protocol: PROTOCOL, secrets, peers: ["b".into(), "c".into()].into() }
}

fn cluster_secret(text: &str) -> Secrets {
    Secrets::new(Some(secret(text)), None).unwrap()
}

/// How it ended for the caller and for the master.
type Outcome = (Result<Grant, HandshakeError>, Result<(Role, u8), HandshakeError>);

/// Carries frames between the two until both are done.
fn shake(mut caller: Initiator, mut master: Acceptor) -> Outcome {
    let mut to_master = caller.hello();
    loop {
        let (answer, verified) = match master.step(&to_master) {
            Ok(acceptor::Progress::Send(frame)) => (frame, None),
            Ok(acceptor::Progress::Verified(role)) => {
                let (frame, version) = master.accept().unwrap();
                (frame, Some((role, version)))
            }
            Err(HandshakeError::Refuse(refusal)) => {
                let told = caller.step(&refusal.frame()).unwrap_err();
                return (Err(told), Err(HandshakeError::Refuse(refusal)));
            }
            Err(refused) => unreachable!("the caller had its say first: {refused}"),
        };
        match caller.step(&answer) {
            Ok(initiator::Progress::Send(frame)) => to_master = frame,
            Ok(initiator::Progress::Accepted(grant)) => return (Ok(grant), Ok(verified.unwrap())),
            Err(HandshakeError::Refuse(refusal)) => {
                let told = master.step(&refusal.frame()).unwrap_err();
                return (Err(HandshakeError::Refuse(refusal)), Err(told));
            }
            Err(refused) => unreachable!("the master did not refuse: {refused}"),
        }
    }
}

fn shake_with(hello: Hello, callers: Option<&str>, policy: Policy) -> Outcome {
    shake(Initiator::new(hello, callers.map(secret).as_ref()), Acceptor::new(policy, [2; 32]))
}

/// That both sides know why.
fn assert_refused(outcome: &Outcome, expected: &Refusal) {
    let why = |side: &HandshakeError| match side {
        HandshakeError::Refuse(refusal) | HandshakeError::Refused(refusal) => refusal.clone(),
    };
    assert_eq!(outcome.0.as_ref().map_err(why), Err(expected.clone()), "caller");
    assert_eq!(outcome.1.as_ref().map_err(why), Err(expected.clone()), "master");
}

#[test]
fn who_belongs_here_gets_in() {
    for secrets in [Secrets::default(), cluster_secret("s")] {
        let callers = secrets.cluster().map(|_| "s");
        for role in [worker(None), worker(Some(1)), a_peer("b")] {
            let (caller, master) = shake_with(hello(role.clone()), callers, policy(secrets.clone()));
            assert_eq!(caller, Ok(Grant { protocol: 1, master: peer("a", Some(1)) }));
            assert_eq!(master, Ok((role, 1)));
        }
    }
}

#[test]
fn the_highest_common_protocol_is_spoken() {
    let speaks = |min, max| ProtocolRange { min, max };
    for (callers, masters, spoken) in [((1, 3), (2, 5), Some(3)), ((4, 9), (1, 4), Some(4)), ((1, 2), (3, 4), None)] {
        let hello = Hello { protocol: speaks(callers.0, callers.1), ..hello(worker(None)) };
        let policy = Policy { protocol: speaks(masters.0, masters.1), ..policy(Secrets::default()) };
        let outcome = shake_with(hello.clone(), None, policy.clone());
        match spoken {
            Some(spoken) => assert_eq!(outcome.0.unwrap().protocol, spoken),
            None => {
                assert_refused(&outcome, &Refusal::NoCommonProtocol { caller: hello.protocol, master: policy.protocol })
            }
        }
    }
}

#[test]
fn a_wrong_secret_is_refused() {
    let outcome = shake_with(hello(worker(None)), Some("guess"), policy(cluster_secret("s")));
    assert_refused(&outcome, &Refusal::WrongSecret { role: "worker".into() });
    let outcome = shake_with(hello(a_peer("b")), Some("guess"), policy(cluster_secret("s")));
    assert_refused(&outcome, &Refusal::WrongSecret { role: "master".into() });
}

#[test]
fn a_secret_on_one_side_only_is_refused() {
    let outcome = shake_with(hello(worker(None)), None, policy(cluster_secret("s")));
    assert_refused(&outcome, &Refusal::SecretMissing);
    let (caller, _) = shake_with_caller_refusing(Some("s"), Secrets::default());
    assert_eq!(caller, HandshakeError::Refuse(Refusal::SecretUnused));
}

/// A handshake that the caller refuses although the master has accepted.
fn shake_with_caller_refusing(callers: Option<&str>, secrets: Secrets) -> (HandshakeError, Frame) {
    let mut caller = Initiator::new(hello(worker(None)), callers.map(secret).as_ref());
    let mut master = Acceptor::new(policy(secrets), [2; 32]);
    let mut answer = master.step(&caller.hello()).unwrap();
    while let acceptor::Progress::Send(challenge) = answer {
        let Ok(initiator::Progress::Send(proof)) = caller.step(&challenge) else { panic!("no proof") };
        answer = master.step(&proof).unwrap();
    }
    let (accepted, _) = master.accept().unwrap();
    (caller.step(&accepted).unwrap_err(), accepted)
}

#[test]
fn a_master_that_cannot_prove_itself_is_refused() {
    // It takes any proof, as a thief would, and has another secret of its own.
    let mut caller = Initiator::new(hello(worker(None)), Some(&secret("s")));
    let mut thief = Acceptor::new(policy(cluster_secret("other")), [2; 32]);
    let Ok(acceptor::Progress::Send(challenge)) = thief.step(&caller.hello()) else { panic!("no challenge") };
    assert!(matches!(caller.step(&challenge), Ok(initiator::Progress::Send(_))));
    let (accepted, _) = {
        let mut own = Initiator::new(hello(worker(None)), Some(&secret("other")));
        let Ok(initiator::Progress::Send(proof)) = own.step(&challenge) else { panic!("no proof") };
        thief.step(&proof).unwrap();
        thief.accept().unwrap()
    };
    assert_eq!(caller.step(&accepted), Err(HandshakeError::Refuse(Refusal::MasterUnproven)));
}

#[test]
fn a_proof_is_good_for_one_handshake() {
    let mut caller = Initiator::new(hello(worker(None)), Some(&secret("s")));
    let mut master = Acceptor::new(policy(cluster_secret("s")), [2; 32]);
    let Ok(acceptor::Progress::Send(challenge)) = master.step(&caller.hello()) else { panic!("no challenge") };
    let Ok(initiator::Progress::Send(proof)) = caller.step(&challenge) else { panic!("no proof") };
    assert!(master.step(&proof).is_ok());
    let mut next = Acceptor::new(policy(cluster_secret("s")), [9; 32]);
    next.step(&caller.hello()).unwrap();
    assert!(matches!(next.step(&proof), Err(HandshakeError::Refuse(Refusal::WrongSecret { .. }))));
}

#[test]
fn a_workers_proof_is_not_one_of_a_master() {
    let secrets = Secrets::new(Some(secret("masters")), Some(secret("workers"))).unwrap();
    let (caller, _) = shake_with(hello(worker(None)), Some("workers"), policy(secrets.clone()));
    assert!(caller.is_ok());
    let outcome = shake_with(hello(a_peer("b")), Some("workers"), policy(secrets.clone()));
    assert_refused(&outcome, &Refusal::WrongSecret { role: "master".into() });
    assert!(shake_with(hello(a_peer("b")), Some("masters"), policy(secrets.clone())).0.is_ok());
    assert_refused(
        &shake_with(hello(worker(None)), Some("masters"), policy(secrets)),
        &Refusal::WrongSecret { role: "worker".into() },
    );
    let one = cluster_secret("s");
    assert_ne!(one.key(RoleKind::Worker), one.key(RoleKind::Peer), "one secret, two keys");
}

#[test]
fn a_secret_for_workers_alone_would_let_anybody_be_a_master() {
    assert_eq!(Secrets::new(None, Some(secret("w"))), Err(WorkerSecretAlone));
    assert!(Secret::new("").is_err());
    assert_eq!(format!("{:?}", cluster_secret("hidden")).matches("hidden").count(), 0);
}

#[test]
fn another_cluster_is_refused_and_a_newcomer_is_not() {
    for role in [worker(Some(5)), Role::Peer(peer("b", Some(5)))] {
        let outcome = shake_with(hello(role), None, policy(Secrets::default()));
        assert_refused(&outcome, &Refusal::OtherCluster { caller: 5, master: 1 });
    }
    let unformed = Policy { master: peer("a", None), ..policy(Secrets::default()) };
    assert!(shake_with(hello(worker(Some(5))), None, unformed).0.is_ok());
}

#[test]
fn a_master_that_is_not_configured_is_refused() {
    for name in ["d", "a"] {
        let outcome = shake_with(hello(a_peer(name)), None, policy(Secrets::default()));
        assert_refused(&outcome, &Refusal::UnknownPeer { name: name.into() });
    }
}

#[test]
fn nothing_of_a_caller_is_judged_before_its_proof() {
    let outcome = shake_with(hello(Role::Peer(peer("nobody", Some(99)))), Some("guess"), policy(cluster_secret("s")));
    assert_refused(&outcome, &Refusal::WrongSecret { role: "master".into() });
}

#[test]
fn names_are_bounded() {
    for name in [String::new(), "n".repeat(limits::NODE_NAME_BYTES_MAX + 1)] {
        let hello_of = WorkerHello { id: WorkerId(name.into()), incarnation: Incarnation(1), cluster: None };
        let outcome = shake_with(hello(Role::Worker(hello_of)), None, policy(Secrets::default()));
        assert_refused(&outcome, &Refusal::BadName(limits::NODE_NAME_BYTES_MAX));
        assert!(Refusal::BadName(limits::NODE_NAME_BYTES_MAX).is_final());
    }
}

#[test]
fn the_largest_handshake_fits_its_bound() {
    let name: Arc<str> = "n".repeat(limits::NODE_NAME_BYTES_MAX).into();
    let largest = PeerHello {
        name: Arc::clone(&name),
        raft_id: RaftId(u64::MAX),
        host: name,
        port: u16::MAX,
        cluster: Some(u64::MAX),
        incarnation: Incarnation(u64::MAX),
    };
    let first = Initiator::new(Hello { nonce: [255; 32], ..hello(Role::Peer(largest.clone())) }, None).hello();
    assert!(first.body.len() < limits::HANDSHAKE_FRAME_BYTES_MAX);
    let mut master = Acceptor::new(Policy { master: largest, ..policy(Secrets::default()) }, [255; 32]);
    master.step(&Initiator::new(hello(worker(None)), None).hello()).unwrap();
    assert!(master.accept().unwrap().0.body.len() < limits::HANDSHAKE_FRAME_BYTES_MAX);
}

#[test]
fn frames_out_of_turn_end_the_handshake() {
    for kind in FrameKind::ALL {
        let early = Frame { kind, version: 1, body: Bytes::from_static(b"\xc0") };
        assert!(Acceptor::new(policy(Secrets::default()), [2; 32]).step(&early).is_err(), "{kind:?}");
        assert!(Initiator::new(hello(worker(None)), None).step(&early).is_err(), "{kind:?}");
    }
    let mut master = Acceptor::new(policy(cluster_secret("s")), [2; 32]);
    let first = Initiator::new(hello(worker(None)), None).hello();
    master.step(&first).unwrap();
    assert!(matches!(master.step(&first), Err(HandshakeError::Refuse(Refusal::OutOfTurn(_)))));
    assert!(master.accept().is_none(), "it is over");
}

proptest! {
    #[test]
    fn no_bytes_get_in_or_panic(
        kinds in prop::collection::vec((prop::sample::select(&FrameKind::ALL[..]), prop::collection::vec(any::<u8>(), 0..80)), 1..4),
        after_hello in any::<bool>(),
    ) {
        let mut master = Acceptor::new(policy(cluster_secret("s")), [2; 32]);
        let mut caller = Initiator::new(hello(worker(None)), Some(&secret("s")));
        if after_hello {
            master.step(&caller.hello()).unwrap();
        }
        for (kind, body) in kinds {
            let frame = Frame { kind, version: 1, body: body.into() };
            prop_assert!(!matches!(master.step(&frame), Ok(acceptor::Progress::Verified(_))));
            prop_assert!(!matches!(caller.step(&frame), Ok(initiator::Progress::Accepted(_))));
        }
    }
}
