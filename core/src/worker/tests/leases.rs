//! Users stop when nobody has answered for too long, and start again when somebody does.

use super::*;

const LEASE_MS: u64 = 10_000;

fn leased(users: u64, per_s: f64) -> Rig {
    Rig::running(Plan::new(users, rate(per_s), None), Some(LEASE_MS))
}

#[test]
fn a_lease_counts_from_when_the_answered_heartbeat_was_sent() {
    let mut rig = leased(2, 100.0);
    rig.pass(3 * SECOND, false);
    rig.hear(ToWorker::HeartbeatHeard { sent_us: SECOND, plan: None });
    assert_eq!(rig.worker.may_send_until_us(), 11 * SECOND);
    rig.hear(ToWorker::HeartbeatHeard { sent_us: 0, plan: None });
    assert_eq!(rig.worker.may_send_until_us(), 11 * SECOND, "an old answer takes nothing away");
    rig.hear(ToWorker::HeartbeatHeard { sent_us: u64::MAX, plan: None });
    assert_eq!(rig.worker.may_send_until_us(), 13 * SECOND, "an impossible one gives no more than now");
}

#[test]
fn without_answers_the_load_stops_when_the_lease_ends_and_statistics_go_on() {
    let mut rig = leased(2, 100.0);
    rig.pass(5 * SECOND, true);
    rig.take_outputs();
    rig.take_said();
    rig.pass(10 * SECOND - 1, false);
    assert_eq!(rig.users(), [0, 1]);
    rig.pass(1, false);
    assert_eq!(rig.users(), [0_u64; 0]);
    assert!(rig.take_outputs().contains(&Output::Drain { within_us: limits::DRAIN_MAX.as_micros() as u64 }));
    rig.pass(5 * SECOND, false);
    let deltas: BTreeSet<u64> = rig.take_deltas().iter().map(|delta| delta.interval.to_us / SECOND).collect();
    assert!((6..=20).all(|second| deltas.contains(&second)), "{deltas:?}");
}

#[test]
fn after_a_renewal_users_start_again_at_the_spawn_rate() {
    let mut rig = leased(10, 5.0);
    rig.pass(5 * SECOND, true);
    rig.pass(20 * SECOND, false);
    assert_eq!(rig.users(), [0_u64; 0]);
    rig.starts.clear();
    rig.pass(0, true);
    let renewed_us = rig.now_us;
    rig.hear(ToWorker::HeartbeatHeard { sent_us: renewed_us, plan: None });
    rig.pass(10 * SECOND, true);
    assert!(rig.outputs.contains(&Output::Resume));
    let expected: Vec<(u64, u64)> = (0..10).map(|user| (user, renewed_us + user * 200_000)).collect();
    assert_eq!(rig.starts, expected);
}

#[test]
fn a_renewal_while_users_still_stop_waits_for_them() {
    let mut rig = leased(2, 100.0);
    rig.pass(SECOND, false);
    rig.ends_at_once = false;
    rig.pass(10 * SECOND, false);
    rig.hear(ToWorker::HeartbeatHeard { sent_us: rig.now_us, plan: None });
    rig.starts.clear();
    rig.pass(2 * SECOND, true);
    assert_eq!(rig.starts, []);
    rig.event(RunEvent::Drained);
    rig.pass(SECOND, true);
    assert_eq!(rig.users(), [0, 1]);
}

#[test]
fn after_a_pause_of_the_process_the_lease_is_looked_at_before_anything_else() {
    let mut rig = leased(2, 100.0);
    rig.pass(SECOND, true);
    let until_us = rig.worker.may_send_until_us();
    rig.ends_at_once = false;
    rig.pause(60 * SECOND);
    assert!(rig.now_us > until_us, "a user that looks before it sends sees it first");
    // What waited in the meantime comes before the tick.
    let outputs = rig.hear(ToWorker::HeartbeatHeard { sent_us: SECOND, plan: None });
    assert_eq!(outputs, [Output::Drain { within_us: 0 }], "there is no time left");
    assert!(rig.worker.may_send_until_us() < rig.now_us);
}

#[test]
fn what_stops_may_send_until_the_drain_is_over() {
    let mut rig = leased(2, 100.0);
    rig.pass(SECOND, false);
    rig.ends_at_once = false;
    let until_us = rig.worker.may_send_until_us();
    rig.pass(until_us - rig.now_us, false);
    assert_eq!(rig.worker.may_send_until_us(), until_us + limits::DRAIN_MAX.as_micros() as u64);
}

#[test]
fn users_that_take_long_at_the_end_of_the_plan_are_drained_too() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), Some(SECOND)), Some(LEASE_MS));
    rig.ends_at_once = false;
    rig.pass(9 * SECOND, false);
    rig.take_outputs();
    rig.pass(SECOND, false);
    let drains = |rig: &Rig| rig.outputs.iter().filter(|output| matches!(output, Output::Drain { .. })).count();
    assert_eq!(drains(&rig), 1);
    rig.pass(10 * SECOND, false);
    assert_eq!(drains(&rig), 1);
    rig.event(RunEvent::UsersStopped);
    assert!(rig.take_deltas().last().is_some_and(|delta| delta.last));
}

#[test]
fn a_plan_ends_while_there_is_no_lease() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), Some(30 * SECOND)), Some(LEASE_MS));
    rig.pass(40 * SECOND, false);
    assert!(rig.outputs.contains(&Output::EndLoad));
    assert!(rig.take_deltas().last().is_some_and(|delta| delta.last));
}

#[test]
fn a_leader_can_set_and_lift_leases() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.pass(20 * SECOND, true);
    assert_eq!(rig.worker.may_send_until_us(), u64::MAX);
    rig.hear(welcome(0, Some(LEASE_MS)));
    assert_eq!(rig.worker.may_send_until_us(), 30 * SECOND);
    rig.hear(welcome(0, None));
    assert_eq!(rig.worker.may_send_until_us(), u64::MAX);
}

#[test]
fn a_worker_gives_up_only_when_nothing_is_lost_by_it() {
    let mut rig = Rig::new();
    assert!(rig.worker.may_give_up(), "no leader was ever there");
    rig.give(Input::LeaderFound);
    rig.hear(welcome(0, Some(LEASE_MS)));
    assert!(!rig.worker.may_give_up(), "one listens");

    let mut rig = leased(2, 100.0);
    rig.pass(3 * SECOND, true);
    rig.give(Input::LeaderLost);
    assert!(!rig.worker.may_give_up(), "users run");
    rig.hear(acknowledge(3));
    rig.measured = 1;
    rig.pass(LEASE_MS * 1_000, false);
    assert_eq!(rig.users(), [0_u64; 0]);
    assert!(!rig.worker.may_give_up(), "what the last users did is open");
    rig.pass(2 * SECOND, false);
    assert!(!rig.worker.may_give_up(), "what users did is not safe");

    rig.measured = 0;
    rig.give(Input::LeaderFound);
    rig.hear(welcome(0, Some(LEASE_MS)));
    rig.hear(acknowledge(rig.worker.unsafe_deltas() as u64 + 3));
    rig.give(Input::LeaderLost);
    rig.pass((LEASE_MS + 2_000) * 1_000, false);
    assert!(rig.worker.may_give_up(), "everything that was measured is safe");
    assert!(rig.worker.unsafe_deltas() > 0, "and the rest is empty");
}

#[test]
fn a_worker_with_a_run_that_has_not_begun_gives_up_when_its_lease_has_ended() {
    let mut rig = Rig::welcomed(Some(LEASE_MS));
    rig.hear(begin(Plan::new(1, rate(1.0), None)));
    rig.give(Input::LeaderLost);
    assert!(!rig.worker.may_give_up());
    rig.pass(LEASE_MS * 1_000, false);
    rig.give(Input::Tick);
    assert!(rig.worker.may_give_up());
    let ended = rig.give(Input::Unreachable { reason: "none".into() });
    assert!(ended.contains(&Output::Rejected { reason: "none".into() }), "{ended:?}");
}
