use std::sync::Arc;

use super::*;

impl Leader {
    /// A process says that it is this worker, while nothing is known of the end of another one.
    fn greeted_by(&mut self, name: &str, incarnation: u64) -> Option<Arc<str>> {
        self.sent_to.clear();
        self.hear(name, incarnation, FromWorker::Hello { profile: WorkerProfile::default(), running: None });
        self.commit_all();
        match self.sent_to.pop()? {
            (id, Incarnation(life), ToWorker::NotNow { reason }) if id == worker(name) && life == incarnation => {
                Some(reason)
            }
            other => panic!("{other:?}"),
        }
    }

    fn contested(&self) -> Vec<String> {
        self.coordinator.contested_names(self.now).map(ToString::to_string).collect()
    }
}

#[test]
fn a_second_process_of_a_name_is_turned_away_while_the_first_is_heard() {
    let mut leader = Leader::running(&["a", "b"], endless());
    for _ in 0..20 {
        leader.advance_with(&["a", "b"], 1);
        let reason = leader.greeted_by("a", 2).expect("turned away");
        assert_eq!(&*reason, "node id \"a\" is in use by another process");
    }
    assert_eq!(leader.contested(), ["a"]);
    assert!(leader.run().losses().is_empty(), "nobody is lost because of it");
    leader.say("a", delta("a", 1, false));
    leader.commit_all();
    assert_eq!(leader.requests(), 1, "the first goes on");
    leader.advance_with(&["a", "b"], limits::RIVAL_REMEMBERED.as_secs());
    assert!(leader.contested().is_empty());
}

#[test]
fn a_process_whose_life_before_was_seen_to_end_is_let_in_at_once() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance_with(&["a", "b"], 1);
    leader.step(Input::Unlinked { worker: worker("a"), incarnation: Incarnation(1), died: false });
    assert_eq!(leader.greeted_by("a", 2), None);
    assert!(leader.state.worker(&worker("a")).is_some_and(|known| known.incarnation == Incarnation(2)));
}

#[test]
fn a_process_whose_life_before_is_silent_is_let_in_after_two_heartbeats() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance_with(&["a", "b"], 1);
    assert!(leader.greeted_by("a", 2).is_some());
    leader.advance_with(&["b"], 1);
    assert_eq!(leader.greeted_by("a", 2), None);
    // The first was only frozen. The name is another's now.
    leader.sent_to.clear();
    leader.heartbeat("a", in_run(None));
    let [(_, Incarnation(1), ToWorker::NotNow { .. })] = &leader.sent_to[..] else { panic!("{:?}", leader.sent_to) };
}

#[test]
fn after_a_change_of_the_leader_the_registered_process_has_two_heartbeats_to_be_heard() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.fail_over();
    assert!(leader.greeted_by("a", 2).is_some(), "the rival was faster");
    leader.hello("a", 1, in_run(None));
    leader.advance_with(&["a", "b"], 5);
    assert!(leader.greeted_by("a", 2).is_some());
    leader.fail_over();
    leader.advance(2 * SECOND);
    assert_eq!(leader.greeted_by("a", 2), None, "nothing was heard of the first");
}

#[test]
fn of_two_new_processes_the_first_to_greet_is_taken() {
    let mut leader = Leader::new(Settings::default());
    leader.hear("a", 1, FromWorker::Hello { profile: WorkerProfile::default(), running: None });
    assert!(leader.greeted_by("a", 2).is_some(), "also before the first is registered");
    assert!(leader.state.worker(&worker("a")).is_some_and(|known| known.incarnation == Incarnation(1)));
}

#[test]
fn a_rival_that_leaves_takes_nobody_along() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.advance_with(&["a", "b"], 1);
    assert!(leader.greeted_by("a", 2).is_some());
    leader.step(Input::Unlinked { worker: worker("a"), incarnation: Incarnation(2), died: true });
    leader.commit_all();
    assert!(leader.greeted_by("a", 3).is_some(), "the first is still there");
    assert!(leader.run().losses().is_empty());
}
