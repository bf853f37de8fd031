//! The object `master_cluster`.

use std::collections::BTreeMap;
use std::time::Duration;

use akrida_core::document::cursor::{Cursor, Object};
use akrida_core::document::problem::shown;
use akrida_core::limits::MASTERS_MAX;

use super::reader::Reader;
use super::shared::master_name;
use super::{WrittenCluster, WrittenNode};
use crate::config::keys;
use crate::config::master::defaults;
use crate::config::network::{host_name, is_every_address};
use crate::config::quantity::span_text;

/// Largest priority of a master.
const PRIORITY_MAX: u64 = 1_000_000;

/// Statistics are sealed once a second; syncing more often would find nothing new.
const SYNC_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// The one way in which two writers are told apart.
const LATEST_WINS: &str = "latest_wins";

/// Reads the object.
pub(super) fn decode(reader: &mut Reader<'_>, cursor: &Cursor<'_>) -> WrittenCluster {
    let Some(object) = reader.problems.object(cursor, keys::MASTER_CLUSTER.keys) else {
        return WrittenCluster::default();
    };
    let enabled = reader.switch(&object, "enabled");
    let nodes = object.get("nodes").map(|nodes| decode_nodes(reader, &nodes)).unwrap_or_default();
    let is_group = enabled != Some(false) && nodes.len() > 1;
    let (election_timeout, election_heartbeat) = election(reader, &object, is_group).unwrap_or_default();
    let sync_interval = synchronization(reader, &object, is_group);
    WrittenCluster { enabled, nodes, election_timeout, election_heartbeat, sync_interval }
}

/// The masters, in the order of the file. One that is not understood is left out.
fn decode_nodes(reader: &mut Reader<'_>, cursor: &Cursor<'_>) -> Vec<WrittenNode> {
    let Some(items) = cursor.items() else {
        reader.problems.wrong_kind(cursor, "a list of masters, each with `name` and `host`");
        return Vec::new();
    };
    if items.len() > MASTERS_MAX {
        let message = format!("found {} masters, at most {MASTERS_MAX} are allowed", items.len());
        reader.problems.of_node(cursor, message);
    }
    let mut taken = BTreeMap::new();
    items.iter().take(MASTERS_MAX).filter_map(|item| decode_node(reader, item, &mut taken)).collect()
}

/// Reads one master. `taken` has the names and addresses of those before it, each with the name of its owner.
fn decode_node(
    reader: &mut Reader<'_>,
    cursor: &Cursor<'_>,
    taken: &mut BTreeMap<String, String>,
) -> Option<WrittenNode> {
    let object = reader.problems.object(cursor, keys::NODE.keys)?;
    for missing in ["name", "host"].iter().filter(|key| object.get(key).is_none()) {
        reader.problems.of_node(cursor, format!("`{missing}` is missing"));
    }
    let name = reader.parsed(&object, "name", "a name", master_name);
    let host = reader.parsed(&object, "host", "a host name or address", reachable_host);
    let (port, web_port) = (reader.port(&object, "port"), reader.port(&object, "web_port"));
    let priority = reader.whole(&object, "priority", 0, PRIORITY_MAX).and_then(|number| number.try_into().ok());
    let node = WrittenNode { name: name?, host: host?, port, web_port, priority };
    refuse_twins(reader, &object, &node, taken);
    Some(node)
}

/// A host that other machines can connect to.
fn reachable_host(text: &str) -> Result<String, String> {
    let host = host_name(text)?;
    if is_every_address(&host) {
        return Err(format!("other masters cannot reach {host:?}; give the address of this master"));
    }
    Ok(host)
}

/// Reports what a master shares with an earlier one although only one can have it.
fn refuse_twins(
    reader: &mut Reader<'_>,
    object: &Object<'_>,
    node: &WrittenNode,
    taken: &mut BTreeMap<String, String>,
) {
    let address = |key: &str, port: Option<u16>, default: u16| {
        // A port that is given but wrong was reported, and the default is not meant.
        let port = port.or_else(|| object.get(key).is_none().then_some(default))?;
        Some(format!("{}:{port}", node.host.to_ascii_lowercase()))
    };
    let claims = [
        ("name", Some(node.name.clone())),
        ("port", address("port", node.port, defaults::PORT)),
        ("web_port", address("web_port", node.web_port, defaults::WEB_PORT)),
    ];
    for (key, claim) in claims {
        let Some(claim) = claim else { continue };
        if let Some(owner) = taken.insert(claim.clone(), node.name.clone()) {
            let at = object.get(key).map_or(object.cursor.at(), |cursor| cursor.at());
            let message = format!("{claim} is already that of master {owner:?}");
            reader.problems.add(at, &object.cursor.key_path(key), message);
        }
    }
}

/// Time-out and heartbeats of elections.
fn election(
    reader: &mut Reader<'_>,
    parent: &Object<'_>,
    is_group: bool,
) -> Option<(Option<Duration>, Option<Duration>)> {
    let object = reader.section(parent, "election", &keys::ELECTION)?;
    refuse_disabled(reader, &object, is_group, "masters of a group elect their leader");
    let timeout = reader.timer(&object, "timeout");
    let heartbeat = reader.timer(&object, "heartbeat_interval");
    let longest = timeout.unwrap_or(defaults::ELECTION_TIMEOUT) / 2;
    let between = heartbeat.unwrap_or(defaults::ELECTION_HEARTBEAT);
    if between > longest {
        let (key, at) = match (object.get("heartbeat_interval"), object.get("timeout")) {
            (Some(cursor), _) => ("heartbeat_interval", cursor.at()),
            (None, Some(cursor)) => ("timeout", cursor.at()),
            (None, None) => ("", object.cursor.at()),
        };
        let message = format!(
            "heartbeats every {} leave no two of them within the time-out of {}; allowed: at most half of it, better a \
             fifth or less",
            span_text(between),
            span_text(timeout.unwrap_or(defaults::ELECTION_TIMEOUT))
        );
        reader.problems.add(at, &object.cursor.key_path(key), message);
    }
    Some((timeout, heartbeat))
}

/// How often statistics reach all masters.
fn synchronization(reader: &mut Reader<'_>, parent: &Object<'_>, is_group: bool) -> Option<Duration> {
    let object = reader.section(parent, "synchronization", &keys::SYNCHRONIZATION)?;
    refuse_disabled(reader, &object, is_group, "masters of a group always share their state");
    reader.parsed(&object, "conflict_resolution", "`latest_wins`", conflict_resolution);
    reader.span(&object, "sync_interval", SYNC_INTERVAL_MIN)
}

fn conflict_resolution(text: &str) -> Result<(), String> {
    if text == LATEST_WINS {
        return Ok(());
    }
    let text = shown(text);
    Err(format!(
        "found {text:?}; masters share one log, in which the last entry holds, so only `{LATEST_WINS}` is allowed"
    ))
}

/// `enabled: false` of something that a group cannot be without.
fn refuse_disabled(reader: &mut Reader<'_>, object: &Object<'_>, is_group: bool, why: &str) {
    if reader.switch(object, "enabled") == Some(false)
        && is_group
        && let Some(cursor) = object.get("enabled")
    {
        let message = format!("{why}; allowed: `true`, or `master_cluster.enabled: false` for one master alone");
        reader.problems.of_node(&cursor, message);
    }
}
