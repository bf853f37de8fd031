//! The workers of the cluster: who is there.

use std::sync::Arc;

use super::command::Refusal;
use super::participant::Participant;
use super::worker::{LossReason, Worker, WorkerProfile};
use super::{ClusterState, Effect};
use crate::ids::{Incarnation, Seq, WorkerId};
use crate::limits;

impl ClusterState {
    /// A worker is there. A new life of it proves that the one before is dead.
    pub(super) fn register(
        &mut self,
        worker: &WorkerId,
        incarnation: Incarnation,
        profile: &WorkerProfile,
    ) -> Result<Vec<Effect>, Refusal> {
        let mut effects = Vec::new();
        let before = self.workers.get(worker).map(|known| (known.incarnation, known.is_present));
        if let Some((earlier, true)) = before.filter(|(earlier, _)| *earlier != incarnation) {
            effects.extend(self.lose_worker(worker, earlier, LossReason::Died)?);
        }
        let losses = self.workers.get(worker).map_or(0, |known| known.losses);
        let last_seq = match before {
            Some((earlier, true)) if earlier == incarnation => {
                self.workers.get(worker).map_or(Seq::default(), |known| known.last_seq)
            }
            Some(_) | None => Seq::default(),
        };
        let known = Worker { incarnation, profile: profile.clone(), last_seq, is_present: true, losses };
        self.workers.insert(worker.clone(), known);
        self.forget_one_too_many(worker);
        effects.push(Effect::Welcome { worker: worker.clone(), last_seq });
        Ok(effects)
    }

    /// Present workers with all these tags, in the order of their names.
    pub fn selected<'a>(&'a self, tags: &'a [Arc<str>]) -> impl Iterator<Item = (&'a WorkerId, &'a Worker)> {
        let has_tags = |worker: &Worker| tags.iter().all(|tag| worker.profile.tags.contains(tag));
        self.workers.iter().filter(move |(_, worker)| worker.is_present && has_tags(worker))
    }

    fn forget_one_too_many(&mut self, but_not: &WorkerId) {
        if self.workers.len() <= limits::WORKERS_MAX {
            return;
        }
        let needed = |id: &WorkerId| {
            let run = self.run.as_ref();
            run.is_some_and(|run| run.participants.iter().any(|known: &Participant| known.worker == *id))
        };
        let gone = self.workers.iter().filter(|(id, known)| !known.is_present && *id != but_not);
        // One that was lost often is remembered as long as possible.
        let found = gone.min_by_key(|(id, known)| (needed(id), known.losses)).map(|(id, _)| id.clone());
        if let Some(id) = found {
            self.workers.remove(&id);
        }
    }
}
