//! What is allowed but should be known before a cluster runs by it.

use std::collections::BTreeSet;

use akrida_core::limits::LEADER_WAIT;

use super::MasterConfig;
use crate::config::credentials::Credentials;
use crate::config::quantity::span_text;

/// Heartbeats within an election time-out that a busy network needs.
const HEARTBEATS_PER_TIMEOUT: u32 = 5;

/// Below this a secret can be guessed by trying.
const SECRET_CHARS_MIN: usize = 16;

/// The warnings of a configuration. `bind_port` is what `master.bind.port` says, and `has_worker_timeout` whether the
/// file has one.
pub(super) fn of(config: &MasterConfig, bind_port: Option<u16>, has_worker_timeout: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if !config.is_alone() {
        warnings.extend(of_group(config));
    }
    warnings.extend(of_trust(config));
    if let Some(bind_port) = bind_port.filter(|port| *port != config.node.port && config.bind.port == config.node.port)
    {
        let port = config.bind.port;
        warnings.push(format!(
            "master.bind.port: {bind_port} has no effect, since {} has a port of its own: {port}",
            config.node.name
        ));
    }
    let lost_after = config.worker_lost_after();
    if has_worker_timeout && lost_after > config.worker_timeout {
        warnings.push(format!(
            "a silent worker counts as lost after {}, not after the {} of worker_timeout: heartbeat_liveness ({}) \
             counts intervals of {}",
            span_text(lost_after),
            span_text(config.worker_timeout),
            config.workers.heartbeat_liveness,
            span_text(config.workers.heartbeat_interval),
        ));
    }
    if config.logging.file.is_none() && config.logging.max_bytes.is_some() {
        warnings.push("master.logging: max_size has no effect without a file".to_owned());
    }
    warnings
}

fn of_group(config: &MasterConfig) -> Vec<String> {
    let mut warnings = Vec::new();
    let masters = config.nodes.len();
    if masters.is_multiple_of(2) {
        warnings.push(format!(
            "an even number of masters ({masters}) survives the loss of {}, as {} would; use an odd number",
            (masters - 1) / 2,
            masters - 1
        ));
    }
    let priorities: BTreeSet<i64> = config.nodes.iter().map(|node| node.priority).collect();
    if priorities.len() < masters {
        warnings.push(
            "two masters have the same priority, so that elections may take longer; make them distinct".to_owned(),
        );
    }
    let (timeout, heartbeat) = (config.election.timeout, config.election.heartbeat_interval);
    if timeout < heartbeat * HEARTBEATS_PER_TIMEOUT {
        warnings.push(format!(
            "election.timeout ({}) holds fewer than {HEARTBEATS_PER_TIMEOUT} heartbeats ({}); a short delay of the \
             network will start elections",
            span_text(timeout),
            span_text(heartbeat)
        ));
    }
    if timeout * 2 > LEADER_WAIT {
        warnings.push(format!(
            "an election takes from {} to {}: actions in the web UI wait {} for a leader and fail with 503 then; 500ms \
             is enough in one data centre",
            span_text(timeout),
            span_text(timeout * 2),
            span_text(LEADER_WAIT)
        ));
    }
    warnings
}

fn of_trust(config: &MasterConfig) -> Vec<String> {
    let mut warnings = Vec::new();
    if config.web.auth_credentials.as_ref().is_some_and(Credentials::are_the_sample) {
        warnings.push(
            "THE PASSWORD OF THE WEB UI IS THE ONE OF THE EXAMPLE, WHICH EVERYBODY KNOWS: change \
             master.web.auth_credentials"
                .to_owned(),
        );
    }
    let is_local = |host: &str| host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let all_local = config.nodes.iter().all(|node| is_local(&node.host)) && config.nodes.len() > 1;
    match &config.secret {
        Some(secret) if secret.expose().chars().count() < SECRET_CHARS_MIN => {
            warnings
                .push(format!("master.cluster.secret has fewer than {SECRET_CHARS_MIN} characters and can be guessed"));
        }
        None if config.tls.is_none() && !all_local && !is_local(&config.bind.host) => warnings.push(format!(
            "whoever reaches port {} can join as a master or worker; set master.cluster.secret or master.cluster.tls",
            config.bind.port
        )),
        Some(_) | None => {}
    }
    warnings
}
