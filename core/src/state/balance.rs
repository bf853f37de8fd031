//! Who gets which share of a run's slots: at its start, when workers join, and when loads differ.

use super::command::{LossPolicy, Refusal, Strategy};
use super::participant::{Participant, ParticipantState};
use super::run::{Run, RunPhase};
use super::slots::{Adopts, Moves, Share};
use super::{ClusterState, Effect};
use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;

/// CPU use of all workers together, in thousandths, below which nobody counts as busier than the others.
const IDLE_PERMILLE: u64 = 200;

impl ClusterState {
    /// Whether a rebalance would change anything that is worth it.
    #[must_use]
    pub fn needs_rebalance(&self) -> bool {
        let active = self.run().filter(|run| run.phase() == RunPhase::Active);
        active.is_some_and(|run| !self.joiners(run).is_empty() || run.uneven().are_worth_it())
    }

    pub(super) fn rebalance(&mut self, run: RunId) -> Result<Vec<Effect>, Refusal> {
        self.launched_run(run)?;
        let joiners = self.run().map(|run| self.joiners(run)).unwrap_or_default();
        let joined: Vec<Participant> = joiners
            .iter()
            .filter_map(|id| {
                let worker = self.workers.get_mut(id)?;
                worker.last_seq = Seq::default();
                Some(Participant::new(id, worker, ParticipantState::Joining))
            })
            .collect();
        let active = self.launched_run(run)?;
        let first = active.participants.len();
        active.participants.extend(joined);
        let moves = active.uneven();
        let mut effects = Vec::new();
        if active.participants.len() > first {
            effects.push(Effect::BeginRun((first..active.participants.len()).collect()));
        }
        if moves.are_worth_it() {
            effects.extend(active.begin_moves(&moves));
        }
        Ok(effects)
    }

    pub(super) fn admit(
        &mut self,
        run: RunId,
        worker: &WorkerId,
        incarnation: Incarnation,
    ) -> Result<Vec<Effect>, Refusal> {
        let active = self.launched_run(run)?;
        let position =
            active.position_of(worker, incarnation, |participant| participant.state == ParticipantState::Joining)?;
        active.participants[position].state = ParticipantState::Live;
        let moves = active.moves_for_joiner(position);
        let mut effects = vec![Effect::LaunchRun(vec![position])];
        effects.extend(active.begin_moves(&moves));
        Ok(effects)
    }

    pub(super) fn release(
        &mut self,
        run: RunId,
        worker: &WorkerId,
        incarnation: Incarnation,
        epoch: u64,
    ) -> Result<Vec<Effect>, Refusal> {
        let active = self.active_run(run)?;
        let position = active.position_of(worker, incarnation, Participant::is_live)?;
        let concerned = active.slots.release(position, epoch);
        Ok(active.slots_changed(concerned))
    }

    /// Workers that could take part in a run and do not.
    fn joiners(&self, run: &Run) -> Vec<WorkerId> {
        let takes_part = |id: &WorkerId, incarnation| {
            let known = run.participant(id, incarnation).map(|(_, participant)| &participant.state);
            known.is_some_and(|state| !matches!(state, ParticipantState::Lost(_)))
        };
        let free = self.selected(&run.spec.distribution.select_tags);
        let room = limits::PARTICIPANTS_MAX.saturating_sub(run.participants.len());
        free.filter(|(id, worker)| !takes_part(id, worker.incarnation)).map(|(id, _)| id.clone()).take(room).collect()
    }

    fn launched_run(&mut self, run: RunId) -> Result<&mut Run, Refusal> {
        let active = self.active_run(run)?;
        match active.phase() {
            RunPhase::Active => Ok(active),
            RunPhase::Preparing => Err(Refusal::RunIsPreparing),
            RunPhase::Stopping | RunPhase::Ended => Err(Refusal::RunIsStopping),
        }
    }
}

impl Run {
    /// Deals all slots; nobody has users yet.
    pub(super) fn deal_afresh(&mut self) -> Vec<Effect> {
        let users = self.plan().users_max();
        let concerned = self.slots.deal(&self.shares(), users);
        self.slots_changed(concerned)
    }

    /// The shares of those who take part, at the start or as long as nothing is known of their load.
    pub(super) fn shares(&self) -> Vec<Share> {
        let weight = |participant: &Participant| match self.spec.distribution.strategy {
            Strategy::Weighted => u64::from(participant.cpu_millis).max(1),
            Strategy::RoundRobin | Strategy::LeastLoaded => 1,
        };
        self.shares_by(|_, participant| weight(participant))
    }

    /// After an edit: moves what is too much for its worker now, and what nobody ran for that reason.
    pub(super) fn keep_within_bounds(&mut self) -> Vec<Effect> {
        let bounded = self.live().any(|(_, participant)| participant.users_max.is_some());
        match (bounded, self.phase()) {
            (false, _) => Vec::new(),
            (true, RunPhase::Preparing) => self.deal_afresh(),
            (true, _) => {
                let moves = self.uneven();
                if moves.are_worth_it() { self.begin_moves(&moves) } else { Vec::new() }
            }
        }
    }

    pub(super) fn slots_changed(&mut self, concerned: Vec<usize>) -> Vec<Effect> {
        self.note_idle_users();
        let here = concerned.into_iter().filter(|at| self.participants.get(*at).is_some_and(Participant::is_live));
        let here: Vec<usize> = here.collect();
        if here.is_empty() { Vec::new() } else { vec![Effect::Slots(here)] }
    }

    pub(super) fn note_idle_users(&mut self) {
        if self.phase() == RunPhase::Active {
            self.idle_users_max = self.idle_users_max.max(self.slots.users_of_nobody(self.plan().users_max()));
        }
    }

    pub(super) fn position_of(
        &self,
        worker: &WorkerId,
        incarnation: Incarnation,
        is_fit: impl Fn(&Participant) -> bool,
    ) -> Result<usize, Refusal> {
        let known = self.participant(worker, incarnation).filter(|(_, participant)| is_fit(participant));
        known.map(|(position, _)| position).ok_or_else(|| Refusal::UnknownWorker { worker: worker.clone() })
    }

    /// What has to move so that everybody has its share.
    fn uneven(&self) -> Moves {
        let adopts = match self.spec.distribution.on_loss {
            LossPolicy::Replace => Adopts::Everybody,
            LossPolicy::Continue | LossPolicy::Fail => Adopts::Nobody,
        };
        self.slots.moves(&self.shares_by_load(), adopts, self.plan().users_max())
    }

    fn moves_for_joiner(&self, position: usize) -> Moves {
        let adopts = match self.spec.distribution.on_loss {
            LossPolicy::Replace => Adopts::Everybody,
            LossPolicy::Continue | LossPolicy::Fail => Adopts::Only(position as u16),
        };
        self.slots.moves(&self.shares_by_load(), adopts, self.plan().users_max())
    }

    fn begin_moves(&mut self, moves: &Moves) -> Vec<Effect> {
        let concerned = self.slots.begin(moves);
        self.slots_changed(concerned)
    }

    /// The shares once workers have reported: with `least_loaded`, a worker that is much busier than the others is to
    /// have less than now, and one that is much less busy more.
    fn shares_by_load(&self) -> Vec<Share> {
        if self.spec.distribution.strategy != Strategy::LeastLoaded {
            return self.shares();
        }
        let mut owned = vec![0_u64; self.participants.len()];
        self.slots.owned().for_each(|(_, owner)| owned[owner] += 1);
        let cpu = |participant: &Participant| {
            self.stats.workers.get(&participant.worker).map_or(0, |stats| u64::from(stats.cpu_permille))
        };
        let working: Vec<_> = self.live().filter(|(position, _)| owned[*position] > 0).collect();
        let count = (working.len() as u64).max(1);
        let mean_cpu = working.iter().map(|(_, participant)| cpu(participant)).sum::<u64>() / count;
        let mean_owned = working.iter().map(|(position, _)| owned[*position]).sum::<u64>() / count;
        self.shares_by(|position, participant| match owned[position] {
            0 => mean_owned.max(1),
            slots if mean_cpu < IDLE_PERMILLE => slots,
            slots => by_load(slots, cpu(participant), mean_cpu),
        })
    }

    fn shares_by(&self, weight: impl Fn(usize, &Participant) -> u64) -> Vec<Share> {
        let share = |(position, participant): (usize, &Participant)| Share {
            position: position as u16,
            weight: weight(position, participant),
            users_max: participant.users_max,
        };
        self.live().map(share).collect()
    }
}

/// How many slots somebody with this CPU use is to have, if the mean use is this one.
fn by_load(slots: u64, cpu_permille: u64, mean_permille: u64) -> u64 {
    if cpu_permille.abs_diff(mean_permille) <= mean_permille / 4 {
        return slots;
    }
    let cpu_permille = cpu_permille.clamp(mean_permille / 2, mean_permille * 2);
    (slots * mean_permille / cpu_permille.max(1)).max(1)
}
