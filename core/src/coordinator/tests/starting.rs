use super::*;

fn begins(messages: &[ToWorker]) -> Vec<(usize, usize, u64)> {
    let begin = |message: &ToWorker| match message {
        ToWorker::Begin(assignment) => Some((assignment.position, assignment.workers, assignment.slots.len())),
        _ => None,
    };
    messages.iter().filter_map(begin).collect()
}

fn launch(messages: &[ToWorker]) -> Option<i64> {
    messages.iter().find_map(|message| match message {
        ToWorker::Launch { run: RUN, plan_us } => Some(*plan_us),
        _ => None,
    })
}

#[test]
fn every_participant_is_given_its_place_and_its_slots() {
    let mut leader = Leader::preparing(&["b", "a"], Settings::default(), spec(endless()));
    assert_eq!(begins(&leader.told("a")), [(0, 2, SLOTS_U64 / 2)]);
    assert_eq!(begins(&leader.told("b")), [(1, 2, SLOTS_U64 / 2)]);
}

#[test]
fn a_run_is_launched_a_little_ahead_when_all_are_ready_and_they_know_their_slots_by_then() {
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), spec(endless()));
    leader.say("a", FromWorker::Ready { run: RUN });
    leader.advance(SECOND);
    assert!(leader.proposals.is_empty(), "b is not ready");
    leader.say("b", FromWorker::Ready { run: RUN });
    leader.say("b", FromWorker::Ready { run: RUN });
    assert_eq!(leader.proposals.len(), 1, "once");
    leader.told("a");
    leader.commit_all();
    assert_eq!(leader.run().phase(), RunPhase::Active);
    let told = leader.told("a");
    assert_eq!(launch(&told), Some(-(limits::LAUNCH_AHEAD.as_micros() as i64)));
    assert!(matches!(told[0], ToWorker::Slots { .. }), "{told:?}");
}

#[test]
fn who_never_gets_ready_is_left_out_by_name_and_the_others_begin() {
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), spec(endless()));
    leader.say("a", FromWorker::Ready { run: RUN });
    for _ in 0..limits::READY_WAIT.as_secs() {
        leader.heartbeat("a", Some(Running { run: RUN, plan_us: None }));
        leader.heartbeat("b", None);
        leader.advance(SECOND);
        leader.commit_all();
    }
    assert_eq!(leader.run().phase(), RunPhase::Active);
    let excluded: Vec<_> =
        leader.run().excluded().map(|(worker, reason)| (worker.clone(), reason.to_string())).collect();
    assert_eq!(excluded, [(worker("b"), "not ready within 60 s".to_string())]);
    assert_eq!(leader.run().slots().kept_by(0).len(), SLOTS_U64);
    assert!(leader.told("b").contains(&ToWorker::Leave { run: RUN }));
}

#[test]
fn when_no_worker_can_run_it_the_run_ends_and_says_so() {
    let mut leader = Leader::preparing(&["a"], Settings::default(), spec(endless()));
    leader.say("a", FromWorker::CannotRun { run: RUN, reason: "unknown class".into() });
    leader.commit_all();
    assert!(leader.ended);
    assert_eq!(leader.run().stop_reason(), Some(StopReason::NoWorkerReady));
}

#[test]
fn the_scenario_is_sent_again_to_who_does_not_have_it_and_the_order_to_who_has() {
    let mut leader = Leader::preparing(&["a", "b"], Settings::default(), spec(endless()));
    leader.heartbeat("a", Some(Running { run: RUN, plan_us: None }));
    leader.sent.clear();
    leader.advance(limits::REMIND_EVERY);
    assert_eq!((begins(&leader.told("a")).len(), begins(&leader.told("b")).len()), (1, 0));
    leader.advance(limits::SEND_SCENARIO_AGAIN);
    assert_eq!(begins(&leader.told("b")).len(), 1);
}

#[test]
fn a_stop_before_the_launch_ends_the_run() {
    let mut leader = Leader::preparing(&["a"], Settings::default(), spec(endless()));
    leader.order(Order::Stop).expect("goes on");
    leader.commit_all();
    assert!(leader.ended);
    assert!(leader.told("a").contains(&ToWorker::Leave { run: RUN }));
}

#[test]
fn a_participant_whose_link_broke_is_launched_when_it_is_back() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance(SECOND);
    leader.step(Input::Unlinked { worker: worker("a"), incarnation: Incarnation(1), died: false });
    leader.hello("a", 1, Some(Running { run: RUN, plan_us: None }));
    assert!(leader.proposals.is_empty(), "it is known");
    assert_eq!(begins(&leader.told("a")).len(), 1);
    leader.say("a", FromWorker::Ready { run: RUN });
    assert_eq!(launch(&leader.told("a")), Some(1_000_000));
}
