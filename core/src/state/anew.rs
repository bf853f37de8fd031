//! A state that goes on in another cluster, after the one that it comes from was lost.

use super::ClusterState;
use super::member::Member;
use super::run::RunPhase;
use super::worker::LossReason;
use crate::ids::WorkerId;

impl ClusterState {
    /// What a new cluster of one master begins with: all runs are kept, and the one that went on has ended. Its workers
    /// count as lost in it: what they have measured since is known to nobody, and they hold statistics that do not follow
    /// what is known here.
    pub fn begin_anew(&mut self, founder: Member) {
        self.members = vec![founder];
        let present = self.workers.iter().filter(|(_, worker)| worker.is_present);
        let present: Vec<_> = present.map(|(id, worker)| (id.clone(), worker.incarnation)).collect();
        for (worker, incarnation) in &present {
            // They are all there, so none of them is refused.
            let _ = self.lose_worker(worker, *incarnation, LossReason::Silence);
        }
        // That they are lost is no fault of theirs.
        self.workers.values_mut().for_each(|worker| worker.losses = 0);
        let time_ms = self.time_ms;
        if let Some(run) = self.run.as_mut().filter(|run| run.phase() != RunPhase::Ended) {
            let missing: Vec<WorkerId> = run.live().map(|(_, participant)| participant.worker.clone()).collect();
            // There is nobody to tell.
            let _ = run.end(time_ms, &missing);
        }
    }
}
