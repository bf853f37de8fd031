//! The options of `akrida target`.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::values;

/// What `akrida target` was asked for. The texts of `latency` and `stall` are read by the target itself.
#[derive(clap::Args, Clone, Debug, PartialEq)]
pub struct TargetArgs {
    /// IP address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "PORT", default_value_t = 8000)]
    pub port: u16,
    /// Latency of each response: `5ms`, `5ms..20ms`, `normal 20ms 5ms` or `exponential 10ms`
    #[arg(long, value_name = "SPEC")]
    pub latency: Option<String>,
    /// Answer nothing for a while, again and again: `1s every 10s`
    #[arg(long, value_name = "SPEC")]
    pub stall: Option<String>,
    /// Share of the requests answered with status 500, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value = "0", value_parser = values::probability, allow_negative_numbers = true)]
    pub error_rate: f64,
    /// Threads that serve
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::threads, allow_negative_numbers = true)]
    pub workers: NonZeroUsize,
    /// Write one line for each request to this file
    #[arg(long, value_name = "FILE")]
    pub access_log: Option<PathBuf>,
}
