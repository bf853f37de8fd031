//! D: the users of a slot run on at most one worker.
//!
//! A user runs on a worker from its start to its end, while the worker's process lives, is not paused and may send
//! requests. It is looked at whenever a user starts, or sends a request.

use std::collections::BTreeMap;

use akrida_core::ids::RunId;

use super::Invariant;
use crate::world::World;

/// Where users exist.
#[derive(Debug, Default)]
pub(crate) struct SlotWatch {
    workers: BTreeMap<(RunId, u64), Vec<usize>>,
}

impl SlotWatch {
    pub(crate) fn started(&mut self, run: RunId, user: u64, worker: usize) {
        self.workers.entry((run, user)).or_default().push(worker);
    }

    pub(crate) fn ended(&mut self, run: RunId, user: u64, worker: usize) {
        let Some(workers) = self.workers.get_mut(&(run, user)) else { return };
        if let Some(at) = workers.iter().position(|known| *known == worker) {
            workers.swap_remove(at);
        }
        if workers.is_empty() {
            self.workers.remove(&(run, user));
        }
    }

    /// Where a user exists; the same worker comes twice while it replaces one that is stopping.
    pub(crate) fn of(&self, run: RunId, user: u64) -> &[usize] {
        self.workers.get(&(run, user)).map_or(&[], Vec::as_slice)
    }
}

impl World {
    /// A user runs on a worker: it must not on another one.
    pub(crate) fn check_alone(&mut self, at: usize, run: RunId, user: u64, now_us: u64) {
        let may_send = |other: usize| self.workers[other].process.as_ref().is_some_and(|known| known.may_send(now_us));
        let others = self.oracle.slots.of(run, user).iter().copied().filter(|other| *other != at);
        if let Some(other) = others.into_iter().find(|other| may_send(*other)) {
            self.oracle.at_us(now_us);
            self.oracle.fail(Invariant::D, format!("user {user} of run {run} runs on workers {other} and {at}"));
        }
    }
}
