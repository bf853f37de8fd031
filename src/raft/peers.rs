//! How messages leave for other masters.

use bytes::Bytes;

/// What a message between masters is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerFrame {
    /// Of the Raft group.
    Raft,
    /// About founding or joining it.
    Formation,
}

/// Sends messages to other masters. Called from the raft thread, so it must not wait.
pub trait PeerSender: Send {
    /// Hands a message to the link with a master, by its configured name. `false` if there is none or its queue is full:
    /// the message is lost. What was handed over may still be lost.
    fn send(&self, to: &str, kind: PeerFrame, body: Bytes) -> bool;
}
