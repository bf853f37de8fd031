//! Why a link ended, or did not come up.

use std::io;
use std::time::Duration;

use akrida_core::wire::body::BodyError;
use akrida_core::wire::frame::{FrameError, FrameKind};
use akrida_core::wire::handshake::HandshakeError;

/// Why a link ended, or did not come up.
#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("TLS handshake failed: {0}")]
    Tls(io::Error),
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    #[error("the other side has closed the connection")]
    Closed,
    #[error("nothing was heard for {0:?}")]
    Silent(Duration),
    #[error("nothing could be written for {0:?}")]
    Stalled(Duration),
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    #[error("the handshake took longer than {0:?}")]
    HandshakeTimeout(Duration),
    #[error("protocol {agreed} was agreed on, and a frame of protocol {version} came")]
    OtherVersion { agreed: u8, version: u8 },
    #[error("a frame of kind {0:?} is not allowed here")]
    NotAllowed(FrameKind),
    #[error("the name does not resolve to an address: {0}")]
    Unresolved(io::Error),
    #[error("every address of the name has a link already")]
    NoAddressLeft,
    #[error("the other side is slower than what is sent to it")]
    TooSlow,
    #[error("who was to be told is gone")]
    ListenerGone,
    #[error("no random numbers from the system")]
    NoRandom,
    #[error("closed in good order")]
    Finished,
}

impl LinkError {
    /// Whether the other host has said that nobody listens there.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}
