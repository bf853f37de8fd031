//! The options of `akrida run`, `akrida runs` and `akrida cluster`.

use std::path::PathBuf;

use akrida_core::state::command::LossPolicy;

use super::Environment;
use crate::api::masters::parse_list;
use crate::api::{MasterAddress, WEB_PORT};

/// The variable that names the masters of a cluster.
pub const MASTERS_VARIABLE: &str = "AKRIDA_MASTERS";

/// Which masters to ask.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct MastersArgs {
    /// Masters of the cluster; any of them that answers will do [default: AKRIDA_MASTERS, or this machine]
    #[arg(long, value_name = "HOST[:PORT],...", global = true)]
    pub(crate) masters: Option<String>,
}

impl MastersArgs {
    /// The masters that were named, here or in the surroundings; `None` if none were.
    pub(crate) fn named(&self, environment: &Environment) -> Result<Option<Vec<MasterAddress>>, String> {
        let (text, place) = match (&self.masters, environment.variable(MASTERS_VARIABLE)) {
            (Some(typed), _) => (typed.clone(), "--masters"),
            (None, Some(variable)) => (variable.to_string_lossy().into_owned(), MASTERS_VARIABLE),
            (None, None) => return Ok(None),
        };
        parse_list(&text).map(Some).map_err(|message| format!("{place}: {message}"))
    }

    /// The masters that were named, or the one of this machine.
    pub(crate) fn named_or_local(&self, environment: &Environment) -> Result<Vec<MasterAddress>, String> {
        let named = self.named(environment)?;
        named.map_or_else(|| parse_list(&format!("127.0.0.1:{WEB_PORT}")), Ok)
    }
}

/// What `akrida run` takes beside the options of a run.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterRunArgs {
    #[command(flatten)]
    pub(crate) masters: MastersArgs,
    /// Run on workers with all these tags only [default: all workers]
    #[arg(long, value_name = "TAG,...", value_delimiter = ',')]
    pub(crate) select_workers: Vec<String>,
    /// What to do when a worker is lost [default: as the masters are configured]
    #[arg(long, value_name = "POLICY")]
    pub(crate) on_worker_loss: Option<OnWorkerLoss>,
}

/// What to do when a worker is lost.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnWorkerLoss {
    /// The other workers take its users over
    Replace,
    /// The run goes on without its users
    Continue,
    /// The run stops
    Fail,
}

impl From<OnWorkerLoss> for LossPolicy {
    fn from(policy: OnWorkerLoss) -> Self {
        match policy {
            OnWorkerLoss::Replace => Self::Replace,
            OnWorkerLoss::Continue => Self::Continue,
            OnWorkerLoss::Fail => Self::Fail,
        }
    }
}

/// What can be asked of the runs of a cluster. A run is named by its id, or as `latest` or `previous`.
#[derive(clap::Subcommand, Clone, Debug, PartialEq)]
pub enum RunsCommand {
    /// List the runs that the cluster remembers, the newest first
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the statistics of a run
    Show {
        /// Id of the run, latest or previous
        #[arg(value_name = "RUN", default_value = "latest")]
        run: String,
        /// The summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare two runs; exit with 1 if the second is worse
    Compare {
        /// Id of the run to compare with, latest or previous
        #[arg(value_name = "A")]
        base: String,
        /// Id of the run that must not be worse, latest or previous
        #[arg(value_name = "B")]
        new: String,
        /// How much worse a figure may be, such as 10% or 0.1
        #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = share)]
        tolerance: f64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the reports of a run
    Export {
        /// Id of the run, latest or previous
        #[arg(value_name = "RUN", default_value = "latest")]
        run: String,
        /// Which reports
        #[command(flatten)]
        to: ExportTo,
    },
    /// Stop a run
    Stop {
        /// Id of the run, latest or previous
        #[arg(value_name = "RUN", default_value = "latest")]
        run: String,
    },
}

/// Which reports to write; at least one.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
#[group(required = true, multiple = true)]
pub struct ExportTo {
    /// Write the statistics to PREFIX_stats.csv, PREFIX_failures.csv and PREFIX_exceptions.csv
    #[arg(long, value_name = "PREFIX")]
    pub csv: Option<PathBuf>,
    /// Write a report
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write a summary as JSON
    #[arg(long, value_name = "FILE")]
    pub summary_json: Option<PathBuf>,
    /// Write the statistics as JSON in Locust's form
    #[arg(long, value_name = "FILE")]
    pub json_file: Option<PathBuf>,
}

/// What can be asked of a cluster.
#[derive(clap::Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum ClusterCommand {
    /// Show the masters, the workers and the run
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Hand the lead to another master
    Transfer {
        /// Its name
        #[arg(value_name = "NAME")]
        to: String,
    },
    /// Add a master, which waits with an empty data folder
    Add {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Its host, as the other masters and the workers reach it
        #[arg(value_name = "HOST")]
        host: String,
        /// Its port for masters and workers
        #[arg(long, value_name = "PORT", default_value_t = 5557)]
        port: u16,
        /// Its web port
        #[arg(long, value_name = "PORT", default_value_t = WEB_PORT)]
        web_port: u16,
        /// Of two masters that could lead, the one with the higher priority does
        #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
        priority: i64,
    },
    /// Remove a master
    Remove {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Let a master that lost its data folder in again
    Replace {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Write the replicated state to a file
    Snapshot {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make a new cluster of one master from such a file, when most masters are lost for good
    Restore(RestoreArgs),
}

/// What a new cluster is made of. The master must not run, and its data folder must be empty.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct RestoreArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The configuration of the masters
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Which of the masters is the first one of the new cluster
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// The folder that holds its data folder [default: as configured]
    #[arg(long, value_name = "FOLDER")]
    pub data_dir: Option<PathBuf>,
}

/// A share, as `10%` or `0.1`.
fn share(text: &str) -> Result<f64, String> {
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |percent| (percent, 100.0));
    match number.trim().parse::<f64>() {
        Ok(number) if (0.0..=whole).contains(&number) => Ok(number / whole),
        _ => Err(format!("\"{text}\" is not a share; allowed: 0% to 100%, or 0 to 1")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_or_fractions() {
        assert_eq!([share("10%"), share("0.1"), share("0"), share("100 %")], [Ok(0.1), Ok(0.1), Ok(0.0), Ok(1.0)]);
        for bad in ["", "%", "10", "-1%", "101%", "nan", "inf%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
    }
}
