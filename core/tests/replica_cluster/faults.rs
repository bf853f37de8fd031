//! Losses, crashes and partitions: nothing that was acknowledged is lost.

use akrida_core::ids::RaftId;
use akrida_core::replica::event::LogEvent;
use akrida_core::replica::output::Write;

use crate::world::World;

#[test]
fn nothing_acknowledged_is_lost_whatever_fails() {
    let mut acknowledged = 0;
    for seed in 0..40 {
        let masters = if seed % 2 == 0 { 3 } else { 5 };
        let all: Vec<(u64, i64)> = (1..=masters).map(|id| (id, id as i64)).collect();
        let mut world = World::new(seed, &all);
        (world.loss, world.doubled, world.delay, world.disk_delay) = (10, 10, 5, 6);
        for _ in 0..120 {
            fault(&mut world, masters);
            let ticks = world.random.u64(1..25);
            for _ in 0..ticks {
                if let Some(leader) = world.leader() {
                    world.propose(leader);
                    if world.random.u8(..) < 60 {
                        world.read(leader);
                    }
                }
                world.run(1);
            }
        }
        world.settle();
        acknowledged += world.acknowledged.len();
    }
    assert!(acknowledged > 5_000, "so little was acknowledged that nothing is proved: {acknowledged}");
}

fn fault(world: &mut World, masters: u64) {
    let id = world.random.u64(1..=masters);
    let is_down = world.nodes[&id].replica.is_none();
    match world.random.u8(0..11) {
        0 | 1 if !is_down => world.crash(id),
        0..=3 if is_down => world.start(id),
        4 => world.isolate(id),
        5 => {
            let other = world.random.u64(1..=masters);
            world.cut.insert((id, other));
        }
        6 => {
            let node = world.nodes.get_mut(&id).unwrap();
            node.is_paused = !node.is_paused;
        }
        // Right or wrong, others hear that a process has ended.
        7 => {
            for other in 1..=masters {
                if world.nodes[&other].replica.is_some() && world.random.bool() {
                    world.replica(other).ended(RaftId(id));
                }
            }
        }
        _ => world.heal(),
    }
}

/// Three masters of whom a follower crashed before the others committed so many times 30 records; and that follower.
fn with_a_follower_behind(seed: u64, times: usize) -> (World, u64) {
    let mut world = World::new(seed, &[(1, 1), (2, 2), (3, 3)]);
    let leader = world.await_leader();
    let follower = (1..=3).find(|id| *id != leader).unwrap();
    world.crash(follower);
    for _ in 0..times {
        let leader = world.await_leader();
        world.commit(leader, 30);
    }
    (world, follower)
}

#[test]
fn a_follower_behind_the_compacted_log_is_caught_up_by_a_snapshot() {
    for seed in 0..20 {
        let (mut world, follower) = with_a_follower_behind(seed, 10);
        // The snapshot, its answer, or anything else may be lost.
        world.loss = 30;
        world.start(follower);
        world.run_until("caught up", 3_000, |world| world.nodes[&follower].restored > 0);
        world.settle();
        world.crash(follower);
        world.start(follower);
        world.settle();
    }
}

#[test]
fn a_master_that_dies_while_it_saves_a_snapshot_starts_again() {
    for seed in 0..20 {
        let (mut world, follower) = with_a_follower_behind(seed, 10);
        world.disk_delay = 12;
        for _ in 0..15 {
            world.start(follower);
            let ticks = world.random.u64(1..20);
            world.run(ticks);
            world.crash(follower);
        }
        world.settle();
    }
}

#[test]
fn a_master_does_not_campaign_while_it_saves_a_snapshot() {
    for seed in 0..20 {
        let (mut world, follower) = with_a_follower_behind(seed, 4);
        world.disk_delay = 300;
        world.start(follower);
        world.run_until("it saves a snapshot", 1_000, |world| world.is_saving_snapshot(follower));
        // Nobody is left to be heard, for many time-outs.
        world.isolate(follower);
        world.run(300);
        world.disk_delay = 1;
        world.settle();
    }
}

#[test]
fn a_master_alone_that_was_deposed_does_not_lead_before_its_log_is_written() {
    use protobuf::Message as _;
    use raft::eraftpb::{Message, MessageType};

    let mut world = World::new(1, &[(1, 0)]);
    world.await_lead_of(1, 100);
    world.disk_delay = 400;
    world.propose(1);
    let term = world.replica(1).status().term;
    // A stranger, as a master that was removed long ago may be.
    let stranger =
        Message { msg_type: MessageType::MsgHeartbeat, from: 9, to: 1, term: term + 1, ..Message::default() };
    world.replica(1).receive(&stranger.write_to_bytes().unwrap()).unwrap();
    world.carry_out(1);
    assert_eq!(world.leader(), None);
    world.run(400);
    world.disk_delay = 1;
    world.settle();
}

#[test]
fn all_masters_die_at_once_and_come_back_with_everything() {
    for seed in 0..20 {
        let mut world = World::new(seed, &[(1, 1), (2, 2), (3, 3)]);
        world.disk_delay = 5;
        for _ in 0..8 {
            let leader = world.await_leader();
            (0..40).for_each(|_| {
                world.propose(leader);
            });
            let ticks = world.random.u64(1..15);
            world.run(ticks);
            [1, 2, 3].into_iter().for_each(|id| world.crash(id));
            [1, 2, 3].into_iter().for_each(|id| world.start(id));
        }
        world.settle();
    }
}

#[test]
fn a_slow_state_machine_does_not_get_more_than_the_window() {
    use akrida_core::ids::{LogIndex, ProposalId, RaftId};
    use akrida_core::limits::RAFT_UNAPPLIED_ENTRIES_MAX;
    use akrida_core::replica::stored::Stored;
    use akrida_core::replica::{Output, Replica, ReplicaConfig};

    let stored = Stored::founded(&[crate::world::member(1)]);
    let mut replica = Replica::new(ReplicaConfig::new(RaftId(1), 10, 2, 0, 1), stored).unwrap();
    let mut handed = 0;
    let mut drive = |replica: &mut Replica| {
        loop {
            let due = replica.take();
            if due.is_empty() {
                return handed;
            }
            for output in due {
                match output {
                    Output::Write(Write::Log(persist)) => replica.persisted(persist.number),
                    Output::Tell(LogEvent::Committed(entries)) => handed = entries.last().unwrap().index.0,
                    _ => {}
                }
            }
        }
    };
    while !replica.leads() {
        replica.tick();
        drive(&mut replica);
    }
    for proposal in 0..5_000 {
        replica.propose(ProposalId(proposal), vec![7; 8].into());
        drive(&mut replica);
    }
    assert_eq!(drive(&mut replica), RAFT_UNAPPLIED_ENTRIES_MAX);
    replica.applied(LogIndex(1_000));
    assert_eq!(drive(&mut replica), RAFT_UNAPPLIED_ENTRIES_MAX + 1_000);
    for _ in 0..10 {
        let applied = drive(&mut replica);
        replica.applied(LogIndex(applied));
    }
    assert_eq!(drive(&mut replica), 5_002, "the founding entry, the leader's first and 5 000 records");
}
