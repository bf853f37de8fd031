//! Rows that only one user may have are asked for until the leader answers.

use super::*;
use crate::data::ranges::RowRange;

fn range(low: u64, high: u64) -> RowRange {
    RowRange { low, high }
}

fn wanted(want: u64) -> RunEvent {
    RunEvent::RowsWanted { feeder: 2, used: vec![range(0, 3)], want }
}

fn request(request: u64, want: u64) -> FromWorker {
    FromWorker::LeaseRows { run: RUN, feeder: 2, request, used: vec![range(0, 3)], want }
}

fn rows(request: u64) -> ToWorker {
    ToWorker::Rows { run: RUN, feeder: 2, request, rows: vec![range(3, 9)] }
}

#[test]
fn a_request_is_said_again_with_its_number_until_it_is_answered_and_an_answer_counts_once() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    assert_eq!(rig.event(wanted(10)), [Output::Send(request(1, 10))]);
    rig.take_said();
    rig.pass(limits::SAY_AGAIN.as_micros() as u64, true);
    assert!(rig.take_said().contains(&request(1, 10)));
    rig.give(Input::LeaderFound);
    assert!(rig.hear(welcome(0, None)).contains(&Output::Send(request(1, 10))));
    assert_eq!(rig.hear(rows(2)), []);
    assert_eq!(rig.hear(rows(1)), [Output::GiveRows { feeder: 2, rows: vec![range(3, 9)] }]);
    assert_eq!(rig.hear(rows(1)), []);
    rig.take_said();
    rig.pass(10 * SECOND, true);
    assert!(!rig.take_said().contains(&request(1, 10)));
    assert_eq!(rig.event(wanted(7)), [Output::Send(request(2, 7))]);
}

#[test]
fn a_request_without_a_leader_waits_for_the_next() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.give(Input::LeaderLost);
    assert_eq!(rig.event(wanted(10)), []);
    rig.give(Input::LeaderFound);
    assert!(rig.hear(welcome(0, None)).contains(&Output::Send(request(1, 10))));
}

#[test]
fn what_was_not_used_is_given_back_to_whoever_leads() {
    let mut rig = Rig::running(Plan::new(1, rate(1.0), None), None);
    rig.event(wanted(10));
    let close = FromWorker::CloseRows { run: RUN, feeder: 2, unused: vec![range(5, 9)] };
    let closed = rig.event(RunEvent::RowsClosed { feeder: 2, unused: vec![range(5, 9)] });
    assert_eq!(closed, [Output::Send(close.clone())]);
    rig.give(Input::LeaderFound);
    let outputs = rig.hear(welcome(0, None));
    assert!(outputs.contains(&Output::Send(close)) && !outputs.contains(&Output::Send(request(1, 10))));
}
