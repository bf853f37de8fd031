use super::*;

fn silent_for(leader: &mut Leader, alive: &[&str], time: Duration) {
    leader.advance_with(alive, time.as_secs());
}

#[test]
fn a_silent_worker_is_lost_after_its_time_and_the_others_take_over() {
    let mut leader = Leader::running(&["a", "b"], endless());
    silent_for(&mut leader, &["a"], limits::LOST_AFTER - SECOND);
    assert!(leader.run().losses().is_empty());
    silent_for(&mut leader, &["a"], SECOND);
    assert_eq!(leader.run().losses()[0].reason, LossReason::Silence);
    assert_eq!(leader.run().slots().kept_by(0).len(), SLOTS_U64);
}

#[test]
fn a_goodbye_and_a_certain_death_are_taken_at_once_and_a_broken_link_is_not() {
    let mut leader = Leader::running(&["a", "b", "c"], endless());
    leader.step(Input::Unlinked { worker: worker("a"), incarnation: Incarnation(1), died: false });
    assert!(leader.proposals.is_empty());
    leader.step(Input::Unlinked { worker: worker("b"), incarnation: Incarnation(9), died: true });
    assert!(leader.proposals.is_empty(), "another life");
    leader.step(Input::Unlinked { worker: worker("b"), incarnation: Incarnation(1), died: true });
    leader.say("c", FromWorker::Goodbye);
    leader.commit_all();
    let reasons: Vec<_> = leader.run().losses().iter().map(|loss| loss.reason).collect();
    assert_eq!(reasons, [LossReason::Died, LossReason::Goodbye]);
    let (verdict, text) = leader.verdict();
    assert_eq!(verdict, Verdict::Degraded);
    assert!(text.contains("worker b died") && text.contains("worker c left"), "{text}");
}

#[test]
fn a_worker_that_was_lost_leaves_the_run_before_it_comes_back_to_it() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("b", delta("b", 1, false));
    leader.commit_all();
    silent_for(&mut leader, &["a"], limits::LOST_AFTER);
    leader.told("b");
    leader.heartbeat("b", in_run(None));
    assert_eq!(leader.told("b"), [ToWorker::Leave { run: RUN }], "its lease is not renewed either");
    leader.say("b", delta("b", 2, false));
    assert_eq!(leader.told("b"), [ToWorker::Leave { run: RUN }]);
    assert!(leader.proposals.is_empty());
    leader.heartbeat("b", None);
    leader.commit_all();
    assert!(leader.state.worker(&worker("b")).is_some_and(|known| known.is_present));
    silent_for(&mut leader, &["a"], limits::REBALANCE_EVERY);
    leader.say("b", FromWorker::Ready { run: RUN });
    leader.commit_all();
    leader.say("b", delta("b", 1, false));
    leader.commit_all();
    assert_eq!((leader.run().live().count(), leader.requests()), (2, 2));
}

#[test]
fn deltas_of_a_lost_worker_that_wait_are_forgotten_and_those_of_others_are_not() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("a", delta("a", 1, false));
    leader.say("a", delta("a", 2, false));
    leader.say("b", delta("b", 1, false));
    leader.step(Input::Unlinked { worker: worker("b"), incarnation: Incarnation(1), died: true });
    leader.commit_all();
    assert_eq!(leader.requests(), 2);
    assert!(leader.state.worker(&worker("a")).is_some_and(|known| known.last_seq == Seq(2)));
}

#[test]
fn a_worker_that_is_lost_too_often_is_refused_with_the_reason() {
    let settings = Settings { losses_max: 1, ..Settings::default() };
    let mut leader = Leader::running_with(&["a", "b"], settings, endless());
    for incarnation in 2..=3 {
        leader.hello("b", incarnation, None);
        leader.commit_all();
        leader.sent.clear();
        silent_for(&mut leader, &["a"], limits::REBALANCE_EVERY);
        leader.hear("b", incarnation, FromWorker::Ready { run: RUN });
        leader.commit_all();
    }
    assert_eq!(leader.run().live().count(), 1, "the second loss was one too many");
    leader.sent_to.clear();
    leader.hello("b", 4, None);
    leader.commit_all();
    let told = &leader.sent_to;
    let [(_, Incarnation(4), ToWorker::Refused { reason })] = &told[..] else { panic!("{told:?}") };
    assert!(reason.contains("lost 2 times"), "{reason}");
    assert!(leader.state.worker(&worker("b")).is_some_and(|known| !known.is_present));
}

#[test]
fn a_worker_that_lost_its_run_without_dying_begins_anew() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("b", delta("b", 1, false));
    leader.commit_all();
    leader.hello("b", 1, None);
    leader.commit_all();
    assert_eq!(leader.run().losses().len(), 1);
    leader.heartbeat("b", None);
    leader.commit_all();
    assert!(leader.state.worker(&worker("b")).is_some_and(|known| known.is_present));
}

#[test]
fn a_worker_in_a_run_that_is_over_is_told_to_leave_it() {
    let mut leader = Leader::new(Settings::default());
    leader.hello("a", 1, Some(Running { run: RunId(99), plan_us: Some(5) }));
    leader.commit_all();
    let told = leader.told("a");
    assert!(told.contains(&ToWorker::Leave { run: RunId(99) }), "{told:?}");
}

#[test]
fn a_stranger_is_not_answered_until_it_says_hello() {
    let mut leader = Leader::new(Settings::default());
    leader.heartbeat("a", None);
    assert!(leader.sent.is_empty() && leader.proposals.is_empty());
}
