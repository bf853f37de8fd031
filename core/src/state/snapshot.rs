//! The replicated state as bytes.

use std::io;

use serde::Serialize;

use super::ClusterState;

/// The format of snapshots: the first byte of each.
pub const VERSION: u8 = 1;

/// Bytes that are no snapshot of a version that this program knows.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The version is another one.
    #[error("snapshot of format {0}; this program knows format {VERSION}")]
    Version(u8),
    /// There is nothing.
    #[error("empty snapshot")]
    Empty,
    /// It cannot be read.
    #[error("snapshot cannot be read")]
    Malformed(#[from] rmp_serde::decode::Error),
}

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
        let mut bytes = vec![VERSION];
        rmp_serde::encode::write(&mut bytes, self).expect("writing to memory does not fail");
        bytes
    }

    /// The state from bytes.
    ///
    /// # Errors
    /// When they are none of this format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        match bytes.split_first() {
            None => Err(SnapshotError::Empty),
            Some((&VERSION, body)) => Ok(rmp_serde::from_slice(body)?),
            Some((&version, _)) => Err(SnapshotError::Version(version)),
        }
    }
}
