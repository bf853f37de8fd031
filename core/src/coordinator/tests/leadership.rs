use super::*;

#[test]
fn a_failover_looks_like_no_loss_and_is_noted_once() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance_with(&["a", "b"], 10);
    leader.fail_over();
    leader.advance(limits::LOST_AFTER - SECOND);
    leader.commit_all();
    assert!(leader.run().losses().is_empty());
    assert_eq!(leader.run().elections_us().len(), 1);
    leader.advance(SECOND / 2);
    assert!(leader.proposals.is_empty());
    assert_eq!(leader.verdict().0, Verdict::Degraded);
}

#[test]
fn the_note_says_when_the_leader_changed_and_survives_a_lost_proposal() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.fail_over();
    leader.advance(SECOND / 4);
    ["a", "b"].iter().for_each(|name| leader.hello(name, 1, in_run(Some(9_250_000))));
    leader.advance(Duration::from_millis(50));
    leader.drop_all();
    leader.advance(Duration::from_millis(50));
    leader.commit_all();
    assert_eq!(leader.run().elections_us(), [9_000_000]);
}

#[test]
fn known_workers_are_welcomed_without_an_entry_and_go_on_where_they_were() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("a", delta("a", 1, false));
    leader.commit_all();
    leader.fail_over();
    leader.hello("a", 1, in_run(Some(5_000_000)));
    assert!(leader.proposals.is_empty());
    let told = leader.told("a");
    assert!(matches!(told[0], ToWorker::Welcome { last_seq: Seq(1), .. }), "{told:?}");
    assert!(told.iter().any(|message| matches!(message, ToWorker::Slots { .. })), "{told:?}");
    assert!(told.iter().any(|message| matches!(message, ToWorker::Update { .. })), "{told:?}");
    assert!(!told.iter().any(|message| matches!(message, ToWorker::Begin(_) | ToWorker::Launch { .. })), "{told:?}");
    leader.say("a", delta("a", 2, false));
    leader.commit_all();
    assert_eq!(leader.requests(), 2);
}

#[test]
fn a_run_that_was_being_prepared_is_prepared_by_the_next_leader() {
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), spec(endless()));
    leader.say("a", FromWorker::Ready { run: RUN });
    leader.fail_over();
    leader.hello("a", 1, Some(Running { run: RUN, plan_us: None }));
    leader.hello("b", 1, None);
    let begins = |messages: Vec<ToWorker>| messages.iter().any(|message| matches!(message, ToWorker::Begin(_)));
    assert!(begins(leader.told("a")) && begins(leader.told("b")));
    ["a", "b"].iter().for_each(|name| leader.say(name, FromWorker::Ready { run: RUN }));
    leader.commit_all();
    assert_eq!(leader.run().phase(), RunPhase::Active);
    assert!(leader.run().elections_us().is_empty(), "nothing was measured then");
}

#[test]
fn a_launch_that_was_committed_and_not_said_is_said_by_the_next_leader() {
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), spec(endless()));
    ["a", "b"].iter().for_each(|name| leader.say(name, FromWorker::Ready { run: RUN }));
    leader.commit_all();
    leader.fail_over();
    let waits = Some(Running { run: RUN, plan_us: None });
    ["a", "b"].iter().for_each(|name| leader.hello(name, 1, waits));
    ["a", "b"].iter().for_each(|name| leader.say(name, FromWorker::Ready { run: RUN }));
    let launch = |messages: Vec<ToWorker>| {
        messages.iter().find_map(|message| match message {
            ToWorker::Launch { plan_us, .. } => Some(*plan_us),
            _ => None,
        })
    };
    let ahead_us = -(limits::LAUNCH_AHEAD.as_micros() as i64);
    assert_eq!((launch(leader.told("a")), launch(leader.told("b"))), (Some(ahead_us), Some(ahead_us)));
}

#[test]
fn a_run_ends_although_nobody_comes_back_after_a_failover() {
    let mut leader = Leader::running(&["a", "b"], ends_after(5));
    leader.fail_over();
    for _ in 0..limits::LOST_AFTER.as_secs() + 5 {
        leader.advance(SECOND);
        leader.commit_all();
    }
    assert!(leader.ended);
}
