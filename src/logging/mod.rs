//! Where log lines go, and in which form.
//!
//! - `log_file`: a file that whoever logs never fails or ends because of
//! - `rotating_file`: a file that is put aside when it is large
//! - `json`: an object a line, for programs
//! - `recent_lines`: the last lines, kept in memory

mod json;
mod log_file;
mod recent_lines;
mod rotating_file;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use tracing_subscriber::fmt::layer;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::logging::{LogFormat, LogLevel, LoggingConfig};
use json::Json;
use log_file::LogFile;
pub use log_file::lines_lost;
use recent_lines::Recent;
pub use recent_lines::recent_lines;

/// Why nothing is logged.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// The file cannot be written.
    #[error("the log file {file} cannot be written: {cause}")]
    File {
        /// The file.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// Logging was started before.
    #[error("logging does not start: {0}")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts logging; `fallback` takes the lines when no file is named. Called once.
///
/// # Errors
/// See [`LoggingError`]. Afterwards nothing that becomes of the file is an error.
pub fn start(config: &LoggingConfig, fallback: BoxMakeWriter) -> Result<(), LoggingError> {
    let (writer, colours) = match &config.file {
        None => (fallback, io::stderr().is_terminal() && config.format == LogFormat::Text),
        Some(file) => {
            let opened = LogFile::open(file, config.max_bytes, config.backups);
            let opened = opened.map_err(|cause| LoggingError::File { file: file.display().to_string(), cause })?;
            (BoxMakeWriter::new(Arc::new(opened)), false)
        }
    };
    let level = match config.level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warn",
        LogLevel::Error | LogLevel::Critical => "error",
    };
    let filter = EnvFilter::new(format!("warn,akrida={level},akrida_actors={level},akrida_core={level}"));
    // Without `log_internal_errors(false)` a line that cannot be written would be told to standard error, and a process
    // whose standard error is gone would panic on that.
    let lines = layer().with_writer(writer).log_internal_errors(false);
    let lines = match config.format {
        LogFormat::Text => lines.with_ansi(colours).with_target(false).boxed(),
        LogFormat::Json => lines.with_ansi(false).event_format(Json).boxed(),
    };
    let recent = layer().with_writer(|| Recent).with_ansi(false).with_target(false).log_internal_errors(false);
    Ok(tracing_subscriber::registry().with(filter).with(lines).with(recent).try_init()?)
}
