use proptest::prelude::*;

use super::*;

fn endless(names: &[&str]) -> Log {
    Log::running(names, spec(LossPolicy::Replace))
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let mut log = endless(&["a", "b"]);
    log.apply(batch(vec![part("a", 1, 3)])).expect("continues");
    let refused = log.apply(batch(vec![part("b", 1, 2), part("a", 5, 5)]));
    assert!(matches!(refused, Err(Refusal::OutOfOrder { .. })), "{refused:?}");
    assert_eq!(log.requests(), 3);
    log.apply(batch(vec![part("b", 1, 2), part("a", 4, 5)])).expect("continues");
    assert_eq!(log.requests(), 7);
}

#[test]
fn a_repeated_batch_counts_once() {
    let mut log = endless(&["a"]);
    log.apply(batch(vec![part("a", 1, 2)])).expect("continues");
    assert!(log.apply(batch(vec![part("a", 1, 2)])).is_err());
    assert!(log.apply(batch(vec![part("a", 3, 3), part("a", 3, 3)])).is_err(), "nor twice in one");
    assert_eq!(log.requests(), 2);
}

#[test]
fn an_entry_that_was_applied_already_changes_nothing() {
    let mut log = endless(&["a"]);
    let entry = Entry { index: LogIndex(log.next), time_ms: 9, request: None, command: batch(vec![part("a", 1, 1)]) };
    log.state.apply(&entry).reply.expect("continues");
    let before = log.state.clone();
    assert!(log.state.apply(&entry).effects.is_empty());
    assert_eq!(log.state, before);
}

#[test]
fn nothing_is_taken_of_a_worker_that_is_lost_or_left_out_or_of_another_life() {
    let mut log = endless(&["a", "b", "c", "d"]);
    log.lose("a", LossReason::Silence);
    let (run, reason) = (RUN, "no such file".into());
    log.apply(Command::ExcludeWorker { run, worker: worker("b"), reason }).expect("takes part");
    let other_life = DeltaPart { incarnation: Incarnation(2), ..part("c", 1, 1) };
    for part in [part("a", 1, 1), part("b", 1, 1), other_life, part("e", 1, 1)] {
        let refused = log.apply(batch(vec![super::part("d", 1, 1), part]));
        assert!(matches!(refused, Err(Refusal::UnknownWorker { .. })), "{refused:?}");
    }
    assert_eq!(log.requests(), 0);
}

#[test]
fn a_run_ends_with_the_last_delta_of_its_last_worker() {
    let mut log = endless(&["a", "b"]);
    log.apply(batch(vec![last_part("a", 1)])).expect("continues");
    assert_ne!(log.run().phase(), RunPhase::Ended);
    let effects = log.apply(batch(vec![last_part("b", 1)])).expect("continues");
    assert_eq!(log.run().phase(), RunPhase::Ended);
    assert_eq!(effects.last(), Some(&Effect::RunEnded));
    assert!(log.apply(batch(vec![part("b", 2, 2)])).is_err(), "nothing is added to a final result");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_repeated_or_reordered_totals_equal_what_was_accepted(
        attempts in prop::collection::vec((prop::bool::ANY, 1_u64..8, 0_u64..3), 0..60),
    ) {
        let mut log = endless(&["a", "b"]);
        log.has_twin = false;
        let mut accepted = [0_u64; 2];
        for (second_worker, first, length) in attempts {
            let at = usize::from(second_worker);
            let part = part(["a", "b"][at], first, first + length);
            let continues = first == accepted[at] + 1;
            prop_assert_eq!(log.apply(batch(vec![part])).is_ok(), continues);
            if continues {
                accepted[at] = first + length;
            }
        }
        prop_assert_eq!(log.requests(), accepted.iter().sum::<u64>());
    }
}
