use super::*;

fn slots(messages: &[ToWorker]) -> Option<(u64, SlotSet)> {
    messages.iter().rev().find_map(|message| match message {
        ToWorker::Slots { epoch, slots, .. } => Some((*epoch, slots.clone())),
        _ => None,
    })
}

/// Two workers under load; a third has come and is ready to join.
fn joined() -> Leader {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.hello("c", 1, None);
    leader.commit_all();
    for _ in 0..limits::REBALANCE_EVERY.as_secs() {
        for (name, plan_us) in [("a", Some(1)), ("b", Some(1)), ("c", None)] {
            leader.heartbeat(name, plan_us.map(|us| Running { run: RUN, plan_us: Some(us) }));
        }
        leader.advance(SECOND);
        leader.commit_all();
    }
    leader
}

#[test]
fn a_newcomer_is_taken_in_when_it_is_ready_and_gets_slots_as_they_are_given_up() {
    let mut leader = joined();
    let told = leader.told("c");
    assert!(told.iter().any(|message| matches!(message, ToWorker::Begin(begin) if begin.slots.is_empty())), "{told:?}");
    leader.sent.clear();
    leader.say("c", FromWorker::Ready { run: RUN });
    leader.commit_all();
    let told = leader.told("c");
    assert!(told.iter().any(|message| matches!(message, ToWorker::Launch { plan_us, .. } if *plan_us > 0)), "{told:?}");
    let (epoch, kept) = slots(&leader.told("a")).expect("told");
    assert!(kept.len().abs_diff(SLOTS_U64 / 3) <= 1);
    leader.told("b");
    leader.say("a", FromWorker::Released { run: RUN, epoch: epoch - 1 });
    assert!(leader.proposals.is_empty(), "it speaks of an older distribution");
    leader.say("a", FromWorker::Released { run: RUN, epoch });
    leader.commit_all();
    let (later, got) = slots(&leader.told("c")).expect("told");
    assert!(later > epoch && !got.is_empty());
    assert!((0..SLOTS_U64).all(|slot| !(got.owns_user(slot) && kept.owns_user(slot))));
}

#[test]
fn slots_are_said_again_until_they_are_confirmed() {
    let mut leader = joined();
    leader.say("c", FromWorker::Ready { run: RUN });
    leader.commit_all();
    leader.told("a");
    leader.advance(limits::REMIND_EVERY);
    let (epoch, _) = slots(&leader.told("a")).expect("said again");
    leader.say("a", FromWorker::Released { run: RUN, epoch });
    leader.drop_all();
    leader.advance(limits::REMIND_EVERY);
    assert!(slots(&leader.told("a")).is_none(), "it is confirmed");
    assert!(matches!(leader.proposals[0], Command::ReleaseSlots { .. }), "a lost proposal is made again");
}

#[test]
fn a_newcomer_that_does_not_get_ready_is_left_out() {
    let mut leader = joined();
    for _ in 0..=limits::READY_WAIT.as_secs() {
        for name in ["a", "b"] {
            leader.heartbeat(name, in_run(None));
        }
        leader.heartbeat("c", None);
        leader.advance(SECOND);
        leader.commit_all();
    }
    assert!(matches!(leader.run().participants()[2].state, ParticipantState::Excluded(_)));
    assert_eq!(leader.run().live().count(), 2);
}

#[test]
fn nothing_is_evened_out_more_often_than_is_set() {
    let mut leader = Leader::running(&["a"], endless());
    leader.hello("b", 1, None);
    leader.commit_all();
    leader.advance(SECOND);
    assert!(leader.proposals.is_empty());
}

#[test]
fn slots_of_another_leader_are_moved_on_by_the_next() {
    let mut leader = joined();
    leader.say("c", FromWorker::Ready { run: RUN });
    leader.commit_all();
    leader.fail_over();
    ["a", "b", "c"].iter().for_each(|name| leader.hello(name, 1, in_run(Some(40_000_000))));
    let (epoch, _) = slots(&leader.told("a")).expect("told");
    leader.say("a", FromWorker::Released { run: RUN, epoch });
    leader.say("b", FromWorker::Released { run: RUN, epoch });
    leader.commit_all();
    assert!(!leader.run().slots().is_moving());
    assert!(leader.run().slots().kept_by(2).len() >= SLOTS_U64 / 3);
}
