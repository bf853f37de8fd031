//! The workers as this leader sees them.

use std::collections::BTreeMap;

use super::{At, Coordinator, Now};
use crate::ids::WorkerId;
use crate::state::ClusterState;
use crate::state::participant::ParticipantState;
use crate::state::run::RunPhase;
use crate::state::worker::Worker;
use crate::view::workers::{WorkerState, WorkerView};

impl Coordinator {
    /// All workers that are known, by name, with what this leader has heard of them.
    #[must_use]
    pub fn workers_view(&self, now: Now, state: &ClusterState) -> Vec<WorkerView> {
        let at = At { now, state };
        let mut owned: BTreeMap<usize, u64> = BTreeMap::new();
        at.run().into_iter().flat_map(|run| run.slots().owned()).for_each(|(_, owner)| {
            *owned.entry(owner).or_default() += 1;
        });
        let slots = |id: &WorkerId, worker: &Worker| {
            let place = at.run().and_then(|run| run.participant(id, worker.incarnation));
            place.and_then(|(position, _)| owned.get(&position)).copied().unwrap_or(0)
        };
        let view = |(id, worker): (&WorkerId, &Worker)| {
            let session = self.sessions.get(id).filter(|session| session.incarnation == worker.incarnation);
            let heard = session.filter(|session| session.was_heard);
            WorkerView {
                worker: id.clone(),
                incarnation: worker.incarnation,
                profile: worker.profile.clone(),
                state: self.state_of(id, worker, at),
                heard_ms_ago: heard.map(|session| now.mono_us.saturating_sub(session.heard_us) / 1_000),
                vitals: session.and_then(|session| session.vitals),
                slots: slots(id, worker),
                losses: worker.losses,
            }
        };
        state.workers().map(view).collect()
    }

    fn state_of(&self, id: &WorkerId, worker: &Worker, at: At<'_>) -> WorkerState {
        if !worker.is_present {
            let is_out = worker.losses > self.settings.losses_max;
            return if is_out { WorkerState::Quarantined } else { WorkerState::Gone };
        }
        let Some(run) = at.run() else { return WorkerState::Idle };
        match run.participant(id, worker.incarnation).map(|(_, participant)| &participant.state) {
            Some(ParticipantState::Joining) => WorkerState::Preparing,
            Some(ParticipantState::Live) if run.phase() == RunPhase::Preparing => WorkerState::Preparing,
            Some(ParticipantState::Live) => WorkerState::Running,
            Some(ParticipantState::Finished) => WorkerState::Finished,
            _ => WorkerState::Idle,
        }
    }
}
