//! What is logged.

use std::path::PathBuf;

pub use crate::config::logging::LogLevel;

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
