use super::*;
use crate::coordinator::plan_clock::Known;

fn now(mono_us: u64) -> Now {
    Now { mono_us, unix_ms: 0 }
}

fn known(live: usize, until_us: u64) -> Known {
    Known { live, until_us }
}

#[test]
fn a_clock_begins_a_little_before_0_at_the_launch() {
    let clock = PlanClock::launched(RUN, now(1_000_000));
    assert_eq!(clock.plan_us(RUN, 1_000_000), Some(-200_000));
    assert_eq!(clock.plan_us(RUN, 2_200_000), Some(1_000_000));
    assert_eq!(clock.plan_us(RunId(9), 2_200_000), None);
}

#[test]
fn a_majority_decides_by_its_median() {
    let mut clock = PlanClock::unknown(RUN, now(0));
    clock.report(&worker("a"), RUN, Some(5_000_000), now(100_000));
    clock.settle(known(3, 0), now(100_000));
    assert_eq!(clock.plan_us(RUN, 100_000), None, "one of three is too few");
    clock.report(&worker("b"), RUN, Some(90_000_000), now(100_000));
    clock.report(&worker("c"), RUN, Some(5_200_000), now(200_000));
    clock.settle(known(3, 0), now(200_000));
    assert_eq!(clock.plan_us(RUN, 200_000), Some(5_200_000));
    clock.report(&worker("a"), RUN, Some(1), now(300_000));
    clock.settle(known(3, 0), now(300_000));
    assert_eq!(clock.plan_us(RUN, 300_000), Some(5_300_000), "it stays");
}

#[test]
fn after_a_second_one_report_is_enough() {
    let mut clock = PlanClock::unknown(RUN, now(0));
    clock.report(&worker("a"), RUN, Some(5_000_000), now(0));
    clock.settle(known(9, 0), now(999_999));
    assert_eq!(clock.plan_us(RUN, 999_999), None);
    clock.settle(known(9, 0), now(1_000_000));
    assert_eq!(clock.plan_us(RUN, 1_000_000), Some(6_000_000));
}

#[test]
fn without_any_report_time_goes_on_from_the_statistics_until_there_is_one() {
    let mut clock = PlanClock::unknown(RUN, now(0));
    clock.settle(known(2, 7_000_000), now(9_000_000));
    assert_eq!(clock.plan_us(RUN, 9_000_000), None);
    clock.settle(known(2, 7_000_000), now(10_000_000));
    clock.settle(known(2, 7_000_000), now(11_000_000));
    assert_eq!(clock.plan_us(RUN, 12_000_000), Some(9_000_000));
    clock.report(&worker("a"), RUN, Some(20_000_000), now(13_000_000));
    clock.settle(known(2, 7_000_000), now(13_000_000));
    assert_eq!(clock.plan_us(RUN, 13_000_000), Some(20_000_000));
}

#[test]
fn when_all_wait_for_the_launch_it_is_now() {
    let mut clock = PlanClock::unknown(RUN, now(0));
    clock.report(&worker("a"), RUN, None, now(50_000));
    clock.report(&worker("b"), RUN, None, now(50_000));
    clock.settle(known(3, 0), now(50_000));
    assert_eq!(clock.plan_us(RUN, 50_000), Some(-200_000));
}

#[test]
fn an_order_before_plan_time_is_known_goes_by_the_statistics() {
    let mut leader = Leader::running(&["a"], endless());
    for seq in 1..=3 {
        leader.say("a", delta("a", seq, false));
    }
    leader.commit_all();
    leader.fail_over();
    leader.order(Order::Stop).expect("active");
    assert!(matches!(leader.proposals[0], Command::StopRun { at_us: 3_000_000, .. }), "{:?}", leader.proposals);
}

#[test]
fn a_wall_clock_decides_nothing() {
    let mut leader = Leader::running(&["a"], ends_after(5));
    leader.now.unix_ms += 1_000_000;
    leader.advance(SECOND);
    assert!(leader.proposals.is_empty());
    leader.now.unix_ms = 0;
    leader.advance(4 * SECOND);
    assert!(matches!(leader.proposals[0], Command::StopRun { at_us: 5_000_000, reason: StopReason::RunTime, .. }));
}
