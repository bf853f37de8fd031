//! Where log lines go.

use std::fs::OpenOptions;
use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::cli::checked::Log;
use crate::cli::flags::logging::LogLevel;

/// Starts logging as the options say; `fallback` takes the lines when no file is named. Called once.
pub(super) fn start(log: &Log, fallback: BoxMakeWriter) -> anyhow::Result<()> {
    if log.skip {
        return Ok(());
    }
    let (writer, colours) = match &log.file {
        None => (fallback, std::io::stderr().is_terminal()),
        Some(file) => {
            let opened = OpenOptions::new().create(true).append(true).open(file);
            let opened = opened.with_context(|| format!("--logfile {}", file.display()))?;
            (BoxMakeWriter::new(Arc::new(opened)), false)
        }
    };
    let level = match log.level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warn",
        LogLevel::Error | LogLevel::Critical => "error",
    };
    let filter = EnvFilter::new(format!("warn,akrida={level},akrida_actors={level},akrida_core={level}"));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(colours);
    subscriber.with_target(false).try_init().map_err(|error| anyhow::anyhow!("logging does not start: {error}"))
}
