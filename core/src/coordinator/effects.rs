//! What a leader does because a command was applied.

use super::plan_clock::PlanClock;
use super::{At, Coordinator, Output, to};
use crate::ids::WorkerId;
use crate::state::Effect;
use crate::state::run::{Run, RunPhase};
use crate::wire::ToWorker;

impl Coordinator {
    pub(super) fn carry_out(&mut self, effect: Effect, at: At<'_>) -> Vec<Output> {
        match effect {
            Effect::Welcome { worker, .. } => self.greet(&worker, at),
            Effect::BeginRun(positions) => self.begin_run(&positions, at),
            Effect::LaunchRun(positions) => self.launch_run(&positions, at),
            Effect::UpdateRun => self.update_run(at),
            Effect::Slots(positions) => at.run().map(|run| self.send_slots(run, &positions, at)).unwrap_or_default(),
            Effect::Acknowledge { run, safe } => {
                safe.iter().map(|(worker, seq)| to(worker, ToWorker::Acknowledge { run, seq: *seq })).collect()
            }
            Effect::Rows { run, worker, feeder, request, rows } => {
                vec![to(&worker, ToWorker::Rows { run, feeder, request, rows })]
            }
            Effect::Leave { run, worker } => {
                if let Some(session) = self.sessions.get_mut(&worker) {
                    session.leave();
                }
                vec![to(&worker, ToWorker::Leave { run })]
            }
            Effect::RunEnded => {
                self.deltas.forget();
                vec![Output::RunEnded]
            }
        }
    }

    fn begin_run(&mut self, positions: &[usize], at: At<'_>) -> Vec<Output> {
        let Some(run) = at.run() else { return Vec::new() };
        if run.phase() == RunPhase::Preparing {
            self.deltas.forget();
            self.preparing_since_us = at.now.mono_us;
        }
        let place = |position: &usize| run.participants().get(*position).map(|known| (*position, &known.worker));
        let places: Vec<(usize, &WorkerId)> = positions.iter().filter_map(place).collect();
        places.into_iter().map(|(position, worker)| self.begin(worker, run, position, at)).collect()
    }

    fn launch_run(&mut self, positions: &[usize], at: At<'_>) -> Vec<Output> {
        let Some(run) = at.run() else { return Vec::new() };
        if !self.clock.is_of(run.id()) {
            self.clock = PlanClock::launched(run.id(), at.now);
            self.balanced_us = at.now.mono_us;
        }
        let mut outputs = Vec::new();
        for &position in positions {
            let Some(participant) = run.participants().get(position) else { continue };
            if let Some(session) = self.sessions.get_mut(&participant.worker) {
                session.progress_us = at.now.mono_us;
            }
            outputs.extend(self.set_off(&participant.worker, run, position, at));
        }
        outputs
    }

    fn update_run(&mut self, at: At<'_>) -> Vec<Output> {
        let Some(run) = at.run() else { return Vec::new() };
        let there = run.participants().iter().filter(|participant| participant.is_in());
        there.map(|participant| self.update(&participant.worker, run, at)).collect()
    }

    fn send_slots(&mut self, run: &Run, positions: &[usize], at: At<'_>) -> Vec<Output> {
        let place = |position: &usize| run.participants().get(*position).map(|known| (*position, known));
        let there = positions.iter().filter_map(place).filter(|(_, participant)| participant.is_live());
        there.map(|(position, participant)| self.slots(&participant.worker, run, position, at)).collect()
    }
}
