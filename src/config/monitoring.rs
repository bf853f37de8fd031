//! Where a master or worker can be observed.

/// What is served beside the web UI, on all addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitoringConfig {
    /// Whether `/metrics` is served on its port.
    pub metrics_enabled: bool,
    /// The port of `/metrics`.
    pub metrics_port: u16,
    /// The port of `/health` and `/ready`; they are not served if `None`.
    pub health_check_port: Option<u16>,
}
