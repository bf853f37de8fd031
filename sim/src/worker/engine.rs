//! A worker's engine: users that send requests, stop when they are told to, after a while, and are counted.

use std::collections::BTreeMap;

use akrida_core::ids::RunId;
use akrida_core::plan::slots::SlotSet;
use akrida_core::worker::RunEvent;

/// The users of a run on a worker.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) run: RunId,
    /// The number of its preparation: what is left of an earlier one is not its.
    pub(crate) preparation: u64,
    /// The worker's place in the run.
    pub(crate) position: usize,
    /// How long a user that is told to stop may go on.
    pub(crate) stop_us: u64,
    /// Every user that exists, also those that stop.
    users: BTreeMap<u64, User>,
    /// Who waits for users to be gone.
    waits: Vec<Wait>,
    /// What was measured since the last drain.
    open: Open,
    /// Whether it was given up: it only lives until its users are gone.
    pub(crate) is_abandoned: bool,
}

/// A user that exists.
#[derive(Clone, Copy, Debug)]
struct User {
    index: u64,
    /// When it ends; `None` unless it was told to.
    ends_us: Option<u64>,
}

#[derive(Debug)]
enum Wait {
    ForOthers { epoch: u64, slots: SlotSet },
    ForAll(RunEvent),
}

/// Requests that were sent and not drained.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) requests: u64,
    /// The sum of their unique numbers.
    pub(crate) numbers: u64,
}

impl Load {
    pub(crate) fn new(run: RunId, preparation: u64, position: usize, stop_us: u64) -> Self {
        Self {
            run,
            preparation,
            position,
            stop_us,
            users: BTreeMap::new(),
            waits: Vec::new(),
            open: Open::default(),
            is_abandoned: false,
        }
    }

    /// A user with this token exists.
    pub(crate) fn start(&mut self, token: u64, index: u64) {
        self.users.insert(token, User { index, ends_us: None });
    }

    /// The index of a user that exists.
    pub(crate) fn index_of(&self, token: u64) -> Option<u64> {
        self.users.get(&token).map(|user| user.index)
    }

    /// The users that exist, by token.
    pub(crate) fn users(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.users.iter().map(|(token, user)| (*token, user.index))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.users.len()
    }

    /// Tells users to stop. Gives the tokens of those that end earlier than they would have; `ends_us` decides when.
    pub(crate) fn stop(&mut self, is_told: impl Fn(u64) -> bool, mut ends_us: impl FnMut() -> u64) -> Vec<(u64, u64)> {
        let mut told = Vec::new();
        for (token, user) in self.users.iter_mut().filter(|(_, user)| is_told(user.index)) {
            let at_us = ends_us();
            if user.ends_us.is_none_or(|before| at_us < before) {
                user.ends_us = Some(at_us);
                told.push((*token, at_us));
            }
        }
        told
    }

    /// A user ends, if it is its time. Gives its index.
    pub(crate) fn end(&mut self, token: u64, now_us: u64) -> Option<u64> {
        let user = self.users.get(&token).filter(|user| user.ends_us.is_some_and(|ends| ends <= now_us))?;
        let index = user.index;
        self.users.remove(&token);
        Some(index)
    }

    /// Waits until no user is left in other slots.
    pub(crate) fn await_others_gone(&mut self, epoch: u64, slots: SlotSet) {
        self.waits.push(Wait::ForOthers { epoch, slots });
    }

    /// Waits until no user is left at all.
    pub(crate) fn await_all_gone(&mut self, event: RunEvent) {
        self.waits.push(Wait::ForAll(event));
    }

    /// What has been waited for and is so.
    pub(crate) fn take_due(&mut self) -> Vec<RunEvent> {
        let users = &self.users;
        let is_due = |wait: &mut Wait| match wait {
            Wait::ForOthers { slots, .. } => users.values().all(|user| slots.owns_user(user.index)),
            Wait::ForAll(_) => users.is_empty(),
        };
        let event = |wait| match wait {
            Wait::ForOthers { epoch, .. } => RunEvent::SlotsLeft { epoch },
            Wait::ForAll(event) => event,
        };
        self.waits.extract_if(.., is_due).map(event).collect()
    }

    /// A request was sent.
    pub(crate) fn count(&mut self, number: u64) {
        self.open.requests += 1;
        self.open.numbers += number;
    }

    /// Everything that was counted since the last time.
    pub(crate) fn drain(&mut self) -> Open {
        std::mem::take(&mut self.open)
    }
}
