//! What the core's orders do to users.

use akrida_core::ids::RunId;
use akrida_core::stats::endpoint::EndpointKey;
use akrida_core::stats::measurements::Measurements;
use akrida_core::wire::Assignment;
use akrida_core::worker::{Output, RunEvent, Sealed};

use super::engine::{Load, Open};
use crate::bugs::Bug;
use crate::clock::MS;
use crate::event::WorkerEvent;
use crate::invariants::ledger::{DeltaId, SealedBy};
use crate::world::World;

/// How long users may go on that are to stop at once: for requests in flight.
const GRACE_US: u64 = 1_000 * MS;
/// The largest number of a request. So many are sent in a run that their sum still fits.
const NUMBER_MAX: u64 = 1 << 40;

impl World {
    pub(super) fn carry_out_on_users(&mut self, at: usize, output: Output) {
        match output {
            Output::Prepare(assignment) => self.prepare(at, &assignment),
            Output::Launch { .. } | Output::Resume | Output::GiveRows { .. } => {}
            Output::Start(starts) => starts.iter().for_each(|start| self.start_user(at, start.index)),
            Output::Stop(users) => {
                let told: std::collections::BTreeSet<u64> = users.into_iter().collect();
                self.stop_users(at, None, |user| told.contains(&user));
            }
            Output::MoveSlots { epoch, slots } => {
                self.oracle.counts.moves += 1;
                self.stop_users(at, None, |user| !slots.owns_user(user));
                self.await_at(at, |load| load.await_others_gone(epoch, slots));
                if self.bug == Some(Bug::EarlyRelease)
                    && let Some(run) = self.load_at(at).map(|load| load.run)
                {
                    self.plan_at_worker(at, 1, WorkerEvent::OfRun(run, RunEvent::SlotsLeft { epoch }));
                }
            }
            Output::Drain { within_us } => {
                self.oracle.counts.drains += 1;
                self.stop_users(at, Some(within_us), |_| true);
                self.await_at(at, |load| load.await_all_gone(RunEvent::Drained));
            }
            Output::EndLoad => {
                self.stop_users(at, None, |_| true);
                self.await_at(at, |load| load.await_all_gone(RunEvent::UsersStopped));
            }
            Output::Seal => {
                let wait_us = self.random.u64(50..20 * MS);
                if let Some(preparation) = self.load_at(at).map(|load| load.preparation) {
                    self.plan_at_worker(at, wait_us, WorkerEvent::Collect(preparation));
                }
            }
            Output::Finished(run) => self.finish_load(at, run),
            Output::Abandon { run, .. } => self.abandon_load(at, run),
            Output::Send(_)
            | Output::Heartbeat { .. }
            | Output::Retired { .. }
            | Output::Rejected { .. }
            | Output::PutOff { .. } => {}
        }
    }

    fn load_at(&mut self, at: usize) -> Option<&mut Load> {
        self.workers[at].process.as_mut().and_then(|process| process.load())
    }

    fn prepare(&mut self, at: usize, assignment: &Assignment) {
        let wait_us = self.random.u64(MS..400 * MS);
        let Some(process) = &mut self.workers[at].process else { return };
        process.preparations += 1;
        let (run, position, number) = (assignment.run, assignment.position, process.preparations);
        process.loads.push(Load::new(run, number, position, assignment.stop_timeout_ms * MS));
        self.plan_at_worker(at, wait_us, WorkerEvent::Prepared(number));
    }

    /// A run is ready once its scenario is compiled and no user of another one is left.
    pub(super) fn prepared(&mut self, at: usize, preparation: u64) {
        let Some(process) = &mut self.workers[at].process else { return };
        if process.loads.iter().any(|load| load.is_abandoned) {
            return self.plan_at_worker(at, 20 * MS, WorkerEvent::Prepared(preparation));
        }
        let Some(run) = process.load().filter(|load| load.preparation == preparation).map(|load| load.run) else {
            return;
        };
        let fails = self.random.u32(..1_000) < self.pace.unprepared_permille;
        let outcome = if fails { Err("the scenario cannot be compiled".into()) } else { Ok(()) };
        self.plan_at_worker(at, 1, WorkerEvent::OfRun(run, RunEvent::Prepared(outcome)));
    }

    fn start_user(&mut self, at: usize, index: u64) {
        let token = self.next_token();
        let (first_us, now_us) = (self.random.u64(MS..self.pace.request_every_us), self.schedule.now_us());
        let Some(load) = self.load_at(at) else { return };
        load.start(token, index);
        let run = load.run;
        self.oracle.slots.started(run, index, at);
        self.check_alone(at, run, index, now_us);
        self.plan_at_worker(at, first_us, WorkerEvent::Sample(token));
    }

    /// Tells users to stop. Those that must be gone within a time are; others have the run's time for it, or the grace.
    fn stop_users(&mut self, at: usize, within_us: Option<u64>, is_told: impl Fn(u64) -> bool) {
        let now_us = self.schedule.now_us();
        let mut random = self.random.fork();
        let Some(load) = self.load_at(at) else { return };
        let most_us = within_us.unwrap_or(load.stop_us + GRACE_US);
        // Most stop soon, and some need all the time that there is.
        let told = load.stop(is_told, || {
            let slow = random.u32(..4) == 0;
            now_us + random.u64(0..=if slow { most_us } else { most_us.min(200 * MS) })
        });
        for (token, ends_us) in told {
            self.plan_at_worker(at, ends_us - now_us, WorkerEvent::UserEnded(token));
        }
    }

    fn await_at(&mut self, at: usize, waits: impl FnOnce(&mut Load)) {
        if let Some(load) = self.load_at(at) {
            waits(load);
        }
        self.tell_what_is_due(at);
    }

    fn tell_what_is_due(&mut self, at: usize) {
        let Some(load) = self.load_at(at) else { return };
        let (run, due) = (load.run, load.take_due());
        for event in due {
            let wait_us = self.random.u64(1..2 * MS);
            self.plan_at_worker(at, wait_us, WorkerEvent::OfRun(run, event));
        }
    }

    pub(super) fn user_ended(&mut self, at: usize, token: u64) {
        let now_us = self.schedule.now_us();
        let Some(process) = &mut self.workers[at].process else { return };
        let ended = process.loads.iter_mut().find_map(|load| Some((load.run, load.end(token, now_us)?)));
        let Some((run, index)) = ended else { return };
        process.loads.retain(|load| !load.is_abandoned || load.len() > 0);
        self.oracle.slots.ended(run, index, at);
        self.tell_what_is_due(at);
    }

    /// A user sends a request if it exists and may. One that may not waits for the order to stop.
    pub(super) fn sample(&mut self, at: usize, token: u64) {
        let now_us = self.schedule.now_us();
        let (number, pause_us) = (self.random.u64(1..NUMBER_MAX), self.request_pause());
        let is_blind = self.bug == Some(Bug::BlindWake);
        let Some(process) = &mut self.workers[at].process else { return };
        let may_send = process.may_send(now_us) || is_blind;
        let Some(load) = process.loads.iter_mut().find(|load| load.index_of(token).is_some()) else { return };
        let (run, Some(index)) = (load.run, load.index_of(token)) else { return };
        if may_send {
            if !load.is_abandoned {
                load.count(number);
            }
            self.oracle.counts.requests += 1;
            self.check_alone(at, run, index, now_us);
        }
        self.plan_at_worker(at, pause_us, WorkerEvent::Sample(token));
    }

    fn request_pause(&mut self) -> u64 {
        self.random.u64(self.pace.request_every_us / 2..self.pace.request_every_us * 3 / 2)
    }

    /// The collectors give what they have.
    pub(super) fn collect(&mut self, at: usize, preparation: u64) {
        let Some(process) = &mut self.workers[at].process else { return };
        let incarnation = process.incarnation;
        let Some(load) = process.load().filter(|load| load.preparation == preparation) else { return };
        let (run, position, users, open) = (load.run, load.position, load.len() as u64, load.drain());
        let by = SealedBy { run, worker: self.worker_id(at), incarnation, position, preparation };
        let id = self.oracle.ledger.seal(by, open);
        let sealed = Sealed { users: vec![users], cpu_permille: 100, measurements: measurements(id, open) };
        self.plan_at_worker(at, 1, WorkerEvent::OfRun(run, RunEvent::Sealed(Box::new(sealed))));
    }

    fn finish_load(&mut self, at: usize, run: RunId) {
        if let Some(process) = &mut self.workers[at].process {
            process.loads.retain(|load| load.run != run || load.is_abandoned);
        }
    }

    fn abandon_load(&mut self, at: usize, run: RunId) {
        self.stop_users(at, Some(GRACE_US), |_| true);
        let Some(process) = &mut self.workers[at].process else { return };
        if let Some(load) = process.load().filter(|load| load.run == run) {
            load.is_abandoned = true;
        }
        process.loads.retain(|load| !load.is_abandoned || load.len() > 0);
    }
}

/// What a delta holds: its requests, and its own name, which tells afterwards what was merged.
fn measurements(id: DeltaId, open: Open) -> Measurements {
    let mut measured = Measurements { http_exchanges: open.requests, ..Measurements::default() };
    measured.generator_errors.insert(id.name(), 1);
    if open.requests > 0 {
        let endpoint = measured.endpoints.entry(EndpointKey::request("GET", "/")).or_default();
        (0..open.requests).for_each(|request| endpoint.ok_latency.record(1_000 * (1 + request % 7)));
        endpoint.content_bytes = open.numbers;
    }
    measured
}
