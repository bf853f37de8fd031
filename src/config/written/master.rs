//! A master's file: `master_cluster` and `master`.

use std::time::Duration;

use akrida_core::document::cursor::Object;
use akrida_core::limits::{CONFIGURED_CONNECTIONS_MAX, EXPECTED_WORKERS_MAX, TRUSTED_PROXIES_MAX};
use akrida_core::state::command::{LossPolicy, Strategy};

use super::reader::Reader;
use super::{MasterFile, WrittenWeb, cluster};
use crate::config::base_path::base_path;
use crate::config::credentials::{Credentials, HashedCredentials};
use crate::config::keys;
use crate::config::master::defaults;
use crate::config::network::listen_host;
use crate::config::quantity::{PERCENT, SIZE, bytes_of, percent_of, span_text};

const STRATEGIES: &[(&str, Strategy)] =
    &[("round_robin", Strategy::RoundRobin), ("least_loaded", Strategy::LeastLoaded), ("weighted", Strategy::Weighted)];

const LOSS_POLICIES: &[(&str, LossPolicy)] =
    &[("replace", LossPolicy::Replace), ("continue", LossPolicy::Continue), ("fail", LossPolicy::Fail)];

const LISTEN_HOST: &str = "an address to listen on, such as `0.0.0.0` for all";

/// Connections that a master needs at least: for its peers, a worker and a browser.
const CONNECTIONS_MIN: u32 = 16;

/// Reads the whole file.
pub(super) fn decode(reader: &mut Reader<'_>, file: &Object<'_>) -> MasterFile {
    let cluster = file.get("master_cluster").map(|cursor| cluster::decode(reader, &cursor)).unwrap_or_default();
    let mut master = MasterFile { cluster, ..MasterFile::default() };
    let Some(object) = reader.section(file, "master", &keys::MASTER) else { return master };
    if let Some(bind) = reader.section(&object, "bind", &keys::BIND) {
        master.bind_host = reader.parsed(&bind, "host", LISTEN_HOST, listen_host);
        master.bind_port = reader.listen_port(&bind, "port");
    }
    if let Some(web) = reader.section(&object, "web", &keys::WEB) {
        master.web = decode_web(reader, &web);
    }
    workers(reader, &object, &mut master);
    distribution(reader, &object, &mut master);
    resources(reader, &object, &mut master);
    master.data_dir = reader.written_path(&object, "data_dir");
    master.trust = reader.trust(&object, &keys::CLUSTER, &keys::TLS);
    master.monitoring = reader.monitoring(&object, &keys::MONITORING);
    master.logging = reader.logging(&object, &keys::LOGGING);
    if let Some(drills) = reader.section(&object, "drills", &keys::DRILLS) {
        master.drills_enabled = reader.switch(&drills, "enabled");
    }
    master
}

fn decode_web(reader: &mut Reader<'_>, object: &Object<'_>) -> WrittenWeb {
    if let [_, (_, hash)] = &object.given(&["auth_credentials", "auth_hash"])[..] {
        reader.problems.of_node(hash, "who may log in is given already; allowed: `auth_credentials` or `auth_hash`");
    }
    WrittenWeb {
        host: reader.parsed(object, "host", LISTEN_HOST, listen_host),
        port: reader.listen_port(object, "port"),
        base_path: reader.parsed(object, "base_path", "a path such as `/locust`", base_path),
        auth_credentials: reader.parsed(object, "auth_credentials", "`user:password`", Credentials::parse),
        auth_hash: reader.parsed(object, "auth_hash", "`user:hash`", HashedCredentials::parse),
        trusted_proxies: reader.list(
            object,
            "trusted_proxies",
            ("IP addresses or networks such as `10.0.0.0/8`", TRUSTED_PROXIES_MAX),
            str::parse,
        ),
    }
}

fn workers(reader: &mut Reader<'_>, parent: &Object<'_>, master: &mut MasterFile) {
    let Some(object) = reader.section(parent, "workers", &keys::WORKERS) else { return };
    let expected = reader.whole(&object, "expect_workers", 1, EXPECTED_WORKERS_MAX);
    master.expect_workers = expected.and_then(|number| number.try_into().ok());
    master.expect_wait = reader.span(&object, "expect_workers_max_wait", Duration::ZERO);
    master.heartbeat_liveness = reader.whole_u32(&object, "heartbeat_liveness", 1, 1_000_000);
    master.heartbeat_interval = reader.timer(&object, "heartbeat_interval");
}

fn distribution(reader: &mut Reader<'_>, parent: &Object<'_>, master: &mut MasterFile) {
    if let Some(object) = reader.section(parent, "load_distribution", &keys::LOAD_DISTRIBUTION) {
        master.strategy = reader.word(&object, "strategy", STRATEGIES);
        master.rebalance_interval = reader.timer(&object, "rebalance_interval");
    }
    let Some(object) = reader.section(parent, "fault_tolerance", &keys::FAULT_TOLERANCE) else { return };
    master.worker_timeout = reader.timer(&object, "worker_timeout");
    master.retry_failed_workers = reader.switch(&object, "retry_failed_workers");
    master.max_retries = reader.whole_u32(&object, "max_retries", 0, 1_000_000);
    master.on_loss = reader.word(&object, "on_loss", LOSS_POLICIES);
    let between = master.heartbeat_interval.unwrap_or(defaults::WORKER_HEARTBEAT);
    if let (Some(timeout), Some(cursor)) = (master.worker_timeout, object.get("worker_timeout"))
        && timeout < between * 2
    {
        let message = format!(
            "{} is less than two heartbeats of workers; allowed: at least {}",
            span_text(timeout),
            span_text(between * 2)
        );
        reader.problems.of_node(&cursor, message);
    }
}

fn resources(reader: &mut Reader<'_>, parent: &Object<'_>, master: &mut MasterFile) {
    let Some(object) = reader.section(parent, "resources", &keys::RESOURCES) else { return };
    master.max_memory_bytes = reader.parsed(&object, "max_memory_usage", SIZE, bytes_of);
    master.max_cpu_percent = reader.parsed(&object, "max_cpu_usage", PERCENT, percent_of);
    master.max_connections =
        reader.whole_u32(&object, "max_connections", CONNECTIONS_MIN, CONFIGURED_CONNECTIONS_MAX as u32);
}

/// The word for a strategy in a file.
pub(in crate::config) fn strategy_word(strategy: Strategy) -> &'static str {
    STRATEGIES.iter().find(|(_, value)| *value == strategy).map_or("round_robin", |(word, _)| word)
}

/// The word for a policy in a file.
pub(in crate::config) fn loss_policy_word(policy: LossPolicy) -> &'static str {
    LOSS_POLICIES.iter().find(|(_, value)| *value == policy).map_or("replace", |(word, _)| word)
}
