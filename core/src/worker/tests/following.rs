//! Users start and stop when the plan says so.

use super::*;

#[test]
fn a_run_is_prepared_then_launched_and_only_then_users_start() {
    let mut rig = Rig::welcomed(None);
    rig.prepares_at_once = false;
    rig.take_said();
    assert!(matches!(&rig.hear(begin(Plan::new(3, rate(2.0), None)))[..], [Output::Prepare(_)]));
    rig.pass(SECOND / 2, false);
    assert!(!rig.said.contains(&FromWorker::Ready { run: RUN }));
    assert_eq!(rig.event(RunEvent::Prepared(Ok(()))), [Output::Send(FromWorker::Ready { run: RUN })]);
    assert_eq!(
        rig.hear(begin(Plan::new(3, rate(2.0), None))),
        [Output::Send(FromWorker::Ready { run: RUN })],
        "what is ready is not prepared again"
    );
    assert!(matches!(rig.hear(launch(-200_000))[..], [Output::Launch { anchor_us: 700_000, .. }]));
    assert_eq!(rig.hear(launch(-900_000)), [], "plan time is anchored once");
    rig.pass(199_999, false);
    assert_eq!(rig.users(), [0_u64; 0]);
    rig.pass(1, false);
    assert_eq!(rig.users(), [0]);
    rig.pass(SECOND, false);
    assert_eq!(rig.starts, [(0, 700_000), (1, 1_200_000), (2, 1_700_000)]);
}

#[test]
fn a_launch_that_comes_before_the_engine_is_ready_counts() {
    let mut rig = Rig::welcomed(None);
    rig.prepares_at_once = false;
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    assert_eq!(rig.hear(launch(0)), []);
    rig.pass(SECOND, false);
    let outputs = rig.event(RunEvent::Prepared(Ok(())));
    assert!(matches!(outputs[..], [Output::Send(_), Output::Launch { anchor_us: 0, .. }]), "{outputs:?}");
}

#[test]
fn a_run_that_cannot_be_prepared_is_declined_as_often_as_it_is_given() {
    let mut rig = Rig::welcomed(None);
    rig.prepares_at_once = false;
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    let declined = [Output::Send(FromWorker::CannotRun { run: RUN, reason: "no scenario".into() })];
    assert_eq!(rig.event(RunEvent::Prepared(Err("no scenario".into()))), declined);
    assert_eq!(rig.hear(begin(Plan::new(1, rate(1.0), None))), declined);
    rig.hear(launch(0));
    rig.pass(10 * SECOND, true);
    assert_eq!((rig.users(), rig.take_deltas().len()), (vec![], 0));
}

#[test]
fn half_the_round_trip_of_heartbeats_is_added_to_the_plan_time_of_a_launch() {
    let mut rig = Rig::welcomed(None);
    rig.pass(0, false);
    rig.pause(30_000);
    rig.hear(ToWorker::HeartbeatHeard { sent_us: 0, plan: None });
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    assert!(matches!(rig.hear(launch(-100_000))[..], [Output::Launch { anchor_us: 115_000, .. }]));
}

fn heard(sent_us: u64, plan_us: i64) -> ToWorker {
    ToWorker::HeartbeatHeard { sent_us, plan: Some(PlanTime { run: RUN, plan_us }) }
}

fn asks(rig: &mut Rig) -> bool {
    rig.give(Input::Tick).iter().any(|output| matches!(output, Output::Heartbeat { .. }))
}

#[test]
fn a_launch_that_may_be_old_is_not_believed_and_plan_time_is_asked_for() {
    let mut rig = Rig::welcomed(None);
    rig.pass(0, false);
    rig.hear(heard(0, -1));
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    // The process stands still, and finds the launch when it goes on.
    rig.pause(15 * SECOND);
    assert_eq!(rig.hear(launch(-200_000)), []);
    assert!(asks(&mut rig));
    // An answer to what was asked before the pause is as old.
    assert_eq!(rig.hear(heard(SECOND, 0)), []);
    rig.pause(20_000);
    let launched = rig.hear(heard(15 * SECOND, 14_790_000));
    assert!(matches!(launched[..], [Output::Launch { anchor_us: 220_000, .. }]), "{launched:?}");
}

#[test]
fn plan_time_from_a_heartbeat_launches_nothing_before_the_launch() {
    let mut rig = Rig::welcomed(None);
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    assert_eq!(rig.hear(heard(0, 50)), []);
    rig.pause(SECOND);
    assert_eq!(rig.hear(launch(50)), []);
    // Another leader may have dealt the slots to others: it has to say so first.
    rig.give(Input::LeaderLost);
    rig.give(Input::LeaderFound);
    rig.hear(welcome(0, None));
    assert_eq!(rig.hear(heard(SECOND, 50)), []);
    assert!(matches!(rig.hear(launch(70))[..], [Output::Launch { .. }]));
}

#[test]
fn a_round_trip_that_always_takes_long_does_not_keep_a_worker_from_its_launch() {
    let mut rig = Rig::welcomed(None);
    rig.pass(0, false);
    rig.pause(2 * SECOND);
    rig.hear(heard(0, -1));
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    assert!(matches!(rig.hear(launch(0))[..], [Output::Launch { anchor_us: SECOND_BEFORE, .. }]));
}

#[test]
fn a_worker_that_gets_only_late_answers_takes_one_of_them_after_a_while() {
    let mut rig = Rig::welcomed(None);
    rig.pass(0, false);
    rig.pause(5_000);
    rig.hear(heard(0, -1));
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    rig.pause(SECOND);
    let launched_us = rig.now_us;
    assert_eq!(rig.hear(launch(0)), []);
    // Answers take 800 ms now, and used to take 5 ms.
    rig.pause(800_000);
    assert_eq!(rig.hear(heard(launched_us, 400_000)), []);
    rig.pause(limits::LAUNCH_WAIT.as_micros() as u64);
    let sent_us = rig.now_us - 800_000;
    let launched = rig.hear(heard(sent_us, 3_400_000));
    assert!(matches!(launched[..], [Output::Launch { .. }]), "{launched:?}");
}

/// Half a round trip of 2 s before it was heard.
const SECOND_BEFORE: i64 = SECOND as i64;

#[test]
fn a_late_tick_starts_all_that_are_due_and_tells_when_they_should_have_started() {
    let mut rig = Rig::running(Plan::new(3, rate(2.0), None), None);
    rig.pass(0, false);
    rig.pause(5 * SECOND);
    let outputs = rig.give(Input::Tick);
    let start = |index, intended_start_us| UserStart { index, class: 0, intended_start_us };
    assert!(outputs.contains(&Output::Start(vec![start(1, 500_000), start(2, 1_000_000)])), "{outputs:?}");
}

#[test]
fn the_workers_of_a_run_start_every_user_once() {
    let mut all = BTreeSet::new();
    for worker in 0..3 {
        let mut rig = Rig::welcomed(None);
        let slots = SlotSet::from_fn(|slot| slot % 3 == worker);
        rig.hear(ToWorker::Begin(Box::new(assignment(Plan::new(1_000, rate(1_000.0), None), slots))));
        rig.hear(launch(0));
        rig.pass(2 * SECOND, false);
        assert!(rig.users().into_iter().all(|user| all.insert(user)));
    }
    assert_eq!(all.len(), 1_000);
}

#[test]
fn a_lower_target_stops_the_youngest_users_first() {
    let mut rig = Rig::running(Plan::new(4, rate(1_000.0), None), None);
    rig.pass(900_000, false);
    let plan = Plan::new(4, rate(1_000.0), None).edited(950_000, 1, rate(1_000.0));
    rig.hear(ToWorker::Update { run: RUN, plan, segment: 0 });
    rig.pause(90_000);
    assert_eq!(rig.give(Input::Tick), [Output::Stop(vec![3, 2, 1])]);
    assert_eq!(rig.users(), [0]);
}

#[test]
fn a_worker_that_joins_starts_its_users_at_its_share_of_the_spawn_rate() {
    let mut rig = Rig::welcomed(None);
    let quarter = SlotSet::from_fn(|slot| slot % 4 == 0);
    rig.hear(ToWorker::Begin(Box::new(assignment(Plan::new(100, rate(10.0), None), quarter))));
    rig.hear(launch(60 * SECOND as i64));
    rig.pass(SECOND, false);
    assert_eq!(rig.users(), [0, 4, 8], "2.5 a second");
    rig.pass(9 * SECOND, false);
    assert_eq!(rig.live.len(), 25);
    let intended = rig.outputs.iter().find_map(|output| match output {
        Output::Start(starts) => starts.iter().find(|start| start.index == 4).map(|start| start.intended_start_us),
        _ => None,
    });
    assert_eq!(intended, Some(60_400_000), "it is not late because it joined late");
    let first = rig.take_deltas()[0].interval.clone();
    assert_eq!((first.from_us, first.to_us), (60_000_000, 61_000_000));
}

#[test]
fn a_target_that_falls_while_users_are_missing_is_kept() {
    let mut rig = Rig::welcomed(None);
    let plan = Plan::new(100, rate(10.0), None);
    rig.hear(begin(plan.clone()));
    rig.hear(launch(60 * SECOND as i64));
    rig.pass(SECOND, false);
    assert_eq!(rig.live.len(), 11);
    rig.hear(ToWorker::Update { run: RUN, plan: plan.edited(62 * SECOND, 5, rate(1_000.0)), segment: 0 });
    rig.pass(3 * SECOND, false);
    assert_eq!(rig.users(), [0, 1, 2, 3, 4]);
}
