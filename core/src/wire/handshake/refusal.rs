//! Why a connection is refused: said on both sides.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ProtocolRange, frame};
use crate::wire::body;
use crate::wire::frame::{Frame, FrameKind};

/// Why a connection is refused. Sides are named as "caller" and "master", because both log the same text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// No protocol version in common.
    #[error(
        "no common protocol version: the caller speaks {}-{}, the master {}-{}; one of the two programs is too old",
        caller.min, caller.max, master.min, master.max
    )]
    NoCommonProtocol {
        /// What the caller speaks.
        caller: ProtocolRange,
        /// What the master speaks.
        master: ProtocolRange,
    },
    /// The caller's proof is wrong.
    #[error("the caller's secret is not the one that this master expects of a {role}")]
    WrongSecret {
        /// What it says it is.
        role: Arc<str>,
    },
    /// The master's proof is wrong.
    #[error("the master does not know the caller's secret")]
    MasterUnproven,
    /// The master has a secret, the caller has none.
    #[error("the master asks for a secret, and the caller has none")]
    SecretMissing,
    /// The caller has a secret, the master has none.
    #[error("the caller has a secret, and the master asks for none")]
    SecretUnused,
    /// They belong to different clusters.
    #[error("different clusters: the caller belongs to {caller:016x}, the master to {master:016x}")]
    OtherCluster {
        /// The caller's.
        caller: u64,
        /// The master's.
        master: u64,
    },
    /// The caller says that it is a master, but none that is configured.
    #[error("the master knows no other master of the name {name:?}")]
    UnknownPeer {
        /// Its name.
        name: Arc<str>,
    },
    /// A master answered that is not the one that was called.
    #[error("the master {called:?} was called, {answered:?} answered")]
    OtherMaster {
        /// Which was called.
        called: Arc<str>,
        /// Which answered.
        answered: Arc<str>,
    },
    /// The caller's certificate is not that of the master that it says it is.
    #[error("the caller's certificate is not for the host {host:?} of the master that it says it is")]
    OtherCertificate {
        /// The configured host of that master.
        host: Arc<str>,
    },
    /// A name is empty or too long.
    #[error("a name is empty or longer than {0} bytes")]
    BadName(usize),
    /// Too many connections.
    #[error("the master has {connections_max} connections, which is as many as it may have")]
    Full {
        /// How many it may have, places of masters included.
        connections_max: u64,
    },
    /// A message cannot be understood.
    #[error("cannot be understood: {0}")]
    Garbled(String),
    /// A message that does not belong here.
    #[error("{0} is out of turn")]
    OutOfTurn(String),
    /// The caller has another connection to this master.
    #[error("the caller has a link to the master {master:?} already: it is listed twice, or under two names")]
    LinkedAlready {
        /// Its name.
        master: Arc<str>,
    },
    /// Another reason.
    #[error("{0}")]
    Other(Arc<str>),
}

impl Refusal {
    /// Whether the caller can only be accepted after it was changed. Everything else may be mended on the master's side,
    /// by an operator or by time, and a caller that stops calling would not notice.
    #[must_use]
    pub fn is_final(&self) -> bool {
        matches!(self, Self::BadName(_))
    }

    /// What a frame of the kind [`FrameKind::Refused`] says.
    #[must_use]
    pub fn of(frame: &Frame) -> Self {
        body::unpack(&frame.body).unwrap_or_else(|error| Self::Garbled(error.0))
    }

    /// The frame that tells the other side.
    #[must_use]
    pub fn frame(&self) -> Frame {
        frame(FrameKind::Refused, body::pack_named(self))
    }
}
