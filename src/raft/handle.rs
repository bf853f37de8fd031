//! What the rest of the program holds of the raft threads.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use actix::Recipient;
use akrida_actors::coordinator::log::{LogEvent, ReplicatedLog, Told};
use akrida_core::ids::{LogIndex, ProposalId, RaftId};
use akrida_core::replica::change::{ChangeRefused, MemberChange};
use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use super::inbox::{Inbox, Shared, offer};
use super::peers::PeerFrame;
use super::status::RaftStatus;

/// Speaks to the raft thread. Nothing here waits, except for the answers that are futures.
#[derive(Clone)]
pub struct RaftHandle {
    pub(super) inbox: SyncSender<Inbox>,
    pub(super) shared: Arc<Shared>,
    pub(super) events: Recipient<Told>,
    pub(super) status: watch::Receiver<RaftStatus>,
}

impl std::fmt::Debug for RaftHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftHandle").field("status", &*self.status.borrow()).finish_non_exhaustive()
    }
}

/// The raft thread has no room for a question, or has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Raft group does not answer")]
pub struct Unanswered;

/// Why a lost master is not replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceRefused {
    /// The members cannot be changed now.
    #[error(transparent)]
    Change(#[from] ChangeRefused),
    /// No master of that name waits.
    #[error("no master named {0} with an empty data folder is asking to join")]
    NobodyWaits(Arc<str>),
}

impl RaftHandle {
    /// Takes a message of another master, by its configured name, as its link has authenticated it. `false` if there is
    /// no room: the message is lost, as in a network.
    pub fn deliver(&self, from: &str, kind: PeerFrame, body: Bytes) -> bool {
        offer(&self.inbox, Inbox::Peer { from: from.into(), kind, body }).is_ok()
    }

    /// The process of another master has ended, by its configured name. If it led, nobody waits for it to be silent for
    /// long enough.
    pub fn ended(&self, name: &str) {
        // Without room for it the group finds out by itself.
        let _ = offer(&self.inbox, Inbox::Ended(name.into()));
    }

    /// Gives the lead to another voter, where it stays until the next election. Ignored unless this master leads; the
    /// status shows what comes of it.
    ///
    /// # Errors
    /// When the raft thread has no room for it, or has ended.
    pub fn transfer(&self, to: RaftId) -> Result<(), Unanswered> {
        offer(&self.inbox, Inbox::Transfer(to)).map_err(|_| Unanswered)
    }

    /// Makes this master a better or worse leader. One that should not lead must have a low priority, or it blocks the
    /// elections of others.
    ///
    /// # Errors
    /// When the raft thread has no room for it, or has ended.
    pub fn set_priority(&self, priority: i64) -> Result<(), Unanswered> {
        offer(&self.inbox, Inbox::SetPriority(priority)).map_err(|_| Unanswered)
    }

    /// Begins to change the members; the status shows when it is done. A change of leader may end it half-way: then it
    /// can be asked for again.
    ///
    /// # Errors
    /// The outer one when the raft thread does not answer, the inner one when the change cannot begin.
    pub async fn change_members(&self, change: MemberChange) -> Result<Result<(), ChangeRefused>, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.ask(Inbox::Change(change, reply), answer).await
    }

    /// Puts the master of that name that waits with an empty data folder in the place of the member that it was. Only
    /// the leader can.
    ///
    /// # Errors
    /// The outer one when the raft thread does not answer, the inner one when it cannot begin.
    pub async fn replace(&self, name: &str) -> Result<Result<(), ReplaceRefused>, Unanswered> {
        let (reply, answer) = oneshot::channel();
        self.ask(Inbox::Replace(name.into(), reply), answer).await
    }

    /// The group as this master sees it, now and from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<RaftStatus> {
        self.status.clone()
    }

    /// Ends the raft threads; what was handed to the disk is written first. `RaftThread::join` waits for it.
    pub fn stop(&self) {
        // The thread empties its inbox all the time, so this waits at most for the writes under way.
        let _ = self.inbox.send(Inbox::Stop);
    }

    async fn ask<T>(&self, question: Inbox, answer: oneshot::Receiver<T>) -> Result<T, Unanswered> {
        offer(&self.inbox, question).map_err(|_| Unanswered)?;
        answer.await.map_err(|_| Unanswered)
    }

    fn wake(&self) {
        let _ = offer(&self.inbox, Inbox::Wake);
    }
}

impl ReplicatedLog for RaftHandle {
    fn propose(&mut self, proposal: ProposalId, record: Bytes) {
        if offer(&self.inbox, Inbox::Propose(proposal, record)).is_err() {
            self.events.do_send(Told(LogEvent::Dropped(proposal)));
        }
    }

    fn read(&mut self, read: u64) {
        // Without room nothing comes of it, as without a lead; every read has a time-out.
        let _ = offer(&self.inbox, Inbox::Read(read));
    }

    fn applied(&mut self, index: LogIndex) {
        self.shared.note_applied(index);
        self.wake();
    }

    fn snapshot(&mut self, index: LogIndex, state: Bytes) {
        self.shared.put_snapshot(index, state);
        self.wake();
    }
}
