//! Masters come and go.

use akrida_core::ids::RaftId;
use akrida_core::replica::change::{ChangeRefused, MemberChange};
use akrida_core::replica::status::Role;
use akrida_core::replica::stored::Stored;
use raft::eraftpb::EntryType;

use crate::world::{World, member};

const THREE: [(u64, i64); 3] = [(1, 1), (2, 2), (3, 3)];

fn voters(world: &mut World, id: u64) -> Vec<u64> {
    let members = world.replica(id).status().members;
    members.into_iter().filter(|member| member.is_voter).map(|member| member.id.0).collect()
}

fn change(world: &mut World, leader: u64, add: &[u64], remove: &[u64]) -> Result<(), ChangeRefused> {
    let add = add.iter().map(|id| member(*id)).collect();
    let remove = remove.iter().map(|id| RaftId(*id)).collect();
    let answer = world.replica(leader).change(MemberChange { add, remove });
    world.carry_out(leader);
    answer
}

fn await_voters(world: &mut World, expected: &[u64]) {
    world.run_until("the new members", 3_000, |world| {
        expected.iter().all(|id| voters(world, *id) == expected && !world.replica(*id).status().is_changing)
    });
}

#[test]
fn one_comes_and_one_goes_in_one_step() {
    for seed in 0..20 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 20);
        let gone = (1..=3).find(|id| *id != leader).unwrap();
        world.add(4, 4, Stored::joining());
        change(&mut world, leader, &[4], &[gone]).unwrap();
        let left: Vec<u64> = (1..=4).filter(|id| *id != gone).collect();
        for _ in 0..30 {
            if let Some(leader) = world.leader() {
                world.propose(leader);
            }
            world.run(1);
        }
        await_voters(&mut world, &left);
        assert_eq!(world.replica(4).name_of(RaftId(leader)).map(|name| &**name), Some(&*format!("master-{leader}")));
        world.run_until("the removed one stops", 200, |world| {
            // It may never hear of its removal; then it is stopped from outside.
            world.nodes[&gone].is_removed || world.replica(gone).status().role != Role::Leader
        });
        world.nodes.get_mut(&gone).unwrap().is_removed = true;
        world.crash(gone);
        world.settle();
    }
}

#[test]
fn a_joiner_behind_a_compacted_log_gets_a_snapshot_that_lists_it() {
    for seed in 0..20 {
        let mut world = World::new(seed, &THREE);
        for _ in 0..6 {
            let leader = world.await_leader();
            world.commit(leader, 30);
        }
        let leader = world.await_leader();
        let before = world.nodes[&leader].disk.snapshot.clone().unwrap();
        assert!(!before.conf_state.voters.contains(&4));
        world.add(4, 4, Stored::joining());
        change(&mut world, leader, &[4], &[]).unwrap();
        await_voters(&mut world, &[1, 2, 3, 4]);
        assert!(world.nodes[&4].restored > 0, "it got a snapshot");
        world.settle();
        world.crash(4);
        world.start(4);
        world.settle();
        let names: Vec<_> = (1..=4).map(|id| world.replica(4).name_of(RaftId(id)).cloned()).collect();
        assert!(names.iter().all(Option::is_some), "{names:?}");
    }
}

#[test]
fn nobody_who_has_never_answered_gets_a_vote() {
    let mut world = World::new(5, &THREE);
    let leader = world.await_leader();
    change(&mut world, leader, &[4], &[]).unwrap();
    world.run(500);
    let leader = world.await_leader();
    assert_eq!(voters(&mut world, leader), [1, 2, 3], "4 is nowhere, and the log has only a few entries");
    world.commit(leader, 5);
}

#[test]
fn a_lost_disk_is_replaced_under_a_new_id() {
    for seed in 0..20 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 10);
        let lost = (1..=3).find(|id| *id != leader).unwrap();
        world.crash(lost);
        world.nodes.remove(&lost);
        world.add(44, 0, Stored::joining());
        change(&mut world, leader, &[44], &[lost]).unwrap();
        let left: Vec<u64> = [1, 2, 3, 44].into_iter().filter(|id| *id != lost).collect();
        await_voters(&mut world, &left);
        world.settle();
        // Each of the three can be lost now.
        let leader = world.leader().unwrap();
        world.crash(leader);
        let next = world.await_leader();
        world.commit(next, 5);
        world.settle();
    }
}

#[test]
fn a_lost_disk_under_the_old_id_is_refused_and_nobody_panics() {
    let mut world = World::new(3, &THREE);
    let leader = world.await_leader();
    world.commit(leader, 10);
    world.run(20);
    let lost = (1..=3).find(|id| *id != leader).unwrap();
    world.crash(lost);
    let node = world.nodes.get_mut(&lost).unwrap();
    node.disk = Stored::joining();
    world.start(lost);
    world.run(200);
    let refused = &world.nodes[&lost].refused;
    assert!(refused.iter().any(|reason| reason.contains("were data lost?")), "{refused:?}");
    assert_eq!(world.leader(), Some(leader));
}

#[test]
fn a_committed_change_is_on_the_disk_without_further_writes() {
    for seed in 0..20 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        let gone = (1..=3).find(|id| *id != leader).unwrap();
        change(&mut world, leader, &[], &[gone]).unwrap();
        let left: Vec<u64> = (1..=3).filter(|id| *id != gone).collect();
        await_voters(&mut world, &left);
        world.run(20);
        for id in left {
            let disk = &world.nodes[&id].disk;
            let changes = disk.entries.iter().filter(|entry| entry.entry_type != EntryType::EntryNormal);
            assert!(disk.hard_state.commit >= changes.last().unwrap().index, "seed {seed}: master {id}");
        }
    }
}

#[test]
fn a_leader_gives_the_lead_away_before_it_is_removed() {
    for seed in 0..20 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 5);
        world.run(10);
        assert_eq!(change(&mut world, leader, &[], &[leader]), Err(ChangeRefused::RemovesLeader));
        world.run_until("another leads", 100, |world| world.leader().is_some_and(|next| next != leader));
        let next = world.leader().unwrap();
        change(&mut world, next, &[], &[leader]).unwrap();
        world.run_until("it sees its removal", 500, |world| world.nodes[&leader].is_removed);
        assert_eq!(world.replica(leader).status().role, Role::Removed);
        world.run(100);
        world.settle();
        let left: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
        await_voters(&mut world, &left);
    }
}

#[test]
fn changes_survive_losses_crashes_and_changes_of_leader() {
    for seed in 0..30 {
        let mut world = World::new(seed, &THREE);
        let leader = world.await_leader();
        world.commit(leader, 40);
        (world.loss, world.delay, world.disk_delay) = (10, 4, 4);
        world.add(4, 4, Stored::joining());
        for round in 0..3_000 {
            if let Some(leader) = world.leader() {
                world.propose(leader);
                let is_done = voters(&mut world, leader) == [2, 3, 4] && !world.replica(leader).status().is_changing;
                if is_done {
                    break;
                }
                // Asked again and again, as an operator would.
                let _ = change(&mut world, leader, &[4], &[1]);
            }
            if round % 40 == 20 {
                let id = world.random.u64(2..=4);
                world.crash(id);
                world.start(id);
            }
            world.run(1);
        }
        world.run_until("the change is done", 2_000, |world| {
            let Some(leader) = world.leader() else { return false };
            let _ = change(world, leader, &[4], &[1]);
            voters(world, leader) == [2, 3, 4] && !world.replica(leader).status().is_changing
        });
        world.nodes.get_mut(&1).unwrap().is_removed = true;
        world.crash(1);
        world.settle();
        await_voters(&mut world, &[2, 3, 4]);
    }
}

#[test]
fn senseless_changes_are_refused() {
    let mut world = World::new(1, &THREE);
    let leader = world.await_leader();
    world.commit(leader, 1);
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    assert_eq!(change(&mut world, follower, &[4], &[]), Err(ChangeRefused::NotLeader));
    for (add, remove) in [(&[][..], &[][..]), (&[0], &[]), (&[4], &[4]), (&[1], &[]), (&[], &[9]), (&[], &[1, 2, 3])] {
        let answer = change(&mut world, leader, add, remove);
        assert!(matches!(answer, Err(ChangeRefused::Senseless(_))), "+{add:?} -{remove:?}: {answer:?}");
    }
    assert_eq!(voters(&mut world, leader), [1, 2, 3]);
}
