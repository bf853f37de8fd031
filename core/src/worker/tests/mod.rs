//! A worker in virtual time, with an engine that does at once what it is told.

mod ending;
mod following;
mod leaders;
mod leases;
mod random;
mod rows;
mod sealing;
mod slots;

use std::collections::BTreeSet;

use super::*;
use crate::plan::Plan;
use crate::plan::classes::ClassShare;
use crate::plan::rate::SpawnRate;
use crate::plan::slots::SlotSet;
use crate::stats::delta::Delta;
use crate::stats::measurements::Measurements;
use crate::wire::{PlanTime, Vitals};

const RUN: RunId = RunId(1);
const SECOND: u64 = 1_000_000;

fn rate(per_s: f64) -> SpawnRate {
    SpawnRate::per_second(per_s).expect("valid")
}

fn assignment(plan: Plan, slots: SlotSet) -> Assignment {
    Assignment {
        run: RUN,
        bundle: None,
        plan,
        shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
        slots,
        epoch: 1,
        position: 0,
        workers: 1,
        segment: 0,
        stop_timeout_ms: 0,
    }
}

fn begin(plan: Plan) -> ToWorker {
    ToWorker::Begin(Box::new(assignment(plan, SlotSet::all())))
}

fn launch(plan_us: i64) -> ToWorker {
    ToWorker::Launch { run: RUN, plan_us }
}

fn welcome(last_seq: u64, lease_ms: Option<u64>) -> ToWorker {
    ToWorker::Welcome { last_seq: Seq(last_seq), lease_ms, heartbeat_ms: 1_000 }
}

fn acknowledge(seq: u64) -> ToWorker {
    ToWorker::Acknowledge { run: RUN, seq: Seq(seq) }
}

/// A worker, its engine and what came of both.
struct Rig {
    worker: WorkerCore,
    now_us: u64,
    /// Users that run.
    live: BTreeSet<u64>,
    /// Users that were told to stop and have not ended.
    ending: BTreeSet<u64>,
    /// Whether users end when they are told to.
    ends_at_once: bool,
    /// Whether the engine gets ready at once.
    prepares_at_once: bool,
    /// Where the slots are that the worker may have users in.
    owned: SlotSet,
    said: Vec<FromWorker>,
    outputs: Vec<Output>,
    /// Every user that was started, with when.
    starts: Vec<(u64, u64)>,
    /// Exchanges in every delta.
    measured: u64,
}

impl Rig {
    fn new() -> Self {
        Self {
            worker: WorkerCore::new(WorkerId("w".into()), Incarnation(1), WorkerProfile::default()),
            now_us: 0,
            live: BTreeSet::new(),
            ending: BTreeSet::new(),
            ends_at_once: true,
            prepares_at_once: true,
            owned: SlotSet::all(),
            said: Vec::new(),
            outputs: Vec::new(),
            starts: Vec::new(),
            measured: 0,
        }
    }

    /// A worker with a leader that knows it.
    fn welcomed(lease_ms: Option<u64>) -> Self {
        let mut rig = Self::new();
        rig.give(Input::LeaderFound);
        rig.hear(welcome(0, lease_ms));
        rig
    }

    /// One that is in a run which starts now.
    fn running(plan: Plan, lease_ms: Option<u64>) -> Self {
        let mut rig = Self::welcomed(lease_ms);
        rig.hear(begin(plan));
        rig.hear(launch(0));
        rig
    }

    fn hear(&mut self, message: ToWorker) -> Vec<Output> {
        self.give(Input::Message(message))
    }

    fn event(&mut self, event: RunEvent) -> Vec<Output> {
        self.give(Input::OfRun { run: RUN, event })
    }

    /// Gives an input; the engine answers at once as far as it may.
    fn give(&mut self, input: Input) -> Vec<Output> {
        let outputs = self.worker.step(input, self.now_us);
        for output in outputs.clone() {
            self.carry_out(output);
        }
        self.outputs.extend(outputs.clone());
        outputs
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Send(message) => self.said.push(message),
            Output::Heartbeat { sent_us, running } => {
                self.said.push(FromWorker::Heartbeat { sent_us, running, vitals: Vitals::default() });
            }
            Output::Prepare(assignment) => {
                self.owned = assignment.slots;
                if self.prepares_at_once {
                    self.event(RunEvent::Prepared(Ok(())));
                }
            }
            Output::Launch { slots, .. } => self.owned = slots,
            Output::Start(starts) => starts.iter().for_each(|start| self.start(start.index)),
            Output::Stop(users) => self.stop(|user| users.contains(&user)),
            Output::MoveSlots { epoch, slots } => {
                self.owned = slots.clone();
                self.stop(|user| !slots.owns_user(user));
                if self.ends_at_once {
                    self.event(RunEvent::SlotsLeft { epoch });
                }
            }
            Output::Drain { .. } => self.stop_all(RunEvent::Drained),
            Output::EndLoad => self.stop_all(RunEvent::UsersStopped),
            Output::Seal => {
                let users = vec![self.live.len() as u64];
                let measurements = Measurements { http_exchanges: self.measured, ..Measurements::default() };
                let sealed = Sealed { users, cpu_permille: 10, measurements };
                self.event(RunEvent::Sealed(Box::new(sealed)));
            }
            Output::Finished(_) | Output::Abandon { .. } => self.live.clear(),
            Output::Resume
            | Output::GiveRows { .. }
            | Output::Retired { .. }
            | Output::PutOff { .. }
            | Output::Rejected { .. } => {}
        }
    }

    fn start(&mut self, user: u64) {
        assert!(self.owned.owns_user(user), "user {user} is not of the worker's slots");
        assert!(self.now_us < self.worker.may_send_until_us(), "user {user} starts without a lease");
        assert!(self.live.insert(user), "user {user} runs already");
        self.starts.push((user, self.now_us));
    }

    fn stop(&mut self, is_told: impl Fn(u64) -> bool) {
        let told: Vec<u64> = self.live.iter().copied().filter(|user| is_told(*user)).collect();
        for user in told {
            self.live.remove(&user);
            if !self.ends_at_once {
                self.ending.insert(user);
            }
        }
    }

    fn stop_all(&mut self, event: RunEvent) {
        self.stop(|_| true);
        if self.ends_at_once {
            self.event(event);
        }
    }

    /// Lets time pass; the worker ticks when it wants to. A heartbeat is answered at once if `answers`.
    fn pass(&mut self, us: u64, answers: bool) {
        let until_us = self.now_us + us;
        while let Some(next_us) = self.worker.next_tick_us().filter(|next| *next <= until_us) {
            self.now_us = next_us;
            for output in self.give(Input::Tick) {
                if let (true, Output::Heartbeat { sent_us, .. }) = (answers, output) {
                    self.hear(ToWorker::HeartbeatHeard { sent_us, plan: None });
                }
            }
        }
        self.now_us = until_us;
    }

    /// Nothing runs in between, as when the process was stopped and continued.
    fn pause(&mut self, us: u64) {
        self.now_us += us;
    }

    fn take_said(&mut self) -> Vec<FromWorker> {
        std::mem::take(&mut self.said)
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    fn take_deltas(&mut self) -> Vec<Delta> {
        let delta = |message| match message {
            FromWorker::Delta(delta) => Some(*delta),
            _ => None,
        };
        self.take_said().into_iter().filter_map(delta).collect()
    }

    fn users(&self) -> Vec<u64> {
        self.live.iter().copied().collect()
    }
}
