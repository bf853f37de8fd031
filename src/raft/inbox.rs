//! What reaches the raft thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Mutex, PoisonError};

use akrida_core::ids::{LogIndex, ProposalId, RaftId};
use akrida_core::replica::change::{ChangeRefused, MemberChange};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::handle::ReplaceRefused;
use super::peers::PeerFrame;

/// One thing for the raft thread.
pub(super) enum Inbox {
    /// Look at what is shared.
    Wake,
    Peer {
        from: Arc<str>,
        kind: PeerFrame,
        body: Bytes,
    },
    /// The process of another master has ended.
    Ended(Arc<str>),
    Propose(ProposalId, Bytes),
    Read(u64),
    Transfer(RaftId),
    SetPriority(i64),
    Change(MemberChange, oneshot::Sender<Result<(), ChangeRefused>>),
    Replace(Arc<str>, oneshot::Sender<Result<(), ReplaceRefused>>),
    Stop,
}

/// What must not be lost when the inbox is full. Whoever writes it then sends [`Inbox::Wake`]; if that does not fit, the
/// raft thread is awake anyway.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// The number of the last durable write.
    pub(super) persisted: AtomicU64,
    /// How many writes were finished.
    pub(super) writes_done: AtomicU64,
    /// The last entry that was applied.
    pub(super) applied: AtomicU64,
    snapshot: Mutex<Option<(LogIndex, Bytes)>>,
}

impl Shared {
    pub(super) fn put_snapshot(&self, index: LogIndex, state: Bytes) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some((index, state));
    }

    pub(super) fn take_snapshot(&self) -> Option<(LogIndex, Bytes)> {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn note_applied(&self, index: LogIndex) {
        self.applied.fetch_max(index.0, Ordering::AcqRel);
    }
}

/// Puts something into the inbox if there is room and somebody takes it out; otherwise gives it back.
pub(super) fn offer(inbox: &SyncSender<Inbox>, what: Inbox) -> Result<(), Inbox> {
    inbox.try_send(what).map_err(|error| match error {
        TrySendError::Full(what) | TrySendError::Disconnected(what) => what,
    })
}
