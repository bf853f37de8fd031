//! G: when faults have ended the cluster heals: it ends the run that goes on, accepts a new one and serves it, and nothing
//! that is measured from then on gets lost.

use akrida_core::ids::RunId;
use akrida_core::state::ClusterState;
use akrida_core::state::command::LossPolicy;
use akrida_core::state::participant::ParticipantState;
use akrida_core::state::run::{Run, RunPhase};

use crate::clock::{MS, SECOND};
use crate::disk::GOOD_WRITE_US;
use crate::event::{Event, Node};
use crate::invariants::Invariant;
use crate::worker::{Process, Worker};
use crate::workload::{ActionId, Outcome, Wish, spec};
use crate::world::World;

/// How often the world looks.
const LOOK_EVERY_US: u64 = 200 * MS;
/// How long any stage may take. Longer than a lease, a drain, a rebalance and a few time-outs together.
const STAGE_US_MAX: u64 = 90 * SECOND;
/// How long the new run goes on once all users are there.
const SERVED_US: u64 = 6 * SECOND;

/// How far the world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Things go wrong.
    Chaos,
    /// Everybody comes back, and every client hears what came of its action.
    Gathering { since_us: u64 },
    /// The run that goes on gets all its users, or ends by itself.
    Recovering { since_us: u64 },
    /// The run that goes on is to stop.
    Stopping { since_us: u64, was_asked: bool },
    /// A new run is to start.
    Starting { since_us: u64, action: ActionId },
    /// It goes on.
    Serving { since_us: u64, run: RunId },
    /// It is to stop.
    Ending { since_us: u64, run: RunId },
    /// All masters come to the same state.
    Agreeing { since_us: u64 },
    /// All is well.
    Done,
}

impl Stage {
    fn since_us(self) -> Option<u64> {
        match self {
            Self::Chaos | Self::Done => None,
            Self::Gathering { since_us }
            | Self::Recovering { since_us }
            | Self::Stopping { since_us, .. }
            | Self::Starting { since_us, .. }
            | Self::Serving { since_us, .. }
            | Self::Ending { since_us, .. }
            | Self::Agreeing { since_us } => Some(since_us),
        }
    }
}

impl World {
    pub(crate) fn start_healing_later(&mut self) {
        self.schedule.after(self.pace.chaos_us, Event::LookAtHealing);
    }

    /// Ends all faults.
    fn heal(&mut self) {
        self.note(format_args!("faults end"));
        self.faults.are_over = true;
        self.clients.is_busy = false;
        self.network.heal();
        self.pace.unprepared_permille = 0;
        self.pace.answers_lost_percent = 0;
        for at in 0..self.masters.len() {
            (self.masters[at].lag_us, self.masters[at].disk.write_us) = (MS, GOOD_WRITE_US);
            self.wake(Node::Master(at), self.masters[at].life);
            self.start_master(at);
        }
        for at in 0..self.workers.len() {
            self.wake(Node::Worker(at), self.workers[at].life);
            self.start_worker(at);
        }
    }

    /// Looks whether the next stage has come.
    pub(crate) fn look_at_healing(&mut self) {
        self.schedule.after(LOOK_EVERY_US, Event::LookAtHealing);
        let now_us = self.schedule.now_us();
        if self.stage.since_us().is_some_and(|since_us| now_us - since_us > STAGE_US_MAX) {
            let what = format!("{:?} takes too long: {}", self.stage, self.describe());
            return self.oracle.fail(Invariant::G, what);
        }
        let next = self.next_stage(now_us);
        if let Some(next) = next {
            self.note(format_args!("stage: {next:?}"));
            self.stage = next;
        }
    }

    fn next_stage(&mut self, now_us: u64) -> Option<Stage> {
        match self.stage {
            Stage::Chaos => {
                self.heal();
                Some(Stage::Gathering { since_us: now_us })
            }
            Stage::Gathering { .. } => self.have_gathered().then_some(Stage::Recovering { since_us: now_us }),
            Stage::Recovering { .. } => self.has_recovered().then(|| {
                let was_asked = self.phase() == Some(Some(RunPhase::Active));
                if was_asked {
                    self.want(Wish::Stop);
                }
                Stage::Stopping { since_us: now_us, was_asked }
            }),
            Stage::Stopping { was_asked, .. } => (self.is_over() && self.clients.are_done()).then(|| {
                self.check_ended_run(was_asked);
                let users = self.random.u64(2..self.pace.users_max.max(3));
                let action = self.want(Wish::Start(Box::new(spec(users, 50, None))));
                Stage::Starting { since_us: now_us, action }
            }),
            Stage::Starting { action, .. } => self.started(action).map(|run| Stage::Serving { since_us: now_us, run }),
            Stage::Serving { since_us, run } => (now_us - since_us > SERVED_US && self.has_recovered()).then(|| {
                self.want(Wish::Stop);
                Stage::Ending { since_us: now_us, run }
            }),
            Stage::Ending { run, .. } => self.is_over().then(|| {
                self.check_served(run);
                Stage::Agreeing { since_us: now_us }
            }),
            Stage::Agreeing { .. } => self.masters_agree().then_some(Stage::Done),
            Stage::Done => None,
        }
    }

    /// The state of the leader.
    fn state(&self) -> Option<&ClusterState> {
        let processes = self.masters.iter().filter_map(|master| master.process.as_ref());
        let leading = processes.filter_map(|process| Some((process.shell.leads()?, process)));
        leading.max_by_key(|(term, _)| *term).map(|(_, process)| &process.shell.state)
    }

    /// Where the run stands, if there is one; nothing at all while nobody leads.
    fn phase(&self) -> Option<Option<RunPhase>> {
        Some(self.state()?.run().map(Run::phase))
    }

    fn is_over(&self) -> bool {
        matches!(self.phase(), Some(None | Some(RunPhase::Ended)))
    }

    /// Whether every worker is registered as it is, every client knows what came of its action, and the members are as the
    /// operator wants them.
    fn have_gathered(&self) -> bool {
        let Some(state) = self.state() else { return false };
        let is_there = |worker: &Worker| {
            let process = worker.process.as_ref();
            let known = state.worker(&worker.id).filter(|known| known.is_present);
            let is_known = |process: &Process| known.is_some_and(|known| known.incarnation == process.incarnation);
            process.is_some_and(|process| !process.retires && is_known(process))
        };
        self.workers.iter().all(is_there) && self.clients.are_done() && self.operator.is_idle()
    }

    /// Whether every user of the plan runs once, if its slot is to be run by anybody.
    fn has_recovered(&self) -> bool {
        let Some(state) = self.state() else { return false };
        let Some(run) = state.run() else { return true };
        match run.phase() {
            RunPhase::Preparing => return false,
            RunPhase::Stopping | RunPhase::Ended => return true,
            RunPhase::Active => {}
        }
        if run.spec().distribution.on_loss != LossPolicy::Replace || run.plan().ends_at_us().is_some() {
            return true;
        }
        (0..run.plan().last_target()).all(|user| self.oracle.slots.of(run.id(), user).len() == 1)
    }

    fn started(&mut self, action: ActionId) -> Option<RunId> {
        match self.clients.outcome(action)? {
            Outcome::Done(akrida_core::state::request::Reply::Run(run)) => {
                let run = *run;
                (self.phase() == Some(Some(RunPhase::Active))).then_some(run)
            }
            other => {
                let what = format!("a healed cluster does not start a run: {other:?}");
                self.oracle.fail(Invariant::G, what);
                None
            }
        }
    }

    /// Whoever took part to the end has everything counted; if the run ended when all was well, that is everybody.
    fn check_ended_run(&mut self, all_was_well: bool) {
        let Some(run) = self.state().and_then(ClusterState::run) else { return };
        if all_was_well && !run.missing().is_empty() {
            let what = format!("{:?} never sent their last deltas, although faults had ended", run.missing());
            return self.oracle.fail(Invariant::G, what);
        }
        let finished = run.participants().iter().enumerate();
        let finished = finished.filter(|(_, known)| known.state == ParticipantState::Finished);
        let (id, places): (RunId, Vec<usize>) = (run.id(), finished.map(|(at, _)| at).collect());
        for place in places {
            let whole = self.oracle.ledger.is_whole(id, place);
            self.oracle.check(whole);
        }
    }

    /// The run that the healed cluster has served is whole.
    fn check_served(&mut self, id: RunId) {
        self.check_ended_run(true);
        let Some(run) = self.state().and_then(ClusterState::run).filter(|run| run.id() == id) else {
            return self.oracle.fail(Invariant::G, format!("run {id} is not the last one"));
        };
        let counted = run.stats().total.total().requests();
        let all_finished = run.participants().iter().all(|known| known.state == ParticipantState::Finished);
        let measured = self.oracle.ledger.measured(id);
        if counted != measured || counted == 0 {
            let what = format!("{counted} of {measured} requests count, although nothing went wrong");
            return self.oracle.fail(Invariant::A, what);
        }
        if !all_finished || !run.missing().is_empty() || !run.losses().is_empty() {
            let what = format!("a run without faults ended with {:?}", run.participants());
            self.oracle.fail(Invariant::G, what);
        }
    }

    /// Whether all masters have applied the same, and whether that gave the same.
    fn masters_agree(&mut self) -> bool {
        let running = self.masters.iter().filter(|master| master.is_in_use);
        let states: Vec<_> =
            running.map(|master| master.process.as_ref().map(|process| &process.shell.state)).collect();
        let applied = self.oracle.log.applied;
        if states.iter().any(|state| state.is_none_or(|state| state.applied().0 != applied)) {
            return false;
        }
        let compared: Result<(), String> =
            states.into_iter().flatten().try_for_each(|state| self.oracle.log.compare(state));
        self.oracle.check(compared.map_err(|what| (Invariant::E, what)));
        true
    }

    /// What there is to see when something does not come about.
    fn describe(&self) -> String {
        let state = self.state();
        let run = state.and_then(ClusterState::run);
        let workers: Vec<_> = state.into_iter().flat_map(ClusterState::workers).collect();
        let phase = run.map(|run| (run.id(), run.phase(), run.participants()));
        let leading: Vec<_> = self
            .masters
            .iter()
            .map(|master| (master.is_in_use, master.process.as_ref().map(|process| process.replica.status())))
            .collect();
        format!("run {phase:?}, workers {workers:?}, operator {:?}, masters {leading:?}", self.operator)
    }
}
