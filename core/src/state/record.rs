//! A command as it is written to the log.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::request::RequestKey;
use crate::ids::ProposalId;

/// What a leader proposes: a command with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose proposal it is.
    pub proposal: ProposalId,
    /// Milliseconds since the Unix epoch by the leader's clock, which may go back.
    pub time_ms: u64,
    /// Whose request it is, if it must be carried out once however often it is made.
    pub request: Option<RequestKey>,
    /// What is to be done.
    pub command: Command,
}

/// Bytes that are no record of a version that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The version is another one.
    #[error("record of format {0}; this program knows format {VERSION}")]
    Version(u8),
    /// There is nothing.
    #[error("empty record")]
    Empty,
    /// It cannot be read.
    #[error("record cannot be read")]
    Malformed(#[from] rmp_serde::decode::Error),
}

/// The format of records: the first byte of each.
pub const VERSION: u8 = 1;

impl Record {
    /// The record as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        rmp_serde::encode::write(&mut bytes, self).expect("writing to memory does not fail");
        bytes
    }

    /// The record from bytes.
    ///
    /// # Errors
    /// When they are none of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        match bytes.split_first() {
            None => Err(RecordError::Empty),
            Some((&VERSION, body)) => Ok(rmp_serde::from_slice(body)?),
            Some((&version, _)) => Err(RecordError::Version(version)),
        }
    }
}
