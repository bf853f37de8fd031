//! What a coordinator needs of a replicated log, and what the log tells it.

use actix::Message;
use akrida_core::ids::{LogIndex, ProposalId};
pub use akrida_core::replica::event::{Committed, LogEvent};
use bytes::Bytes;

/// A log that masters agree on. Nothing here waits; what comes of it arrives as [`LogEvent`]s.
pub trait ReplicatedLog: Send {
    /// Proposes a record. It is committed at most once, and [`LogEvent::Committed`] brings it back; otherwise comes
    /// [`LogEvent::Dropped`], or nothing at all when the leader changes before anybody knows.
    fn propose(&mut self, proposal: ProposalId, record: Bytes);

    /// Asks for [`LogEvent::Readable`]: proof that this master led at a time after the call.
    fn read(&mut self, read: u64);

    /// Everything up to here is applied.
    fn applied(&mut self, index: LogIndex);

    /// The state as of `index`, after [`LogEvent::SnapshotWanted`].
    fn snapshot(&mut self, index: LogIndex, state: Bytes);
}

/// A log tells its coordinator something.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Told(pub LogEvent);
