//! How many writes to the log were acknowledged, beside the log.
//!
//! After a crash the database falls back to its last commit but one when the last does not look whole. That is right if
//! the crash interrupted the commit, but wrong if it was acknowledged and damaged later: a master that forgets what it
//! has acknowledged breaks the group. This count tells the two apart. It is written after a commit is durable and never
//! synced, so it costs next to nothing; a power failure can only make it too low, which raises no false alarm.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::error::StoreError;
use super::record;

/// What the checksum is over, beside the count.
const KEY: &[u8] = b"acknowledged";

/// The file that holds the count.
pub(super) struct Acknowledged {
    path: PathBuf,
    file: File,
    count: u64,
}

impl Acknowledged {
    /// Opens the file or makes it. One that cannot be understood counts as 0: it only protects, it holds nothing.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = file.map_err(StoreError::io("open", &path))?;
        let mut bytes = [0; 64];
        let length = file.read_at(&mut bytes, 0).map_err(StoreError::io("read", &path))?;
        let count = if length == 0 { Some(0) } else { decode(&bytes[..length]) };
        if count.is_none() {
            warn!(path = %path.display(), "the count of acknowledged writes is damaged and starts anew");
        }
        Ok(Self { path, file, count: count.unwrap_or_default() })
    }

    /// How many writes were acknowledged at least.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Sets how many writes are durable.
    pub(super) fn set(&mut self, count: u64) -> Result<(), StoreError> {
        let record = record::encode(KEY, |record| record.extend_from_slice(&count.to_le_bytes()));
        self.file.write_all_at(&record, 0).map_err(StoreError::io("write", &self.path))?;
        self.count = count;
        Ok(())
    }

    /// Makes the file durable: needed once, when it is new, so that later writes find their place.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.file.sync_all().map_err(StoreError::io("sync", &self.path))
    }

    /// Where the file is in a data folder.
    pub(super) fn path_in(folder: &Path) -> PathBuf {
        folder.join("ACKNOWLEDGED")
    }
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let content = record::decode(KEY, bytes).ok()?;
    content.try_into().ok().map(u64::from_le_bytes)
}
