//! The workers that are attached to this master.

use std::collections::BTreeMap;

use actix::Recipient;
use akrida_core::ids::{Incarnation, WorkerId};

use crate::link::{Attach, Detach, Downlink};

/// The link of each worker; the one that came last if there are several.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    workers: BTreeMap<WorkerId, Session>,
}

#[derive(Debug)]
struct Session {
    incarnation: Incarnation,
    downlink: Recipient<Downlink>,
}

impl Sessions {
    /// Adds a link, in place of an earlier one of the same worker.
    pub(super) fn attach(&mut self, attach: Attach) {
        let Attach { worker, incarnation, downlink } = attach;
        self.workers.insert(worker, Session { incarnation, downlink });
    }

    /// Removes a link; false if another has taken its place.
    pub(super) fn detach(&mut self, detach: &Detach) -> bool {
        let is_current = self
            .workers
            .get(&detach.worker)
            .is_some_and(|session| session.incarnation == detach.incarnation && session.downlink == detach.downlink);
        if is_current {
            self.workers.remove(&detach.worker);
        }
        is_current
    }

    /// Sends to one worker. One that does not take its messages is as good as gone: its link notices that itself.
    pub(super) fn send(&self, worker: &WorkerId, message: Downlink) {
        let Some(session) = self.workers.get(worker) else { return };
        if let Err(error) = session.downlink.try_send(message) {
            tracing::warn!(%worker, %error, "worker does not take messages");
        }
    }

    /// How many are attached.
    pub(super) fn len(&self) -> usize {
        self.workers.len()
    }

    /// Sends to all workers.
    pub(super) fn send_all(&self, message: &Downlink) {
        self.workers.keys().for_each(|worker| self.send(worker, message.clone()));
    }
}
