//! `akrida demo`: a target and a run on loopback, with nothing configured.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use akrida_actors::user::functions;
use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::{Format, Source, load};
use anyhow::{anyhow, bail};
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::logging;
use super::print_to_stderr;
use super::run_command::run_scenario;
use super::runnable::Runnable;
use crate::cli::{self, Environment, Exit, Invocation, RunOptions};
use crate::live::LogLines;
use crate::target::{TargetOptions, start};

/// What the demo's users do; its host is the built-in target.
const SCENARIO: &str = include_str!("demo.yml");

/// Users of the demo.
const USERS: &str = "50";

/// How long the demo lasts.
const RUN_TIME: &str = "15s";

/// Time that the target takes to answer.
const LATENCY: &str = "normal 20ms 6ms";

/// Starts a target, loads it, and shows the result beside what the target counted.
pub(super) fn run() -> anyhow::Result<Exit> {
    let options = options()?;
    logging::start(&options.log, BoxMakeWriter::new(LogLines))?;
    actix_rt::System::new().block_on(async {
        let target = start(TargetOptions { latency: LATENCY.parse()?, workers: 1, ..TargetOptions::default() })?;
        let scenario = Arc::new(Scenario { host: Some(target.url().into()), ..scenario()? });
        print_to_stderr(&format!("{USERS} users against the built-in target at {} for {RUN_TIME}\n\n", target.url()));
        let result = run_scenario(&Runnable { scenario, natives: Arc::default() }, &options).await?;
        let counted = target.stop().await.received;
        let Some(result) = result else { return Ok(Exit::Failed { code: 1 }) };
        let reported = result.view.http_exchanges;
        let agree = (reported..=reported + result.view.interrupted).contains(&counted);
        let verdict = if agree { "they agree" } else { "THEY DIFFER" };
        print_to_stderr(&format!("\nThe target counted {counted} requests, the report has {reported}: {verdict}.\n"));
        Ok(if agree { result.exit } else { Exit::Failed { code: 1 } })
    })
}

fn scenario() -> anyhow::Result<Scenario> {
    let source = Source { name: "demo.yml", text: SCENARIO, format: Format::Yaml };
    let loaded = load(&source, functions::register);
    loaded.map(Arc::unwrap_or_clone).map_err(|problems| anyhow!("the built-in scenario is wrong: {problems:?}"))
}

/// The options as if they had been typed; variables and files of the environment do not matter to the demo.
fn options() -> anyhow::Result<Box<RunOptions>> {
    let typed = ["akrida", "-f", "demo.yml", "--headless", "--processes", "1", "-u", USERS, "-r", "25", "-t", RUN_TIME];
    match cli::parse(typed.map(OsString::from), &surroundings()) {
        Ok(Invocation::Run(options)) => Ok(options),
        Ok(_) => bail!("the demo's options do not ask for a run"),
        Err(error) => bail!("the demo's options are wrong: {}", error.text()),
    }
}

fn surroundings() -> Environment {
    Environment {
        variables: BTreeMap::new(),
        home: None,
        current_dir: PathBuf::from("/dev/null"),
        cores: NonZeroUsize::MIN,
        host_name: "demo".to_owned(),
        process_id: 0,
        data_root: PathBuf::from("/dev/null"),
    }
}
