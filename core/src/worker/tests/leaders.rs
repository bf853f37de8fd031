//! Leaders come and go; what they have to know is said again, and load waits for none of it.

use super::*;

#[test]
fn a_leader_is_greeted_until_it_answers() {
    let mut rig = Rig::new();
    let hello = FromWorker::Hello { profile: WorkerProfile::default(), running: None };
    assert_eq!(rig.give(Input::LeaderFound), [Output::Send(hello.clone())]);
    rig.pass(limits::SAY_AGAIN.as_micros() as u64, false);
    assert_eq!(rig.take_said(), [hello.clone(), hello], "and nothing else is said before");
    rig.hear(welcome(0, None));
    rig.pass(10 * SECOND, true);
    assert!(rig.take_said().iter().all(|said| matches!(said, FromWorker::Heartbeat { running: None, .. })));
}

#[test]
fn heartbeats_tell_where_the_worker_is() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.take_said();
    rig.pass(2 * SECOND, true);
    let beats: Vec<_> = rig
        .take_said()
        .into_iter()
        .filter_map(|said| match said {
            FromWorker::Heartbeat { sent_us, running, .. } => Some((sent_us, running)),
            _ => None,
        })
        .collect();
    let at = |us| (us, Some(Running { run: RUN, plan_us: Some(us) }));
    assert_eq!(beats, [at(0), at(SECOND), at(2 * SECOND)]);
}

#[test]
fn load_goes_on_without_a_leader_and_a_new_one_hears_what_is_not_safe() {
    let mut rig = Rig::running(Plan::new(20, rate(2.0), None), None);
    rig.pass(2 * SECOND, true);
    rig.hear(acknowledge(1));
    rig.give(Input::LeaderLost);
    rig.take_said();
    rig.pass(5 * SECOND, false);
    assert_eq!(rig.live.len(), 15);
    assert_eq!(rig.take_said(), [], "nothing is said to nobody");
    let hello = rig.give(Input::LeaderFound);
    let running = Some(Running { run: RUN, plan_us: Some(7 * SECOND) });
    assert_eq!(hello, [Output::Send(FromWorker::Hello { profile: WorkerProfile::default(), running })]);
    rig.hear(welcome(2, None));
    let seqs: Vec<u64> = rig.take_deltas().iter().map(|delta| delta.seq.0).collect();
    assert_eq!(seqs, [3, 4, 5, 6, 7]);
}

#[test]
fn a_new_leader_that_gives_the_run_again_changes_nothing_that_is_current() {
    let plan = Plan::new(5, rate(100.0), None);
    let mut rig = Rig::running(plan.clone(), None);
    rig.pass(SECOND, true);
    rig.hear(ToWorker::Slots { run: RUN, epoch: 2, slots: SlotSet::from_fn(|slot| slot == 3) });
    rig.give(Input::LeaderLost);
    rig.give(Input::LeaderFound);
    rig.hear(welcome(0, None));
    assert_eq!(rig.hear(begin(plan)), [Output::Send(FromWorker::Ready { run: RUN })], "its slots are out of date");
    rig.hear(launch(0));
    rig.pass(SECOND, true);
    assert_eq!(rig.users(), [3]);
}

#[test]
fn readiness_is_said_again_until_the_launch() {
    let mut rig = Rig::welcomed(None);
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    rig.take_said();
    let ready = FromWorker::Ready { run: RUN };
    rig.pass(limits::SAY_AGAIN.as_micros() as u64, true);
    assert!(rig.take_said().contains(&ready));
    rig.give(Input::LeaderFound);
    rig.hear(welcome(0, None));
    assert!(rig.take_said().contains(&ready));
    rig.hear(launch(0));
    rig.take_said();
    rig.pass(10 * SECOND, true);
    assert!(!rig.take_said().contains(&ready));
}

#[test]
fn messages_that_come_twice_or_late_do_no_harm() {
    let plan = Plan::new(5, rate(100.0), None);
    let mut rig = Rig::running(plan.clone(), None);
    rig.pass(3 * SECOND, true);
    let before = rig.users();
    rig.hear(acknowledge(3));
    for message in [
        acknowledge(1),
        launch(-500_000),
        ToWorker::HeartbeatHeard { sent_us: 0, plan: None },
        ToWorker::Slots { run: RUN, epoch: 0, slots: SlotSet::from_fn(|_| false) },
        ToWorker::Slots { run: RunId(9), epoch: 9, slots: SlotSet::from_fn(|_| false) },
        ToWorker::Update { run: RunId(9), plan: plan.ended_at(0), segment: 3 },
        ToWorker::Rows { run: RUN, feeder: 0, request: 1, rows: Vec::new() },
        begin(plan),
    ] {
        rig.hear(message);
    }
    rig.take_said();
    rig.pass(SECOND, true);
    assert_eq!(rig.users(), before);
    let deltas = rig.take_deltas();
    assert_eq!((deltas.len(), deltas[0].seq), (1, Seq(4)));
}

#[test]
fn a_worker_that_is_put_off_stops_its_users_and_asks_again_later() {
    let mut rig = Rig::running(Plan::new(5, rate(100.0), None), None);
    rig.pass(500_000, true);
    let put_off = rig.hear(ToWorker::NotNow { reason: "in use".into() });
    let told = Output::PutOff { reason: "in use".into() };
    assert_eq!(put_off, [Output::Abandon { run: RUN, lost_deltas: 0 }, told.clone()]);
    rig.said.clear();
    rig.pass(limits::NOT_NOW_RETRY.as_micros() as u64 - 1_000, false);
    assert_eq!(rig.said, [], "it says nothing meanwhile");
    rig.pass(2_000, false);
    assert!(matches!(rig.said[..], [FromWorker::Hello { running: None, .. }]), "{:?}", rig.said);
    assert_eq!(rig.hear(ToWorker::NotNow { reason: "in use".into() }), [told]);
    rig.hear(welcome(0, None));
    rig.hear(begin(Plan::new(5, rate(100.0), None)));
    assert!(rig.said.contains(&FromWorker::Ready { run: RUN }), "it is taken in when the name is free");
}
