//! How the target is reached.

use std::path::PathBuf;

use akrida_actors::http::allowed_hosts::AllowedHost;

/// When the target's name is resolved.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsPolicy {
    /// Once, before the run starts
    #[default]
    Once,
    /// Again when the answer's time to live is over
    Ttl,
    /// At each connect
    Connection,
}

/// How the target is reached.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionFlags {
    /// Accept any certificate of the target
    #[arg(long)]
    pub insecure: bool,
    /// Certificate authority of the target (PEM), in addition to the system's
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// Client certificate chain (PEM)
    #[arg(long, value_name = "FILE")]
    pub client_cert: Option<PathBuf>,
    /// Key of the client certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
    /// Host that requests may go to; may be repeated [default: any]
    #[arg(long, visible_alias = "allow-hosts", value_name = "HOST[:PORT]", num_args = 1.., value_delimiter = ',')]
    pub allow_host: Vec<AllowedHost>,
    /// When to resolve the target's name [default: once]
    #[arg(long, value_name = "WHEN")]
    pub dns: Option<DnsPolicy>,
}
