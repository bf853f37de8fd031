//! Backups of the replicated state: one file with a snapshot and the members, in the checked format of snapshots.

use std::path::Path;

use bytes::Bytes;

use super::error::StoreError;
use super::snapshot_file::{Kind, Unusable};
use super::{StoredSnapshot, snapshot_file};

/// Writes a backup, as a whole or not at all, in place of what had the name. Only the owner may read the file: it holds
/// scenarios and hashes of sessions.
pub fn write_backup(path: &Path, snapshot: &StoredSnapshot, members: &[u8]) -> Result<(), StoreError> {
    snapshot_file::write(path, Kind::Backup, snapshot, members)
}

/// Reads a backup: the snapshot and the members.
pub fn read_backup(path: &Path) -> Result<(StoredSnapshot, Bytes), StoreError> {
    snapshot_file::read(path, Kind::Backup).map_err(|unusable| match unusable {
        Unusable::Io(source) => StoreError::io("read", path)(source),
        Unusable::Newer(found) => StoreError::Newer { path: path.to_owned(), found, supported: snapshot_file::VERSION },
        Unusable::Damaged(what) => StoreError::BadBackup { path: path.to_owned(), what },
    })
}
