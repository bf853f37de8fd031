//! The replicated state as bytes.

use std::io;

use serde::Serialize;

use super::ClusterState;
use super::format::{Format, FormatError};

/// The format of snapshots: the first byte of each.
pub const VERSION: u8 = 1;

const FORMAT: Format = Format { what: "snapshot", version: VERSION };

/// How many bytes a part of the state takes in a snapshot.
pub(super) fn size_of(part: &impl Serialize) -> u64 {
    let mut counted = Counted(0);
    rmp_serde::encode::write(&mut counted, part).expect("counting does not fail");
    counted.0
}

/// Counts what is written.
struct Counted(u64);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ClusterState {
    /// The state as bytes: the same for every master that has applied the same entries.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.write(self)
    }

    /// The state from bytes.
    ///
    /// # Errors
    /// When they are none of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        FORMAT.read(bytes)
    }
}
