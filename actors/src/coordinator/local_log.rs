//! The log of a group of one: what is proposed is committed at once, in memory only.

use actix::Recipient;
use akrida_core::ids::{LogIndex, ProposalId};
use bytes::Bytes;

use super::log::{Committed, LogEvent, ReplicatedLog, Told};

/// A log without other masters and without a disk.
#[derive(Debug)]
pub struct LocalLog {
    last: LogIndex,
    events: Recipient<Told>,
}

impl LocalLog {
    /// An empty log, which leads.
    #[must_use]
    pub fn new(events: Recipient<Told>) -> Self {
        let mut log = Self { last: LogIndex::default(), events };
        log.commit(Bytes::new());
        log.tell(LogEvent::Leads { term: 1 });
        log
    }

    fn commit(&mut self, record: Bytes) {
        self.last = LogIndex(self.last.0 + 1);
        self.tell(LogEvent::Committed(vec![Committed { index: self.last, record }]));
    }

    /// The coordinator has at most so many events before it as it proposed: its mailbox needs no other bound.
    fn tell(&self, event: LogEvent) {
        self.events.do_send(Told(event));
    }
}

impl ReplicatedLog for LocalLog {
    fn propose(&mut self, _: ProposalId, record: Bytes) {
        self.commit(record);
    }

    fn read(&mut self, read: u64) {
        self.tell(LogEvent::Readable { read, index: self.last });
    }

    fn applied(&mut self, _: LogIndex) {}

    fn snapshot(&mut self, _: LogIndex, _: Bytes) {}
}
