//! Masters and workers.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::span;
use crate::cli::values;
use crate::config::base_path;
use crate::config::network::{self, HostAndPort};
use crate::config::written::{worker_name, worker_tag};

/// Masters and workers.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterFlags {
    /// Be a master, to which workers connect
    #[arg(long)]
    pub master: bool,
    /// Be a worker, which connects to the masters
    #[arg(long)]
    pub worker: bool,
    /// Master: which one of the configuration this is [default: the only one, or the one named like this machine]
    #[arg(long, value_name = "NAME")]
    pub node: Option<String>,
    /// Master: address to listen on for masters and workers [default: 0.0.0.0]
    #[arg(long, value_name = "IP", value_parser = network::listen_host)]
    pub master_bind_host: Option<String>,
    /// Master: port to listen on for masters and workers; 0 takes a free one [default: 5557]
    #[arg(long, value_name = "PORT", value_parser = values::port, allow_negative_numbers = true)]
    pub master_bind_port: Option<u16>,
    /// Master, 'akrida run': workers that a run waits for when it starts by itself [default: 1]
    #[arg(long, value_name = "N", value_parser = values::expected_workers, allow_negative_numbers = true)]
    pub expect_workers: Option<u64>,
    /// Master, 'akrida run': how long it waits for them; 0 for ever [default: 0]
    #[arg(long, value_name = "SPAN", value_parser = span::parse, allow_negative_numbers = true)]
    pub expect_workers_max_wait: Option<Duration>,
    /// Master: address that the web UI listens on [default: 0.0.0.0]
    #[arg(long, value_name = "IP", value_parser = network::listen_host)]
    pub web_host: Option<String>,
    /// Master: port of the web UI; 0 takes a free one [default: 8089]
    #[arg(short = 'P', long, value_name = "PORT", value_parser = values::port, allow_negative_numbers = true)]
    pub web_port: Option<u16>,
    /// Master: what stands before every path of the web UI, such as /locust
    #[arg(long, value_name = "PATH", value_parser = base_path::base_path)]
    pub web_base_path: Option<String>,
    /// Master: folder in which it keeps a folder of data that bears its name [default: /var/lib/akrida, or
    /// ./akrida-data if that cannot be written]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Worker: where a master is, with commas or repeated for several [default: 127.0.0.1]
    #[arg(long, value_name = "HOST[:PORT]", value_delimiter = ',', action = clap::ArgAction::Append)]
    pub master_host: Vec<HostAndPort>,
    /// Worker: port of the masters without one of their own [default: 5557]
    #[arg(long, value_name = "PORT", value_parser = values::remote_port, allow_negative_numbers = true)]
    pub master_port: Option<u16>,
    /// Worker: its name [default: the name of this machine and the number of the process]
    #[arg(long, value_name = "NAME", value_parser = worker_name)]
    pub node_id: Option<String>,
    /// Worker: its tags, such as zone:a
    #[arg(long, value_name = "TAG", num_args = 1.., value_delimiter = ',', value_parser = worker_tag)]
    pub worker_tags: Vec<String>,
}
