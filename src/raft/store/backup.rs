//! Backups of the replicated state: one file with a snapshot and where it comes from, in the checked format of snapshots.
//!
//! The data of the snapshot is the state alone. Who belonged to the group does not matter: a restored cluster begins with
//! one master.

use std::path::Path;

use akrida_core::ids::ClusterId;
use akrida_core::state::member::Member;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::snapshot_file::{Kind, Unusable};
use super::{StoredSnapshot, snapshot_file};

/// Where a backup comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The cluster.
    pub cluster: ClusterId,
    /// The master whose state it is.
    pub master: String,
    /// When it was made, by that master's clock, in milliseconds since the Unix epoch.
    pub made_unix_ms: u64,
    /// The masters then.
    pub members: Vec<Member>,
}

/// The content of a backup file.
///
/// # Errors
/// When a part of it is too long.
pub fn to_bytes(snapshot: &StoredSnapshot, origin: &Origin) -> Result<Vec<u8>, StoreError> {
    let origin = rmp_serde::to_vec_named(origin).expect("names and numbers can be written");
    snapshot_file::to_bytes(Kind::Backup, snapshot, &origin)
}

/// Checks the content of a backup file that is to become this one, and reads it.
///
/// # Errors
/// When it is not what was written.
pub fn of_bytes(path: &Path, bytes: Bytes) -> Result<(StoredSnapshot, Origin), StoreError> {
    let (snapshot, origin) = snapshot_file::of_bytes(bytes, Kind::Backup).map_err(unusable(path))?;
    Ok((snapshot, origin_of(path, &origin)?))
}

/// Reads a backup file.
///
/// # Errors
/// When it cannot be read, or is not what was written.
pub fn read(path: &Path) -> Result<(StoredSnapshot, Origin), StoreError> {
    let (snapshot, origin) = read_backup(path)?;
    Ok((snapshot, origin_of(path, &origin)?))
}

/// Writes a backup, as a whole or not at all, in place of what had the name. Only the owner may read the file: it holds
/// scenarios and hashes of sessions.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, snapshot: &StoredSnapshot, origin: &Origin) -> Result<(), StoreError> {
    write_backup(path, snapshot, &rmp_serde::to_vec_named(origin).expect("names and numbers can be written"))
}

/// Writes a backup whose origin is any bytes.
///
/// # Errors
/// When it cannot be written.
pub fn write_backup(path: &Path, snapshot: &StoredSnapshot, origin: &[u8]) -> Result<(), StoreError> {
    snapshot_file::write(path, Kind::Backup, snapshot, origin)
}

/// Reads a backup whose origin is any bytes.
///
/// # Errors
/// When it cannot be read, or is not what was written.
pub fn read_backup(path: &Path) -> Result<(StoredSnapshot, Bytes), StoreError> {
    snapshot_file::read(path, Kind::Backup).map_err(unusable(path))
}

fn origin_of(path: &Path, bytes: &[u8]) -> Result<Origin, StoreError> {
    rmp_serde::from_slice(bytes).map_err(|_| StoreError::BadBackup {
        path: path.to_owned(),
        what: "where it comes from cannot be read".to_owned(),
    })
}

fn unusable(path: &Path) -> impl FnOnce(Unusable) -> StoreError {
    let path = path.to_owned();
    move |unusable| match unusable {
        Unusable::Io(source) => StoreError::io("read", &path)(source),
        Unusable::Newer(found) => StoreError::Newer { path, found, supported: snapshot_file::VERSION },
        Unusable::Damaged(what) => StoreError::BadBackup { path, what },
    }
}
