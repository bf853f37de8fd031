//! A simulated cluster and everything around it. All that happens follows from the seed.

use std::fmt;
use std::time::Duration;

use akrida_core::coordinator::Settings;
use akrida_core::ids::RaftId;
use akrida_core::limits;
use akrida_core::replica::fail_back::FailBackRule;
use akrida_core::replica::stored::{NamedMember, Stored};
use akrida_core::state::worker::WorkerProfile;
use fastrand::Rng;

use crate::bugs::Bug;
use crate::clock::{Clock, MS, SECOND};
use crate::disk::Disk;
use crate::event::{Event, Node};
use crate::faults::Faults;
use crate::healing::Stage;
use crate::invariants::{Invariant, Oracle};
use crate::links::Links;
use crate::master::Master;
use crate::network::Network;
use crate::operator::Operator;
use crate::schedule::Schedule;
use crate::trace::{Trace, TraceMode};
use crate::worker::Worker;
use crate::workload::Clients;

/// Places for masters.
const MASTERS_MAX: usize = 6;
/// The lease of workers. Shorter than in the program, so that more happens in a run.
const LEASE: Duration = Duration::from_secs(4);
/// A cluster that does so much in one run is stuck in a circle.
const EVENTS_MAX: u64 = 5_000_000;

/// How much of everything there is in a seed.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) chaos_us: u64,
    pub(crate) users_max: u64,
    pub(crate) request_every_us: u64,
    pub(crate) snapshot_entries: u64,
    pub(crate) tail_entries: u64,
    pub(crate) fail_back: Option<FailBackRule>,
    /// How often preparing a run fails on a worker.
    pub(crate) unprepared_permille: u32,
    pub(crate) answers_lost_percent: u32,
    /// How often what must be harmless twice comes into the log twice.
    pub(crate) repeated_permille: u32,
}

/// A cluster.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) random: Rng,
    pub(crate) schedule: Schedule,
    pub(crate) network: Network,
    pub(crate) links: Links,
    pub(crate) masters: Vec<Master>,
    /// Disks that were lost, as they were: what had been on them counts as having been there.
    pub(crate) lost_disks: Vec<(RaftId, Disk)>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) clients: Clients,
    pub(crate) operator: Operator,
    pub(crate) faults: Faults,
    pub(crate) oracle: Oracle,
    pub(crate) settings: Settings,
    pub(crate) pace: Pace,
    pub(crate) stage: Stage,
    pub(crate) bug: Option<Bug>,
    trace: Trace,
    tokens: u64,
}

impl Pace {
    fn some(random: &mut Rng) -> Self {
        let fail_back = random.bool().then(|| FailBackRule { steady_ticks: random.u64(20..200), rest_ticks: 300 });
        Self {
            chaos_us: random.u64(20 * SECOND..80 * SECOND),
            users_max: random.u64(10..80),
            request_every_us: random.u64(150 * MS..700 * MS),
            snapshot_entries: random.u64(20..200),
            tail_entries: random.u64(1..50),
            fail_back,
            unprepared_permille: if random.u32(..4) == 0 { 100 } else { 0 },
            answers_lost_percent: random.u32(0..30),
            repeated_permille: if random.bool() { 30 } else { 0 },
        }
    }
}

impl World {
    /// The cluster of a seed.
    pub(crate) fn new(seed: u64, bug: Option<Bug>, trace: TraceMode) -> Self {
        let mut random = Rng::with_seed(seed);
        let count = if random.u32(..3) == 0 { 5 } else { 3 };
        let masters = some_masters(&mut random, count);
        let workers = some_workers(&mut random);
        let mut world = Self {
            schedule: Schedule::default(),
            network: Network::good(),
            links: Links::default(),
            masters,
            lost_disks: Vec::new(),
            workers,
            clients: Clients::default(),
            operator: Operator::default(),
            faults: Faults::some(&mut random),
            oracle: Oracle::default(),
            settings: some_settings(&mut random),
            pace: Pace::some(&mut random),
            stage: Stage::Chaos,
            bug,
            trace: Trace::new(trace),
            tokens: 0,
            random,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for at in 0..self.masters.len() {
            self.start_master(at);
        }
        for at in 0..self.workers.len() {
            // Some come late, and join a run that goes on.
            let wait_us = if self.random.u32(..4) == 0 { self.random.u64(..20 * SECOND) } else { MS };
            self.schedule.after(wait_us, Event::Start(Node::Worker(at)));
        }
        self.start_link_checks();
        self.start_operator();
        self.clients.is_busy = true;
        self.schedule.after(2 * SECOND, Event::NextAction);
        self.schedule.after(4 * SECOND, Event::Fault);
        self.start_healing_later();
    }

    /// Lets everything happen, until all is done or an invariant is broken.
    pub(crate) fn run(&mut self) {
        let mut events = 0;
        while self.oracle.violation.is_none() && self.stage != Stage::Done {
            let Some(event) = self.schedule.next() else { break };
            self.oracle.at_us(self.schedule.now_us());
            self.happen(event);
            events += 1;
            if events > EVENTS_MAX {
                self.oracle.fail(Invariant::G, "too much happens and nothing comes of it".to_owned());
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Master { at, life, what } => self.happen_at_master(at, life, what),
            Event::Worker { at, life, what } => self.happen_at_worker(at, life, what),
            Event::Up(link) => self.arrive_up(link),
            Event::Down(link) => self.arrive_down(link),
            Event::CheckLinks => self.check_links(),
            Event::Start(Node::Master(at)) => self.start_master(at),
            Event::Start(Node::Worker(at)) => self.start_worker(at),
            Event::Wake(node, life) => self.wake(node, life),
            Event::Fault => self.next_fault(),
            Event::FaultOver(fault) => self.end_fault(fault),
            Event::NextAction => self.next_action(),
            Event::Attempt(action, attempts) => self.attempt(action, attempts),
            Event::Answered { action, outcome } => self.hear_answer(action, outcome),
            Event::Operator => self.operate(),
            Event::LookAtHealing => self.look_at_healing(),
        }
    }

    /// A number that was never given out.
    pub(crate) fn next_token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        self.trace.note(self.schedule.now_us(), what);
    }

    pub(crate) fn trace_hash(&self) -> u64 {
        self.trace.hash()
    }
}

fn some_clock(random: &mut Rng) -> Clock {
    Clock { fast_ppm: random.i64(-500..=500), wall_ahead_ms: random.i64(-5_000..=5_000) }
}

fn some_masters(random: &mut Rng, count: usize) -> Vec<Master> {
    let mut masters: Vec<Master> = (0..MASTERS_MAX).map(|at| Master::new(at, some_clock(random))).collect();
    for master in &mut masters[..count] {
        master.id = RaftId(random.u64(1..));
    }
    let founders: Vec<NamedMember> = masters[..count].iter().map(Master::named).collect();
    for master in &mut masters[..count] {
        master.equip(master.id, Stored::founded(&founders));
    }
    masters
}

fn some_workers(random: &mut Rng) -> Vec<Worker> {
    let most = if random.u32(..10) == 0 { 20 } else { 6 };
    let count = random.usize(1..=most);
    let mut worker = |at| {
        let profile = WorkerProfile { cpu_millis: random.u32(1..5) * 1_000, ..WorkerProfile::default() };
        Worker::new(at, some_clock(random), profile)
    };
    (0..count).map(&mut worker).collect()
}

fn some_settings(random: &mut Rng) -> Settings {
    Settings {
        rebalance_every: Duration::from_secs(random.u64(2..10)),
        heartbeat: Duration::from_millis(random.u64(300..1_000)),
        lease: Some(LEASE),
        // As the program reckons it from the lease and the election time-out.
        lost_after: LEASE + limits::DRAIN_MAX + Duration::from_secs(1),
        losses_max: 1_000,
        expect_workers: 1,
        ready_wait: Duration::from_secs(6),
        sync_interval: Duration::from_secs(10),
    }
}
