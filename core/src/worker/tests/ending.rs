//! How a run ends for a worker, and how a worker ends.

use super::*;
use crate::state::command::StopReason;

#[test]
fn the_end_of_the_plan_stops_all_users_then_seals_the_last_delta_and_forgets_the_run_once_it_is_safe() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), Some(500_000)), None);
    rig.ends_at_once = false;
    rig.pass(612_000, true);
    assert!(rig.take_outputs().contains(&Output::EndLoad));
    rig.event(RunEvent::UsersStopped);
    let deltas = rig.take_deltas();
    assert!(deltas[0].last);
    assert_eq!((deltas[0].interval.from_us, deltas[0].interval.to_us), (0, 612_000));
    assert!(rig.hear(acknowledge(1)).contains(&Output::Finished(RUN)));
    assert_eq!(
        rig.worker.hello(),
        Output::Send(FromWorker::Hello { profile: WorkerProfile::default(), running: None })
    );
}

#[test]
fn users_that_stop_while_a_seal_is_under_way_still_get_their_last_delta() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), Some(SECOND)), None);
    rig.pass(0, true);
    let ticked = rig.worker.step(Input::Tick, SECOND);
    assert!(ticked.contains(&Output::Seal) && ticked.contains(&Output::EndLoad), "{ticked:?}");
    let of_run = |event| Input::OfRun { run: RUN, event };
    assert_eq!(rig.worker.step(of_run(RunEvent::UsersStopped), SECOND + 500), []);
    rig.now_us = SECOND + 500;
    let sealed = Sealed { users: vec![0], cpu_permille: 0, measurements: Measurements::default() };
    rig.event(RunEvent::Sealed(Box::new(sealed)));
    let last: Vec<bool> = rig.take_deltas().iter().map(|delta| delta.last).collect();
    assert_eq!(last.iter().filter(|last| **last).count(), 1, "{last:?}");
}

#[test]
fn a_plan_that_ends_in_the_past_ends_even_without_users() {
    let plan = Plan::new(0, rate(1.0), None);
    let mut rig = Rig::running(plan.clone(), None);
    rig.pass(300_000, true);
    rig.hear(ToWorker::Update { run: RUN, plan: plan.ended_at(100_000), segment: 0 });
    rig.pass(0, true);
    assert!(rig.take_outputs().contains(&Output::EndLoad));
}

#[test]
fn exhausted_data_stops_the_run_and_is_told_again_until_the_plan_has_an_end() {
    let plan = Plan::new(1, rate(1.0), None);
    let mut rig = Rig::running(plan.clone(), None);
    rig.pass(400_000, true);
    let stop = FromWorker::StopRun { run: RUN, at_us: 400_000, reason: StopReason::DataExhausted };
    let of_another = Input::OfRun { run: RunId(7), event: RunEvent::DataExhausted };
    assert_eq!(rig.give(of_another), []);
    assert_eq!(rig.event(RunEvent::DataExhausted), [Output::Send(stop.clone())]);
    assert_eq!(rig.event(RunEvent::DataExhausted), [], "told by another feeder");
    rig.take_said();
    rig.pass(SECOND, true);
    assert!(rig.take_said().contains(&stop), "the leader may not have heard it");
    rig.hear(ToWorker::Update { run: RUN, plan: plan.ended_at(400_000), segment: 0 });
    rig.pass(SECOND, true);
    assert!(!rig.take_said().contains(&stop));
}

#[test]
fn another_run_takes_the_place_of_one_that_the_cluster_has_given_up() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.pass(2 * SECOND, true);
    let next = Assignment { run: RunId(2), ..assignment(Plan::new(1, rate(1.0), None), SlotSet::all()) };
    let outputs = rig.hear(ToWorker::Begin(Box::new(next)));
    assert!(matches!(outputs[..], [Output::Abandon { run: RUN, lost_deltas: 2 }, Output::Prepare(_)]), "{outputs:?}");
    assert_eq!(rig.event(RunEvent::UsersStopped), [], "what happens in the old one means nothing");
}

#[test]
fn a_run_to_leave_is_forgotten_and_another_one_is_not_touched() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.pass(SECOND, true);
    assert_eq!(rig.hear(ToWorker::Leave { run: RunId(7) }), []);
    assert_eq!(rig.hear(ToWorker::Leave { run: RUN }), [Output::Abandon { run: RUN, lost_deltas: 1 }]);
    rig.take_outputs();
    rig.pass(10 * SECOND, true);
    assert!(rig.take_outputs().iter().all(|output| matches!(output, Output::Heartbeat { running: None, .. })));
}

#[test]
fn a_worker_that_leaves_says_goodbye_when_its_last_delta_is_safe() {
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), None);
    rig.pass(SECOND + 500_000, true);
    rig.hear(acknowledge(1));
    rig.take_said();
    assert_eq!(rig.give(Input::Retire), [Output::EndLoad]);
    let deltas = rig.take_deltas();
    assert_eq!((deltas.len(), deltas[0].last), (1, false), "the run goes on elsewhere");
    let outputs = rig.hear(acknowledge(2));
    let goodbye = Output::Send(FromWorker::Goodbye);
    assert_eq!(outputs, [Output::Finished(RUN), goodbye, Output::Retired { lost_deltas: 0 }]);
    assert_eq!(rig.hear(begin(Plan::new(1, rate(1.0), None))), [], "it is gone");
    assert_eq!(rig.worker.next_tick_us(), None);
}

#[test]
fn a_worker_that_leaves_does_not_wait_for_ever() {
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), None);
    rig.pass(SECOND + 500_000, true);
    rig.give(Input::LeaderLost);
    rig.give(Input::Retire);
    rig.take_outputs();
    rig.pass(limits::RETIRE_WAIT.as_micros() as u64, false);
    assert_eq!(rig.take_outputs(), [Output::Abandon { run: RUN, lost_deltas: 2 }, Output::Retired { lost_deltas: 2 }]);
}

#[test]
fn an_idle_worker_leaves_at_once() {
    let mut rig = Rig::welcomed(None);
    assert_eq!(rig.give(Input::Retire), [Output::Send(FromWorker::Goodbye), Output::Retired { lost_deltas: 0 }]);
}

#[test]
fn a_worker_leaves_in_good_order_when_its_masters_say_that_they_end() {
    let mut rig = Rig::welcomed(None);
    assert_eq!(rig.hear(ToWorker::Quit), [Output::Send(FromWorker::Goodbye), Output::Retired { lost_deltas: 0 }]);
    assert_eq!(rig.hear(ToWorker::Quit), [], "said again");
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), None);
    rig.pass(500_000, true);
    assert_eq!(rig.hear(ToWorker::Quit), [Output::EndLoad], "its users stop first");
}

#[test]
fn a_worker_that_is_not_wanted_stops_its_users_and_ends() {
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), None);
    rig.pass(500_000, true);
    let refused = rig.hear(ToWorker::Refused { reason: "quarantine".into() });
    let rejected = Output::Rejected { reason: "quarantine".into() };
    assert_eq!(refused, [Output::Abandon { run: RUN, lost_deltas: 0 }, rejected]);
    assert_eq!(rig.hear(begin(Plan::new(1, rate(1.0), None))), []);
}

#[test]
fn a_worker_without_any_master_runs_as_long_as_its_lease_lasts() {
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), Some(10_000));
    rig.pass(SECOND, true);
    rig.give(Input::LeaderLost);
    let rejected = Output::Rejected { reason: "no master".into() };
    rig.give(Input::Unreachable { reason: "no master".into() });
    rig.pass(9 * SECOND, false);
    assert!(!rig.outputs.contains(&rejected));
    rig.pass(10 * SECOND, false);
    assert!(rig.outputs.contains(&rejected));
}
