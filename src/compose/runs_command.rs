//! `akrida runs`: the runs of a cluster.

use std::path::Path;

use akrida_core::ids::RunId;
use akrida_core::view::RunView;
use anyhow::Context;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use super::cluster_run::exit_of;
use super::{logging, outputs, print_all, print_to_stderr};
use crate::api::{MasterAddress, run_id};
use crate::cli::checked::Log;
use crate::cli::{Exit, ExportTo, RunsCommand};
use crate::client::{ClientError, ClusterClient, Patience, runs_text};
use crate::report::compare::Comparison;
use crate::report::csv::CsvWriter;
use crate::report::file::replace;
use crate::report::html::{self, Theme};
use crate::report::{json, summary};

/// Does what was asked of the runs of a cluster.
pub(super) fn carry_out(masters: Vec<MasterAddress>, command: &RunsCommand) -> anyhow::Result<Exit> {
    logging::start(&Log::default(), BoxMakeWriter::new(std::io::stderr))?;
    actix_rt::System::new().block_on(async {
        let client = ClusterClient::new(masters, Patience::default());
        match done(&client, command).await {
            Err(error) => match error.downcast_ref::<ClientError>() {
                Some(refused) => {
                    print_to_stderr(&format!("akrida: {refused}\n"));
                    Ok(exit_of(refused))
                }
                None => Err(error),
            },
            done => done,
        }
    })
}

async fn done(client: &ClusterClient, command: &RunsCommand) -> anyhow::Result<Exit> {
    match command {
        RunsCommand::List { json: true } => print_all(format!("{:#}\n", serde_json::to_value(client.runs().await?)?))?,
        RunsCommand::List { json: false } => print_all(runs_text::list(&client.runs().await?))?,
        RunsCommand::Show { run, json: true } => print_all(summary::to_text(&view(client, run).await?))?,
        RunsCommand::Show { run, json: false } => {
            print_all(outputs::summary_text(&view(client, run).await?))?;
        }
        RunsCommand::Compare { base, new, tolerance, json } => {
            let comparison = Comparison::of(&view(client, base).await?, &view(client, new).await?, *tolerance);
            print_all(if *json { format!("{:#}\n", comparison.to_json()) } else { comparison.to_text() })?;
            if comparison.has_regressed() {
                return Ok(Exit::Failed { code: 1 });
            }
        }
        RunsCommand::Export { run, to } => export(&view(client, run).await?, to)?,
        RunsCommand::Stop { run } => client.stop(named(client, run).await?).await?,
    }
    Ok(Exit::Passed)
}

async fn view(client: &ClusterClient, name: &str) -> anyhow::Result<RunView> {
    Ok(client.view(named(client, name).await?).await?)
}

/// The run of this id, or the newest or the one before it.
async fn named(client: &ClusterClient, name: &str) -> anyhow::Result<RunId> {
    let back = match name {
        "latest" => 0,
        "previous" => 1,
        id => return run_id(id).with_context(|| format!("{id:?} is no run; allowed: an id, latest, previous")),
    };
    let runs = client.runs().await?;
    let listed = runs.get(back).with_context(|| format!("there is no {name} run"))?;
    run_id(&listed.id).with_context(|| format!("the cluster calls a run {:?}", listed.id))
}

fn export(view: &RunView, to: &ExportTo) -> anyhow::Result<()> {
    let write = |file: Option<&Path>, content: &dyn Fn() -> anyhow::Result<String>| match file {
        Some(file) => Ok(replace(file, content()?.as_bytes())?),
        None => anyhow::Ok(()),
    };
    if let Some(prefix) = &to.csv {
        CsvWriter::create(prefix, false)?.write(view)?;
    }
    write(to.summary_json.as_deref(), &|| Ok(summary::to_text(view)))?;
    write(to.json_file.as_deref(), &|| Ok(json::to_text(view)))?;
    write(to.html.as_deref(), &|| Ok(html::report(view, None, Theme::default())?))
}
