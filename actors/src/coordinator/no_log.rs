//! Stands for a log that could not be opened, until the process ends for that reason.

use akrida_core::ids::{LogIndex, ProposalId};
use bytes::Bytes;

use super::log::ReplicatedLog;

/// Takes everything, and nothing comes of it.
#[derive(Clone, Copy, Debug)]
pub struct NoLog;

impl ReplicatedLog for NoLog {
    fn propose(&mut self, _: ProposalId, _: Bytes) {}

    fn read(&mut self, _: u64) {}

    fn applied(&mut self, _: LogIndex) {}

    fn snapshot(&mut self, _: LogIndex, _: Bytes) {}
}
