//! `akrida target`: the built-in server to run load against.

use std::net::SocketAddr;
use std::str::FromStr;

use anyhow::Context;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::{logging, print_all, shutdown};
use crate::cli::TargetArgs;
use crate::cli::checked::Log;
use crate::target::{Latency, Stall, TargetOptions, start};

/// Serves until it is told to stop, then prints what was counted.
pub(super) fn serve(arguments: &TargetArgs) -> anyhow::Result<()> {
    let options = options(arguments)?;
    logging::start(&Log::default(), BoxMakeWriter::new(std::io::stderr))?;
    actix_rt::System::new().block_on(async {
        let target = start(options).context("the target does not start")?;
        print_all(format!("target listens on {}\n", target.url()))?;
        shutdown::Signals::listen()?.next().await;
        let counts = target.stop().await;
        print_all(format!("{}\n", serde_json::to_string(&counts)?))
    })
}

fn options(arguments: &TargetArgs) -> anyhow::Result<TargetOptions> {
    let latency = arguments.latency.as_deref().map(Latency::from_str).transpose().context("--latency")?;
    let stall = arguments.stall.as_deref().map(Stall::from_str).transpose().context("--stall")?;
    Ok(TargetOptions {
        address: SocketAddr::new(arguments.host, arguments.port),
        latency: latency.unwrap_or_default(),
        stall,
        error_rate: arguments.error_rate,
        workers: arguments.workers.get(),
        access_log: arguments.access_log.clone(),
    })
}
