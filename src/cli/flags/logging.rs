//! What is logged.

use std::path::PathBuf;

/// The least severe messages to log, as Locust names them.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[value(rename_all = "UPPER")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens in the normal course.
    #[default]
    Info,
    /// What may need attention.
    #[value(alias = "WARN")]
    Warning,
    /// What went wrong.
    Error,
    /// What ends the program; there is no such level here, so the same as `Error`.
    Critical,
}

impl LogLevel {
    /// The level of the logging library.
    #[must_use]
    pub fn as_level(self) -> tracing::Level {
        match self {
            Self::Debug => tracing::Level::DEBUG,
            Self::Info => tracing::Level::INFO,
            Self::Warning => tracing::Level::WARN,
            Self::Error | Self::Critical => tracing::Level::ERROR,
        }
    }
}

/// What is logged.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Logging")]
pub struct LoggingFlags {
    /// Least severe messages to log [default: INFO]
    #[arg(short = 'L', long, value_name = "LEVEL", ignore_case = true)]
    pub loglevel: Option<LogLevel>,
    /// Log to this file [default: standard error]
    #[arg(long, value_name = "FILE")]
    pub logfile: Option<PathBuf>,
    /// Do not set up logging
    #[arg(long)]
    pub skip_log_setup: bool,
}
