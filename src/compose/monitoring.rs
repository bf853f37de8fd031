//! Opens the ports for metrics and health checks as the configuration says.

use std::sync::Arc;

use anyhow::Context;

use crate::config::monitoring::MonitoringConfig;
use crate::monitoring::{self, Endpoint, MonitoringServer, Watched};

/// Opens the ports of the process of this name; none if none is configured.
///
/// # Errors
/// When one cannot be listened on.
pub(super) fn start(name: &str, config: &MonitoringConfig, watched: impl Watched) -> anyhow::Result<MonitoringServer> {
    let metrics = config.metrics_enabled.then_some((Endpoint::Metrics, config.metrics_port));
    let health = config.health_check_port.map(|port| (Endpoint::Health, port));
    let watched: Arc<dyn Watched> = Arc::new(watched);
    monitoring::start(name, metrics.into_iter().chain(health), &watched).context("monitoring does not start")
}
