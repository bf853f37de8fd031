use std::collections::BTreeSet;

use super::*;
use crate::plan::classes::ClassShare;
use crate::plan::rate::SpawnRate;

const RUN: RunId = RunId(1);

fn rate(per_s: f64) -> SpawnRate {
    SpawnRate::per_second(per_s).expect("valid")
}

fn assignment(plan: Plan, position: usize, workers: usize) -> Box<Assignment> {
    let shares = vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }];
    Box::new(Assignment {
        run: RUN,
        bundle: None,
        plan,
        shares,
        slots: Dealing::round_robin(workers).set_of(position),
        epoch: 0,
        position,
        workers,
        segment: 0,
        stop_timeout_ms: 0,
    })
}

fn begun(plan: Plan) -> WorkerCore {
    let mut worker = WorkerCore::new(WorkerId("w".into()), Incarnation(1));
    worker.step(Input::Message(ToWorker::Begin(assignment(plan, 0, 1))));
    worker
}

fn sealed() -> Input {
    let measurements = Measurements::default();
    Input::Sealed(Box::new(Sealed { users: vec![1], cpu_permille: 10, measurements }))
}

fn deltas(outputs: &[Output]) -> Vec<&Delta> {
    let delta = |output| match output {
        &Output::Send(FromWorker::Delta(ref delta)) => Some(&**delta),
        _ => None,
    };
    outputs.iter().filter_map(delta).collect()
}

fn started(outputs: &[Output]) -> Vec<u64> {
    let indices = |output: &Output| match output {
        Output::Start(starts) => starts.iter().map(|start| start.index).collect(),
        _ => Vec::new(),
    };
    outputs.iter().flat_map(indices).collect()
}

#[test]
fn users_start_when_the_plan_says() {
    let mut worker = begun(Plan::new(3, rate(2.0), None));
    assert_eq!(started(&worker.step(Input::Tick { now_us: 0 })), [0]);
    assert_eq!(worker.next_tick_us(0), Some(500_000));
    assert_eq!(started(&worker.step(Input::Tick { now_us: 499_999 })), [0_u64; 0]);
    assert_eq!(started(&worker.step(Input::Tick { now_us: 900_000 })), [1]);
    let starts = worker.step(Input::Tick { now_us: 5_000_000 });
    assert!(
        starts.contains(&Output::Start(vec![UserStart { index: 2, class: 0, intended_start_us: 1_000_000 }])),
        "{starts:?}"
    );
}

#[test]
fn the_workers_of_a_run_start_every_user_once() {
    let mut all = BTreeSet::new();
    for position in 0..3 {
        let mut worker = WorkerCore::new(WorkerId("w".into()), Incarnation(1));
        let plan = Plan::new(1_000, rate(1_000.0), None);
        worker.step(Input::Message(ToWorker::Begin(assignment(plan, position, 3))));
        for now_us in (0..2_000_000).step_by(100_000) {
            for user in started(&worker.step(Input::Tick { now_us })) {
                assert!(all.insert(user), "user {user} started twice");
            }
        }
    }
    assert_eq!(all.len(), 1_000);
}

#[test]
fn a_lower_target_stops_the_youngest_users_first() {
    let mut worker = begun(Plan::new(4, rate(1_000.0), None));
    worker.step(Input::Tick { now_us: 900_000 });
    let plan = Plan::new(4, rate(1_000.0), None).edited(950_000, 1, rate(1_000.0));
    worker.step(Input::Message(ToWorker::Update { run: RUN, plan, segment: 0 }));
    assert_eq!(worker.step(Input::Tick { now_us: 990_000 }), [Output::Stop(vec![3, 2, 1])]);
}

#[test]
fn deltas_are_sealed_at_whole_seconds_numbered_and_kept_until_they_are_safe() {
    let mut worker = begun(Plan::new(1, rate(1.0), None));
    worker.step(Input::Tick { now_us: 0 });
    assert_eq!(worker.step(Input::Tick { now_us: 1_003_000 }), [Output::Seal]);
    assert_eq!(worker.step(Input::Tick { now_us: 1_004_000 }), [], "one seal at a time");
    worker.step(sealed());
    worker.step(Input::Tick { now_us: 2_001_000 });
    let outputs = worker.step(sealed());
    let delta = deltas(&outputs)[0].clone();
    assert_eq!((delta.seq, delta.interval.from_us, delta.interval.to_us), (Seq(2), 1_000_000, 2_000_000));

    let again =
        worker.step(Input::Message(ToWorker::Welcome { last_seq: Seq(1), lease_ms: None, heartbeat_ms: 1_000 }));
    assert_eq!(deltas(&again), [&delta], "what is not safe is sent again, unchanged");
    worker.step(Input::Message(ToWorker::Acknowledge { run: RUN, seq: Seq(2) }));
    assert_eq!(
        worker.step(Input::Message(ToWorker::Welcome { last_seq: Seq(2), lease_ms: None, heartbeat_ms: 1_000 })),
        []
    );
}

#[test]
fn the_end_of_the_plan_stops_all_users_then_seals_the_last_delta_and_forgets_the_run_once_it_is_safe() {
    let mut worker = begun(Plan::new(1, rate(1.0), Some(500_000)));
    worker.step(Input::Tick { now_us: 0 });
    assert_eq!(worker.step(Input::Tick { now_us: 500_000 }), [Output::StopAll]);
    assert_eq!(worker.step(Input::UsersStopped { now_us: 612_000 }), [Output::Seal]);
    let outputs = worker.step(sealed());
    let delta = deltas(&outputs)[0];
    assert!(delta.last);
    assert_eq!((delta.interval.from_us, delta.interval.to_us), (0, 612_000));
    assert_eq!(worker.next_tick_us(700_000), None);
    let outputs = worker.step(Input::Message(ToWorker::Acknowledge { run: RUN, seq: Seq(1) }));
    assert_eq!(outputs, [Output::Finished(RUN)]);
}

#[test]
fn users_that_stop_while_a_seal_is_under_way_still_get_their_last_delta() {
    let mut worker = begun(Plan::new(1, rate(1.0), Some(1_000_000)));
    worker.step(Input::Tick { now_us: 0 });
    assert_eq!(worker.step(Input::Tick { now_us: 1_000_000 }), [Output::Seal, Output::StopAll]);
    assert_eq!(worker.step(Input::UsersStopped { now_us: 1_000_500 }), []);
    let outputs = worker.step(sealed());
    assert_eq!(deltas(&outputs).len(), 1);
    assert_eq!(outputs.last(), Some(&Output::Seal));
    let outputs = worker.step(sealed());
    assert!(deltas(&outputs)[0].last);
}

#[test]
fn a_reset_seals_what_came_before_it_in_the_old_segment() {
    let mut worker = begun(Plan::new(1, rate(1.0), None));
    worker.step(Input::Tick { now_us: 0 });
    let update = ToWorker::Update { run: RUN, plan: Plan::new(1, rate(1.0), None), segment: 1 };
    worker.step(Input::Message(update));
    assert_eq!(worker.step(Input::Tick { now_us: 300_000 }), [Output::Seal]);
    assert_eq!(deltas(&worker.step(sealed()))[0].interval.segment, 0);
    worker.step(Input::Tick { now_us: 1_000_000 });
    let outputs = worker.step(sealed());
    let interval = &deltas(&outputs)[0].interval;
    assert_eq!((interval.segment, interval.from_us), (1, 300_000));
}

#[test]
fn a_full_outbox_makes_the_open_delta_coarser() {
    let mut worker = begun(Plan::new(1, rate(1.0), None));
    for second in 1..=limits::OUTBOX_DELTAS_MAX as u64 {
        worker.step(Input::Tick { now_us: second * 1_000_000 });
        worker.step(sealed());
    }
    let full_us = (limits::OUTBOX_DELTAS_MAX as u64 + 5) * 1_000_000;
    assert_eq!(worker.step(Input::Tick { now_us: full_us }), []);
    worker.step(Input::Message(ToWorker::Acknowledge { run: RUN, seq: Seq(1) }));
    assert_eq!(worker.step(Input::Tick { now_us: full_us }), [Output::Seal]);
    let outputs = worker.step(sealed());
    let interval = &deltas(&outputs)[0].interval;
    assert_eq!(interval.to_us - interval.from_us, 5_000_000);
}

#[test]
fn exhausted_data_stops_the_run_and_is_told_again_until_the_plan_has_an_end() {
    let plan = Plan::new(1, rate(1.0), None);
    let mut worker = begun(plan.clone());
    worker.step(Input::Tick { now_us: 0 });
    let stop = FromWorker::StopRun { run: RUN, at_us: 400_000, reason: StopReason::DataExhausted };
    let exhausted = |run, now_us| Input::DataExhausted { run, now_us };
    assert_eq!(worker.step(exhausted(RunId(7), 300_000)), [], "another run");
    assert_eq!(worker.step(exhausted(RUN, 400_000)), [Output::Send(stop.clone())]);
    assert_eq!(worker.step(exhausted(RUN, 500_000)), [], "told by another feeder");
    worker.step(Input::Tick { now_us: 1_000_000 });
    assert!(worker.step(sealed()).contains(&Output::Send(stop.clone())), "the leader may not have heard it");
    worker.step(Input::Message(ToWorker::Update { run: RUN, plan: plan.ended_at(400_000), segment: 0 }));
    assert_eq!(worker.step(Input::Tick { now_us: 1_100_000 }), [Output::StopAll]);
    worker.step(Input::Tick { now_us: 2_000_000 });
    assert!(!worker.step(sealed()).contains(&Output::Send(stop)));
}
