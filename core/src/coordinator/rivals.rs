//! Processes with the same name: the one that is there keeps it.

use super::{At, Coordinator, Now, Output};
use crate::ids::{Incarnation, WorkerId};
use crate::limits;
use crate::wire::ToWorker;

/// A process that was turned away because another one has its name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rival {
    turned_away_us: u64,
}

impl Coordinator {
    /// The answer to a life of a worker while another one is there: its link is up, and it was heard within two
    /// heartbeats. A new leader gives the life that is registered as much time to be heard of. Whoever starts again after
    /// its process was killed finds the link of its life before ended, and is let in at once.
    pub(super) fn turn_away_rival(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        at: At<'_>,
    ) -> Option<Vec<Output>> {
        let other = self.sessions.get(worker).filter(|session| session.incarnation != incarnation)?;
        let silent_us = at.now.mono_us.saturating_sub(other.heard_us);
        let patience = self.settings.heartbeat * limits::RIVAL_HEARTBEATS;
        if other.link_has_ended || silent_us >= patience.as_micros() as u64 {
            return None;
        }
        self.note_rival(worker, at.now);
        let reason = format!("node id {:?} is in use by another process", worker.0).into();
        Some(vec![Output::SendTo(worker.clone(), incarnation, ToWorker::NotNow { reason })])
    }

    fn note_rival(&mut self, worker: &WorkerId, now: Now) {
        self.rivals.retain(|_, rival| rival.is_recent(now));
        if self.rivals.len() < limits::RIVALS_MAX || self.rivals.contains_key(worker) {
            self.rivals.insert(worker.clone(), Rival { turned_away_us: now.mono_us });
        }
    }

    /// Names for which a process was turned away of late, because another one has it.
    pub fn contested_names(&self, now: Now) -> impl Iterator<Item = &WorkerId> {
        self.rivals.iter().filter(move |(_, rival)| rival.is_recent(now)).map(|(worker, _)| worker)
    }
}

impl Rival {
    fn is_recent(self, now: Now) -> bool {
        now.mono_us.saturating_sub(self.turned_away_us) < limits::RIVAL_REMEMBERED.as_micros() as u64
    }
}
