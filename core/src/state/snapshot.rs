//! The replicated state as bytes.

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
