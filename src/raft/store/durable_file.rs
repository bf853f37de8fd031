//! Files that are there as a whole or not at all, even after a power failure.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// What the names of unfinished files end with.
pub(super) const UNFINISHED: &str = ".tmp";

/// Writes a file under a temporary name, then gives it its own, replacing what had it. On disk when it returns.
pub(super) fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<(), StoreError> {
    let unfinished = unfinished(path);
    let written = create(&unfinished).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    if let Err(error) = written {
        // The reason that counts is the first one; what is left is removed at the next start.
        let _ = fs::remove_file(&unfinished);
        return Err(StoreError::io("write", path)(error));
    }
    publish(&unfinished, path)
}

/// Gives a finished file its name, and makes that durable.
pub(super) fn publish(unfinished: &Path, path: &Path) -> Result<(), StoreError> {
    fs::rename(unfinished, path).map_err(StoreError::io("rename", unfinished))?;
    sync_folder(folder_of(path))
}

/// A new file that only the owner may read, in place of what had the name.
pub(super) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(StoreError::io("sync folder", folder))
}

/// Where a file is until it is finished.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(UNFINISHED);
    name.into()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
