//! The folder itself: one owner at a time, a known format, nothing of anybody else.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

use super::durable_file;
use super::error::StoreError;

/// The format that is written. Builds that know less refuse the folder.
const VERSION: u32 = 1;

const FORMAT: &str = "FORMAT";
const LOCK: &str = "LOCK";
const LOG: &str = "log.redb";

/// What the format file says before the version.
const FORMAT_TITLE: &str = "akrida data folder, format ";

/// What may be in a folder that is not a data folder yet: what an interrupted first start leaves, and what file systems
/// put at their root.
const HARMLESS: &[&str] = &[LOCK, LOG, "ACKNOWLEDGED", "log.redb.tmp", "FORMAT.tmp", "lost+found"];

/// Longest format file that is read.
const FORMAT_BYTES_MAX: u64 = 256;

/// A data folder that this process owns until this is dropped.
pub(super) struct DataFolder {
    path: PathBuf,
    is_complete: bool,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if it is not there, and takes it for this process.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(StoreError::io("make folder", path))?;
        let has_format = || path.join(FORMAT).try_exists().map_err(StoreError::io("read", &path.join(FORMAT)));
        if !has_format()? {
            refuse_foreign(path)?;
        }
        let lock = lock(path)?;
        // Asked again, as whoever had the folder a moment ago may have made it complete.
        let is_complete = has_format()?;
        if is_complete {
            check_format(&path.join(FORMAT))?;
        }
        close_to_others(path)?;
        Ok(Self { path: path.to_owned(), is_complete, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of the log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// Whether the log was made and may have content. Otherwise a first start is under way, or was interrupted.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Notes that all that belongs in the folder is there.
    pub(super) fn complete(&mut self) -> Result<(), StoreError> {
        durable_file::write(&self.path.join(FORMAT), |file| writeln!(file, "{FORMAT_TITLE}{VERSION}"))?;
        self.is_complete = true;
        Ok(())
    }
}

fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    for entry in fs::read_dir(path).map_err(StoreError::io("list", path))? {
        let name = entry.map_err(StoreError::io("list", path))?.file_name();
        if !HARMLESS.iter().any(|harmless| name == *harmless) {
            let reason = format!("it has no file {FORMAT}, but holds {}", name.display());
            return Err(StoreError::NotADataFolder { path: path.to_owned(), reason });
        }
    }
    Ok(())
}

/// Takes the folder. The system lets go of the lock when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut file = opened.map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse::<u32>().ok());
            let holder = holder.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"));
            return Err(StoreError::InUse { path: folder.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(StoreError::io("lock", &path)(source)),
    }
    // The id is only for the message above, so a full disk does not matter here.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}

fn check_format(path: &Path) -> Result<(), StoreError> {
    let read = File::open(path).and_then(|file| io::read_to_string(io::Read::take(file, FORMAT_BYTES_MAX)));
    let text = match read {
        Err(error) if error.kind() != ErrorKind::InvalidData => return Err(StoreError::io("read", path)(error)),
        read => read.unwrap_or_default(),
    };
    let version = text.strip_prefix(FORMAT_TITLE).and_then(|rest| rest.strip_suffix('\n'));
    match version.and_then(|version| version.parse::<u32>().ok()) {
        Some(VERSION) => Ok(()),
        Some(found) if found > VERSION => Err(StoreError::Newer { path: path.to_owned(), found, supported: VERSION }),
        _ => Err(StoreError::damaged(path, "it does not name a format")),
    }
}

/// Takes the folder away from other users: it holds scenarios and hashes of sessions. Where a volume belongs to another
/// user, as in some containers, that is not possible; the files themselves are closed to others in any case.
fn close_to_others(path: &Path) -> Result<(), StoreError> {
    let mode = fs::metadata(path).map_err(StoreError::io("read", path))?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(0o700)) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            warn!(path = %path.display(), "the data folder belongs to another user and is open to others");
            Ok(())
        }
        set => set.map_err(StoreError::io("close to others", path)),
    }
}
