//! How a target is started.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::latency::Latency;
use super::limits::WORKERS_MAX;
use super::stall::Stall;

/// Where a target listens and how it treats requests.
#[derive(Debug, Clone)]
pub struct TargetOptions {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// Time from a request to its answer.
    pub latency: Latency,
    /// Freezes, if any.
    pub stall: Option<Stall>,
    /// Share of requests answered with 500, from 0 to 1.
    pub error_rate: f64,
    /// Threads that serve; 0 takes one a core.
    pub workers: usize,
    /// File to which a line is added for each answered request: time (Unix, ms), method, path, status, duration (µs).
    pub access_log: Option<PathBuf>,
}

/// A free port on the loopback interface, no latency, no stall, no errors, one thread a core, no log.
impl Default for TargetOptions {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            latency: Latency::default(),
            stall: None,
            error_rate: 0.0,
            workers: 0,
            access_log: None,
        }
    }
}

impl TargetOptions {
    /// Refuses values out of their range with [`io::ErrorKind::InvalidInput`].
    pub(super) fn check(&self) -> io::Result<()> {
        let invalid = |problem: String| Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        if !(0.0..=1.0).contains(&self.error_rate) {
            return invalid(format!("error rate {} is not between 0 and 1", self.error_rate));
        }
        if self.workers > WORKERS_MAX {
            return invalid(format!("{} worker threads are more than {WORKERS_MAX}", self.workers));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_refused() {
        for error_rate in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(TargetOptions { error_rate, ..TargetOptions::default() }.check().is_err(), "{error_rate}");
        }
        for error_rate in [0.0, 0.5, 1.0] {
            assert!(TargetOptions { error_rate, ..TargetOptions::default() }.check().is_ok(), "{error_rate}");
        }
        assert!(TargetOptions { workers: WORKERS_MAX + 1, ..TargetOptions::default() }.check().is_err());
    }
}
