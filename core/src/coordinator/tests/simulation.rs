//! Leaders and workers in virtual time. Messages are late or come twice, links break, proposals get lost, workers pause
//! and die, leaders change. Then faults end, and the run must end with every delta that was acknowledged, once.

mod fake_worker;

use std::collections::BTreeSet;

use proptest::prelude::{Just, ProptestConfig, any, prop, prop_oneof, proptest};
use proptest::strategy::Strategy as Fates;

use super::*;
use crate::state::command::LossPolicy;
use fake_worker::FakeWorker;

const STEP_US: u64 = 250_000;
/// Slots that are looked at: the lowest ones stand for all, as slots are dealt in turn.
const SAMPLE: u64 = 60;

fn settings() -> Settings {
    Settings {
        rebalance_every: Duration::from_secs(4),
        lease: Some(fake_worker::LEASE),
        lost_after: fake_worker::LEASE + limits::DRAIN_MAX + 2 * SECOND,
        losses_max: 100,
        ready_wait: Duration::from_secs(6),
        ..Settings::default()
    }
}

/// A link between a worker and the leader: what was said and has not arrived, in order.
#[derive(Debug, Default)]
struct Link {
    is_up: bool,
    up: VecDeque<FromWorker>,
    down: VecDeque<ToWorker>,
}

struct Cluster {
    state: ClusterState,
    coordinator: Coordinator,
    settings: Settings,
    now_us: u64,
    /// How far the leader's monotonic clock is from the world's.
    leader_offset_us: u64,
    next: u64,
    proposals: VecDeque<Command>,
    workers: Vec<FakeWorker>,
    links: Vec<Link>,
    was_ended: bool,
}

/// What goes wrong, and where.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    BreakLink(usize),
    Twice(usize),
    DropProposals,
    NewLeader(usize),
    Kill { at: usize, is_seen: bool },
    Pause(usize, u64),
    Goodbye(usize),
    Slow,
}

fn faults() -> impl Fates<Value = Fault> {
    prop_oneof![
        8 => Just(Fault::None),
        3 => (0_usize..8).prop_map(Fault::BreakLink),
        2 => (0_usize..8).prop_map(Fault::Twice),
        2 => Just(Fault::DropProposals),
        2 => (0_usize..8).prop_map(Fault::NewLeader),
        1 => (0_usize..8, any::<bool>()).prop_map(|(at, is_seen)| Fault::Kill { at, is_seen }),
        1 => (0_usize..8, 1_u64..20).prop_map(|(at, seconds)| Fault::Pause(at, seconds)),
        1 => (0_usize..8).prop_map(Fault::Goodbye),
        2 => Just(Fault::Slow),
    ]
}

impl Cluster {
    fn new(workers: usize) -> Self {
        let settings = settings();
        let state = ClusterState::default();
        let (coordinator, _) = Coordinator::lead(settings.clone(), Now { mono_us: 0, unix_ms: 0 }, &state);
        Self {
            state,
            coordinator,
            settings,
            now_us: 0,
            leader_offset_us: 0,
            next: 1,
            proposals: VecDeque::new(),
            workers: (0..workers).map(|at| FakeWorker::new(&format!("w{at}"))).collect(),
            links: (0..workers).map(|_| Link::default()).collect(),
            was_ended: false,
        }
    }

    fn now(&self) -> Now {
        Now { mono_us: self.now_us + self.leader_offset_us, unix_ms: self.now_us / 1_000 }
    }

    fn step(&mut self, input: Input) {
        let outputs = self.coordinator.step(input, self.now(), &self.state);
        for output in outputs {
            match output {
                Output::Propose(command) => self.proposals.push_back(command),
                Output::Send(worker, message) => {
                    let at = self.workers.iter().position(|known| known.id == worker).expect("known");
                    if self.links[at].is_up {
                        self.links[at].down.push_back(message);
                    }
                }
                Output::SendTo(worker, incarnation, message) => {
                    let at = self.workers.iter().position(|known| known.id == worker).expect("known");
                    if self.links[at].is_up && self.workers[at].linked_as == incarnation {
                        self.links[at].down.push_back(message);
                    }
                }
                Output::RunEnded => self.was_ended = true,
            }
        }
    }

    fn commit(&mut self, count: usize, leads: bool) {
        for _ in 0..count {
            let Some(command) = self.proposals.pop_front() else { return };
            let time_ms = self.now_us / 1_000;
            let entry = Entry { index: LogIndex(self.next), time_ms, request: None, command: command.clone() };
            self.next += 1;
            let applied = self.state.apply(&entry);
            if leads {
                self.step(Input::Applied { command, applied });
            }
        }
    }

    fn fault(&mut self, fault: Fault) {
        let count = self.workers.len();
        match fault {
            Fault::None | Fault::Slow => {}
            Fault::BreakLink(at) => self.break_link(at % count, false),
            Fault::Twice(at) => {
                let link = &mut self.links[at % count];
                if let Some(first) = link.up.front().cloned() {
                    link.up.push_front(first);
                }
            }
            Fault::DropProposals => {
                for command in std::mem::take(&mut self.proposals) {
                    self.step(Input::Dropped { command });
                }
            }
            Fault::NewLeader(committed) => self.fail_over(committed),
            Fault::Kill { at, is_seen } => {
                self.workers[at % count].die();
                self.break_link(at % count, is_seen);
            }
            Fault::Pause(at, seconds) => {
                self.workers[at % count].paused_until_us = self.now_us + seconds * 1_000_000;
            }
            Fault::Goodbye(at) => {
                let at = at % count;
                if self.workers[at].may_say_goodbye() && self.links[at].is_up {
                    self.links[at].up.push_back(FromWorker::Goodbye);
                }
            }
        }
    }

    /// Some of what the old leader proposed is committed, the rest is lost without anybody hearing of it.
    fn fail_over(&mut self, committed: usize) {
        self.commit(committed, false);
        self.proposals.clear();
        self.state = ClusterState::from_bytes(&self.state.to_bytes()).expect("its own snapshot");
        self.leader_offset_us += 77_000_000;
        (self.coordinator, _) = Coordinator::lead(self.settings.clone(), self.now(), &self.state);
        (0..self.links.len()).for_each(|at| self.links[at] = Link::default());
    }

    fn break_link(&mut self, at: usize, died: bool) {
        let was_up = std::mem::take(&mut self.links[at]).is_up;
        let (worker, incarnation) = (self.workers[at].id.clone(), self.workers[at].linked_as);
        if was_up {
            self.step(Input::Unlinked { worker, incarnation, died });
        }
    }

    /// A quarter of a second.
    fn pass(&mut self, is_slow: bool) {
        self.now_us += STEP_US;
        for at in 0..self.workers.len() {
            let now_us = self.now_us;
            if self.workers[at].is_up(now_us) && !self.links[at].is_up {
                self.links[at].is_up = true;
                let hello = self.workers[at].hello(now_us);
                self.links[at].up.push_back(hello);
            }
            if self.workers[at].is_up(now_us) {
                let said = self.workers[at].tick(now_us);
                self.say(at, said);
                let heard: Vec<ToWorker> = self.links[at].down.drain(..).collect();
                for message in heard {
                    let said = self.workers[at].hear(message, now_us);
                    self.say(at, said);
                }
            }
            let arriving = if is_slow { self.links[at].up.len() / 2 } else { self.links[at].up.len() };
            for _ in 0..arriving {
                let Some(message) = self.links[at].up.pop_front() else { break };
                let (worker, incarnation) = (self.workers[at].id.clone(), self.workers[at].linked_as);
                self.step(Input::Message { worker, incarnation, message });
            }
            self.check_slots();
        }
        self.step(Input::Tick);
        self.commit(if is_slow { 1 } else { 100 }, true);
        self.check_slots();
    }

    fn say(&mut self, at: usize, messages: Vec<FromWorker>) {
        if self.links[at].is_up {
            self.links[at].up.extend(messages);
        }
    }

    /// No user exists on two workers.
    fn check_slots(&self) {
        for slot in 0..SAMPLE {
            let runs = self.workers.iter().filter(|worker| worker.runs(slot, self.now_us));
            let names: Vec<_> = runs.map(|worker| worker.id.to_string()).collect();
            assert!(names.len() <= 1, "slot {slot} is run by {names:?} at {} s", self.now_us as f64 / 1e6);
        }
    }

    /// Every delta counts at most once, and each one that a worker was told is safe counts.
    fn check_totals(&self) {
        let run = self.state.run().expect("a run");
        let counted: BTreeSet<String> = run.stats().total.endpoints.keys().map(|key| key.name.to_string()).collect();
        for (key, measured) in &run.stats().total.endpoints {
            assert_eq!(measured.requests(), 1, "{} counts more than once", key.name);
        }
        for worker in &self.workers {
            for name in &worker.safe {
                assert!(counted.contains(name), "{name} was acknowledged and is not counted");
            }
            for name in &counted {
                let of_it = name.starts_with(&format!("{}/", worker.id));
                assert!(!of_it || worker.sealed.contains(name), "{name} was never measured");
            }
        }
    }

    /// Everybody who took part to the end has all of it counted.
    fn check_finished(&self) {
        let run = self.state.run().expect("a run");
        let counted: BTreeSet<String> = run.stats().total.endpoints.keys().map(|key| key.name.to_string()).collect();
        for participant in run.participants().iter().filter(|known| known.state == ParticipantState::Finished) {
            let worker = self.workers.iter().find(|known| known.id == participant.worker).expect("known");
            if worker.incarnation == participant.incarnation {
                let all = worker.sealed_in_last_membership();
                assert!(all.iter().all(|name| counted.contains(name)), "{all:?} of {counted:?}");
            }
        }
    }

    fn start(&mut self, on_loss: LossPolicy) {
        (0..8).for_each(|_| self.pass(false));
        let plan = Plan::new(SAMPLE, SpawnRate::per_second(1_000.0).expect("valid"), None);
        let mut spec = spec(plan);
        spec.distribution.on_loss = on_loss;
        let order = Order::Start(RUN, spec);
        let command = self.coordinator.order(order, self.now(), &self.state).expect("workers are there");
        self.proposals.push_back(command);
    }

    fn stop(&mut self) {
        if let Ok(command) = self.coordinator.order(Order::Stop, self.now(), &self.state) {
            self.proposals.push_back(command);
        }
    }

    fn has_ended(&self) -> bool {
        self.state.run().is_some_and(|run| run.phase() == RunPhase::Ended)
    }
}

fn live_through(on_loss: LossPolicy, workers: usize, faults: &[Fault]) {
    let mut cluster = Cluster::new(workers);
    cluster.start(on_loss);
    (0..2).for_each(|_| cluster.pass(false));
    for fault in faults {
        cluster.fault(*fault);
        (0..3).for_each(|_| cluster.pass(matches!(fault, Fault::Slow)));
        cluster.check_totals();
    }
    // Faults end. Whoever was lost is lost now, and whoever can be there is.
    (0..100).for_each(|_| cluster.pass(false));
    let run = cluster.state.run().expect("a run");
    if run.phase() == RunPhase::Active && on_loss == LossPolicy::Replace {
        for slot in 0..SAMPLE {
            let count = cluster.workers.iter().filter(|worker| worker.runs(slot, cluster.now_us)).count();
            assert_eq!(count, 1, "slot {slot} is run by nobody although all is well");
        }
    }
    for _ in 0..4 {
        cluster.stop();
        (0..40).for_each(|_| cluster.pass(false));
    }
    assert!(cluster.has_ended(), "{:?}", cluster.state.run().map(Run::participants));
    assert!(cluster.state.run().is_some_and(|run| run.missing().is_empty()), "all is well, and so nobody is missing");
    cluster.check_totals();
    cluster.check_finished();
    assert!(cluster.workers.iter().all(|worker| !worker.is_in_run()), "everybody has left it");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_totals_are_right_and_no_user_exists_twice(
        faults in prop::collection::vec(faults(), 1..40), workers in 1_usize..5,
    ) {
        live_through(LossPolicy::Replace, workers, &faults);
    }

    #[test]
    fn other_policies_lose_users_and_nothing_else(
        faults in prop::collection::vec(faults(), 1..25), fails in any::<bool>(),
    ) {
        live_through(if fails { LossPolicy::Fail } else { LossPolicy::Continue }, 3, &faults);
    }
}

#[test]
fn a_run_without_faults_counts_all_and_is_valid() {
    let mut cluster = Cluster::new(3);
    cluster.start(LossPolicy::Replace);
    (0..60).for_each(|_| cluster.pass(false));
    cluster.stop();
    (0..20).for_each(|_| cluster.pass(false));
    assert!(cluster.was_ended && cluster.has_ended());
    cluster.check_totals();
    cluster.check_finished();
    let run = cluster.state.run().expect("a run");
    let validity = RunView::of(run, &ValidityLimits::default()).validity;
    assert_eq!((validity.verdict, validity.reasons), (Verdict::Valid, Vec::new()));
    let sealed: usize = cluster.workers.iter().map(|worker| worker.sealed.len()).sum();
    assert_eq!(run.stats().total.total().requests() as usize, sealed);
}
