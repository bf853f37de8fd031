//! The table of phases: how long connecting, the TLS handshake and the first byte took.

use akrida_core::stats::histogram::Histogram;
use akrida_core::view::{EndpointView, RunView};
use serde::Serialize;

use crate::report::milliseconds;
use crate::report::numbers::grouped;

/// Phases as columns, endpoints as rows.
#[derive(Serialize)]
pub(super) struct Phases {
    /// Only those that occurred.
    titles: Vec<&'static str>,
    /// The columns of each phase.
    columns: [&'static str; 5],
    rows: Vec<PhaseRow>,
}

#[derive(Serialize)]
struct PhaseRow {
    method: String,
    name: String,
    is_total: bool,
    /// For each phase its columns.
    phases: Vec<[String; 5]>,
}

type Phase = (&'static str, fn(&EndpointView) -> &Histogram);

const PHASES: [Phase; 3] =
    [("Connect", |line| &line.connect), ("TLS handshake", |line| &line.tls), ("First byte", |line| &line.first_byte)];

/// The phases that occurred in any request; `None` if none did.
pub(super) fn table(view: &RunView) -> Option<Phases> {
    let occurred: Vec<Phase> = PHASES.into_iter().filter(|(_, of)| !of(&view.total).is_empty()).collect();
    let row = |line: &EndpointView, is_total| PhaseRow {
        method: line.method.to_string(),
        name: line.name.to_string(),
        is_total,
        phases: occurred.iter().map(|(_, of)| cells(of(line))).collect(),
    };
    (!occurred.is_empty()).then(|| Phases {
        titles: occurred.iter().map(|(title, _)| *title).collect(),
        columns: ["#", "50%", "95%", "99%", "Max"],
        rows: view.endpoints.iter().map(|line| row(line, false)).chain([row(&view.total, true)]).collect(),
    })
}

fn cells(phase: &Histogram) -> [String; 5] {
    let time = |us: Option<u64>| us.map_or_else(|| "–".to_owned(), milliseconds::for_table);
    let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| time(phase.quantile_us(quantile)));
    [grouped(phase.count()), p50, p95, p99, time(phase.max_us())]
}
