//! How much load, for how long, and how the run ends.

use std::time::Duration;

use crate::cli::span;
use crate::cli::values::{self, Autoquit, Processes};

/// How much load, for how long, and how the run ends.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct LoadFlags {
    /// Base URL of the target, instead of the scenario's
    #[arg(short = 'H', long, value_name = "URL", value_parser = values::host)]
    pub host: Option<String>,
    /// Peak number of concurrent users [default: 1]
    #[arg(short = 'u', long, value_name = "N", value_parser = values::users, allow_negative_numbers = true)]
    pub users: Option<u64>,
    /// Users to start per second [default: 1]
    #[arg(short = 'r', long, value_name = "RATE", value_parser = values::spawn_rate, allow_negative_numbers = true)]
    pub spawn_rate: Option<f64>,
    /// How long to run, from the start, such as 300s, 20m, 1h30m [default: until stopped]
    #[arg(short = 't', long, value_name = "SPAN", value_parser = span::parse_positive, allow_negative_numbers = true)]
    pub run_time: Option<Duration>,
    /// Time that running tasks get to end when the run stops [default: 0s]
    #[arg(short = 's', long, value_name = "SPAN", value_parser = span::parse, allow_negative_numbers = true)]
    pub stop_timeout: Option<Duration>,
    /// Start at once without the web UI, and exit at the end
    #[arg(long)]
    pub headless: bool,
    /// Undo a 'headless' of a file or a variable
    #[arg(long, hide = true)]
    pub headful: bool,
    /// Start at once, with the web UI
    #[arg(long)]
    pub autostart: bool,
    /// With --autostart: quit this long after the run has ended; -1 to stay [default: -1]
    #[arg(long, value_name = "SECONDS", value_parser = values::autoquit, allow_negative_numbers = true)]
    pub autoquit: Option<Autoquit>,
    /// Reset the statistics when all users have started
    #[arg(long)]
    pub reset_stats: bool,
    /// Event loops that run users, each on its own thread; -1 for one for each core [default: -1]
    #[arg(long, value_name = "N", value_parser = values::processes, allow_negative_numbers = true)]
    pub processes: Option<Processes>,
    /// Exit code if a request failed or a user raised an exception [default: 1]
    #[arg(long, value_name = "CODE", value_parser = values::exit_code, allow_negative_numbers = true)]
    pub exit_code_on_error: Option<i32>,
    /// Exit with 3 if the measurement is INVALID
    #[arg(long)]
    pub fail_on_invalid: bool,
}
