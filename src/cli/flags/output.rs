//! What is printed and written.

use std::path::PathBuf;

/// What is printed and written.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// Write the statistics to PREFIX_stats.csv, PREFIX_stats_history.csv, PREFIX_failures.csv and
    /// PREFIX_exceptions.csv
    #[arg(long, value_name = "PREFIX")]
    pub csv: Option<PathBuf>,
    /// With --csv: a history of each entry, not only of the total
    #[arg(long)]
    pub csv_full_history: bool,
    /// Write a report; {u}, {r} and {t} stand for users, spawn rate and run time in seconds
    #[arg(long, value_name = "FILE", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub html: Option<String>,
    /// Print the final statistics as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// Write the final statistics as JSON to NAME.json
    #[arg(long, value_name = "NAME")]
    pub json_file: Option<PathBuf>,
    /// Write a summary of the run as JSON
    #[arg(long, value_name = "FILE")]
    pub summary_json: Option<PathBuf>,
    /// Print the statistics at the end only
    #[arg(long)]
    pub only_summary: bool,
    /// Print the statistics from time to time also when there is a web UI
    #[arg(long)]
    pub print_stats: bool,
    /// Label of the run in the reports
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}
