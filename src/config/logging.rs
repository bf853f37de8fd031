//! What a master or worker logs.

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

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

/// The form of the log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line, for programs.
    Json,
}

/// What is logged, and where to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoggingConfig {
    /// The least severe messages that are logged.
    pub level: LogLevel,
    /// Their form.
    pub format: LogFormat,
    /// The file; standard error if none.
    pub file: Option<PathBuf>,
    /// The size at which the file is put aside and a new one begun; never if `None`.
    pub max_bytes: Option<u64>,
    /// How many files that were put aside are kept.
    pub backups: u32,
}
