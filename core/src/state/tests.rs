//! A log in memory: commands in, replies and effects out. Every entry is applied twice, on two replicas that must stay
//! equal to the byte.

mod balance;
mod history;
mod intended;
mod losses;
mod merging;
mod requests;
mod size;
mod starting;

use std::sync::Arc;

use super::command::{DeltaBatch, DeltaPart, Distribution, LossPolicy, Refusal, RunSpec, Strategy, UniqueFeeder};
use super::participant::ParticipantState;
use super::run::RunPhase;
use super::worker::{LossReason, WorkerProfile};
use super::*;
use crate::ids::{Incarnation, ProposalId};
use crate::limits;
use crate::plan::Plan;
use crate::plan::rate::SpawnRate;
use crate::plan::slots::{SLOTS_U64, SlotSet};
use crate::stats::delta::Interval;
use crate::stats::endpoint::EndpointKey;
use crate::stats::measurements::Measurements;
use crate::stats::run::MergedIntervals;

const RUN: RunId = RunId(7);

struct Log {
    state: ClusterState,
    next: u64,
    time_ms: u64,
    /// Whether every entry is applied by a restored replica too.
    has_twin: bool,
}

impl Log {
    fn new() -> Self {
        Self { state: ClusterState::default(), next: 1, time_ms: 1_000, has_twin: true }
    }

    fn with_workers(names: &[&str]) -> Self {
        let mut log = Self::new();
        names.iter().for_each(|name| log.register(name, 1));
        log
    }

    /// A run that is launched.
    fn running(names: &[&str], spec: RunSpec) -> Self {
        let mut log = Self::with_workers(names);
        log.start(spec).expect("starts");
        log.apply(Command::LaunchRun { run: RUN }).expect("launches");
        log
    }

    fn register(&mut self, name: &str, incarnation: u64) {
        self.register_as(name, incarnation, WorkerProfile::default());
    }

    fn register_as(&mut self, name: &str, incarnation: u64, profile: WorkerProfile) {
        let incarnation = Incarnation(incarnation);
        self.apply(Command::RegisterWorker { worker: worker(name), incarnation, profile }).expect("registers");
    }

    fn start(&mut self, spec: RunSpec) -> Result<Vec<Effect>, Refusal> {
        self.apply(Command::StartRun { run: RUN, spec: Box::new(spec) })
    }

    fn lose(&mut self, name: &str, reason: LossReason) -> Vec<Effect> {
        let (worker, incarnation) = (worker(name), Incarnation(1));
        self.apply(Command::LoseWorker { worker, incarnation, reason }).expect("is present")
    }

    fn admit(&mut self, name: &str, incarnation: u64) -> Vec<Effect> {
        let (worker, incarnation) = (worker(name), Incarnation(incarnation));
        self.apply(Command::AdmitWorker { run: RUN, worker, incarnation }).expect("joins")
    }

    fn release(&mut self, name: &str, epoch: u64) -> Vec<Effect> {
        let (worker, incarnation) = (worker(name), Incarnation(1));
        self.apply(Command::ReleaseSlots { run: RUN, worker, incarnation, epoch }).expect("takes part")
    }

    fn apply(&mut self, command: Command) -> Result<Vec<Effect>, Refusal> {
        let applied = self.apply_as(command, None);
        applied.reply.map(|_| applied.effects)
    }

    fn apply_as(&mut self, command: Command, request: Option<RequestKey>) -> Applied {
        let entry = Entry { index: LogIndex(self.next), time_ms: self.time_ms, request, command };
        self.next += 1;
        self.time_ms += 1;
        if !self.has_twin {
            return self.state.apply(&entry);
        }
        let mut replica = ClusterState::from_bytes(&self.state.to_bytes()).expect("its own snapshot");
        let applied = self.state.apply(&entry);
        assert_eq!(replica.apply(&entry), applied, "a restored replica does the same");
        assert_eq!(replica.to_bytes(), self.state.to_bytes(), "and has the same bytes");
        applied
    }

    fn run(&self) -> &run::Run {
        self.state.run().expect("a run")
    }

    fn requests(&self) -> u64 {
        self.run().stats().total.total().requests()
    }

    /// How many slots each participant may run, by position.
    fn kept(&self) -> Vec<u64> {
        (0..self.run().participants().len()).map(|position| self.run().slots().kept_by(position).len()).collect()
    }
}

fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

fn spec(on_loss: LossPolicy) -> RunSpec {
    let plan = Plan::new(1_000, SpawnRate::per_second(100.0).expect("valid"), None);
    let distribution = Distribution { on_loss, ..Distribution::default() };
    RunSpec { distribution, ..RunSpec::of_one_class("test", "A", plan) }
}

fn part(name: &str, first: u64, last: u64) -> DeltaPart {
    DeltaPart { worker: worker(name), incarnation: Incarnation(1), first: Seq(first), last: Seq(last), finished: false }
}

fn last_part(name: &str, seq: u64) -> DeltaPart {
    DeltaPart { finished: true, ..part(name, seq, seq) }
}

/// A batch in which every delta counts one request.
fn batch(parts: Vec<DeltaPart>) -> Command {
    batch_with_cpu(parts, 0)
}

fn batch_with_cpu(parts: Vec<DeltaPart>, cpu_permille: u16) -> Command {
    let mut intervals = MergedIntervals::default();
    for part in &parts {
        for seq in part.first.0..=part.last.0 {
            let mut measurements = Measurements::default();
            let endpoint = measurements.endpoints.entry(EndpointKey::request("GET", "/")).or_default();
            endpoint.ok_latency.record(seq);
            let (from_us, to_us) = ((seq - 1) * 1_000_000, seq * 1_000_000);
            let interval = Interval { from_us, to_us, segment: 0, users: vec![1], cpu_permille, measurements };
            intervals.add(&part.worker, &interval);
        }
    }
    Command::MergeDeltas(Box::new(DeltaBatch { run: RUN, parts, intervals }))
}
