//! Clusters that seeds decide hold the invariants, and known bugs are caught.

use akrida_sim::{Bug, Counts, TraceMode, live};

/// Seeds of each of the tests below.
const SEEDS: u64 = 125;

/// Within so many seeds each known bug is caught.
const SEEDS_PER_BUG: u64 = 200;

/// Seeds hold the invariants, and what could go wrong has happened in them.
fn hold(part: u64) {
    let mut counts = Counts::default();
    for seed in part * SEEDS..(part + 1) * SEEDS {
        let outcome = live(seed, None, TraceMode::Off);
        if let Some(violation) = outcome.violation {
            panic!("seed {seed}: {violation}");
        }
        counts.add(&outcome.counts);
    }
    let Counts { requests, deltas, refused_batches, leads, snapshots, moves, drains, losses, .. } = counts;
    let rare = [refused_batches, snapshots, moves, drains, losses, counts.repeats, counts.member_changes];
    assert!(rare.iter().all(|count| *count > 0), "something never happens: {counts:?}");
    assert!(requests > 50_000 && deltas > 5_000 && leads > SEEDS && counts.runs > SEEDS, "{counts:?}");
}

#[test]
fn seeds_hold_1_of_8() {
    hold(0);
}

#[test]
fn seeds_hold_2_of_8() {
    hold(1);
}

#[test]
fn seeds_hold_3_of_8() {
    hold(2);
}

#[test]
fn seeds_hold_4_of_8() {
    hold(3);
}

#[test]
fn seeds_hold_5_of_8() {
    hold(4);
}

#[test]
fn seeds_hold_6_of_8() {
    hold(5);
}

#[test]
fn seeds_hold_7_of_8() {
    hold(6);
}

#[test]
fn seeds_hold_8_of_8() {
    hold(7);
}

#[test]
fn a_seed_is_lived_through_in_the_same_way_every_time() {
    for seed in [3, 71] {
        let (first, second) = (live(seed, None, TraceMode::Hash), live(seed, None, TraceMode::Hash));
        assert_eq!(first, second);
        assert_ne!(first.trace_hash, live(seed + 1, None, TraceMode::Hash).trace_hash);
    }
}

/// A bug is caught, by an invariant that it breaks.
fn is_caught(bug: Bug) {
    let found = (0..SEEDS_PER_BUG).find_map(|seed| live(seed, Some(bug), TraceMode::Off).violation);
    let violation = found.unwrap_or_else(|| panic!("{bug} is not caught in {SEEDS_PER_BUG} seeds"));
    assert!(bug.breaks().contains(&violation.invariant), "{bug}: {violation}");
}

#[test]
fn a_leader_that_acknowledges_before_the_commit_is_caught() {
    is_caught(Bug::AckBeforeCommit);
}

#[test]
fn a_batch_that_is_applied_in_part_is_caught() {
    is_caught(Bug::PartialMerge);
}

#[test]
fn a_worker_that_releases_slots_before_their_users_have_stopped_is_caught() {
    is_caught(Bug::EarlyRelease);
}

#[test]
fn users_that_go_on_after_a_pause_without_a_lease_are_caught() {
    is_caught(Bug::BlindWake);
}

#[test]
fn a_disk_that_lies_is_caught() {
    is_caught(Bug::ForgetFsync);
}

#[test]
fn a_leader_that_does_not_hear_that_it_was_deposed_is_caught() {
    is_caught(Bug::DeafLeader);
}

#[test]
fn masters_that_apply_entries_with_their_own_clocks_are_caught() {
    is_caught(Bug::OwnClock);
}

#[test]
fn clients_that_repeat_actions_without_a_key_are_caught() {
    is_caught(Bug::NoKey);
}
