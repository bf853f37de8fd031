//! Runs of a cluster for people.

use jiff::Timestamp;

use crate::api::RunListed;

/// A table of runs.
#[must_use]
pub fn list(runs: &[RunListed]) -> String {
    let heads =
        ["ID", "SCENARIO", "STATUS", "STARTED", "LASTED", "REQUESTS", "FAILED", "MISSED", "VALIDITY", "PROFILE"];
    table(&heads, &runs.iter().map(row).collect::<Vec<_>>())
}

fn row(run: &RunListed) -> Vec<String> {
    let lasted_ms = run.ended_unix_ms.map(|end| end.saturating_sub(run.started_unix_ms));
    vec![
        run.id.clone(),
        run.scenario.clone(),
        run.status.clone(),
        utc(run.started_unix_ms),
        lasted_ms.map_or_else(|| "-".to_owned(), |ms| format!("{:.1} s", ms as f64 / 1e3)),
        run.requests.to_string(),
        run.failures.to_string(),
        run.thresholds_missed.to_string(),
        run.validity.clone(),
        run.profile.clone().unwrap_or_default(),
    ]
}

/// A point in time in whole seconds of UTC.
fn utc(unix_ms: u64) -> String {
    let at = i64::try_from(unix_ms / 1_000).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    at.map_or_else(|| "?".to_owned(), |at| at.to_string())
}

/// Columns as wide as they must be, two blanks apart, without blanks at the ends of lines. Control characters, which
/// could play tricks on a terminal, become question marks.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let shown = |cell: &String| cell.replace(char::is_control, "?");
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(shown).collect()).collect();
    let width_of = |at: usize, head: &str| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.chain([head.len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = heads.iter().enumerate().map(|(at, head)| width_of(at, head)).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        format!("{}\n", line.trim_end())
    };
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(line(heads.to_vec())).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_runs_are_a_table_without_lines() {
        assert_eq!(list(&[]).lines().count(), 1);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(table(&["A"], &[vec!["x\u{1b}[2J\n".to_owned()]]), "A\nx?[2J?\n");
    }

    #[test]
    fn times_that_cannot_be_are_no_error() {
        assert_eq!(utc(u64::MAX), "?");
    }
}
