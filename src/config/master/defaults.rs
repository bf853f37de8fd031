//! What holds when a master's configuration does not say.

use std::time::Duration;

/// The port for masters and workers.
pub const PORT: u16 = 5557;

/// The web port.
pub const WEB_PORT: u16 = 8089;

/// The address to listen on: all of them.
pub const HOST: &str = "0.0.0.0";

/// The name of a master without a configuration.
pub const NAME: &str = "master";

/// The least silence of a leader after which another one is elected.
pub const ELECTION_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a leader is heard by the other masters.
pub const ELECTION_HEARTBEAT: Duration = Duration::from_millis(100);

/// How long statistics wait at most before they reach all masters.
pub const SYNC_INTERVAL: Duration = Duration::from_secs(10);

/// How many workers a run waits for.
pub const EXPECT_WORKERS: usize = 1;

/// How often workers send heartbeats.
pub const WORKER_HEARTBEAT: Duration = Duration::from_secs(1);

/// How many missed heartbeats make a worker lost.
pub const WORKER_LIVENESS: u32 = 10;

/// How long a silent worker stays part of its run.
pub const WORKER_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a worker may come back.
pub const MAX_RETRIES: u32 = 3;

/// Connections of a master.
pub const MAX_CONNECTIONS: u32 = 10_000;

/// The port of `/metrics`, of masters and workers.
pub const METRICS_PORT: u16 = 9090;

/// Log files that are kept beside the current one.
pub const LOG_BACKUPS: u32 = 5;

/// The priority of the first master of a list without priorities.
pub const PRIORITY_FIRST: i64 = 100;

/// By how much each further one is below it.
pub const PRIORITY_STEP: i64 = 10;
