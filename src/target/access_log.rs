//! One line for each answered request.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A file to which lines are appended from any thread.
///
/// Each line is one write in append mode, so lines do not mix and a killed process leaves whole ones.
#[derive(Debug)]
pub(super) struct AccessLog {
    file: File,
    failed: AtomicBool,
}

impl AccessLog {
    /// Opens or creates the file; what it holds already stays.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let named = |problem: io::Error| io::Error::new(problem.kind(), format!("{}: {problem}", path.display()));
        Ok(Self { file: file.map_err(named)?, failed: AtomicBool::new(false) })
    }

    /// Adds the line of a request that is answered now. A line that cannot be written is lost; the first loss is logged.
    pub(super) fn write(&self, method: &str, path: &str, status: u16, duration: Duration) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let line = format!("{} {method} {path} {status} {}\n", now.as_millis(), duration.as_micros());
        if let Err(problem) = (&self.file).write_all(line.as_bytes())
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%problem, "the target's access log is incomplete");
        }
    }
}
