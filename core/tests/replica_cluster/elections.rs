//! Who leads.

use akrida_core::ids::RaftId;
use akrida_core::replica::status::Role;

use crate::world::{ELECTION, World};

const THREE: [(u64, i64); 3] = [(1, 1), (2, 2), (3, 3)];

#[test]
fn a_fresh_group_with_priorities_and_pre_vote_elects_a_leader() {
    for seed in 0..60 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 5);
        world.settle();
    }
}

#[test]
fn after_a_crash_the_higher_priority_of_those_left_leads() {
    for seed in 0..30 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 1);
        world.run(4);
        world.crash(leader);
        let next = world.await_leader();
        let expected = if leader == 3 { 2 } else { 3 };
        assert_eq!(next, expected, "seed {seed}: after {leader}");
        world.settle();
    }
}

#[test]
fn a_leader_whose_process_has_ended_is_replaced_sooner_than_a_silent_one() {
    let ticks_until_led = |is_known: bool| -> u64 {
        let of_seed = |seed| {
            let mut world = World::new(seed, &THREE);
            let leader = world.await_leader();
            world.commit(leader, 1);
            world.run(2);
            world.crash(leader);
            let crashed = world.now;
            for id in (1..=3).filter(|id| *id != leader && is_known) {
                world.replica(id).ended(RaftId(leader));
            }
            while world.leader().is_none() {
                world.run(1);
                // Whoever hears it again and again does not wait longer for that.
                for id in (1..=3).filter(|id| *id != leader && is_known) {
                    world.replica(id).ended(RaftId(leader));
                }
            }
            let ticks = world.now - crashed;
            world.settle();
            ticks
        };
        (0..60).map(of_seed).sum()
    };
    let (known, silent) = (ticks_until_led(true), ticks_until_led(false));
    assert!(known * 4 <= silent * 3, "{known} and {silent} ticks");
}

#[test]
fn one_master_that_is_wrong_about_the_end_of_the_leader_changes_nothing() {
    for seed in 0..30 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 1);
        world.run(4);
        let term = world.replica(leader).status().term;
        let wrong = (1..=3).find(|id| *id != leader).unwrap();
        world.replica(wrong).ended(RaftId(leader));
        world.run(5 * ELECTION as u64);
        assert_eq!((world.leader(), world.replica(leader).status().term), (Some(leader), term), "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let trace = |seed| {
        let mut world = World::new(seed, &THREE);
        (world.loss, world.delay) = (20, 4);
        for _ in 0..20 {
            world.run(20);
            if let Some(leader) = world.leader() {
                world.propose(leader);
            }
        }
        world.trace
    };
    for seed in 0..5 {
        assert_eq!(trace(seed), trace(seed), "seed {seed}");
    }
    assert_ne!(trace(1), trace(2));
}

#[test]
fn masters_of_equal_priority_do_not_collide_for_ever() {
    for seed in 0..60 {
        let mut world = World::new(seed, &[(1, 0), (2, 0)]);
        world.await_leader();
    }
}

#[test]
fn a_follower_that_was_cut_off_does_not_depose_the_leader() {
    let mut world = World::new(4, &THREE);
    let leader = world.await_leader();
    let term = world.replica(leader).status().term;
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    world.isolate(follower);
    world.run(30 * ELECTION as u64);
    world.heal();
    world.run(10 * ELECTION as u64);
    assert_eq!(world.leader(), Some(leader));
    assert_eq!(world.replica(leader).status().term, term);
}

#[test]
fn a_leader_without_a_quorum_steps_down_and_answers_no_read() {
    let mut world = World::new(5, &THREE);
    let old = world.await_leader();
    world.isolate(old);
    let reads: Vec<u64> = (0..5 * ELECTION)
        .map(|_| {
            let read = world.read(old);
            world.run(1);
            read
        })
        .collect();
    assert!(world.leader().is_some_and(|leader| leader != old));
    assert!(world.nodes[&old].leads.is_none());
    assert!(reads.iter().all(|read| !world.nodes[&old].readable.contains(read)), "a read without a quorum");
    let lost = world.propose(old);
    assert!(world.nodes[&old].dropped.contains(&lost), "a follower takes no proposals");
    world.settle();
}

#[test]
fn reads_see_what_was_committed_before_them() {
    let mut world = World::new(6, &THREE);
    let leader = world.await_leader();
    for _ in 0..20 {
        world.commit(leader, 1);
        let read = world.read(leader);
        world.run_until("readable", 20, |world| world.nodes[&leader].readable.contains(&read));
    }
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    let read = world.read(follower);
    world.run(20);
    assert!(!world.nodes[&follower].readable.contains(&read), "a follower proves no lead");
}

#[test]
fn a_better_master_that_votes_but_never_campaigns_blocks_the_others_unless_its_priority_is_low() {
    for (priority, is_elected) in [(3, false), (-5, true)] {
        let mut world = World::new(8, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 1);
        world.run(10);
        [1, 2, 3].into_iter().for_each(|id| world.crash(id));
        world.start(2);
        world.start(3);
        world.replica(3).set_priority(priority);
        // The clock of master 3 stands still; it hears and votes.
        world.stopped_clocks.insert(3);
        world.run(60 * ELECTION as u64);
        assert_eq!(world.leader() == Some(2), is_elected, "priority {priority}");
    }
}

#[test]
fn an_operator_gives_the_lead_to_another_and_it_stays_there() {
    let mut world = World::new(9, &THREE);
    world.set_fail_back(50, 100);
    let leader = world.await_leader();
    world.commit(leader, 3);
    world.await_lead_of(3, 2_000);
    world.run(10);
    world.replica(3).transfer(RaftId(1));
    world.carry_out(3);
    world.await_lead_of(1, 20);
    world.run(1_000);
    assert_eq!(world.leader(), Some(1), "the lead went back without an election");
    world.crash(1);
    world.await_leader();
    world.start(1);
    world.await_lead_of(3, 2_000);
}

#[test]
fn a_better_master_that_comes_back_gets_the_lead_after_a_while() {
    let mut world = World::new(10, &THREE);
    world.set_fail_back(100, 100);
    world.await_lead_of(3, 2_000);
    world.crash(3);
    let other = world.await_leader();
    assert_eq!(other, 2);
    world.start(3);
    world.run(90);
    assert_eq!(world.leader(), Some(2), "too early");
    world.await_lead_of(3, 100);
    assert_eq!(world.replica(3).status().role, Role::Leader);
    world.settle();
}

#[test]
fn a_master_alone_leads_at_once_and_survives_a_restart() {
    let mut world = World::new(11, &[(7, 0)]);
    world.await_lead_of(7, 100);
    world.commit(7, 200);
    let read = world.read(7);
    assert!(world.nodes[&7].readable.contains(&read));
    world.crash(7);
    world.start(7);
    world.settle();
    assert!(world.nodes[&7].disk.entries.len() < 80, "the log is compacted");
}
