//! A log file that nobody fails or ends because of: a line that cannot be written is lost, and counted.

use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::rotating_file::RotatingFile;

/// Lines that this process could not write.
static LINES_LOST: AtomicU64 = AtomicU64::new(0);

/// How many log lines of this process were lost because they could not be written to their file.
#[must_use]
pub fn lines_lost() -> u64 {
    LINES_LOST.load(Ordering::Relaxed)
}

/// A log file, shared by all threads. Each write is one line.
#[derive(Debug)]
pub(super) struct LogFile(Mutex<RotatingFile>);

impl LogFile {
    /// Opens a file to be appended to, and creates it and its folder if they are missing. It is put aside beyond
    /// `max_bytes`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(path: &Path, max_bytes: Option<u64>, backups: u32) -> io::Result<Self> {
        RotatingFile::open(path, max_bytes, backups).map(|file| Self(Mutex::new(file)))
    }
}

impl Write for &LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).append(line).is_err() {
            LINES_LOST.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_loses_lines_and_nothing_else() {
        let file = LogFile::open(Path::new("/dev/full"), None, 0).expect("it can be opened");
        let lost = lines_lost();
        assert_eq!((&file).write(b"a line\n").expect("no error"), 7);
        assert_eq!(lines_lost(), lost + 1);
    }
}
