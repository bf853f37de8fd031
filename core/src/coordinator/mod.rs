//! The leader's decisions: what to propose, what to tell the workers.

use std::collections::BTreeMap;

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::plan::rate::SpawnRate;
use crate::state::command::{Command, DeltaBatch, DeltaPart, Refusal, RunSpec, StopReason};
use crate::state::run::{Run, RunPhase};
use crate::state::{Applied, ClusterState, Effect};
use crate::stats::delta::Delta;
use crate::stats::run::MergedIntervals;
use crate::wire::{Assignment, FromWorker, ToWorker};

/// What a leader keeps beside the replicated state. A new leader starts empty: all of it can be had again.
#[derive(Debug, Default)]
pub struct Coordinator {
    /// Deltas that came and were not proposed yet.
    open: Batch,
    /// The batch that is proposed and not yet applied.
    proposed: Option<Batch>,
    /// What the clock made it propose and is not yet applied.
    timed: Option<Command>,
}

#[derive(Debug, Default)]
struct Batch {
    run: Option<RunId>,
    parts: BTreeMap<WorkerId, DeltaPart>,
    intervals: MergedIntervals,
}

/// What happens to a leader.
#[derive(Clone, Debug)]
pub enum Input {
    /// A worker said something.
    Message(FromWorker),
    /// A proposal of this leader was applied, or refused.
    Applied {
        /// What was proposed.
        command: Command,
        /// What came of it.
        applied: Applied,
    },
    /// A proposal of this leader was lost.
    Dropped {
        /// What was proposed.
        command: Command,
    },
    /// Time has passed.
    Tick {
        /// Milliseconds since the Unix epoch.
        now_unix_ms: u64,
    },
    /// An operator wants something.
    Order(Order),
}

/// What an operator can ask for.
#[derive(Clone, Debug)]
pub enum Order {
    /// Start a run.
    Start(RunId, Box<RunSpec>),
    /// Change the users of the active run.
    Edit {
        /// New target.
        users: u64,
        /// Rate to get there.
        rate: SpawnRate,
        /// Milliseconds since the Unix epoch.
        now_unix_ms: u64,
    },
    /// Forget the statistics so far.
    Reset {
        /// Milliseconds since the Unix epoch.
        now_unix_ms: u64,
    },
    /// Stop the active run.
    Stop {
        /// Milliseconds since the Unix epoch.
        now_unix_ms: u64,
    },
}

/// What a leader does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Propose a command.
    Propose(Command),
    /// Tell a worker something.
    Send(WorkerId, ToWorker),
    /// The run is over and its result is final.
    RunEnded,
}

impl Coordinator {
    /// Decides what to do about an input, given the state as it is applied.
    pub fn step(&mut self, input: Input, state: &ClusterState) -> Vec<Output> {
        match input {
            Input::Message(FromWorker::Hello { worker, incarnation }) => {
                vec![Output::Propose(Command::RegisterWorker { worker, incarnation })]
            }
            Input::Message(FromWorker::Delta(delta)) => self.receive(&delta, state),
            Input::Message(FromWorker::StopRun { run, at_us, reason }) => {
                let stops = active(state).is_some_and(|active| active.id() == run);
                stops.then_some(Output::Propose(Command::StopRun { run, at_us, reason })).into_iter().collect()
            }
            Input::Applied { command, applied } => self.applied(&command, applied, state),
            Input::Dropped { command } => self.give_up(&command, state),
            Input::Tick { now_unix_ms } => self.tick(now_unix_ms, state),
            Input::Order(order) => order_command(order, state).map(Output::Propose).into_iter().collect(),
        }
    }

    fn receive(&mut self, delta: &Delta, state: &ClusterState) -> Vec<Output> {
        let Some(run) = state.run().filter(|run| run.id() == delta.run && run.phase() != RunPhase::Ended) else {
            let (worker, run, seq) = (delta.worker.clone(), delta.run, delta.seq);
            return vec![Output::Send(worker, ToWorker::Acknowledge { run, seq })];
        };
        let last_seq = self.last_seen(&delta.worker, delta.incarnation, state);
        if delta.seq <= last_seq {
            return Vec::new();
        }
        if delta.seq != last_seq.next() {
            return vec![welcome(&delta.worker, state)];
        }
        self.open.add(run.id(), delta);
        self.propose_batch()
    }

    /// The last delta of a worker that was applied, proposed or buffered.
    fn last_seen(&self, worker: &WorkerId, incarnation: Incarnation, state: &ClusterState) -> Seq {
        let held = [Some(&self.open), self.proposed.as_ref()].into_iter().flatten();
        let held = held.filter_map(|batch| batch.parts.get(worker));
        let held = held.filter(|part| part.incarnation == incarnation).map(|part| part.last);
        let applied = state.worker(worker).filter(|known| known.incarnation == incarnation).map(|known| known.last_seq);
        held.chain(applied).max().unwrap_or_default()
    }

    /// Proposes what is buffered, one batch at a time: the next one gathers while one is under way.
    fn propose_batch(&mut self) -> Vec<Output> {
        if self.proposed.is_some() || self.open.parts.is_empty() {
            return Vec::new();
        }
        let batch = std::mem::take(&mut self.open);
        let Some(run) = batch.run else { return Vec::new() };
        let (parts, intervals) = (batch.parts.values().cloned().collect(), batch.intervals.clone());
        self.proposed = Some(batch);
        vec![Output::Propose(Command::MergeDeltas(Box::new(DeltaBatch { run, parts, intervals })))]
    }

    fn applied(&mut self, command: &Command, applied: Applied, state: &ClusterState) -> Vec<Output> {
        if let Err(refusal) = applied.reply {
            return match refusal {
                Refusal::OutOfOrder { .. } | Refusal::NoSuchRun => self.give_up(command, state),
                Refusal::RunIsActive | Refusal::NoWorkers | Refusal::RunIsStopping | Refusal::RunIsOpen => {
                    self.settled(command)
                }
            };
        }
        let mut outputs: Vec<_> = applied.effects.iter().flat_map(|effect| carry_out(effect, state)).collect();
        outputs.extend(self.settled(command));
        outputs
    }

    /// A proposal has had its effect, or never will.
    fn settled(&mut self, command: &Command) -> Vec<Output> {
        if self.timed.as_ref() == Some(command) {
            self.timed = None;
        }
        if matches!(command, Command::MergeDeltas(_)) {
            self.proposed = None;
        }
        self.propose_batch()
    }

    /// After a refused or lost batch: forget what is buffered and let every worker send what is not safe.
    fn give_up(&mut self, command: &Command, state: &ClusterState) -> Vec<Output> {
        if matches!(command, Command::MergeDeltas(_)) {
            self.open = Batch::default();
        }
        let again = self.settled(command);
        if !matches!(command, Command::MergeDeltas(_)) {
            return again;
        }
        state.workers().map(|(worker, _)| welcome(worker, state)).collect()
    }

    fn tick(&mut self, now_unix_ms: u64, state: &ClusterState) -> Vec<Output> {
        let due = state.run().filter(|_| self.timed.is_none()).and_then(|run| due_by_time(run, now_unix_ms, state));
        self.timed = self.timed.take().or_else(|| due.clone());
        due.map(Output::Propose).into_iter().collect()
    }
}

impl Batch {
    fn add(&mut self, run: RunId, delta: &Delta) {
        self.run = Some(run);
        let part = self.parts.entry(delta.worker.clone()).or_insert_with(|| DeltaPart {
            worker: delta.worker.clone(),
            incarnation: delta.incarnation,
            first: delta.seq,
            last: delta.seq,
            finished: delta.last,
        });
        (part.last, part.finished) = (delta.seq, delta.last);
        self.intervals.add(&delta.worker, &delta.interval);
    }
}

/// What the clock demands of a run.
fn due_by_time(run: &Run, now_unix_ms: u64, state: &ClusterState) -> Option<Command> {
    let now_us = plan_us(run, now_unix_ms);
    let ends_at_us = run.plan().ends_at_us();
    match run.phase() {
        RunPhase::Active => {
            if let Some(at_us) = ends_at_us.filter(|end| now_us >= *end) {
                return Some(Command::StopRun { run: run.id(), at_us, reason: StopReason::RunTime });
            }
            let due = run.stats().segment == 0 && first_reset_us(run, now_us).is_some_and(|at_us| now_us >= at_us);
            let keep_series = run.spec().warm_up_ms > 0;
            due.then_some(Command::ResetStatistics { run: run.id(), at_us: now_us, keep_series })
        }
        RunPhase::Stopping => {
            let wait_us = run.spec().stop_timeout_ms * 1_000 + limits::LAST_DELTAS_WAIT.as_micros() as u64;
            let over = now_us > ends_at_us.unwrap_or(0).saturating_add(wait_us);
            over.then(|| Command::EndRun { run: run.id(), missing: missing(run, state) })
        }
        RunPhase::Ended => None,
    }
}

/// When the statistics start afresh by themselves: after the warm-up, or when all users are spawned, or both.
fn first_reset_us(run: &Run, now_us: u64) -> Option<u64> {
    let warm_up_us = Some(run.spec().warm_up_ms * 1_000).filter(|us| *us > 0);
    let spawned_us = run.spec().reset_when_spawned.then(|| run.plan().target_reached_us(now_us));
    warm_up_us.max(spawned_us)
}

fn missing(run: &Run, state: &ClusterState) -> Vec<WorkerId> {
    let finished = |id: &&WorkerId| state.worker(id).is_some_and(|worker| worker.finished);
    run.participants().iter().filter(|id| !finished(id)).cloned().collect()
}

fn plan_us(run: &Run, now_unix_ms: u64) -> u64 {
    now_unix_ms.saturating_sub(run.started_unix_ms()) * 1_000
}

fn active(state: &ClusterState) -> Option<&Run> {
    state.run().filter(|run| run.phase() == RunPhase::Active)
}

fn order_command(order: Order, state: &ClusterState) -> Option<Command> {
    match order {
        Order::Start(run, spec) => Some(Command::StartRun { run, spec }),
        Order::Edit { users, rate, now_unix_ms } => {
            active(state).map(|run| Command::EditRun { run: run.id(), at_us: plan_us(run, now_unix_ms), users, rate })
        }
        Order::Reset { now_unix_ms } => active(state).map(|run| Command::ResetStatistics {
            run: run.id(),
            at_us: plan_us(run, now_unix_ms),
            keep_series: false,
        }),
        Order::Stop { now_unix_ms } => active(state).map(|run| Command::StopRun {
            run: run.id(),
            at_us: plan_us(run, now_unix_ms),
            reason: StopReason::Requested,
        }),
    }
}

fn carry_out(effect: &Effect, state: &ClusterState) -> Vec<Output> {
    match (effect, state.run()) {
        (Effect::Welcome { worker, last_seq }, _) => {
            vec![Output::Send(worker.clone(), ToWorker::Welcome { last_seq: *last_seq })]
        }
        (Effect::BeginRun, Some(run)) => to_participants(run, |position| ToWorker::Begin(assignment(run, position))),
        (Effect::UpdateRun, Some(run)) => to_participants(run, |_| ToWorker::Update {
            run: run.id(),
            plan: run.plan().clone(),
            segment: run.stats().segment,
        }),
        (Effect::Acknowledge(safe), Some(run)) => safe
            .iter()
            .map(|(worker, seq)| Output::Send(worker.clone(), ToWorker::Acknowledge { run: run.id(), seq: *seq }))
            .collect(),
        (Effect::RunEnded, _) => vec![Output::RunEnded],
        (Effect::BeginRun | Effect::UpdateRun | Effect::Acknowledge(_), None) => Vec::new(),
    }
}

fn to_participants(run: &Run, message: impl Fn(usize) -> ToWorker) -> Vec<Output> {
    let send = |(position, worker): (usize, &WorkerId)| Output::Send(worker.clone(), message(position));
    run.participants().iter().enumerate().map(send).collect()
}

fn assignment(run: &Run, position: usize) -> Box<Assignment> {
    Box::new(Assignment {
        run: run.id(),
        plan: run.plan().clone(),
        shares: run.spec().shares.clone(),
        position,
        workers: run.participants().len(),
        segment: run.stats().segment,
        stop_timeout_ms: run.spec().stop_timeout_ms,
    })
}

fn welcome(worker: &WorkerId, state: &ClusterState) -> Output {
    let last_seq = state.worker(worker).map_or(Seq::default(), |known| known.last_seq);
    Output::Send(worker.clone(), ToWorker::Welcome { last_seq })
}

#[cfg(test)]
mod tests;
