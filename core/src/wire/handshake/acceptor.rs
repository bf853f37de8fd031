//! The master's side of a handshake.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use serde_bytes::ByteBuf;

use super::refusal::Refusal;
use super::secret::{Key, Secrets};
use super::{
    Accepted, Challenge, Grant, HandshakeError, Hello, Nonce, PeerHello, Proof, ProtocolRange, Role, frame,
    out_of_turn, unpack,
};
use crate::limits;
use crate::wire::body;
use crate::wire::frame::{Frame, FrameKind};

/// Who is welcome.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who this master is.
    pub master: PeerHello,
    /// What it speaks.
    pub protocol: ProtocolRange,
    /// What its callers must know.
    pub secrets: Secrets,
    /// The names of the other masters.
    pub peers: BTreeSet<Arc<str>>,
}

/// A master in a handshake.
#[derive(Debug)]
pub struct Acceptor {
    policy: Policy,
    nonce: Nonce,
    claimed: Option<Role>,
    state: State,
}

#[derive(Debug)]
enum State {
    AwaitsHello,
    AwaitsProof(Caller, Key, Bytes),
    Verified(Caller, Option<(Key, Bytes)>),
    Over,
}

#[derive(Debug)]
struct Caller {
    hello: Hello,
    hello_body: Bytes,
    protocol: u8,
}

/// How a master goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Send this and wait for an answer.
    Send(Frame),
    /// The caller is who it says it is, and is welcome: see [`Acceptor::accept`]. Whoever knows more, such as whether
    /// there is a place left, may refuse it still.
    Verified(Role),
}

impl Acceptor {
    /// A master with a nonce that it never used before.
    #[must_use]
    pub fn new(policy: Policy, nonce: Nonce) -> Self {
        Self { policy, nonce, claimed: None, state: State::AwaitsHello }
    }

    /// Takes the caller's next frame.
    ///
    /// # Errors
    /// When either side refuses. The handshake is over then.
    pub fn step(&mut self, received: &Frame) -> Result<Progress, HandshakeError> {
        match (std::mem::replace(&mut self.state, State::Over), received.kind) {
            (State::AwaitsHello, FrameKind::Hello) => Ok(self.greet(received)?),
            (State::AwaitsProof(caller, key, challenge), FrameKind::Proof) => {
                Ok(self.verify(caller, key, challenge, received)?)
            }
            _ => Err(out_of_turn(received)),
        }
    }

    /// Who the caller says that it is, in so many characters that it may be shown. Nothing proves it.
    #[must_use]
    pub fn claimed(&self) -> Option<String> {
        let role = self.claimed.as_ref()?;
        let name: String = role.name().chars().take(limits::REFUSED_NAME_CHARS_MAX).collect();
        Some(format!("{} {name:?}", role.kind().name()))
    }

    /// The frame that makes the link, and the protocol version of all that follows; `None` unless the caller is verified.
    pub fn accept(&mut self) -> Option<(Frame, u8)> {
        let State::Verified(caller, proved) = std::mem::replace(&mut self.state, State::Over) else { return None };
        let grant = body::pack_named(&Grant { protocol: caller.protocol, master: self.policy.master.clone() });
        let mac = proved.map(|(key, challenge)| key.master_proof(&caller.hello_body, &challenge, &grant));
        let accepted = Accepted { grant: ByteBuf::from(grant.to_vec()), mac };
        Some((frame(FrameKind::Accepted, body::pack_named(&accepted)), caller.protocol))
    }

    fn greet(&mut self, received: &Frame) -> Result<Progress, Refusal> {
        let hello: Hello = unpack(received)?;
        self.claimed = Some(hello.role.clone());
        let (ours, theirs) = (self.policy.protocol, hello.protocol);
        let protocol = ours.common(theirs).ok_or(Refusal::NoCommonProtocol { caller: theirs, master: ours })?;
        let key = self.policy.secrets.key(hello.role.kind());
        let caller = Caller { hello, hello_body: received.body.clone(), protocol };
        match key {
            None => self.welcome(caller, None),
            Some(key) => {
                let challenge = body::pack_named(&Challenge { nonce: self.nonce });
                self.state = State::AwaitsProof(caller, key, challenge.clone());
                Ok(Progress::Send(frame(FrameKind::Challenge, challenge)))
            }
        }
    }

    fn verify(&mut self, caller: Caller, key: Key, challenge: Bytes, received: &Frame) -> Result<Progress, Refusal> {
        let Proof { mac } = unpack(received)?;
        if !key.is_caller_proof(&mac, &caller.hello_body, &challenge) {
            return Err(Refusal::WrongSecret { role: caller.hello.role.kind().name().into() });
        }
        self.welcome(caller, Some((key, challenge)))
    }

    fn welcome(&mut self, caller: Caller, proved: Option<(Key, Bytes)>) -> Result<Progress, Refusal> {
        let role = caller.hello.role.clone();
        if role.name().is_empty() || role.name().len() > limits::NODE_NAME_BYTES_MAX {
            return Err(Refusal::BadName(limits::NODE_NAME_BYTES_MAX));
        }
        if let (Some(caller), Some(master)) = (role.cluster(), self.policy.master.cluster)
            && caller != master
        {
            return Err(Refusal::OtherCluster { caller, master });
        }
        if let Role::Peer(peer) = &role
            && !self.policy.peers.contains(&peer.name)
        {
            return Err(Refusal::UnknownPeer { name: Arc::clone(&peer.name) });
        }
        self.state = State::Verified(caller, proved);
        Ok(Progress::Verified(role))
    }
}
