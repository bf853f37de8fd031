//! Every key of a configuration file, in one place. The manual is compared with these tables.

/// An object of the file.
#[derive(Debug)]
pub(super) struct Section {
    /// Where it stands; empty for the file itself.
    path: &'static str,
    /// Its keys, in the order in which messages list them.
    pub(super) keys: &'static [&'static str],
}

macro_rules! sections {
    ($($constant:ident = $path:literal [$($key:literal)*];)*) => {
        $(pub(super) const $constant: Section = Section { path: $path, keys: &[$($key),*] };)*

        const ALL: &[&Section] = &[$(&$constant),*];
    };
}

sections! {
    FILE = "" ["master_cluster" "master" "worker"];
    MASTER_CLUSTER = "master_cluster" ["enabled" "nodes" "election" "synchronization"];
    NODE = "master_cluster.nodes[]" ["name" "host" "port" "web_port" "priority"];
    ELECTION = "master_cluster.election" ["enabled" "timeout" "heartbeat_interval"];
    SYNCHRONIZATION = "master_cluster.synchronization" ["enabled" "sync_interval" "conflict_resolution"];
    MASTER = "master" [
        "bind" "web" "workers" "load_distribution" "fault_tolerance" "resources" "data_dir" "cluster" "monitoring"
        "logging" "drills"
    ];
    BIND = "master.bind" ["host" "port"];
    WEB = "master.web" ["host" "port" "base_path" "auth_credentials" "auth_hash" "trusted_proxies"];
    WORKERS = "master.workers" ["expect_workers" "expect_workers_max_wait" "heartbeat_liveness" "heartbeat_interval"];
    LOAD_DISTRIBUTION = "master.load_distribution" ["strategy" "rebalance_interval"];
    FAULT_TOLERANCE = "master.fault_tolerance" ["worker_timeout" "retry_failed_workers" "max_retries" "on_loss"];
    RESOURCES = "master.resources" ["max_memory_usage" "max_cpu_usage" "max_connections"];
    CLUSTER = "master.cluster" ["secret" "secret_file" "tls"];
    TLS = "master.cluster.tls" ["ca" "certificate" "key"];
    MONITORING = "master.monitoring" ["metrics_enabled" "metrics_port" "health_check_port"];
    LOGGING = "master.logging" ["level" "format" "file" "max_size" "backup_count"];
    DRILLS = "master.drills" ["enabled"];
    WORKER = "worker" ["master" "identity" "resources" "performance" "monitoring" "logging" "cluster"];
    WORKER_MASTER = "worker.master" [
        "host" "hosts" "port" "connection_timeout" "reconnect_interval" "max_reconnect_attempts"
    ];
    IDENTITY = "worker.identity" ["node_id" "tags"];
    WORKER_RESOURCES = "worker.resources" ["max_users" "cpu_limit" "memory_limit"];
    PERFORMANCE = "worker.performance" ["gevent_pool_size" "connection_pool_size" "dns_cache_size"];
    WORKER_CLUSTER = "worker.cluster" ["secret" "secret_file" "tls"];
    WORKER_TLS = "worker.cluster.tls" ["ca" "certificate" "key"];
    WORKER_MONITORING = "worker.monitoring" ["metrics_enabled" "metrics_port" "health_check_port"];
    WORKER_LOGGING = "worker.logging" ["level" "format" "file" "max_size" "backup_count"];
}

/// Every key that has a value of its own and no keys below it, with its whole path, such as `master.bind.port`.
#[must_use]
pub fn all() -> Vec<String> {
    let paths = ALL.iter().flat_map(|section| {
        let separator = if section.path.is_empty() { "" } else { "." };
        section.keys.iter().map(move |key| format!("{}{separator}{key}", section.path))
    });
    let is_section = |path: &str| ALL.iter().any(|section| section.path.trim_end_matches("[]") == path);
    paths.filter(|path| !is_section(path)).collect()
}
