//! A leader, a log and the test in the place of the workers.

mod deltas;
mod leadership;
mod losing;
mod moving;
mod orders;
mod plan_time;
mod rivals;
mod rows;
mod simulation;

mod starting;

use std::collections::VecDeque;

use super::*;
use crate::ids::{LogIndex, Seq};
use crate::plan::Plan;
use crate::plan::slots::{SLOTS_U64, SlotSet};
use crate::state::Entry;
use crate::state::command::{Refusal, StopReason};
use crate::state::participant::ParticipantState;
use crate::state::worker::WorkerProfile;
use crate::stats::delta::{Delta, Interval};
use crate::stats::endpoint::EndpointKey;
use crate::stats::measurements::Measurements;
use crate::view::RunView;
use crate::view::validity::{ValidityLimits, Verdict};
use crate::wire::{Running, Vitals};

const RUN: RunId = RunId(1);
const SECOND: Duration = Duration::from_secs(1);

struct Leader {
    state: ClusterState,
    coordinator: Coordinator,
    settings: Settings,
    now: Now,
    next: u64,
    proposals: VecDeque<Command>,
    sent: Vec<(WorkerId, ToWorker)>,
    sent_to: Vec<(WorkerId, Incarnation, ToWorker)>,
    ended: bool,
}

impl Leader {
    fn new(settings: Settings) -> Self {
        let now = Now { mono_us: 7_000_000, unix_ms: 1_000_000 };
        let state = ClusterState::default();
        let (coordinator, _) = Coordinator::lead(settings.clone(), now, &state);
        let (proposals, sent, sent_to) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { state, coordinator, settings, now, next: 1, proposals, sent, sent_to, ended: false }
    }

    /// A leader with these workers in a run that is not launched yet.
    fn preparing(names: &[&str], settings: Settings, spec: Box<RunSpec>) -> Self {
        let mut leader = Self::new(settings);
        names.iter().for_each(|name| leader.hello(name, 1, None));
        leader.commit_all();
        leader.order(Order::Start(RUN, spec)).expect("starts");
        leader.commit_all();
        leader
    }

    /// A leader with these workers in a run with users since a moment.
    fn running(names: &[&str], plan: Plan) -> Self {
        Self::running_with(names, Settings::default(), plan)
    }

    fn running_with(names: &[&str], settings: Settings, plan: Plan) -> Self {
        let mut leader = Self::preparing(names, settings, spec(plan));
        names.iter().for_each(|name| leader.say(name, FromWorker::Ready { run: RUN }));
        leader.commit_all();
        leader.advance(limits::LAUNCH_AHEAD);
        names.iter().for_each(|name| leader.confirm_slots(name));
        leader.sent.clear();
        leader
    }

    /// Another master takes over what is committed.
    fn fail_over(&mut self) {
        self.proposals.clear();
        self.sent.clear();
        self.now.mono_us += 500_000_000;
        self.state = ClusterState::from_bytes(&self.state.to_bytes()).expect("its own snapshot");
        let (coordinator, outputs) = Coordinator::lead(self.settings.clone(), self.now, &self.state);
        self.coordinator = coordinator;
        self.carry_out(outputs);
    }

    fn step(&mut self, input: Input) {
        let outputs = self.coordinator.step(input, self.now, &self.state);
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Propose(command) => self.proposals.push_back(command),
                Output::Send(worker, message) => self.sent.push((worker, message)),
                Output::SendTo(worker, incarnation, message) => self.sent_to.push((worker, incarnation, message)),
                Output::RunEnded => self.ended = true,
            }
        }
    }

    fn commit_all(&mut self) {
        while let Some(command) = self.proposals.pop_front() {
            let entry = Entry {
                index: LogIndex(self.next),
                time_ms: self.now.unix_ms,
                request: None,
                command: command.clone(),
            };
            self.next += 1;
            let applied = self.state.apply(&entry);
            self.step(Input::Applied { command, applied });
        }
    }

    fn drop_all(&mut self) {
        for command in std::mem::take(&mut self.proposals) {
            self.step(Input::Dropped { command });
        }
    }

    fn order(&mut self, order: Order) -> Result<(), Refusal> {
        let command = self.coordinator.order(order, self.now, &self.state)?;
        self.proposals.push_back(command);
        Ok(())
    }

    /// A worker greets; if it is a new life, the link of the one before has ended.
    fn hello(&mut self, name: &str, incarnation: u64, running: Option<Running>) {
        let before = self.coordinator.life_of(&worker(name)).filter(|life| life.0 != incarnation);
        if let Some(before) = before {
            self.step(Input::Unlinked { worker: worker(name), incarnation: before, died: false });
        }
        self.hear(name, incarnation, FromWorker::Hello { profile: WorkerProfile::default(), running });
    }

    fn say(&mut self, name: &str, message: FromWorker) {
        self.hear(name, 1, message);
    }

    fn hear(&mut self, name: &str, incarnation: u64, message: FromWorker) {
        self.step(Input::Message { worker: worker(name), incarnation: Incarnation(incarnation), message });
    }

    fn heartbeat(&mut self, name: &str, running: Option<Running>) {
        self.say(name, FromWorker::Heartbeat { sent_us: 1, running, vitals: Vitals::default() });
    }

    fn confirm_slots(&mut self, name: &str) {
        let epoch = self.state.run().map_or(0, |run| run.slots().epoch());
        self.say(name, FromWorker::Released { run: RUN, epoch });
    }

    fn advance(&mut self, time: Duration) {
        self.now.mono_us += time.as_micros() as u64;
        self.now.unix_ms += time.as_millis() as u64;
        self.step(Input::Tick);
    }

    /// Time passes while these workers are heard.
    fn advance_with(&mut self, names: &[&str], seconds: u64) {
        for _ in 0..seconds {
            names.iter().for_each(|name| self.heartbeat(name, in_run(None)));
            self.advance(SECOND);
            self.commit_all();
        }
    }

    fn run(&self) -> &Run {
        self.state.run().expect("a run")
    }

    fn requests(&self) -> u64 {
        self.state.run().map_or(0, |run| run.stats().total.total().requests())
    }

    /// What a worker was told since the last time.
    fn told(&mut self, name: &str) -> Vec<ToWorker> {
        let (told, rest) = self.sent.drain(..).partition(|(to, _)| *to == worker(name));
        self.sent = rest;
        let told: Vec<(WorkerId, ToWorker)> = told;
        told.into_iter().map(|(_, message)| message).collect()
    }

    fn last_welcome(&self, name: &str) -> Option<Seq> {
        self.sent.iter().rev().find_map(|(to, message)| match message {
            ToWorker::Welcome { last_seq, .. } if *to == worker(name) => Some(*last_seq),
            _ => None,
        })
    }

    fn verdict(&self) -> (Verdict, String) {
        let validity = RunView::of(self.run(), &ValidityLimits::default()).validity;
        let reasons: Vec<String> = validity.reasons.into_iter().map(|(_, reason)| reason).collect();
        (validity.verdict, reasons.join("; "))
    }
}

fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

fn in_run(plan_us: Option<u64>) -> Option<Running> {
    Some(Running { run: RUN, plan_us: plan_us.or(Some(0)) })
}

fn spec(plan: Plan) -> Box<RunSpec> {
    Box::new(RunSpec::of_one_class("test", "A", plan))
}

fn endless() -> Plan {
    Plan::new(1, SpawnRate::ONE_PER_SECOND, None)
}

fn ends_after(seconds: u64) -> Plan {
    Plan::new(1, SpawnRate::ONE_PER_SECOND, Some(seconds * 1_000_000))
}

/// A delta with one request to the endpoint of a name.
fn delta_of(id: &WorkerId, incarnation: Incarnation, seq: u64, name: &str, last: bool) -> Delta {
    let mut measurements = Measurements::default();
    let endpoint = measurements.endpoints.entry(EndpointKey::request("GET", name)).or_default();
    endpoint.ok_latency.record(seq);
    let (from_us, to_us) = ((seq - 1) * 1_000_000, seq * 1_000_000);
    let interval = Interval { from_us, to_us, segment: 0, users: vec![1], cpu_permille: 0, measurements };
    Delta { run: RUN, worker: id.clone(), incarnation, seq: Seq(seq), interval, last }
}

fn delta(name: &str, seq: u64, last: bool) -> FromWorker {
    FromWorker::Delta(Box::new(delta_of(&worker(name), Incarnation(1), seq, "/", last)))
}
