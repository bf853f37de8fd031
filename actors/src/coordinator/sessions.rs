//! The workers that are attached to this master.

use std::collections::BTreeMap;

use actix::Recipient;
use akrida_core::ids::{Incarnation, WorkerId};

use crate::link::{Attach, Detach, Downlink};

/// The links of all lives of all workers; of each life the one that came last if there are several. Two processes may say
/// that they are the same worker: they are different lives.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    workers: BTreeMap<WorkerId, BTreeMap<Incarnation, Recipient<Downlink>>>,
}

impl Sessions {
    /// Adds a link, in place of an earlier one of the same life.
    pub(super) fn attach(&mut self, attach: Attach) {
        let Attach { worker, incarnation, downlink } = attach;
        self.workers.entry(worker).or_default().insert(incarnation, downlink);
    }

    /// Removes a link; false if another has taken its place.
    pub(super) fn detach(&mut self, detach: &Detach) -> bool {
        let Some(lives) = self.workers.get_mut(&detach.worker) else { return false };
        let is_current = lives.get(&detach.incarnation) == Some(&detach.downlink);
        if is_current {
            lives.remove(&detach.incarnation);
        }
        if lives.is_empty() {
            self.workers.remove(&detach.worker);
        }
        is_current
    }

    /// Sends to one life of a worker. One that does not take its messages is as good as gone: its link notices that
    /// itself.
    pub(super) fn send(&self, worker: &WorkerId, incarnation: Incarnation, message: Downlink) {
        let Some(downlink) = self.workers.get(worker).and_then(|lives| lives.get(&incarnation)) else { return };
        deliver(worker, downlink, message);
    }

    /// How many are attached.
    pub(super) fn len(&self) -> usize {
        self.workers.values().map(BTreeMap::len).sum()
    }

    /// Sends to all lives of all workers.
    pub(super) fn send_all(&self, message: &Downlink) {
        let links = self.workers.iter().flat_map(|(worker, lives)| lives.values().map(move |link| (worker, link)));
        links.for_each(|(worker, link)| deliver(worker, link, message.clone()));
    }
}

fn deliver(worker: &WorkerId, downlink: &Recipient<Downlink>, message: Downlink) {
    if let Err(error) = downlink.try_send(message) {
        tracing::warn!(%worker, %error, "worker does not take messages");
    }
}
