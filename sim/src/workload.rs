//! The clients of the cluster: they start, edit, reset and stop runs, through any master, and try again with the same key
//! until they are told what came of it.

use akrida_core::coordinator::Order;
use akrida_core::ids::RunId;
use akrida_core::plan::Plan;
use akrida_core::plan::rate::SpawnRate;
use akrida_core::state::command::{LossPolicy, Refusal, RunSpec, Strategy};
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::state::run::RunPhase;

use crate::bugs::Bug;
use crate::clock::{MS, SECOND};
use crate::event::{Event, MasterEvent};
use crate::master::orders::Asked;
use crate::world::World;

/// What a client wants, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ActionId(pub(crate) usize);

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done(Reply),
    Refused(Refusal),
    NotLeading,
    Unknown,
}

/// What is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    Start(Box<RunSpec>),
    Edit { users: u64, per_s: u32 },
    Reset,
    Stop,
}

/// An action and what came of it.
#[derive(Debug)]
struct Action {
    wish: Wish,
    /// How often it was tried.
    attempts: u64,
    /// The answer that counts.
    outcome: Option<Outcome>,
}

/// All actions so far.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    actions: Vec<Action>,
    /// Whether new ones are begun by themselves.
    pub(crate) is_busy: bool,
}

impl Clients {
    /// What came of an action, once its client knows.
    pub(crate) fn outcome(&self, action: ActionId) -> Option<&Outcome> {
        self.actions[action.0].outcome.as_ref()
    }

    /// Whether every client knows what came of its action.
    pub(crate) fn are_done(&self) -> bool {
        self.actions.iter().all(|action| action.outcome.is_some())
    }
}

impl World {
    /// A client wants something.
    pub(crate) fn want(&mut self, wish: Wish) -> ActionId {
        let id = ActionId(self.clients.actions.len());
        self.note(format_args!("{id:?} is to {wish:?}"));
        self.clients.actions.push(Action { wish, attempts: 0, outcome: None });
        self.schedule.after(1, Event::Attempt(id, 0));
        id
    }

    /// Something that fits where the run stands, and sometimes something that does not.
    pub(crate) fn next_action(&mut self) {
        if !self.clients.is_busy {
            return;
        }
        let wait_us = self.random.u64(500 * MS..8 * SECOND);
        self.schedule.after(wait_us, Event::NextAction);
        let runs = self.oracle.log.run.is_some_and(|(_, phase)| phase != RunPhase::Ended);
        let wish = match self.random.u32(..100) {
            chance if chance < 5 || (!runs && chance < 70) => self.some_run(),
            0..70 => Wish::Edit { users: self.random.u64(1..self.pace.users_max), per_s: self.random.u32(2..60) },
            70..85 => Wish::Reset,
            _ => Wish::Stop,
        };
        self.want(wish);
    }

    /// A run of any kind.
    fn some_run(&mut self) -> Wish {
        let users = self.random.u64(1..self.pace.users_max);
        let run_time_s = self.random.bool().then(|| self.random.u64(5..60));
        let mut spec = spec(users, self.random.u32(2..60), run_time_s.map(|s| s * SECOND));
        spec.stop_timeout_ms = self.random.u64(0..3) * 700;
        spec.reset_when_spawned = self.random.u32(..4) == 0;
        spec.warm_up_ms = if self.random.u32(..5) == 0 { 4_000 } else { 0 };
        spec.distribution.on_loss = match self.random.u32(..10) {
            0 => LossPolicy::Fail,
            1 => LossPolicy::Continue,
            _ => LossPolicy::Replace,
        };
        spec.distribution.strategy = match self.random.u32(..4) {
            0 => Strategy::Weighted,
            1 => Strategy::LeastLoaded,
            _ => Strategy::RoundRobin,
        };
        Wish::Start(Box::new(spec))
    }

    /// A client tries, with any master, and will try again; unless it has tried since this was planned.
    pub(crate) fn attempt(&mut self, id: ActionId, attempts: u64) {
        let action = &mut self.clients.actions[id.0];
        if action.outcome.is_some() || action.attempts != attempts {
            return;
        }
        action.attempts += 1;
        let attempts = action.attempts;
        let masters: Vec<usize> = (0..self.masters.len()).filter(|at| self.masters[*at].is_in_use).collect();
        let at = masters[self.random.usize(..masters.len())];
        let delay_us = self.random.u64(MS..10 * MS);
        self.plan_at_master(at, delay_us, MasterEvent::Order(id));
        let again_us = self.random.u64(SECOND..3 * SECOND);
        self.schedule.after(again_us, Event::Attempt(id, attempts));
    }

    /// An attempt has reached a master.
    pub(crate) fn master_takes_order(&mut self, at: usize, action: ActionId) {
        let request = RequestKey { key: format!("key-{}", action.0).into(), fingerprint: action.0 as u64 };
        let order = match &self.clients.actions[action.0].wish {
            Wish::Start(spec) => Order::Start(RunId(self.random.u64(1..)), spec.clone()),
            Wish::Edit { users, per_s } => Order::Edit { users: *users, rate: rate(*per_s) },
            Wish::Reset => Order::Reset,
            Wish::Stop => Order::Stop,
        };
        let request = (self.bug != Some(Bug::NoKey)).then_some(request);
        self.with_shell(at, |shell, now| shell.order(Asked { action, order, request }, now));
    }

    /// A master answers a client; the answer may get lost.
    pub(crate) fn answer_client(&mut self, at: usize, action: ActionId, outcome: Outcome) {
        self.note(format_args!("master {at} says of {action:?}: {outcome:?}"));
        if self.random.u32(..100) >= self.pace.answers_lost_percent {
            let delay_us = self.random.u64(MS..10 * MS);
            self.schedule.after(delay_us, Event::Answered { action, outcome });
        }
    }

    /// A client hears an answer.
    pub(crate) fn hear_answer(&mut self, id: ActionId, outcome: Outcome) {
        if matches!(outcome, Outcome::Done(_)) {
            self.oracle.at_us(self.schedule.now_us());
            let checked = self.oracle.actions.acknowledged(id);
            self.oracle.check(checked);
        }
        let action = &mut self.clients.actions[id.0];
        if action.outcome.is_some() {
            return;
        }
        match outcome {
            Outcome::NotLeading | Outcome::Unknown => {
                let (wait_us, attempts) = (self.random.u64(50 * MS..500 * MS), action.attempts);
                self.schedule.after(wait_us, Event::Attempt(id, attempts));
            }
            Outcome::Done(_) | Outcome::Refused(_) => {
                self.oracle.counts.actions += u64::from(matches!(outcome, Outcome::Done(_)));
                action.outcome = Some(outcome);
            }
        }
    }
}

/// A run of one class.
pub(crate) fn spec(users: u64, per_s: u32, run_time_us: Option<u64>) -> RunSpec {
    let run_time_ms = run_time_us.map(|us| us / MS);
    RunSpec { run_time_ms, ..RunSpec::of_one_class("simulated", "User", Plan::new(users, rate(per_s), run_time_us)) }
}

fn rate(per_s: u32) -> SpawnRate {
    SpawnRate::per_second(f64::from(per_s)).expect("a rate of whole users")
}
