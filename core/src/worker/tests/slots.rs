//! Slots move between workers, and no user exists twice.

use super::*;

fn slots_of(worker: u16) -> SlotSet {
    SlotSet::from_fn(|slot| slot % 2 == worker)
}

fn moved(epoch: u64, slots: SlotSet) -> ToWorker {
    ToWorker::Slots { run: RUN, epoch, slots }
}

fn released(epoch: u64) -> FromWorker {
    FromWorker::Released { run: RUN, epoch }
}

fn at_half(plan: Plan) -> Rig {
    let mut rig = Rig::welcomed(None);
    rig.hear(ToWorker::Begin(Box::new(assignment(plan, slots_of(0)))));
    rig.hear(launch(0));
    rig
}

#[test]
fn users_of_lost_slots_stop_and_when_none_is_left_that_is_said() {
    let mut rig = Rig::running(Plan::new(10, rate(100.0), None), None);
    rig.pass(SECOND, true);
    rig.ends_at_once = false;
    assert!(matches!(rig.hear(moved(2, slots_of(0)))[..], [Output::MoveSlots { epoch: 2, .. }]));
    assert_eq!(rig.users(), [0, 2, 4, 6, 8]);
    assert_eq!(rig.hear(moved(2, slots_of(0))), [], "they have not ended");
    assert_eq!(rig.event(RunEvent::SlotsLeft { epoch: 2 }), [Output::Send(released(2))]);
    assert_eq!(rig.hear(moved(2, slots_of(0))), [Output::Send(released(2))], "the leader may not have heard it");
    assert_eq!(rig.hear(moved(1, SlotSet::all())), [], "out of date");
    rig.give(Input::LeaderFound);
    assert!(rig.hear(welcome(1, None)).contains(&Output::Send(released(2))));
}

#[test]
fn users_of_gained_slots_start_at_the_share_of_the_spawn_rate() {
    let mut rig = at_half(Plan::new(10, rate(10.0), None));
    rig.pass(5 * SECOND, true);
    rig.starts.clear();
    let at_us = rig.now_us;
    rig.hear(moved(2, SlotSet::all()));
    assert!(rig.said.contains(&released(2)), "also when nothing was lost");
    rig.pass(5 * SECOND, true);
    let expected: Vec<(u64, u64)> = (0..5).map(|at| (2 * at + 1, at_us + at * 100_000)).collect();
    assert_eq!(rig.starts, expected);
}

#[test]
fn slots_that_come_back_wait_for_the_users_that_still_stop() {
    let mut rig = Rig::running(Plan::new(4, rate(100.0), None), None);
    rig.pass(SECOND, true);
    rig.ends_at_once = false;
    rig.hear(moved(2, slots_of(0)));
    rig.hear(moved(3, SlotSet::all()));
    rig.starts.clear();
    rig.pass(SECOND, true);
    assert_eq!(rig.event(RunEvent::SlotsLeft { epoch: 2 }), [], "that is not the latest");
    rig.pass(SECOND, true);
    assert_eq!(rig.starts, []);
    rig.event(RunEvent::SlotsLeft { epoch: 3 });
    rig.pass(SECOND, true);
    assert_eq!(rig.users(), [0, 1, 2, 3]);
}

#[test]
fn slots_that_change_before_the_launch_are_released_at_once() {
    let mut rig = Rig::welcomed(None);
    rig.hear(begin(Plan::new(4, rate(100.0), None)));
    assert_eq!(rig.hear(moved(2, slots_of(1))), [Output::Send(released(2))]);
    let launched = rig.hear(launch(0));
    assert!(matches!(&launched[..], [Output::Launch { slots, .. }] if *slots == slots_of(1)));
    rig.pass(SECOND, true);
    assert_eq!(rig.users(), [1, 3]);
}

#[test]
fn that_slots_are_released_is_said_some_times_without_being_asked() {
    let mut rig = Rig::running(Plan::new(4, rate(100.0), None), None);
    rig.hear(moved(2, slots_of(0)));
    rig.pass(300 * SECOND, true);
    let times = rig.said.iter().filter(|said| **said == released(2)).count();
    assert_eq!(times, limits::RELEASED_SAID_MAX as usize);
}

/// Two workers and a leader that lets the second have slots only when the first has released them.
#[test]
fn no_user_exists_on_two_workers_and_after_a_move_the_plan_is_whole() {
    let plan = Plan::new(400, rate(200.0), None);
    let (mut first, mut second) = (Rig::running(plan.clone(), None), Rig::welcomed(None));
    first.ends_at_once = false;
    first.pass(3 * SECOND, true);
    first.hear(moved(2, slots_of(0)));
    let nothing = SlotSet::from_fn(|_| false);
    second.now_us = first.now_us;
    second.hear(ToWorker::HeartbeatHeard { sent_us: second.now_us, plan: None });
    second.hear(ToWorker::Begin(Box::new(assignment(plan, nothing))));
    second.hear(launch(i64::try_from(first.now_us).expect("small")));
    for step in 0..100 {
        first.pass(SECOND / 10, true);
        second.pass(SECOND / 10, true);
        let exist: BTreeSet<u64> = first.live.union(&first.ending).copied().collect();
        assert!(exist.is_disjoint(&second.live), "step {step}");
        if step == 30 {
            first.ending.clear();
            first.event(RunEvent::SlotsLeft { epoch: 2 });
        }
        if first.take_said().contains(&released(2)) {
            second.hear(moved(2, slots_of(1)));
        }
    }
    let all: Vec<u64> = first.live.union(&second.live).copied().collect();
    assert_eq!(all, (0..400).collect::<Vec<_>>());
}
