//! Callers that a master did not let in: logged now and then, and remembered for a while.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use akrida_core::wire::refused::{RefusedCaller, RefusedCallers};

/// Callers that a master did not let in. Clones are the same.
#[derive(Clone, Debug)]
pub struct Strangers {
    callers: Arc<Mutex<RefusedCallers>>,
    since: Instant,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { callers: Arc::default(), since: Instant::now() }
    }
}

impl Strangers {
    /// Notes a caller, and why it was not let in.
    pub(super) fn note(&self, caller: &str, reason: &str) {
        let due = self.callers().note(caller, reason, self.since.elapsed());
        if let Some(times) = due {
            tracing::warn!(caller, times, "connection was not accepted: {reason}");
        }
    }

    /// Who was not let in of late, the latest first.
    #[must_use]
    pub fn recent(&self) -> Vec<RefusedCaller> {
        self.callers().recent(self.since.elapsed())
    }

    fn callers(&self) -> MutexGuard<'_, RefusedCallers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that has not been let in: noted when this is dropped before it was.
#[derive(Debug)]
pub(super) struct Caller {
    strangers: Strangers,
    address: IpAddr,
    pub(super) claimed: Option<String>,
    ended: Option<String>,
}

impl Caller {
    pub(super) fn new(strangers: Strangers, address: IpAddr) -> Self {
        // What holds if the handshake is not even heard to its end.
        let ended = Some("too slow while others were waiting".to_owned());
        Self { strangers, address, claimed: None, ended }
    }

    /// What came of it.
    pub(super) fn end(&mut self, ended: Result<(), String>) {
        self.ended = ended.err();
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let Some(reason) = &self.ended else { return };
        let address = self.address.to_canonical();
        match &self.claimed {
            Some(claimed) => self.strangers.note(&format!("{claimed} at {address}"), reason),
            None => self.strangers.note(&address.to_string(), reason),
        }
    }
}
