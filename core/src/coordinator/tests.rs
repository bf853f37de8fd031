//! A leader, a log and workers in one thread: what arrives is what was measured, once, whatever gets lost.

use proptest::prelude::*;

use super::*;
use crate::ids::LogIndex;
use crate::plan::Plan;
use crate::state::Entry;
use crate::stats::delta::Interval;
use crate::stats::endpoint::EndpointKey;
use crate::stats::measurements::Measurements;
use crate::view::RunView;
use crate::view::validity::{ValidityLimits, Verdict};

const RUN: RunId = RunId(1);

struct Leader {
    state: ClusterState,
    coordinator: Coordinator,
    next: u64,
    proposals: Vec<Command>,
    sent: Vec<(WorkerId, ToWorker)>,
    ended: bool,
}

impl Leader {
    fn with_workers(names: &[&str], plan: Plan) -> Self {
        let mut leader = Self {
            state: ClusterState::default(),
            coordinator: Coordinator::default(),
            next: 1,
            proposals: Vec::new(),
            sent: Vec::new(),
            ended: false,
        };
        for name in names {
            let hello = FromWorker::Hello { worker: worker(name), incarnation: Incarnation(1) };
            leader.step(Input::Message(hello));
        }
        leader.step(Input::Order(Order::Start(RUN, spec(plan))));
        leader.commit_all();
        leader
    }

    fn step(&mut self, input: Input) {
        for output in self.coordinator.step(input, &self.state) {
            match output {
                Output::Propose(command) => self.proposals.push(command),
                Output::Send(worker, message) => self.sent.push((worker, message)),
                Output::RunEnded => self.ended = true,
            }
        }
    }

    fn commit_all(&mut self) {
        while !self.proposals.is_empty() {
            let command = self.proposals.remove(0);
            let entry = Entry { index: LogIndex(self.next), time_ms: 0, command: command.clone() };
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

    fn requests(&self) -> u64 {
        self.state.run().map_or(0, |run| run.stats().total.total().requests())
    }

    fn last_welcome(&self, name: &str) -> Option<Seq> {
        self.sent.iter().rev().find_map(|(to, message)| match message {
            ToWorker::Welcome { last_seq } if *to == worker(name) => Some(*last_seq),
            _ => None,
        })
    }
}

fn worker(name: &str) -> WorkerId {
    WorkerId(name.into())
}

fn spec(plan: Plan) -> Box<RunSpec> {
    Box::new(RunSpec {
        plan,
        run_time_ms: None,
        scenario: "test".into(),
        host: None,
        profile: None,
        classes: vec!["A".into()],
        shares: Vec::new(),
        stop_timeout_ms: 0,
        reset_when_spawned: false,
        warm_up_ms: 0,
        thresholds: Vec::new(),
    })
}

fn endless() -> Plan {
    Plan::new(1, SpawnRate::per_second(1.0).expect("valid"), None)
}

fn delta(name: &str, seq: u64, last: bool) -> Input {
    let mut measurements = Measurements::default();
    let endpoint = measurements.endpoints.entry(EndpointKey::request("GET", "/")).or_default();
    endpoint.ok_latency.record(seq);
    let (from_us, to_us) = (seq * 1_000_000, (seq + 1) * 1_000_000);
    let interval = Interval { from_us, to_us, segment: 0, users: vec![1], cpu_permille: 0, measurements };
    let delta = Delta { run: RUN, worker: worker(name), incarnation: Incarnation(1), seq: Seq(seq), interval, last };
    Input::Message(FromWorker::Delta(Box::new(delta)))
}

#[test]
fn every_participant_is_given_its_place() {
    let leader = Leader::with_workers(&["b", "a"], endless());
    let places: Vec<_> = leader
        .sent
        .iter()
        .filter_map(|(to, message)| match message {
            ToWorker::Begin(assignment) => Some((to.0.to_string(), assignment.position, assignment.workers)),
            _ => None,
        })
        .collect();
    assert_eq!(places, [("a".into(), 0, 2), ("b".into(), 1, 2)]);
}

#[test]
fn nothing_is_acknowledged_before_it_is_applied() {
    let mut leader = Leader::with_workers(&["a"], endless());
    leader.step(delta("a", 1, false));
    let acknowledged = |leader: &Leader| {
        leader.sent.iter().any(|(_, message)| matches!(message, ToWorker::Acknowledge { seq: Seq(1), .. }))
    };
    assert!(!acknowledged(&leader));
    leader.commit_all();
    assert!(acknowledged(&leader));
}

#[test]
fn deltas_that_come_while_a_batch_is_under_way_go_into_the_next() {
    let mut leader = Leader::with_workers(&["a", "b"], endless());
    leader.step(delta("a", 1, false));
    leader.step(delta("a", 2, false));
    leader.step(delta("b", 1, false));
    assert_eq!(leader.proposals.len(), 1);
    leader.commit_all();
    assert_eq!(leader.requests(), 3);
}

#[test]
fn a_gap_is_answered_with_what_is_safe() {
    let mut leader = Leader::with_workers(&["a"], endless());
    leader.step(delta("a", 3, false));
    assert_eq!((leader.last_welcome("a"), leader.proposals.len()), (Some(Seq(0)), 0));
}

#[test]
fn a_lost_batch_is_sent_again_by_the_workers() {
    let mut leader = Leader::with_workers(&["a"], endless());
    leader.step(delta("a", 1, false));
    leader.step(delta("a", 2, false));
    leader.drop_all();
    assert_eq!(leader.last_welcome("a"), Some(Seq(0)));
    leader.step(delta("a", 1, false));
    leader.step(delta("a", 2, false));
    leader.commit_all();
    assert_eq!(leader.requests(), 2);
}

#[test]
fn a_run_whose_time_is_over_is_stopped_once_and_ends_with_its_last_delta() {
    let plan = Plan::new(1, SpawnRate::per_second(1.0).expect("valid"), Some(5_000_000));
    let mut leader = Leader::with_workers(&["a"], plan);
    leader.step(Input::Tick { now_unix_ms: 4_999 });
    assert!(leader.proposals.is_empty());
    leader.step(Input::Tick { now_unix_ms: 5_000 });
    leader.step(Input::Tick { now_unix_ms: 5_100 });
    assert_eq!(leader.proposals.len(), 1);
    leader.commit_all();
    leader.step(delta("a", 1, true));
    leader.commit_all();
    assert!(leader.ended);
}

#[test]
fn a_run_whose_data_is_exhausted_stops_for_that_reason_once() {
    let mut leader = Leader::with_workers(&["a", "b"], endless());
    let exhausted = |run, at_us| Input::Message(FromWorker::StopRun { run, at_us, reason: StopReason::DataExhausted });
    leader.step(exhausted(RunId(9), 1_000_000));
    assert!(leader.proposals.is_empty(), "another run");
    leader.step(exhausted(RUN, 3_000_000));
    leader.step(exhausted(RUN, 4_000_000));
    leader.commit_all();
    leader.step(exhausted(RUN, 5_000_000));
    assert!(leader.proposals.is_empty(), "it stops already");
    let run = leader.state.run().expect("a run");
    assert_eq!((run.phase(), run.plan().ends_at_us()), (RunPhase::Stopping, Some(3_000_000)));
    assert_eq!(RunView::of(run, &ValidityLimits::default()).run.stop_reason, Some(StopReason::DataExhausted));
    let told = leader.sent.iter().filter(|(_, message)| matches!(message, ToWorker::Update { .. })).count();
    assert_eq!(told, 4, "both workers, of both proposals");
}

#[test]
fn a_worker_that_never_reports_its_end_is_named() {
    let plan = Plan::new(1, SpawnRate::per_second(1.0).expect("valid"), Some(1_000_000));
    let mut leader = Leader::with_workers(&["a", "b"], plan);
    leader.step(Input::Tick { now_unix_ms: 1_000 });
    leader.commit_all();
    leader.step(delta("a", 1, true));
    leader.commit_all();
    assert!(!leader.ended);
    leader.step(Input::Tick { now_unix_ms: 1_001 + limits::LAST_DELTAS_WAIT.as_millis() as u64 });
    leader.commit_all();
    assert!(leader.ended);
    let run = leader.state.run().expect("ran");
    assert_eq!(run.missing(), [worker("b")]);
    let validity = RunView::of(run, &ValidityLimits::default()).validity;
    assert_eq!(validity.verdict, Verdict::Invalid);
    assert!(validity.reasons.iter().any(|(_, reason)| reason.contains("worker b")), "{validity:?}");
}

proptest! {
    #[test]
    fn whatever_is_lost_on_the_way_every_delta_counts_once(
        fates in prop::collection::vec((0_u8..4, 0_usize..2), 1..80),
    ) {
        let names = ["a", "b"];
        let mut leader = Leader::with_workers(&names, endless());
        let mut sealed = [0_u64; 2];
        for (fate, at) in fates {
            match fate {
                0 => {
                    sealed[at] += 1;
                    leader.step(delta(names[at], sealed[at], false));
                }
                1 => sealed[at] += 1,
                2 => leader.commit_all(),
                _ => leader.drop_all(),
            }
        }
        leader.commit_all();
        for (at, name) in names.iter().enumerate() {
            let safe = leader.state.worker(&worker(name)).expect("registered").last_seq.0;
            (safe + 1..=sealed[at]).for_each(|seq| leader.step(delta(name, seq, false)));
            leader.commit_all();
        }
        prop_assert_eq!(leader.requests(), sealed.iter().sum::<u64>());
    }
}
