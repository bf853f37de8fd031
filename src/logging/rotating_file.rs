//! A file that is put aside when it is large: `x.log` becomes `x.log.1`, that `x.log.2`, and so on.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A file that is appended to.
#[derive(Debug)]
pub(super) struct RotatingFile {
    path: PathBuf,
    file: File,
    /// Its size; after a failed rotation what was written since.
    bytes: u64,
    max_bytes: Option<u64>,
    backups: u32,
    /// Whether the last line broke off.
    is_cut: bool,
}

impl RotatingFile {
    /// Opens a file to be appended to, and creates it and its folder if they are missing.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path, max_bytes: Option<u64>, backups: u32) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let file = append_to(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, max_bytes, backups, is_cut: false })
    }

    /// Writes a line, to a new file if the old one has no room for it. A line longer than a file may be has a file of
    /// its own.
    ///
    /// # Errors
    /// When it is not written in full.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let is_full = self.max_bytes.is_some_and(|max| self.bytes > 0 && self.bytes + line.len() as u64 > max);
        if is_full {
            self.rotate();
        }
        if self.is_cut {
            self.file.write_all(b"\n")?;
            self.is_cut = false;
        }
        if let Err(error) = self.file.write_all(line) {
            self.is_cut = true;
            return Err(error);
        }
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Begins a new file. If that cannot be done, the old one is gone on with, until as much again is written.
    fn rotate(&mut self) {
        self.bytes = 0;
        let moved = self.put_aside();
        if let Ok(file) = moved.and_then(|()| append_to(&self.path)) {
            (self.file, self.is_cut) = (file, false);
        }
    }

    fn put_aside(&self) -> io::Result<()> {
        if self.backups == 0 {
            return removed(fs::remove_file(&self.path));
        }
        // The oldest first, each over the one before it.
        for number in (1..self.backups).rev() {
            removed(fs::rename(self.backup(number), self.backup(number + 1)))?;
        }
        removed(fs::rename(&self.path, self.backup(1)))
    }

    fn backup(&self, number: u32) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// A file that is not there need not be moved.
fn removed(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn folder() -> TempDir {
        tempfile::tempdir().expect("a folder")
    }

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn it_is_put_aside_before_it_is_too_large_and_only_so_many_are_kept() {
        let folder = folder();
        let path = folder.path().join("logs/of/akrida.log");
        let mut file = RotatingFile::open(&path, Some(8), 2).expect("a file in a new folder");
        for line in ["one1\n", "22\n", "three\n", "four4\n", "a long fifth line\n", "6\n"] {
            file.append(line.as_bytes()).expect("written");
        }
        let folder = path.parent().expect("a folder");
        assert_eq!(names(folder), ["akrida.log", "akrida.log.1", "akrida.log.2"]);
        let contents = ["akrida.log", "akrida.log.1", "akrida.log.2"].map(|name| read(&folder.join(name)));
        assert_eq!(contents, ["6\n", "a long fifth line\n", "four4\n"]);
    }

    #[test]
    fn what_was_there_counts_and_stays() {
        let folder = folder();
        let path = folder.path().join("x.log");
        fs::write(&path, "before\n").expect("a file");
        let mut file = RotatingFile::open(&path, Some(10), 1).expect("a file");
        file.append(b"now\n").expect("written");
        assert_eq!((read(&path).as_str(), read(&folder.path().join("x.log.1")).as_str()), ("now\n", "before\n"));
    }

    #[test]
    fn without_backups_only_the_file_itself_is_there() {
        let folder = folder();
        let mut file = RotatingFile::open(&folder.path().join("x.log"), Some(4), 0).expect("a file");
        for line in ["a\n", "b\n", "c\n"] {
            file.append(line.as_bytes()).expect("written");
        }
        assert_eq!(
            (names(folder.path()), read(&folder.path().join("x.log"))),
            (vec!["x.log".to_owned()], "c\n".into())
        );
    }

    #[test]
    fn a_file_that_cannot_be_put_aside_is_gone_on_with() {
        let folder = folder();
        let path = folder.path().join("x.log");
        // A folder that is not empty cannot be replaced by a file.
        fs::create_dir_all(folder.path().join("x.log.1/inside")).expect("a folder");
        let mut file = RotatingFile::open(&path, Some(4), 1).expect("a file");
        for line in ["a\n", "b\n", "c\n"] {
            file.append(line.as_bytes()).expect("written");
        }
        assert_eq!(read(&path), "a\nb\nc\n");
    }
}
