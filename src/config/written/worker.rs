//! A worker's file.

use akrida_core::document::cursor::{Cursor, Object};
use akrida_core::limits::{MASTER_ADDRESSES_MAX, TAGS_MAX, USERS_MAX};

use super::WorkerFile;
use super::reader::Reader;
use super::shared::{worker_name, worker_tag};
use crate::config::keys;
use crate::config::network::HostAndPort;
use crate::config::quantity::{CPU, SIZE, bytes_of, cpu_millis_of};

/// Reads the object `worker`.
pub(super) fn decode(reader: &mut Reader<'_>, cursor: &Cursor<'_>) -> WorkerFile {
    let mut worker = WorkerFile::default();
    let Some(object) = reader.problems.object(cursor, keys::WORKER.keys) else { return worker };
    if let Some(master) = reader.section(&object, "master", &keys::WORKER_MASTER) {
        masters(reader, &master, &mut worker);
    }
    if let Some(identity) = reader.section(&object, "identity", &keys::IDENTITY) {
        worker.node_id = reader.parsed(&identity, "node_id", "a name", worker_name);
        worker.tags = reader.list(&identity, "tags", ("tags such as `zone:a`", TAGS_MAX), worker_tag);
    }
    if let Some(resources) = reader.section(&object, "resources", &keys::WORKER_RESOURCES) {
        worker.max_users = reader.whole(&resources, "max_users", 1, USERS_MAX);
        worker.cpu_millis = reader.parsed(&resources, "cpu_limit", CPU, cpu_millis_of);
        worker.memory_bytes = reader.parsed(&resources, "memory_limit", SIZE, bytes_of);
    }
    if let Some(performance) = reader.section(&object, "performance", &keys::PERFORMANCE) {
        worker.gevent_pool_size = reader.whole(&performance, "gevent_pool_size", 1, USERS_MAX);
        worker.connection_pool_size = reader.whole_u32(&performance, "connection_pool_size", 1, 65_535);
        worker.dns_cache_size = reader.whole_u32(&performance, "dns_cache_size", 1, 10_000_000);
    }
    worker.monitoring = reader.monitoring(&object, &keys::WORKER_MONITORING);
    worker.logging = reader.logging(&object, &keys::WORKER_LOGGING);
    worker.trust = reader.trust(&object, &keys::WORKER_CLUSTER, &keys::WORKER_TLS);
    worker
}

fn masters(reader: &mut Reader<'_>, object: &Object<'_>, worker: &mut WorkerFile) {
    if let Some(addresses) = reader.parsed(object, "host", "a host name or address", addresses) {
        worker.masters = addresses;
    }
    let more = ("a list of `host` or `host:port`", MASTER_ADDRESSES_MAX);
    worker.masters.extend(reader.list(object, "hosts", more, str::parse));
    worker.port = reader.port(object, "port");
    worker.connection_timeout = reader.timer(object, "connection_timeout");
    worker.reconnect_interval = reader.timer(object, "reconnect_interval");
    worker.max_reconnect_attempts = reader.whole_u32(object, "max_reconnect_attempts", 1, u32::MAX);
}

/// One address, or several with commas between them.
fn addresses(text: &str) -> Result<Vec<HostAndPort>, String> {
    let addresses: Vec<HostAndPort> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
    if addresses.len() > MASTER_ADDRESSES_MAX {
        return Err(format!("at most {MASTER_ADDRESSES_MAX} masters are allowed, found {}", addresses.len()));
    }
    Ok(addresses)
}
