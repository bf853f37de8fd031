use super::*;
use crate::view::workers::WorkerState;

#[test]
fn a_run_needs_as_many_workers_as_are_expected() {
    let mut leader = Leader::new(Settings { expect_workers: 2, ..Settings::default() });
    assert_eq!(leader.order(Order::Start(RUN, spec(endless()))), Err(Refusal::NoWorkers));
    leader.hello("a", 1, None);
    leader.commit_all();
    let few = Refusal::TooFewWorkers { present: 1, expected: 2 };
    assert_eq!(leader.order(Order::Start(RUN, spec(endless()))), Err(few));
    leader.hello("b", 1, None);
    leader.commit_all();
    leader.order(Order::Start(RUN, spec(endless()))).expect("starts");
    leader.commit_all();
    assert_eq!(leader.order(Order::Start(RunId(2), spec(endless()))), Err(Refusal::RunIsActive));
}

#[test]
fn an_edit_takes_effect_a_little_later_so_that_all_have_heard_of_it() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance(3 * SECOND);
    leader.order(Order::Edit { users: 50, rate: SpawnRate::ONE_PER_SECOND }).expect("active");
    let at_us = 3_000_000 + limits::EDIT_AHEAD.as_micros() as u64;
    assert!(matches!(leader.proposals[0], Command::EditRun { at_us: at, .. } if at == at_us), "{:?}", leader.proposals);
    leader.sent.clear();
    leader.commit_all();
    let updates = leader.sent.iter().filter(|(_, message)| matches!(message, ToWorker::Update { .. })).count();
    assert_eq!(updates, 2);
}

#[test]
fn orders_find_no_run_a_run_being_prepared_or_one_that_stops() {
    let mut leader = Leader::new(Settings::default());
    let edit = || Order::Edit { users: 2, rate: SpawnRate::ONE_PER_SECOND };
    for order in [edit(), Order::Reset, Order::Stop] {
        assert_eq!(leader.order(order), Err(Refusal::NoSuchRun));
    }
    let mut leader = Leader::preparing(&["a"], Settings::default(), spec(endless()));
    assert_eq!(leader.order(Order::Reset), Err(Refusal::RunIsPreparing));
    leader.order(edit()).expect("a plan can be changed before it begins");
    leader.commit_all();
    assert_eq!(leader.run().plan().last_target(), 2);
    let mut leader = Leader::running(&["a"], endless());
    leader.order(Order::Stop).expect("active");
    leader.commit_all();
    for order in [edit(), Order::Reset, Order::Stop] {
        assert_eq!(leader.order(order), Err(Refusal::RunIsStopping));
    }
}

#[test]
fn an_order_for_one_run_reaches_no_other() {
    let to = |run| Order::To(run, Box::new(Order::Stop));
    let mut leader = Leader::new(Settings::default());
    assert_eq!(leader.order(to(RUN)), Err(Refusal::NoSuchRun));
    let mut leader = Leader::running(&["a"], endless());
    assert_eq!(leader.order(to(RunId(9))), Err(Refusal::NoSuchRun));
    leader.order(to(RUN)).expect("active");
}

#[test]
fn a_run_that_a_worker_asks_to_stop_stops_for_that_reason_once() {
    let mut leader = Leader::running(&["a", "b"], endless());
    let exhausted = |run, at_us| FromWorker::StopRun { run, at_us, reason: StopReason::DataExhausted };
    leader.say("a", exhausted(RunId(9), 1_000_000));
    leader.say("c", exhausted(RUN, 1_000_000));
    assert!(leader.proposals.is_empty(), "another run, and a stranger");
    leader.say("a", exhausted(RUN, 3_000_000));
    leader.say("b", exhausted(RUN, 4_000_000));
    leader.commit_all();
    leader.say("a", exhausted(RUN, 5_000_000));
    assert!(leader.proposals.is_empty(), "it stops already");
    assert_eq!((leader.run().phase(), leader.run().plan().ends_at_us()), (RunPhase::Stopping, Some(3_000_000)));
    let view = RunView::of(leader.run(), &ValidityLimits::default());
    assert_eq!(view.run.stop_reason, Some(StopReason::DataExhausted));
}

#[test]
fn the_workers_are_shown_as_they_are() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.hello("c", 1, None);
    leader.commit_all();
    leader.step(Input::Unlinked { worker: worker("b"), incarnation: Incarnation(1), died: true });
    leader.commit_all();
    let vitals = Vitals { users: 9, ..Vitals::default() };
    leader.say("a", FromWorker::Heartbeat { sent_us: 5, running: in_run(None), vitals });
    let told = leader.told("a");
    let plan = told.iter().find_map(|message| match message {
        ToWorker::HeartbeatHeard { sent_us: 5, plan } => *plan,
        _ => None,
    });
    assert_eq!(plan.map(|plan| plan.run), Some(RUN), "{told:?}");
    leader.advance(2 * SECOND);
    let view = leader.coordinator.workers_view(leader.now, &leader.state);
    let states: Vec<_> = view.iter().map(|worker| (worker.state, worker.slots, worker.losses)).collect();
    let expected = [(WorkerState::Running, SLOTS_U64, 0), (WorkerState::Gone, 0, 1), (WorkerState::Idle, 0, 0)];
    assert_eq!(states, expected);
    assert_eq!((view[0].heard_ms_ago, view[0].vitals), (Some(2_000), Some(vitals)));
    let json = serde_json::to_string(&view).expect("serializes");
    assert!(json.contains(r#""state":"running""#), "{json}");
}

#[test]
fn a_view_travels_as_messagepack_and_json() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("a", delta("a", 1, false));
    leader.step(Input::Unlinked { worker: worker("b"), incarnation: Incarnation(1), died: true });
    leader.commit_all();
    let view = RunView::of(leader.run(), &ValidityLimits::default());
    let packed = rmp_serde::to_vec(&view).expect("serializes");
    let unpacked: RunView = rmp_serde::from_slice(&packed).expect("its own bytes");
    assert_eq!(unpacked.total, view.total);
    assert_eq!(unpacked.incidents, view.incidents);
    let json = serde_json::to_string(&view).expect("serializes");
    let read: RunView = serde_json::from_str(&json).expect("its own text");
    assert_eq!(read.total.latency, view.total.latency);
}
