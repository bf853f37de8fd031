//! A command as it is written to the log.

use serde::{Deserialize, Serialize};

use super::command::Command;
use super::format::{Format, FormatError};
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

/// The format of records: the first byte of each.
pub const VERSION: u8 = 1;

const FORMAT: Format = Format { what: "record", version: VERSION };

impl Record {
    /// The record as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.write(self)
    }

    /// The record from bytes.
    ///
    /// # Errors
    /// When they are none of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        FORMAT.read(bytes)
    }
}
