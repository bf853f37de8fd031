//! What the target accepts at most.

use std::time::Duration;

/// Bytes of a request body; larger ones are refused with 413.
pub(super) const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that `/bytes/N` sends.
pub(super) const BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// Hops of `/redirect/N`.
pub(super) const REDIRECTS_MAX: u32 = 100;

/// Any latency, and each time of a stall.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(600);

/// Parts of one multipart body.
pub(super) const PARTS_MAX: usize = 10_000;

/// Time that requests in flight get to end when the target stops.
pub(super) const STOP_GRACE: Duration = Duration::from_secs(1);

/// Time after which an idle connection is closed.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Time that a client has to send the head of its first request.
pub(super) const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Connections that one worker thread holds.
pub(super) const CONNECTIONS_PER_WORKER_MAX: usize = 65_536;

/// Connections that wait to be accepted; the system may allow fewer.
pub(super) const BACKLOG: u32 = 8_192;

/// Worker threads.
pub(super) const WORKERS_MAX: usize = 1_024;
