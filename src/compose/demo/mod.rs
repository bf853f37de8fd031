//! `akrida demo`: three masters, two workers and a target on loopback, with nothing configured. The leader is killed
//! half-way, and the result is held against what the target counted.

mod failover;
mod local_cluster;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use akrida_core::scenario::Format;
use akrida_core::scenario::bundle::{Bundle, BundleSelection};
use anyhow::bail;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use self::failover::Failover;
use self::local_cluster::LocalCluster;
use super::{cluster_run, logging, print_to_stderr, run_spec};
use crate::cli::{self, Environment, Exit, Invocation, RunOptions};
use crate::client::{ClusterClient, Patience};
use crate::live::LogLines;
use crate::target::{TargetOptions, start};

/// What the demo's users do; its host is the built-in target.
const SCENARIO: &str = include_str!("scenario.yml");

/// Users of the demo.
const USERS: &str = "50";

/// How long the demo lasts.
const RUN_TIME: &str = "15s";

/// Time that the target takes to answer.
const LATENCY: &str = "normal 20ms 6ms";

/// Starts a target and a cluster, loads the one with the other, kills the leader, and shows the result beside what the
/// target counted.
pub(super) fn run() -> anyhow::Result<Exit> {
    let options = options()?;
    logging::start(&options.log, BoxMakeWriter::new(LogLines))?;
    actix_rt::System::new().block_on(async {
        let target = start(TargetOptions { latency: LATENCY.parse()?, workers: 1, ..TargetOptions::default() })?;
        let cluster = Rc::new(LocalCluster::start().await?);
        print_to_stderr(&format!(
            "{USERS} users on two workers against the built-in target at {} for {RUN_TIME}; three masters, of which the \
             leader is killed half-way\n",
            target.url()
        ));
        if let Some(pages) = pages(&cluster).await {
            print_to_stderr(&pages);
        }
        print_to_stderr("\n");
        let bundle = Arc::new(bundle(&target.url()));
        let scenario = run_spec::bundled(&bundle)?;
        let client = Rc::new(ClusterClient::new(cluster.masters(), Patience::default()));
        let failover = actix_rt::spawn(Failover::watch(Rc::clone(&cluster), target.counter()));
        let request = cluster_run::start_run(&options, bundle);
        let ended = cluster_run::run_scenario(client, &request, &scenario, &options).await;
        failover.abort();
        let failover = failover.await.ok().transpose()?;
        let counted = target.stop().await.received;
        let ended = ended?;
        let Some(view) = ended.view else { return Ok(ended.exit) };
        if let Some(failover) = failover {
            print_to_stderr(&format!("\n{failover}\n"));
        }
        let reported = view.http_exchanges;
        let agree = (reported..=reported + view.interrupted).contains(&counted);
        let verdict = if agree { "they agree" } else { "THEY DIFFER" };
        print_to_stderr(&format!("The target counted {counted} requests, the report has {reported}: {verdict}.\n"));
        Ok(if agree { ended.exit } else { Exit::Failed { code: 1 } })
    })
}

/// Where to look on, for who can.
async fn pages(cluster: &LocalCluster) -> Option<String> {
    if !cfg!(feature = "ui") || !std::io::stderr().is_terminal() {
        return None;
    }
    let (master, address) = cluster.pages().await?;
    Some(format!("watch it in a browser at {address}, the pages of {master}, which is not killed\n"))
}

fn bundle(target: &str) -> Bundle {
    let selection = BundleSelection { host: Some(target.to_owned()), ..BundleSelection::default() };
    Bundle {
        name: "demo.yml".into(),
        format: Format::Yaml,
        text: SCENARIO.into(),
        files: BTreeMap::new(),
        selection,
        is_program: false,
    }
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
