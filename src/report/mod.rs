//! Everything that a run leaves behind: console tables, CSV, JSON, the summary and the HTML report.
//!
//! Each output is a pure function of a [`RunView`](akrida_core::view::RunView), so the same run gives the same text.
//! Only [`csv::CsvWriter`] and [`mod@file`] touch the disk.
//!
//! - [`console`]: the tables on standard error
//! - [`compare`]: two runs side by side
//! - [`csv`]: the four files of `--csv`
//! - [`json`]: `--json`, the entries in Locust's form
//! - [`stats_requests`], [`mod@exceptions`]: the answers of `/stats/requests` and `/exceptions`
//! - [`summary`]: `--summary-json`, described by `docs/summary.schema.json`
//! - [`live_run`]: what the live feed tells of a run
//! - [`html`]: the self-contained report page
//!
//! Figures that do not exist (a percentile of nothing) are shown as zero, `N/A` or `null`, as the format has it; no
//! output ever holds NaN or infinity.

pub mod compare;
pub mod console;
pub mod csv;
pub mod duration_text;
pub mod exceptions;
pub mod file;
pub mod html;

pub mod json;
pub mod live_run;
pub mod load_text;
pub mod milliseconds;
pub mod numbers;
pub mod percentiles;
pub mod stats_requests;

pub mod summary;
pub mod utc;

#[cfg(test)]
mod sample_view;
