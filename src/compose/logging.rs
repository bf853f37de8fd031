//! Starts logging as the options say.

use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::cli::checked::Log;
use crate::logging;

/// Starts logging as the options say; `fallback` takes the lines when no file is named. Called once.
pub(super) fn start(log: &Log, fallback: BoxMakeWriter) -> anyhow::Result<()> {
    if log.skip {
        return Ok(());
    }
    Ok(logging::start(&log.config, fallback)?)
}
