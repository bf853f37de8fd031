//! Files that are never seen half written.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The directory that the file is to be in does not exist.
    #[error("cannot write {}: directory {} does not exist", file.display(), directory.display())]
    NoDirectory {
        /// The file.
        file: PathBuf,
        /// Where it was to be.
        directory: PathBuf,
    },
    /// The file system refused.
    #[error("cannot write {}: {reason}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        reason: io::Error,
    },
}

/// Fails unless [`replace`] can make `file`, so that a mistake shows before a run and not after it.
///
/// # Errors
/// When the directory does not exist or takes no file, or when there is a directory in the place of the file.
pub fn check_writable(file: &Path) -> Result<(), WriteError> {
    check_directory(file)?;
    let refused = |reason| WriteError::Io { file: file.to_owned(), reason };
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => Err(refused(io::ErrorKind::IsADirectory.into())),
        // A pipe or device: trying would already write to it.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) | Err(_) => {
            let unfinished = unfinished_name(file);
            fs::write(&unfinished, b"").and_then(|()| fs::remove_file(&unfinished)).map_err(refused)
        }
    }
}

/// Fails unless the directory of `file` exists.
///
/// # Errors
/// [`WriteError::NoDirectory`].
pub fn check_directory(file: &Path) -> Result<(), WriteError> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if directory.is_dir() {
        return Ok(());
    }
    Err(WriteError::NoDirectory { file: file.to_owned(), directory: directory.to_owned() })
}

/// Replaces the content of `file` at once: whoever reads sees the old content or the new, never a part.
///
/// What is not a plain file (a pipe, `/dev/stdout`, a symbolic link) is written to directly, since putting another file
/// in its place would not do what was asked.
///
/// # Errors
/// When the directory does not exist or the file system refuses.
pub fn replace(file: &Path, content: &[u8]) -> Result<(), WriteError> {
    check_directory(file)?;
    let refused = |reason| WriteError::Io { file: file.to_owned(), reason };
    if fs::symlink_metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return fs::write(file, content).map_err(refused);
    }
    let unfinished = unfinished_name(file);
    let written = fs::write(&unfinished, content).and_then(|()| fs::rename(&unfinished, file));
    written.map_err(|reason| {
        // The first error is the one to report; a left-over that cannot be removed adds nothing to it.
        let _ = fs::remove_file(&unfinished);
        refused(reason)
    })
}

fn unfinished_name(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".unfinished");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn names_in(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn content_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("report.html");
        replace(&file, b"a longer first version").unwrap();
        replace(&file, b"second").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"second");
        assert_eq!(names_in(directory.path()), ["report.html"]);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let error = replace(&directory.path().join("gone/out.json"), b"").unwrap_err();
        assert!(matches!(error, WriteError::NoDirectory { .. }));
        assert!(error.to_string().contains("gone does not exist"), "{error}");
    }

    #[test]
    fn a_directory_in_the_place_of_the_file_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("out.json")).unwrap();
        assert!(matches!(replace(&directory.path().join("out.json"), b""), Err(WriteError::Io { .. })));
        assert_eq!(names_in(directory.path()), ["out.json"]);
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("out.json");
        check_writable(&file).unwrap();
        assert!(names_in(directory.path()).is_empty(), "nothing is left behind");
        replace(&file, b"kept").unwrap();
        check_writable(&file).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        assert!(matches!(check_writable(directory.path()), Err(WriteError::Io { .. })), "a directory");
        assert!(check_writable(&directory.path().join("gone/out.json")).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_takes_no_files_is_known_before() {
        let error = check_writable(Path::new("/proc/out.json")).unwrap_err();
        assert_eq!(error.to_string().matches("os error").count(), 1, "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_stays_one() {
        let directory = tempfile::tempdir().unwrap();
        let (target, link) = (directory.path().join("target"), directory.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&target).unwrap(), b"new");
    }
}
