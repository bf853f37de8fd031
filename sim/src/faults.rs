//! What goes wrong, and for how long. Which kinds of faults there are differs from seed to seed.

use fastrand::Rng;

use crate::clock::{MS, SECOND};
use crate::disk::GOOD_WRITE_US;
use crate::event::{Event, Node};
use crate::world::World;

/// A fault that ends by itself.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Cut(Vec<(Node, Node)>),
    SlowDisk(usize),
    Lag(usize),
    Loss,
    SlowNetwork,
}

/// Kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Split,
    /// Masters do not reach each other, and workers reach all of them.
    SplitMasters,
    /// A worker reaches only some of the masters.
    CutWorker,
    OneWay,
    Isolate,
    Bridge,
    Loss,
    SlowNetwork,
    SlowDisk,
    /// The storage that all masters share stands still.
    StallDisks,
    Lag,
    /// A master dies as soon as it has voted, and is back at once, while the others elect a leader.
    CrashVoter,
    PauseMaster,
    CrashMaster,
    CrashAllMasters,
    PauseWorker,
    CrashWorker,
    RetireWorker,
    ClockJump,
    Members,
    Nothing,
}

const KINDS: [Kind; 21] = [
    Kind::Split,
    Kind::SplitMasters,
    Kind::CutWorker,
    Kind::OneWay,
    Kind::Isolate,
    Kind::Bridge,
    Kind::Loss,
    Kind::SlowNetwork,
    Kind::SlowDisk,
    Kind::StallDisks,
    Kind::Lag,
    Kind::CrashVoter,
    Kind::PauseMaster,
    Kind::CrashMaster,
    Kind::CrashAllMasters,
    Kind::PauseWorker,
    Kind::CrashWorker,
    Kind::RetireWorker,
    Kind::ClockJump,
    Kind::Members,
    Kind::Nothing,
];

/// The faults of a seed.
#[derive(Debug)]
pub(crate) struct Faults {
    kinds: Vec<Kind>,
    every_us: u64,
    pub(crate) are_over: bool,
}

impl Faults {
    /// Some kinds of faults, more or less often.
    pub(crate) fn some(random: &mut Rng) -> Self {
        let share = random.u32(20..100);
        let mut kinds: Vec<Kind> = KINDS.into_iter().filter(|_| random.u32(..100) < share).collect();
        if kinds.is_empty() {
            kinds.push(Kind::Nothing);
        }
        Self { kinds, every_us: random.u64(SECOND..4 * SECOND), are_over: false }
    }
}

impl World {
    pub(crate) fn next_fault(&mut self) {
        if self.faults.are_over {
            return;
        }
        let wait_us = self.random.u64(100 * MS..2 * self.faults.every_us);
        self.schedule.after(wait_us, Event::Fault);
        let kind = self.faults.kinds[self.random.usize(..self.faults.kinds.len())];
        self.oracle.counts.faults += u64::from(kind != Kind::Nothing);
        self.note(format_args!("fault: {kind:?}"));
        self.begin_fault(kind);
    }

    fn begin_fault(&mut self, kind: Kind) {
        let (master, worker) = (self.master_to_fail(), self.random.usize(..self.workers.len()));
        match kind {
            Kind::Nothing => {}
            Kind::Split | Kind::SplitMasters | Kind::OneWay | Kind::Isolate | Kind::Bridge => self.begin_cut(kind),
            Kind::CutWorker => self.cut_worker(worker),
            Kind::Loss => {
                (self.network.loss_permille, self.network.double_permille) = (150, 50);
                self.end_fault_later(Fault::Loss, 10 * SECOND);
            }
            Kind::SlowNetwork => {
                self.network.delay_us = self.random.u64(20 * MS..200 * MS);
                self.end_fault_later(Fault::SlowNetwork, 10 * SECOND);
            }
            Kind::SlowDisk => {
                self.masters[master].disk.write_us = self.random.u64(50 * MS..2 * SECOND);
                self.end_fault_later(Fault::SlowDisk(master), 10 * SECOND);
            }
            Kind::StallDisks => {
                let until_us = self.schedule.now_us() + self.random.u64(SECOND..9 * SECOND);
                self.masters.iter_mut().for_each(|master| master.disk.stall(until_us));
            }
            Kind::CrashVoter => {
                self.masters.iter_mut().for_each(|master| master.dies_after_vote = true);
                self.crash(Node::Master(master));
            }
            Kind::Lag => {
                self.masters[master].lag_us = self.random.u64(50 * MS..SECOND);
                self.end_fault_later(Fault::Lag(master), 8 * SECOND);
            }
            Kind::PauseMaster => self.pause(Node::Master(master), 14 * SECOND),
            Kind::PauseWorker => self.pause(Node::Worker(worker), 20 * SECOND),
            Kind::CrashMaster => self.crash(Node::Master(master)),
            Kind::CrashAllMasters => (0..self.masters.len()).for_each(|at| self.crash(Node::Master(at))),
            Kind::CrashWorker => self.crash(Node::Worker(worker)),
            Kind::RetireWorker => {
                if let Some(process) = self.workers[worker].process.as_mut().filter(|known| known.frozen.is_none()) {
                    process.retires = true;
                    self.step_worker(worker, akrida_core::worker::Input::Retire);
                }
            }
            Kind::ClockJump => {
                let hours = self.random.bool();
                let jump_ms = self.random.i64(-1_000..=1_000) * if hours { 3_600 } else { 10 };
                self.masters[master].clock.wall_ahead_ms += jump_ms;
            }
            Kind::Members => self.change_members(),
        }
    }

    /// A master that is in use.
    pub(crate) fn some_master(&mut self) -> usize {
        let masters: Vec<usize> = (0..self.masters.len()).filter(|at| self.masters[*at].is_in_use).collect();
        masters[self.random.usize(..masters.len())]
    }

    /// A master that is in use; every other time the one that leads.
    fn master_to_fail(&mut self) -> usize {
        let leads = |at: &usize| self.masters[*at].process.as_ref().is_some_and(|process| process.replica.leads());
        let leader = (0..self.masters.len()).find(leads).filter(|_| self.random.bool());
        leader.unwrap_or_else(|| self.some_master())
    }

    fn all_nodes(&self) -> Vec<Node> {
        let masters = (0..self.masters.len()).map(Node::Master);
        masters.chain((0..self.workers.len()).map(Node::Worker)).collect()
    }

    fn begin_cut(&mut self, kind: Kind) {
        let nodes = self.all_nodes();
        let one = Node::Master(self.master_to_fail());
        let one = if self.random.u32(..3) == 0 { nodes[self.random.usize(..nodes.len())] } else { one };
        let sides: Vec<bool> = nodes.iter().map(|_| self.random.bool()).collect();
        let outgoing = self.random.bool();
        let mut cut = Vec::new();
        for (from_at, from) in nodes.iter().enumerate() {
            for (to_at, to) in nodes.iter().enumerate() {
                let is_cut = match kind {
                    Kind::Isolate => *from == one || *to == one,
                    Kind::OneWay => (if outgoing { *from } else { *to }) == one,
                    Kind::SplitMasters => sides[from_at] != sides[to_at] && from.is_master() && to.is_master(),
                    Kind::Bridge => sides[from_at] != sides[to_at] && *from != one && *to != one,
                    _ => sides[from_at] != sides[to_at],
                };
                if is_cut && from_at != to_at {
                    cut.push((*from, *to));
                }
            }
        }
        self.network.cut(&cut);
        self.end_fault_later(Fault::Cut(cut), 15 * SECOND);
    }

    fn cut_worker(&mut self, worker: usize) {
        let worker = Node::Worker(worker);
        let mut cut = Vec::new();
        for master in (0..self.masters.len()).map(Node::Master) {
            if self.random.bool() {
                cut.extend([(worker, master), (master, worker)]);
            }
        }
        self.network.cut(&cut);
        self.end_fault_later(Fault::Cut(cut), 20 * SECOND);
    }

    fn end_fault_later(&mut self, fault: Fault, most_us: u64) {
        let wait_us = self.random.u64(200 * MS..most_us);
        self.schedule.after(wait_us, Event::FaultOver(fault));
    }

    pub(crate) fn end_fault(&mut self, fault: Fault) {
        if self.faults.are_over {
            return;
        }
        self.note(format_args!("over: {}", fault.name()));
        match fault {
            Fault::Cut(cut) => self.network.mend(&cut),
            Fault::SlowDisk(at) => self.masters[at].disk.write_us = GOOD_WRITE_US,
            Fault::Lag(at) => self.masters[at].lag_us = MS,
            Fault::Loss => (self.network.loss_permille, self.network.double_permille) = (0, 0),
            Fault::SlowNetwork => self.network.delay_us = 2 * MS,
        }
    }

    fn pause(&mut self, node: Node, most_us: u64) {
        let wait_us = self.random.u64(200 * MS..most_us);
        let life = match node {
            Node::Master(at) => {
                let life = self.masters[at].life;
                let process = self.masters[at].process.as_mut().filter(|process| process.frozen.is_none());
                process.map(|process| process.frozen = Some(Vec::new())).map(|()| life)
            }
            Node::Worker(at) => {
                let process = self.workers[at].process.as_mut().filter(|process| process.frozen.is_none());
                process.map(|process| {
                    process.frozen = Some(Vec::new());
                    process.life
                })
            }
        };
        if let Some(life) = life {
            self.note(format_args!("{node:?} is paused"));
            self.schedule.after(wait_us, Event::Wake(node, life));
        }
    }

    /// A paused process goes on: with what came meanwhile, and with its timers.
    pub(crate) fn wake(&mut self, node: Node, life: u64) {
        match node {
            Node::Master(at) if self.masters[at].life == life => {
                let frozen = self.masters[at].process.as_mut().and_then(|process| process.frozen.take());
                let Some(frozen) = frozen else { return };
                self.note(format_args!("{node:?} goes on"));
                let (timers, others): (Vec<_>, Vec<_>) = frozen.into_iter().partition(|what| what.is_timer());
                others.into_iter().chain(timers).for_each(|what| self.happen_at_master(at, life, what));
            }
            Node::Worker(at) if self.workers[at].life == life => {
                let frozen = self.workers[at].process.as_mut().and_then(|process| process.frozen.take());
                self.note(format_args!("{node:?} goes on"));
                frozen.into_iter().flatten().for_each(|what| self.happen_at_worker(at, life, what));
            }
            Node::Master(_) | Node::Worker(_) => {}
        }
    }

    fn crash(&mut self, node: Node) {
        // The system of a process that dies closes its connections; one that loses power does not.
        let says_so = self.random.u32(..4) > 0;
        match node {
            Node::Master(at) => self.crash_master(at, says_so),
            Node::Worker(at) => self.end_worker(at, says_so),
        }
        // A supervisor starts it again at once, a machine takes its time.
        let wait_us = if self.random.u32(..4) == 0 { 1..100 * MS } else { 200 * MS..12 * SECOND };
        let wait_us = self.random.u64(wait_us);
        self.schedule.after(wait_us, Event::Start(node));
    }

    /// A master has written a vote.
    pub(crate) fn has_voted(&mut self, at: usize) {
        if std::mem::take(&mut self.masters[at].dies_after_vote) && !self.faults.are_over {
            self.note(format_args!("master {at} has voted"));
            self.crash_master(at, true);
            let wait_us = self.random.u64(1..10 * MS);
            self.schedule.after(wait_us, Event::Start(Node::Master(at)));
        }
    }
}

impl Fault {
    fn name(&self) -> &'static str {
        match self {
            Self::Cut(_) => "cut",
            Self::SlowDisk(_) => "slow disk",
            Self::Lag(_) => "lag",
            Self::Loss => "loss",
            Self::SlowNetwork => "slow network",
        }
    }
}
