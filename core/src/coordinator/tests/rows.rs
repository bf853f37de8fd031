use super::*;
use crate::data::ranges::RowRange;
use crate::state::command::UniqueFeeder;

fn with_unique_rows() -> Leader {
    let mut unique = spec(endless());
    unique.distribution.unique_rows = vec![Some(UniqueFeeder { rows: 100, recycles: false })];
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), unique);
    ["a", "b"].iter().for_each(|name| leader.say(name, FromWorker::Ready { run: RUN }));
    leader.commit_all();
    leader.sent.clear();
    leader
}

fn wish(request: u64) -> FromWorker {
    FromWorker::LeaseRows { run: RUN, feeder: 0, request, used: Vec::new(), want: 10 }
}

#[test]
fn rows_are_leased_once_however_often_they_are_asked_for() {
    let mut leader = with_unique_rows();
    leader.say("a", wish(1));
    leader.say("a", wish(1));
    assert_eq!(leader.proposals.len(), 1);
    leader.drop_all();
    leader.say("a", wish(1));
    leader.commit_all();
    let rows = vec![RowRange { low: 0, high: 10 }];
    let answer = ToWorker::Rows { run: RUN, feeder: 0, request: 1, rows };
    assert_eq!(leader.told("a"), std::slice::from_ref(&answer));
    leader.say("a", wish(1));
    leader.commit_all();
    assert_eq!(leader.told("a"), [answer], "the answer was lost");
}

#[test]
fn what_was_not_used_goes_to_others() {
    let mut leader = with_unique_rows();
    leader.say("a", wish(1));
    leader.commit_all();
    leader.say("a", FromWorker::CloseRows { run: RUN, feeder: 0, unused: vec![RowRange { low: 4, high: 10 }] });
    leader.say("b", wish(1));
    leader.commit_all();
    let told = leader.told("b");
    let lowest = RowRange { low: 4, high: 14 };
    assert!(matches!(&told[..], [ToWorker::Rows { rows, .. }] if *rows == [lowest]), "{told:?}");
}
