//! The leader's decisions: what to propose, what to tell the workers.
//!
//! All that must survive is in the replicated state; what a leader keeps beside it can be had again. Messages and
//! proposals may be lost: whatever is due is derived from the state and said again until it is confirmed.

mod deltas;
mod due;
mod effects;
mod greet;
mod hear;
mod intent;
mod orders;
mod pace;
mod plan_clock;
mod rivals;
mod session;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::ids::{Incarnation, RunId, WorkerId};
use crate::limits;
use crate::plan::rate::SpawnRate;
use crate::state::command::{Command, RunSpec};
use crate::state::participant::Participant;
use crate::state::run::{Run, RunPhase};
use crate::state::worker::LossReason;
use crate::state::{Applied, ClusterState};
use crate::wire::{FromWorker, ToWorker};
use deltas::Deltas;
use intent::Intent;
use plan_clock::PlanClock;
use rivals::Rival;
use session::Session;

/// What a leader keeps beside the replicated state. A new leader starts empty: all of it can be had again.
#[derive(Debug, Default)]
pub struct Coordinator {
    settings: Settings,
    /// When it took the lead, by its monotonic clock.
    led_us: u64,
    sessions: BTreeMap<WorkerId, Session>,
    clock: PlanClock,
    deltas: Deltas,
    /// What was proposed, and neither applied nor lost so far.
    under_way: BTreeSet<Intent>,
    /// The run in which this leader took the lead, until that is noted.
    took_over: Option<RunId>,
    /// Since when the participants of the run get ready.
    preparing_since_us: u64,
    /// When loads were looked at last.
    balanced_us: u64,
    /// Processes that were turned away because another one has their name.
    rivals: BTreeMap<WorkerId, Rival>,
}

/// What the configuration asks of a leader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
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
    /// The widest interval between two entries of statistics, however much there is of them.
    pub sync_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rebalance_every: limits::REBALANCE_EVERY,
            heartbeat: limits::HEARTBEAT,
            lease: None,
            lost_after: limits::LOST_AFTER,
            losses_max: 3,
            expect_workers: 1,
            ready_wait: limits::READY_WAIT,
            sync_interval: limits::SYNC_INTERVAL,
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
    /// Do something to this run, and to no other that may be active meanwhile.
    To(RunId, Box<Order>),
}

/// What a leader does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Propose a command.
    Propose(Command),
    /// Tell a worker something, in the life that this leader speaks with: see [`Coordinator::life_of`].
    Send(WorkerId, ToWorker),
    /// Tell a certain life of a worker something, and no other.
    SendTo(WorkerId, Incarnation, ToWorker),
    /// The run is over and its result is final.
    RunEnded,
}

/// What a decision is taken on: the time and the state as it is applied.
#[derive(Clone, Copy, Debug)]
struct At<'a> {
    now: Now,
    state: &'a ClusterState,
}

impl<'a> At<'a> {
    /// The run that goes on.
    fn run(self) -> Option<&'a Run> {
        self.state.run().filter(|run| run.phase() != RunPhase::Ended)
    }

    /// The place of a worker's life in the run that goes on, if it takes part or gets ready to.
    fn place(self, worker: &WorkerId, incarnation: Incarnation) -> Option<(&'a Run, usize, &'a Participant)> {
        let run = self.run()?;
        let (position, participant) = run.participant(worker, incarnation)?;
        participant.is_in().then_some((run, position, participant))
    }
}

impl Coordinator {
    /// A master that has just become leader: its own first entry is applied to `state`. Whatever leaders before it were
    /// about to do is derived afresh. The clocks that count silence start anew: a change of leader looks like no loss.
    #[must_use]
    pub fn lead(settings: Settings, now: Now, state: &ClusterState) -> (Self, Vec<Output>) {
        let present = state.workers().filter(|(_, worker)| worker.is_present);
        let sessions = present.map(|(id, worker)| (id.clone(), Session::awaited(worker.incarnation, now))).collect();
        let under_load = At { now, state }.run().filter(|run| run.was_launched()).map(Run::id);
        let leader = Self {
            settings,
            led_us: now.mono_us,
            sessions,
            clock: under_load.map(|run| PlanClock::unknown(run, now)).unwrap_or_default(),
            took_over: under_load,
            preparing_since_us: now.mono_us,
            balanced_us: now.mono_us,
            ..Self::default()
        };
        (leader, Vec::new())
    }

    /// Decides what to do about an input, given the state as it is applied.
    pub fn step(&mut self, input: Input, now: Now, state: &ClusterState) -> Vec<Output> {
        let at = At { now, state };
        match input {
            Input::Message { worker, incarnation, message } => match message {
                FromWorker::Hello { profile, running } => self.hello(&worker, incarnation, profile, running, at),
                other => self.hear(&worker, incarnation, other, at),
            },
            Input::Unlinked { worker, incarnation, died } => self.unlinked(&worker, incarnation, died, at),
            Input::Applied { command, applied } => self.applied(&command, applied, at),
            Input::Dropped { command } => self.dropped(&command, at),
            Input::Tick => self.tick(at),
        }
    }

    /// The life of a worker that this leader speaks with.
    #[must_use]
    pub fn life_of(&self, worker: &WorkerId) -> Option<Incarnation> {
        self.sessions.get(worker).map(|session| session.incarnation)
    }

    fn unlinked(&mut self, worker: &WorkerId, incarnation: Incarnation, died: bool, at: At<'_>) -> Vec<Output> {
        if let Some(session) = self.sessions.get_mut(worker).filter(|session| session.incarnation == incarnation) {
            (session.is_linked, session.link_has_ended) = (false, true);
        }
        let is_present = at.state.worker(worker).is_some_and(|w| w.incarnation == incarnation && w.is_present);
        if died && is_present { self.lose(worker, incarnation, LossReason::Died) } else { Vec::new() }
    }

    fn lose(&mut self, worker: &WorkerId, incarnation: Incarnation, reason: LossReason) -> Vec<Output> {
        // A batch that comes after the loss must not be refused because of them.
        self.deltas.forget_worker(worker);
        self.propose(Command::LoseWorker { worker: worker.clone(), incarnation, reason })
    }

    fn applied(&mut self, command: &Command, applied: Applied, at: At<'_>) -> Vec<Output> {
        self.under_way.remove(&Intent::of(command));
        match (command, &applied.reply) {
            (Command::MergeDeltas(_), Ok(_)) => self.deltas.settle(),
            (Command::MergeDeltas(_), Err(_)) => return self.start_over(at),
            (Command::NoteElection { .. }, _) => self.took_over = None,
            (Command::LoseWorker { worker, .. } | Command::ExcludeWorker { worker, .. }, Ok(_)) => {
                self.deltas.forget_worker(worker);
                self.sessions.entry(worker.clone()).and_modify(Session::leave);
            }
            _ => {}
        }
        let mut outputs: Vec<_> = applied.effects.into_iter().flat_map(|effect| self.carry_out(effect, at)).collect();
        outputs.extend(self.launch_if_all_are_ready(at));
        outputs.extend(self.resend_turned_away(at));
        outputs.extend(self.propose_batch(at));
        outputs
    }

    fn dropped(&mut self, command: &Command, at: At<'_>) -> Vec<Output> {
        self.under_way.remove(&Intent::of(command));
        if matches!(command, Command::MergeDeltas(_)) { self.start_over(at) } else { Vec::new() }
    }

    /// Proposes a command, unless the same is under way.
    fn propose(&mut self, command: Command) -> Vec<Output> {
        let is_new = self.under_way.insert(Intent::of(&command));
        is_new.then_some(Output::Propose(command)).into_iter().collect()
    }
}

fn to(worker: &WorkerId, message: ToWorker) -> Output {
    Output::Send(worker.clone(), message)
}

#[cfg(test)]
mod tests;
