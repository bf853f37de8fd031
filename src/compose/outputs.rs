//! The files of a run, and what is printed at its end.

use std::io::IsTerminal;
use std::path::Path;

use akrida_core::scenario::model::Scenario;
use akrida_core::scenario::ratio::Ratios;
use akrida_core::view::RunView;

use super::{print_all, print_to_stderr};
use crate::cli::RunOptions;
use crate::report::console::Layout;
use crate::report::csv::CsvWriter;
use crate::report::file::{WriteError, check_writable, replace};
use crate::report::html::{self, Theme};
use crate::report::{console, json, summary};

/// Writes what the options ask for.
#[derive(Debug)]
pub(super) struct Outputs {
    csv: Option<CsvWriter>,
}

impl Outputs {
    /// Creates the files that grow with the run, and makes sure that the others can be written at its end.
    pub(super) fn open(options: &RunOptions) -> Result<Self, WriteError> {
        let wanted = &options.outputs;
        let at_the_end = [&wanted.html, &wanted.json_file, &wanted.summary_json];
        at_the_end.into_iter().flatten().try_for_each(|file| check_writable(file))?;
        let csv = wanted.csv_prefix.as_deref();
        let csv = csv.map(|prefix| CsvWriter::create(prefix, wanted.csv_full_history)).transpose()?;
        Ok(Self { csv })
    }

    /// Brings the growing files up to date. A disk that fails in mid-run is reported, and the run goes on.
    pub(super) fn update(&mut self, view: &RunView) {
        if let Some(Err(error)) = self.csv.as_mut().map(|csv| csv.write(view)) {
            tracing::error!(%error, "statistics were not written");
        }
    }

    /// Writes everything of a finished run. What fails does not keep the rest from being written; the error names all of
    /// it.
    pub(super) fn finish(&mut self, view: &RunView, scenario: &Scenario, options: &RunOptions) -> anyhow::Result<()> {
        let wanted = &options.outputs;
        let ratios = ratios(view, scenario).to_json();
        let written = [
            if wanted.json_stdout { print_all(json::to_text(view)) } else { Ok(()) },
            self.csv.as_mut().map_or(Ok(()), |csv| Ok(csv.write(view)?)),
            write(wanted.summary_json.as_deref(), || Ok(summary::to_text(view))),
            write(wanted.json_file.as_deref(), || Ok(json::to_text(view))),
            write(wanted.html.as_deref(), || Ok(html::report(view, Some(&ratios), Theme::default())?)),
        ];
        let failed = written.into_iter().filter_map(|written| Some(format!("{:#}", written.err()?)));
        let failed = failed.collect::<Vec<_>>().join("\n");
        anyhow::ensure!(failed.is_empty(), failed);
        Ok(())
    }
}

fn write(file: Option<&Path>, content: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<()> {
    let Some(file) = file else { return Ok(()) };
    Ok(replace(file, content()?.as_bytes())?)
}

/// The ratios of the users that existed, or of the weights when none did.
pub(super) fn ratios(view: &RunView, scenario: &Scenario) -> Ratios {
    let users: Vec<f64> = view.users_per_class.iter().map(|(_, users)| *users as f64).collect();
    if users.iter().any(|users| *users > 0.0) {
        Ratios::of(scenario, &users)
    } else {
        Ratios::of(scenario, &akrida_core::scenario::ratio::shares_by_weight(scenario))
    }
}

/// The table that is printed while a run lasts.
pub(super) fn print_progress(view: &RunView) {
    print_to_stderr(&console::periodic(view, layout()));
}

/// The tables that are printed at the end.
pub(super) fn print_summary(view: &RunView) {
    print_to_stderr(&summary_text(view));
}

/// The tables of a run that has ended.
pub(super) fn summary_text(view: &RunView) -> String {
    console::summary(view, layout())
}

fn layout() -> Layout {
    match crossterm::terminal::size() {
        Ok((columns, _)) if std::io::stderr().is_terminal() => Layout::Terminal { columns: usize::from(columns) },
        Ok(_) | Err(_) => Layout::Pipe,
    }
}
