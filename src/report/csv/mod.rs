//! The four CSV files of `--csv PREFIX`, with Locust's names, columns, line ends and number formats.
//!
//! Transactions are not in them: whoever adds up the rows must arrive at the Aggregated one.

mod rows;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use akrida_core::view::RunView;

pub use rows::{exceptions, failures, history, history_header, history_rows, stats};

use super::file::{self, WriteError};
use super::utc;

/// Writes the four files, each time it is given a view.
#[derive(Debug)]
pub struct CsvWriter {
    stats: PathBuf,
    failures: PathBuf,
    exceptions: PathBuf,
    history: PathBuf,
    history_file: File,
    full_history: bool,
    last_unix_s: Option<u64>,
}

impl CsvWriter {
    /// Starts all four files anew: `PREFIX_stats.csv`, `PREFIX_stats_history.csv`, `PREFIX_failures.csv` and
    /// `PREFIX_exceptions.csv`. With `full_history` the history gets a row for each endpoint too.
    ///
    /// # Errors
    /// When the directory does not exist or a file cannot be written.
    pub fn create(prefix: &Path, full_history: bool) -> Result<Self, WriteError> {
        let with = |ending: &str| {
            let mut name = OsString::from(prefix);
            name.push(ending);
            PathBuf::from(name)
        };
        let history = with("_stats_history.csv");
        file::check_directory(&history)?;
        file::replace(&with("_stats.csv"), rows::stats_header().as_bytes())?;
        file::replace(&with("_failures.csv"), rows::failures_header().as_bytes())?;
        file::replace(&with("_exceptions.csv"), rows::exceptions_header().as_bytes())?;
        let opened = File::create(&history).and_then(|mut opened| {
            opened.write_all(history_header().as_bytes())?;
            Ok(opened)
        });
        let history_file = opened.map_err(|reason| WriteError::Io { file: history.clone(), reason })?;
        let (stats, failures, exceptions) = (with("_stats.csv"), with("_failures.csv"), with("_exceptions.csv"));
        Ok(Self { stats, failures, exceptions, history, history_file, full_history, last_unix_s: None })
    }

    /// Rewrites statistics, failures and exceptions, and appends to the history unless it has rows of this second.
    ///
    /// # Errors
    /// When a file cannot be written; the others may have been.
    pub fn write(&mut self, view: &RunView) -> Result<(), WriteError> {
        file::replace(&self.stats, stats(view).as_bytes())?;
        file::replace(&self.failures, failures(view).as_bytes())?;
        file::replace(&self.exceptions, exceptions(view).as_bytes())?;
        let unix_s = utc::moment_unix_ms(view) / 1_000;
        if self.last_unix_s == Some(unix_s) {
            return Ok(());
        }
        // One call for all rows of a second, so that a reader who follows the file sees whole rows.
        let appended = self.history_file.write_all(history_rows(view, self.full_history).as_bytes());
        appended.map_err(|reason| WriteError::Io { file: self.history.clone(), reason })?;
        self.last_unix_s = Some(unix_s);
        Ok(())
    }
}
