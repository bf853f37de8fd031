//! The handshake: who may speak at all.
//!
//! ```text
//! caller                                             master
//!   Hello { role, protocol, nonce }            ─►
//!                                              ◄─    Challenge { nonce }        only with a secret
//!   Proof { mac of Hello and Challenge }       ─►
//!                                              ◄─    Accepted { grant, mac of all of it }
//!   Ping: the link is up                       ─►
//! ```
//!
//! Either side may say Refused, with the reason, instead. With a secret nothing of a caller is looked at, beyond what it takes to
//! understand it, before its proof is right; and a caller trusts a master only after the master's own proof. What the
//! proofs are made with differs between workers and masters ([`secret`]).
//!
//! The messages are packed by field name and never lose a field, so that any two builds can tell each other that they do
//! not fit.

pub mod acceptor;
pub mod initiator;
pub mod refusal;
pub mod secret;

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use self::refusal::Refusal;
use self::secret::{Mac, RoleKind};
use super::body;
use super::frame::{Frame, FrameKind};
use crate::ids::{Incarnation, RaftId, WorkerId};

/// The version of the frames of a handshake.
pub const HANDSHAKE_VERSION: u8 = 1;

/// The protocol versions that this build speaks.
pub const PROTOCOL: ProtocolRange = ProtocolRange { min: 1, max: 1 };

/// A random number that is used once.
pub type Nonce = [u8; 32];

/// Protocol versions from the lowest to the highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtocolRange {
    /// The lowest.
    pub min: u8,
    /// The highest.
    pub max: u8,
}

impl ProtocolRange {
    /// The highest version of both.
    #[must_use]
    pub fn common(self, other: Self) -> Option<u8> {
        let highest = self.max.min(other.max);
        (highest >= self.min.max(other.min)).then_some(highest)
    }

    /// Whether a version is among them.
    #[must_use]
    pub fn contains(self, version: u8) -> bool {
        (self.min..=self.max).contains(&version)
    }
}

/// The first frame of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// What the caller speaks.
    pub protocol: ProtocolRange,
    /// Who it is.
    pub role: Role,
    /// Its part of what the proofs are about.
    pub nonce: Nonce,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// A worker.
    Worker(WorkerHello),
    /// Another master.
    Peer(PeerHello),
}

impl Role {
    /// Without whose.
    #[must_use]
    pub fn kind(&self) -> RoleKind {
        match self {
            Self::Worker(_) => RoleKind::Worker,
            Self::Peer(_) => RoleKind::Peer,
        }
    }

    /// The caller's name.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Worker(worker) => &worker.id.0,
            Self::Peer(peer) => &peer.name,
        }
    }

    /// The cluster that it belongs to, if it knows.
    #[must_use]
    pub fn cluster(&self) -> Option<u64> {
        match self {
            Self::Worker(worker) => worker.cluster,
            Self::Peer(peer) => peer.cluster,
        }
    }
}

/// What a worker says of itself when it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerHello {
    /// Its name.
    pub id: WorkerId,
    /// Its life.
    pub incarnation: Incarnation,
    /// The cluster that took it before.
    pub cluster: Option<u64>,
}

/// What a master says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerHello {
    /// Its configured name.
    pub name: Arc<str>,
    /// Its id in the Raft group.
    pub raft_id: RaftId,
    /// Where it can be reached: a host name or address.
    pub host: Arc<str>,
    /// Its port for masters and workers.
    pub port: u16,
    /// The cluster that it belongs to; none before it is part of one.
    pub cluster: Option<u64>,
    /// Which life of it this is.
    pub incarnation: Incarnation,
}

/// What a caller must prove that it knows the secret for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Challenge {
    nonce: Nonce,
}

/// That it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Proof {
    mac: Mac,
}

/// The answer to a caller that is welcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Accepted {
    /// A packed [`Grant`]: as bytes, because the proof is about the bytes.
    grant: ByteBuf,
    /// The master's own proof, where there is a secret.
    mac: Option<Mac>,
}

/// What was agreed on, and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The protocol version of all that follows.
    pub protocol: u8,
    /// The master that answered.
    pub master: PeerHello,
}

/// Why a handshake ended without a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// This side refuses; [`Refusal::frame`] tells the other one.
    #[error("refused the other side: {0}")]
    Refuse(Refusal),
    /// The other side has refused.
    #[error("refused by the other side: {0}")]
    Refused(Refusal),
}

impl From<Refusal> for HandshakeError {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

fn frame(kind: FrameKind, body: Bytes) -> Frame {
    Frame { kind, version: HANDSHAKE_VERSION, body }
}

fn unpack<T: serde::de::DeserializeOwned>(frame: &Frame) -> Result<T, Refusal> {
    body::unpack(&frame.body).map_err(|error| Refusal::Garbled(error.0))
}

/// What to make of a frame that was not expected.
fn out_of_turn(frame: &Frame) -> HandshakeError {
    match frame.kind {
        FrameKind::Refused => HandshakeError::Refused(Refusal::of(frame)),
        kind => HandshakeError::Refuse(Refusal::OutOfTurn(format!("{kind:?}"))),
    }
}
