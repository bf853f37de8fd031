//! Handshakes under way: so many at once, and half-open connections keep nobody out.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use akrida_core::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

/// Handshakes under way.
#[derive(Clone, Debug)]
pub(super) struct Handshakes {
    turns: Arc<Semaphore>,
    /// In the order in which they began.
    running: Arc<Mutex<BTreeMap<u64, Handshake>>>,
}

/// The right to begin a handshake.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

#[derive(Debug)]
struct Handshake {
    since: Instant,
    task: AbortHandle,
}

impl Default for Handshakes {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(limits::HANDSHAKES_MAX)), running: Arc::default() }
    }
}

impl Handshakes {
    /// Waits for a turn. Handshakes that take long make room; ones that have just begun do not, or in a rush nobody
    /// would get to the end.
    pub(super) async fn turn(&self) -> Turn {
        loop {
            let turn = Arc::clone(&self.turns).acquire_owned();
            match timeout(limits::HANDSHAKE_PATIENCE, turn).await {
                Ok(turn) => return Turn(turn.expect("the semaphore is never closed")),
                Err(_) => self.end_older_than(limits::HANDSHAKE_PATIENCE),
            }
        }
    }

    /// Runs a handshake.
    pub(super) fn run(&self, turn: Turn, handshake: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running();
        let number = running.last_key_value().map_or(0, |(number, _)| number + 1);
        let table = self.clone();
        let task = tokio::spawn(async move {
            let _turn = turn;
            handshake.await;
            table.running().remove(&number);
        });
        running.insert(number, Handshake { since: Instant::now(), task: task.abort_handle() });
    }

    /// Ends those that began so long ago.
    pub(super) fn end_older_than(&self, age: Duration) {
        self.running().retain(|_, handshake| {
            let is_old = handshake.since.elapsed() >= age;
            if is_old {
                handshake.task.abort();
            }
            !is_old
        });
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, Handshake>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
