//! A worker: `WorkerCore` wired as in the program's worker actor, links to all masters, and an engine.
//!
//! - [`masters`]: its links, and which master leads
//! - [`engine`]: its users
//! - `users`: what the core's orders do to them

pub(crate) mod engine;
pub(crate) mod masters;
mod users;

use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::state::worker::WorkerProfile;
use akrida_core::wire::{FromWorker, ToWorker, Vitals};
use akrida_core::worker::{Input, Output, WorkerCore};

use crate::clock::{Clock, MS, Monotonic, SECOND};
use crate::event::{Event, Node, WorkerEvent};
use crate::invariants::ledger::SealedBy;
use crate::links::{ConnectionId, Up};
use crate::world::World;
use engine::Load;
use masters::Masters;

/// A worker by its place.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) clock: Clock,
    pub(crate) profile: WorkerProfile,
    /// The number of its last process.
    pub(crate) life: u64,
    pub(crate) process: Option<Process>,
    /// Whether it is to be there: one that has left for good is not started again.
    pub(crate) is_wanted: bool,
}

/// The process of a worker.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) life: u64,
    pub(crate) incarnation: Incarnation,
    mono: Monotonic,
    core: WorkerCore,
    masters: Masters,
    /// The load of the current run, and what is left of others.
    pub(crate) loads: Vec<Load>,
    preparations: u64,
    /// Until when users may send requests, by its own clock; as all users see it.
    permit_until_us: u64,
    /// The number of the timer that counts, and when it goes off.
    timer: u64,
    timer_due_us: u64,
    pub(crate) frozen: Option<Vec<WorkerEvent>>,
    /// Whether it was told to end in good order.
    pub(crate) retires: bool,
}

impl Worker {
    pub(crate) fn new(at: usize, clock: Clock, profile: WorkerProfile) -> Self {
        let id = WorkerId(format!("worker-{at}").into());
        Self { id, clock, profile, life: 0, process: None, is_wanted: true }
    }

    /// Whether a particular life of it goes on and is not paused.
    pub(crate) fn is_awake_in(&self, life: u64) -> bool {
        self.process.as_ref().is_some_and(|process| process.life == life && process.frozen.is_none())
    }
}

impl Process {
    /// The load that is on, or is being prepared.
    pub(crate) fn load(&mut self) -> Option<&mut Load> {
        self.loads.iter_mut().find(|load| !load.is_abandoned)
    }

    /// Whether its users may send requests.
    pub(crate) fn may_send(&self, now_us: u64) -> bool {
        self.frozen.is_none() && self.mono.at(now_us) < self.permit_until_us
    }
}

impl World {
    pub(crate) fn worker_id(&self, at: usize) -> WorkerId {
        self.workers[at].id.clone()
    }

    pub(crate) fn start_worker(&mut self, at: usize) {
        let now_us = self.schedule.now_us();
        let worker = &mut self.workers[at];
        if worker.process.is_some() || !worker.is_wanted {
            return;
        }
        worker.life += 1;
        let incarnation = Incarnation(self.random.u64(1..));
        worker.process = Some(Process {
            life: worker.life,
            incarnation,
            mono: Monotonic::started(worker.clock, now_us),
            core: WorkerCore::new(worker.id.clone(), incarnation, worker.profile.clone()),
            masters: Masters::default(),
            loads: Vec::new(),
            preparations: 0,
            permit_until_us: u64::MAX,
            timer: 0,
            timer_due_us: u64::MAX,
            frozen: None,
            retires: false,
        });
        self.note(format_args!("worker {at} starts"));
        for master in 0..self.masters.len() {
            let wait_us = self.random.u64(MS..300 * MS);
            self.plan_at_worker(at, wait_us, WorkerEvent::Connect(master));
        }
    }

    /// A worker's process is gone, and its users with it.
    pub(crate) fn end_worker(&mut self, at: usize, says_so: bool) {
        let Some(process) = self.workers[at].process.take() else { return };
        for load in &process.loads {
            load.users().for_each(|(_, user)| self.oracle.slots.ended(load.run, user, at));
        }
        self.note(format_args!("worker {at} is gone"));
        self.close_all_of(Node::Worker(at), process.life, says_so);
    }

    pub(crate) fn plan_at_worker(&mut self, at: usize, wait_us: u64, what: WorkerEvent) {
        let life = self.workers[at].life;
        self.schedule.after(wait_us, Event::Worker { at, life, what });
    }

    /// Something happens to a worker: now, after its pause, or never.
    pub(crate) fn happen_at_worker(&mut self, at: usize, life: u64, what: WorkerEvent) {
        let worker = &mut self.workers[at];
        let Some(process) = worker.process.as_mut().filter(|_| worker.life == life) else { return };
        if let Some(frozen) = &mut process.frozen {
            return frozen.push(what);
        }
        match what {
            WorkerEvent::Tick(timer) if timer == process.timer => {
                process.timer_due_us = u64::MAX;
                self.step_worker(at, Input::Tick);
            }
            WorkerEvent::Tick(_) => {}
            WorkerEvent::Connect(master) => self.worker_connects(at, master),
            WorkerEvent::Arrived(link) => self.worker_reads(at, link),
            WorkerEvent::Prepared(preparation) => self.prepared(at, preparation),
            WorkerEvent::OfRun(run, event) => self.step_worker(at, Input::OfRun { run, event }),
            WorkerEvent::Collect(preparation) => self.collect(at, preparation),
            WorkerEvent::Sample(token) => self.sample(at, token),
            WorkerEvent::UserEnded(token) => self.user_ended(at, token),
        }
    }

    fn worker_connects(&mut self, at: usize, master: usize) {
        let has = self.workers[at].process.as_ref().is_some_and(|process| process.masters.has(master));
        if !has
            && let Some(link) = self.connect(at, master)
            && let Some(process) = &mut self.workers[at].process
        {
            process.masters.connected(master, link);
        }
        let wait_us = self.random.u64(300 * MS..900 * MS);
        self.plan_at_worker(at, wait_us, WorkerEvent::Connect(master));
    }

    fn worker_reads(&mut self, at: usize, link: ConnectionId) {
        let Some(master) = self.links.connections.get(&link).map(|connection| connection.master) else { return };
        let Some(what) = self.take_down(link) else { return };
        self.note(format_args!("worker {at} < {link} {master}: {what:?}"));
        if matches!(what, crate::links::Down::Closed) {
            return self.close_at_worker(link, false);
        }
        let Some(process) = &mut self.workers[at].process else { return };
        let inputs = process.masters.hear(master, link, what);
        inputs.into_iter().for_each(|input| self.step_worker(at, input));
    }

    /// The worker's side of a link is closed.
    pub(crate) fn worker_lost_link(&mut self, link: ConnectionId) {
        let is_of = |process: &Process| process.masters.is_any(link);
        let at = self.workers.iter().position(|worker| worker.process.as_ref().is_some_and(is_of));
        let Some(at) = at else { return };
        let Some(process) = &mut self.workers[at].process else { return };
        let inputs = process.masters.lost(link);
        inputs.into_iter().for_each(|input| self.step_worker(at, input));
    }

    /// Gives the core an input and does what it says.
    pub(crate) fn step_worker(&mut self, at: usize, input: Input) {
        let now_us = self.schedule.now_us();
        self.check_confirmed(at, &input);
        let Some(process) = &mut self.workers[at].process else { return };
        let outputs = process.core.step(input, process.mono.at(now_us));
        process.permit_until_us = process.core.may_send_until_us();
        outputs.into_iter().for_each(|output| self.carry_out_of_worker(at, output));
        self.arm_timer(at);
    }

    fn carry_out_of_worker(&mut self, at: usize, output: Output) {
        match output {
            Output::Send(message) => self.worker_says(at, message),
            Output::Heartbeat { sent_us, running } => {
                let users =
                    self.workers[at].process.iter().flat_map(|process| &process.loads).map(Load::len).sum::<usize>();
                let vitals =
                    Vitals { users: users as u64, cpu_permille: 100, memory_bytes: 1, memory_limit_bytes: None };
                self.worker_says(at, FromWorker::Heartbeat { sent_us, running, vitals });
            }
            Output::Retired { .. } => self.worker_leaves(at),
            Output::Rejected { reason } => {
                self.note(format_args!("worker {at} is rejected: {reason}"));
                self.worker_leaves(at);
            }
            of_users => self.carry_out_on_users(at, of_users),
        }
    }

    fn worker_says(&mut self, at: usize, message: FromWorker) {
        if let FromWorker::Delta(delta) = &message {
            self.oracle.sent(delta);
        }
        let Some(process) = &self.workers[at].process else { return };
        let Some(link) = process.masters.to_leader() else { return };
        self.note(format_args!("worker {at} > {link}: {message:?}"));
        self.send_up(link, Up::Message(message));
    }

    /// A worker that is done ends once its last words are on their way, and comes back later.
    fn worker_leaves(&mut self, at: usize) {
        let wait_us = self.random.u64(SECOND..5 * SECOND);
        self.schedule.after(wait_us, Event::Start(Node::Worker(at)));
        self.end_worker(at, true);
    }

    fn arm_timer(&mut self, at: usize) {
        let now_us = self.schedule.now_us();
        let Some(process) = &mut self.workers[at].process else { return };
        let Some(next_us) = process.core.next_tick_us() else { return };
        let due_us = process.mono.when(next_us).max(now_us);
        if due_us == process.timer_due_us {
            return;
        }
        process.timer += 1;
        process.timer_due_us = due_us;
        let (life, timer) = (process.life, process.timer);
        self.schedule.at(due_us, Event::Worker { at, life, what: WorkerEvent::Tick(timer) });
    }
}

impl World {
    /// What a worker is about to drop because it hears that it is safe must have been accepted.
    fn check_confirmed(&mut self, at: usize, input: &Input) {
        let Input::Message(message) = input else { return };
        let (of, seq) = match message {
            ToWorker::Acknowledge { run, seq } => (Some(*run), *seq),
            ToWorker::Welcome { last_seq, .. } => (None, *last_seq),
            _ => return,
        };
        let worker = self.worker_id(at);
        let Some(process) = &mut self.workers[at].process else { return };
        let incarnation = process.incarnation;
        let Some(load) = process.load().filter(|load| of.is_none_or(|run| run == load.run)) else { return };
        let (run, position, preparation) = (load.run, load.position, load.preparation);
        let by = SealedBy { run, worker, incarnation, position, preparation };
        let confirmed = self.oracle.ledger.confirmed(&by, seq);
        self.oracle.check(confirmed);
    }
}
