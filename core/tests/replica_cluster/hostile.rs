//! Bytes from a socket never make a replica panic.

use akrida_core::replica::change::MemberChange;
use akrida_core::replica::event::LogEvent;
use akrida_core::replica::output::Write;
use akrida_core::replica::screen::Refused;
use akrida_core::replica::stored::Stored;
use akrida_core::replica::{Output, Replica};
use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{Entry, Message, MessageType, Snapshot};

use crate::world::{World, member};

const THREE: [(u64, i64); 3] = [(1, 1), (2, 2), (3, 3)];

fn message(kind: MessageType, to: u64, term: u64) -> Message {
    Message { msg_type: kind, from: 1, to, term, ..Message::default() }
}

fn refuse(world: &mut World, to: u64, message: &Message) -> Option<Refused> {
    let answer = world.replica(to).receive(&message.write_to_bytes().unwrap()).err();
    world.carry_out(to);
    answer
}

#[test]
fn what_raft_would_panic_on_is_refused() {
    let mut world = World::new(1, &THREE);
    world.await_leader();
    let term = world.replica(2).status().term + 5;
    let entry = |index, term| Entry { index, term, ..Entry::default() };
    let mut all = vec![
        Message { commit: 1_000, ..message(MessageType::MsgHeartbeat, 2, term) },
        Message { commit: 1, ..message(MessageType::MsgHeartbeat, 2, 0) },
        message(MessageType::MsgRequestPreVote, 2, 0),
        message(MessageType::MsgPropose, 2, term),
        message(MessageType::MsgPropose, 2, 0),
        message(MessageType::MsgHup, 2, term),
        message(MessageType::MsgReadIndex, 2, term),
        message(MessageType::MsgReadIndexResp, 2, term),
        message(MessageType::MsgTransferLeader, 2, term),
        message(MessageType::MsgSnapshot, 2, term),
        message(MessageType::MsgHeartbeat, 3, term),
        Message { from: 2, ..message(MessageType::MsgHeartbeat, 2, term) },
        message(MessageType::MsgRequestVote, 2, u64::MAX),
        Message { index: 900, ..message(MessageType::MsgAppend, 2, term) },
        Message { index: 900, ..message(MessageType::MsgAppendResponse, 2, term) },
    ];
    for entries in
        [vec![entry(9, 1)], vec![entry(4, 2), entry(6, 2)], vec![entry(4, 2), entry(5, 1)], vec![entry(4, 99)]]
    {
        all.push(Message {
            index: 3,
            log_term: 1,
            entries: entries.into(),
            ..message(MessageType::MsgAppend, 2, term)
        });
    }
    let mut snapshot = Snapshot::default();
    snapshot.mut_metadata().index = 50;
    snapshot.mut_metadata().term = 2;
    snapshot.mut_metadata().mut_conf_state().voters = vec![1, 2, 2];
    let mut twice = message(MessageType::MsgSnapshot, 2, term);
    twice.set_snapshot(snapshot);
    all.push(twice);
    for one in &all {
        assert!(refuse(&mut world, 2, one).is_some(), "{one:?}");
    }
    world.settle();
}

/// Messages of a group's life, with snapshots, elections and a joiner.
fn genuine() -> (World, Vec<(u64, Bytes)>) {
    let mut world = World::new(2, &THREE);
    for _ in 0..4 {
        let leader = world.await_leader();
        world.commit(leader, 30);
    }
    let leader = world.leader().unwrap();
    let add = vec![member(4)];
    world.add(4, 4, Stored::joining());
    world.replica(leader).change(MemberChange { add, remove: Vec::new() }).unwrap();
    world.carry_out(leader);
    world.run(200);
    world.crash(leader);
    world.await_leader();
    world.start(leader);
    world.settle();
    let sent = std::mem::take(&mut world.sent);
    (world, sent)
}

/// Writes at once and applies at once.
fn drive(replica: &mut Replica) {
    loop {
        let due = replica.take();
        if due.is_empty() {
            return;
        }
        for output in due {
            match output {
                Output::Write(Write::Log(persist)) => replica.persisted(persist.number),
                Output::Tell(LogEvent::Committed(entries)) => replica.applied(entries.last().unwrap().index),
                Output::Tell(LogEvent::Restored { index, .. }) => replica.applied(index),
                _ => {}
            }
        }
    }
}

#[test]
fn damaged_and_shuffled_messages_make_nobody_panic() {
    let (world, genuine) = genuine();
    assert!(genuine.len() > 500, "{}", genuine.len());
    let mut taken = 0;
    for seed in 0..60 {
        let mut random = fastrand::Rng::with_seed(seed);
        for id in 1..=4 {
            let node = &world.nodes[&id];
            let disk = if seed % 2 == 0 { node.disk.clone() } else { Stored::joining() };
            let mut replica = Replica::new(node.config.clone(), disk).unwrap();
            drive(&mut replica);
            for _ in 0..300 {
                let (to, message) = &genuine[random.usize(..genuine.len())];
                let mut message = Message::parse_from_bytes(message).unwrap();
                if *to != id && random.bool() {
                    message.to = id;
                    message.from = message.from % 4 + 1;
                }
                let mut bytes = message.write_to_bytes().unwrap();
                for _ in 0..random.usize(0..3) {
                    let place = random.usize(..bytes.len());
                    bytes[place] = random.u8(..);
                }
                taken += usize::from(replica.receive(&bytes).is_ok());
                if random.u8(..) < 100 {
                    replica.tick();
                }
                drive(&mut replica);
            }
        }
    }
    assert!(taken > 5_000, "most were refused, so little was tried: {taken}");
}
