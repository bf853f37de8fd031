use proptest::prelude::*;

use super::*;

#[test]
fn nothing_is_acknowledged_before_it_is_applied() {
    let mut leader = Leader::running(&["a"], endless());
    leader.say("a", delta("a", 1, false));
    let acknowledged = |leader: &Leader| {
        leader.sent.iter().any(|(_, message)| matches!(message, ToWorker::Acknowledge { seq: Seq(1), .. }))
    };
    assert!(!acknowledged(&leader));
    leader.commit_all();
    assert!(acknowledged(&leader));
}

#[test]
fn deltas_that_come_while_a_batch_is_under_way_go_into_the_next() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("a", delta("a", 1, false));
    leader.say("a", delta("a", 2, false));
    leader.say("b", delta("b", 1, false));
    assert_eq!(leader.proposals.len(), 1);
    leader.commit_all();
    assert_eq!(leader.requests(), 3);
}

#[test]
fn a_delta_that_is_safe_is_acknowledged_again_and_one_under_way_is_not() {
    let mut leader = Leader::running(&["a"], endless());
    leader.say("a", delta("a", 1, false));
    leader.commit_all();
    leader.told("a");
    leader.say("a", delta("a", 1, false));
    assert_eq!(leader.told("a"), [ToWorker::Acknowledge { run: RUN, seq: Seq(1) }]);
    leader.say("a", delta("a", 2, false));
    leader.say("a", delta("a", 2, false));
    assert_eq!(leader.told("a"), []);
    leader.commit_all();
    assert_eq!(leader.requests(), 2);
}

#[test]
fn a_gap_is_answered_with_what_is_safe_once() {
    let mut leader = Leader::running(&["a"], endless());
    leader.advance(limits::REMIND_EVERY);
    leader.say("a", delta("a", 3, false));
    leader.say("a", delta("a", 4, false));
    assert_eq!((leader.last_welcome("a"), leader.proposals.len()), (Some(Seq(0)), 0));
    let asked = leader.told("a").into_iter().filter(|message| matches!(message, ToWorker::Welcome { .. })).count();
    assert_eq!(asked, 1);
}

#[test]
fn a_lost_batch_is_sent_again_by_the_workers() {
    let mut leader = Leader::running(&["a"], endless());
    leader.say("a", delta("a", 1, false));
    leader.say("a", delta("a", 2, false));
    leader.drop_all();
    assert_eq!(leader.last_welcome("a"), Some(Seq(0)));
    leader.say("a", delta("a", 1, false));
    leader.say("a", delta("a", 2, false));
    leader.commit_all();
    assert_eq!(leader.requests(), 2);
}

#[test]
fn many_and_large_deltas_are_split_over_entries_in_order() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.say("a", delta("a", 1, false));
    for seq in 1..=40 {
        for name in ["a", "b"] {
            let mut large = delta_of(&worker(name), Incarnation(1), seq, "/", false);
            // An error text for each of many endpoints.
            for at in 0..200 {
                let key = EndpointKey::request("GET", &format!("/{at}/{}", "x".repeat(300)));
                large.interval.measurements.endpoints.entry(key).or_default().ok_latency.record(at);
            }
            leader.say(name, FromWorker::Delta(Box::new(large)));
        }
    }
    let mut entries = 0;
    while let Some(command) = leader.proposals.front() {
        entries += 1;
        let Command::MergeDeltas(batch) = command else { panic!("{command:?}") };
        let bytes = rmp_serde::to_vec(batch).expect("serializes").len();
        assert!(bytes <= limits::BATCH_BYTES_MAX, "{bytes}");
        assert_eq!(leader.proposals.len(), 1, "one at a time");
        leader.commit_all_but_follow_ups();
        leader.advance(SECOND);
    }
    assert!(entries > 2, "{entries}");
    let last = |name| leader.state.worker(&worker(name)).map(|known| known.last_seq);
    assert_eq!((last("a"), last("b")), (Some(Seq(40)), Some(Seq(40))));
}

/// A delta of many endpoints, each with a latency of its own.
fn large(name: &str, seq: u64, endpoints: u64) -> Delta {
    let mut large = delta_of(&worker(name), Incarnation(1), seq, "/", false);
    for at in 0..endpoints {
        let key = EndpointKey::request("GET", &format!("/{at}/{}", "x".repeat(900)));
        large.interval.measurements.endpoints.entry(key).or_default().ok_latency.record(at);
    }
    large
}

impl Leader {
    /// Has the statistics of some seconds of two workers come, 50 ms after each other, and commits each entry at once.
    /// Gives back how many entries there were, how many bytes, and the longest time between two of them.
    fn merges(&mut self, seconds: u64, endpoints: u64) -> (usize, usize, u64) {
        let (mut entries, mut bytes, mut longest_us, mut last_us) = (0, 0, 0, self.now.mono_us);
        for seq in 1..=seconds {
            for name in ["a", "b"] {
                self.say(name, FromWorker::Delta(Box::new(large(name, seq, endpoints))));
            }
            for _ in 0..20 {
                while let Some(Command::MergeDeltas(batch)) = self.proposals.front() {
                    (entries, bytes) = (entries + 1, bytes + rmp_serde::to_vec(batch).expect("serializes").len());
                    longest_us = longest_us.max(self.now.mono_us - last_us);
                    last_us = self.now.mono_us;
                    self.commit_all_but_follow_ups();
                }
                self.advance(Duration::from_millis(50));
            }
        }
        (entries, bytes, longest_us)
    }
}

#[test]
fn statistics_below_the_limit_are_proposed_as_they_come() {
    let mut leader = Leader::running(&["a", "b"], endless());
    let (entries, ..) = leader.merges(10, 10);
    assert!(entries >= 20, "{entries}");
}

#[test]
fn statistics_above_the_limit_are_gathered_for_longer_but_not_longer_than_the_interval() {
    // Of each worker about 2.8 MB a second.
    let settings = Settings { sync_interval: 3 * SECOND, ..Settings::default() };
    let mut leader = Leader::running_with(&["a", "b"], settings, endless());
    let (_, bytes, longest_us) = leader.merges(8, 3_000);
    assert!(longest_us > 500_000, "{longest_us}");
    assert!(longest_us <= 3_050_000, "{longest_us}");
    // What both say of the same second is merged, as soon as there is reason to wait for it.
    let alone: usize =
        (1..=8).map(|seq| rmp_serde::to_vec(&large("a", seq, 3_000).interval).expect("serializes").len()).sum();
    assert!(bytes < alone * 2, "{bytes} of {alone} each");
    let last = |name| leader.state.worker(&worker(name)).map(|known| known.last_seq.0);
    assert!(last("a") >= Some(4) && last("b") >= Some(4), "{:?}", last("a"));
}

#[test]
fn the_end_of_a_worker_waits_for_no_pace() {
    let mut leader = Leader::running(&["a", "b"], endless());
    leader.merges(5, 3_000);
    while !leader.proposals.is_empty() {
        leader.commit_all_but_follow_ups();
    }
    leader.say("a", FromWorker::Delta(Box::new(Delta { last: true, ..large("a", 6, 1) })));
    assert!(matches!(leader.proposals.back(), Some(Command::MergeDeltas(_))));
}

impl Leader {
    /// Commits what is proposed now, not what follows from it.
    fn commit_all_but_follow_ups(&mut self) {
        let now = std::mem::take(&mut self.proposals);
        for command in now {
            let entry = Entry { index: LogIndex(self.next), time_ms: 0, request: None, command: command.clone() };
            self.next += 1;
            let applied = self.state.apply(&entry);
            applied.reply.as_ref().expect("continues");
            self.step(Input::Applied { command, applied });
        }
    }
}

#[test]
fn deltas_of_another_run_are_not_taken() {
    let mut leader = Leader::running(&["a"], endless());
    let old = Delta { run: RunId(9), ..delta_of(&worker("a"), Incarnation(1), 4, "/", true) };
    leader.say("a", FromWorker::Delta(Box::new(old)));
    assert_eq!(leader.told("a"), [ToWorker::Leave { run: RunId(9) }]);
    assert!(leader.proposals.is_empty());
}

#[test]
fn a_worker_whose_deltas_do_not_come_is_told_what_is_safe() {
    let mut leader = Leader::running(&["a"], endless());
    leader.say("a", delta("a", 1, false));
    leader.commit_all();
    leader.told("a");
    leader.heartbeat("a", in_run(None));
    leader.advance(limits::DELTAS_OVERDUE);
    assert_eq!(leader.last_welcome("a"), Some(Seq(1)));
}

#[test]
fn a_run_whose_time_is_over_is_stopped_once_and_ends_with_its_last_delta() {
    let mut leader = Leader::running(&["a"], ends_after(5));
    leader.advance(Duration::from_millis(4_999));
    assert!(leader.proposals.is_empty());
    leader.advance(Duration::from_millis(1));
    leader.advance(Duration::from_millis(100));
    assert_eq!(leader.proposals.len(), 1);
    leader.commit_all();
    leader.say("a", delta("a", 1, true));
    leader.commit_all();
    assert!(leader.ended);
    leader.heartbeat("a", in_run(None));
    assert!(leader.told("a").contains(&ToWorker::Leave { run: RUN }), "it has not heard that all is safe");
}

#[test]
fn a_worker_that_never_reports_its_end_is_named() {
    let mut leader = Leader::running(&["a", "b"], ends_after(1));
    leader.advance(SECOND);
    leader.commit_all();
    leader.say("a", delta("a", 1, true));
    leader.commit_all();
    assert!(!leader.ended);
    leader.advance(limits::LAST_DELTAS_WAIT + Duration::from_millis(1));
    leader.commit_all();
    assert!(leader.ended);
    assert_eq!(leader.run().missing(), [worker("b")]);
    let (verdict, reasons) = leader.verdict();
    assert_eq!(verdict, Verdict::Invalid);
    assert!(reasons.contains("worker b"), "{reasons}");
}

#[test]
fn a_worker_that_is_behind_the_plan_is_waited_for_while_its_deltas_come() {
    let mut leader = Leader::running(&["a"], ends_after(1));
    leader.advance(SECOND);
    leader.commit_all();
    for seq in 1..=3 {
        leader.advance(limits::LAST_DELTAS_WAIT - Duration::from_secs(1));
        leader.say("a", delta("a", seq, seq == 3));
        leader.commit_all();
        assert_eq!(leader.ended, seq == 3, "delta {seq}");
    }
    assert_eq!(leader.run().missing(), []);
}

#[test]
fn statistics_start_afresh_after_the_warm_up_once() {
    let mut warm = spec(endless());
    warm.warm_up_ms = 2_000;
    let mut leader = Leader::preparing(&["a"], Settings::default(), warm);
    leader.say("a", FromWorker::Ready { run: RUN });
    leader.commit_all();
    leader.advance(limits::LAUNCH_AHEAD + 2 * SECOND);
    leader.advance(Duration::from_millis(50));
    assert_eq!(leader.proposals.len(), 1);
    leader.commit_all();
    leader.advance(SECOND);
    assert!(leader.proposals.is_empty());
    assert_eq!(leader.run().stats().segment, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_lost_on_the_way_every_delta_counts_once(
        fates in prop::collection::vec((0_u8..4, 0_usize..2), 1..80),
    ) {
        let names = ["a", "b"];
        let mut leader = Leader::running(&names, endless());
        let mut sealed = [0_u64; 2];
        for (fate, at) in fates {
            match fate {
                0 => {
                    sealed[at] += 1;
                    leader.say(names[at], delta(names[at], sealed[at], false));
                }
                1 => sealed[at] += 1,
                2 => leader.commit_all(),
                _ => leader.drop_all(),
            }
        }
        leader.commit_all();
        for (at, name) in names.iter().enumerate() {
            let safe = leader.state.worker(&worker(name)).expect("registered").last_seq.0;
            (safe + 1..=sealed[at]).for_each(|seq| leader.say(name, delta(name, seq, false)));
            leader.commit_all();
        }
        prop_assert_eq!(leader.requests(), sealed.iter().sum::<u64>());
    }
}
