//! The leader's decisions: what to propose, what to tell the workers.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{Incarnation, RunId, Seq, WorkerId};
use crate::limits;
use crate::plan::rate::SpawnRate;
use crate::plan::slots::Dealing;
use crate::state::command::{Command, DeltaBatch, DeltaPart, LossPolicy, Refusal, RunSpec, StopReason, Strategy};
use crate::state::run::{Run, RunPhase};
use crate::state::{Applied, ClusterState, Effect};
use crate::stats::delta::Delta;
use crate::stats::run::MergedIntervals;
use crate::wire::{Assignment, FromWorker, ToWorker};

/// What a leader keeps beside the replicated state. A new leader starts empty: all of it can be had again.
#[derive(Debug, Default)]
pub struct Coordinator {
    settings: Settings,
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

/// What the configuration asks of a leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How the slots of a run are dealt.
    pub strategy: Strategy,
    /// What happens when a worker is lost.
    pub on_loss: LossPolicy,
    /// How often workers that came later are taken into a run, at most.
    pub rebalance_every: Duration,
    /// How often workers send heartbeats.
    pub heartbeat: Duration,
    /// How long a worker's users may go on after the last heartbeat that was answered; without end if `None`.
    pub lease: Option<Duration>,
    /// How long a silent worker stays part of its run: its lease has surely ended then, and its users are gone.
    pub lost_after: Duration,
    /// How often a worker may be lost before it is put in quarantine; 0 lets it never come back.
    pub losses_max: u32,
    /// How many workers a run needs to start.
    pub expect_workers: usize,
    /// How long to wait for participants to get ready.
    pub ready_wait: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            on_loss: LossPolicy::default(),
            rebalance_every: limits::REBALANCE_EVERY,
            heartbeat: limits::HEARTBEAT,
            lease: None,
            lost_after: limits::LOST_AFTER,
            losses_max: 3,
            expect_workers: 1,
            ready_wait: limits::READY_WAIT,
        }
    }
}

/// The clocks of a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Microseconds of a monotonic clock of this process.
    pub mono_us: u64,
    /// Milliseconds since the Unix epoch. For records only: nothing is decided by it.
    pub unix_ms: u64,
}

/// What happens to a leader.
#[derive(Clone, Debug)]
pub enum Input {
    /// A worker said something.
    Message {
        /// Which worker.
        worker: WorkerId,
        /// Which life of it.
        incarnation: Incarnation,
        /// What.
        message: FromWorker,
    },
    /// The link of a worker ended.
    Unlinked {
        /// Which worker.
        worker: WorkerId,
        /// Which life of it.
        incarnation: Incarnation,
        /// Whether its process is certainly gone.
        died: bool,
    },
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
    Tick,
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
    },
    /// Forget the statistics so far.
    Reset,
    /// Stop the active run.
    Stop,
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
    /// A master that has just become leader: its own first entry is applied to `state`. Whatever leaders before it were
    /// about to do is derived afresh.
    #[must_use]
    pub fn lead(settings: Settings, now: Now, state: &ClusterState) -> (Self, Vec<Output>) {
        let _ = (now, state);
        (Self { settings, ..Self::default() }, Vec::new())
    }

    /// The command that an operator's order comes to.
    ///
    /// # Errors
    /// Why the order cannot be carried out now. Nothing is proposed then.
    pub fn order(&self, order: Order, now: Now, state: &ClusterState) -> Result<Command, Refusal> {
        order_command(order, now, state).ok_or(Refusal::NoSuchRun)
    }

    /// Decides what to do about an input, given the state as it is applied.
    pub fn step(&mut self, input: Input, now: Now, state: &ClusterState) -> Vec<Output> {
        match input {
            Input::Message { worker, incarnation, message } => self.hear(worker, incarnation, message, state),
            Input::Applied { command, applied } => self.applied(&command, applied, state),
            Input::Dropped { command } => self.give_up(&command, state),
            Input::Tick => self.tick(now.unix_ms, state),
            Input::Unlinked { .. } => Vec::new(),
        }
    }

    fn hear(
        &mut self,
        worker: WorkerId,
        incarnation: Incarnation,
        message: FromWorker,
        state: &ClusterState,
    ) -> Vec<Output> {
        match message {
            FromWorker::Hello { profile, .. } => {
                vec![Output::Propose(Command::RegisterWorker { worker, incarnation, profile })]
            }
            FromWorker::Delta(delta) => self.receive(&delta, state),
            FromWorker::StopRun { run, at_us, reason } => {
                let stops = active(state).is_some_and(|active| active.id() == run);
                stops.then_some(Output::Propose(Command::StopRun { run, at_us, reason })).into_iter().collect()
            }
            FromWorker::Ready { .. }
            | FromWorker::CannotRun { .. }
            | FromWorker::Heartbeat { .. }
            | FromWorker::Released { .. }
            | FromWorker::LeaseRows { .. }
            | FromWorker::CloseRows { .. }
            | FromWorker::Goodbye => Vec::new(),
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
                _ => self.settled(command),
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

fn order_command(order: Order, now: Now, state: &ClusterState) -> Option<Command> {
    let at = |run: &Run| plan_us(run, now.unix_ms);
    match order {
        Order::Start(run, spec) => Some(Command::StartRun { run, spec }),
        Order::Edit { users, rate } => {
            active(state).map(|run| Command::EditRun { run: run.id(), at_us: at(run), users, rate })
        }
        Order::Reset => {
            active(state).map(|run| Command::ResetStatistics { run: run.id(), at_us: at(run), keep_series: false })
        }
        Order::Stop => {
            active(state).map(|run| Command::StopRun { run: run.id(), at_us: at(run), reason: StopReason::Requested })
        }
    }
}

fn carry_out(effect: &Effect, state: &ClusterState) -> Vec<Output> {
    match (effect, state.run()) {
        (Effect::Welcome { worker, last_seq }, _) => {
            vec![Output::Send(
                worker.clone(),
                ToWorker::Welcome { last_seq: *last_seq, lease_ms: None, heartbeat_ms: 1_000 },
            )]
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
        bundle: None,
        slots: Dealing::round_robin(run.participants().len()).set_of(position),
        epoch: 0,
        position,
        workers: run.participants().len(),
        segment: run.stats().segment,
        stop_timeout_ms: run.spec().stop_timeout_ms,
    })
}

fn welcome(worker: &WorkerId, state: &ClusterState) -> Output {
    let last_seq = state.worker(worker).map_or(Seq::default(), |known| known.last_seq);
    Output::Send(worker.clone(), ToWorker::Welcome { last_seq, lease_ms: None, heartbeat_ms: 1_000 })
}

#[cfg(test)]
mod tests;
