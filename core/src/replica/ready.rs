//! What raft-rs has ready: to be written, sent, and handed out.

use std::collections::VecDeque;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeSingle, ConfChangeV2, Entry, EntryType, HardState, Message, MessageType};
use raft::{ReadState, Ready, StateRole};

use super::event::{Committed, LogEvent};
use super::inputs::Replica;
use super::members::{MemberNames, Members, contains};
use super::output::{Output, Persist, Send, Write};
use super::snapshots;
use super::stored::StoredSnapshot;
use crate::ids::{LogIndex, RaftId};

/// Writes that were handed out and are not durable yet, in order.
#[derive(Debug, Default)]
pub(super) struct Writes {
    pending: VecDeque<Pending>,
    durable: u64,
    /// A commit index that need not be written for its own sake; it goes with the next write.
    unwritten: Option<HardState>,
}

#[derive(Debug)]
struct Pending {
    number: u64,
    /// Whether the shell writes anything for it. Otherwise it is done once those before it are.
    is_written: bool,
    /// To be sent once it is durable.
    messages: Vec<Message>,
    snapshot: Option<StoredSnapshot>,
}

impl Writes {
    pub(super) fn durable_up_to(&mut self, number: u64) {
        self.durable = self.durable.max(number);
    }

    pub(super) fn has_snapshot(&self) -> bool {
        self.pending.iter().any(|write| write.snapshot.is_some())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    fn next_done(&mut self) -> Option<Pending> {
        let first = self.pending.front()?;
        if first.is_written && first.number > self.durable {
            return None;
        }
        self.pending.pop_front()
    }
}

impl Replica {
    /// Takes everything that raft-rs has ready, until nothing is. Must follow every call into it.
    pub(super) fn proceed(&mut self) {
        if self.removed {
            return;
        }
        self.timeouts.settle(&mut self.node);
        self.finish_writes();
        while !self.is_deaf() && self.node.has_ready() {
            self.note_role();
            let ready = self.node.ready();
            self.take_ready(ready);
            self.timeouts.settle(&mut self.node);
            self.finish_writes();
        }
        self.note_role();
        self.hand_out();
    }

    fn take_ready(&mut self, mut ready: Ready) {
        let messages = ready.take_messages();
        let mut write = Pending {
            number: ready.number(),
            is_written: ready.must_sync(),
            messages: ready.take_persisted_messages(),
            snapshot: None,
        };
        if let Some(hard_state) = ready.hs() {
            self.writes.unwritten = Some(hard_state.clone());
        }
        if !ready.snapshot().is_empty() {
            let snapshot = StoredSnapshot::of_raft(ready.snapshot());
            self.node.mut_store().restore(snapshot.clone());
            write.snapshot = Some(snapshot);
        }
        let entries = ready.take_entries();
        self.node.mut_store().append(&entries);
        let committed = ready.take_committed_entries();
        // A committed change of the members is written at once: a master that starts again must not believe in members
        // that are gone.
        write.is_written |= committed.iter().any(is_change);
        for read in ready.take_read_states() {
            self.answer_read(&read);
        }
        if write.is_written {
            let hard_state = self.writes.unwritten.take();
            let snapshot = write.snapshot.clone();
            self.out.push(Output::Write(Write::Log(Persist { number: write.number, snapshot, entries, hard_state })));
        }
        self.writes.pending.push_back(write);
        self.node.advance_append_async(ready);
        self.send(messages);
        self.commit(&committed);
    }

    fn finish_writes(&mut self) {
        while let Some(write) = self.writes.next_done() {
            self.node.on_persist_ready(write.number);
            self.send(write.messages);
            if let Some(snapshot) = write.snapshot {
                self.adopt(&snapshot);
            }
        }
    }

    /// A leader's snapshot is on the disk.
    fn adopt(&mut self, snapshot: &StoredSnapshot) {
        self.node.advance_apply_to(snapshot.index);
        let (names, state) = snapshots::decode(&snapshot.data).unwrap_or_default();
        self.members = Members::restored(snapshot.index, snapshot.conf_state.clone(), names);
        self.was_member = contains(&snapshot.conf_state, self.config.id.0);
        self.committed = self.committed.max(snapshot.index);
        self.out.push(Output::Write(Write::Compact(snapshot.index)));
        self.hand_out_state(snapshot.index, state);
    }

    pub(super) fn hand_out_state(&mut self, index: u64, state: Bytes) {
        self.window.restored(index);
        self.snapshot_asked = false;
        self.out.push(Output::Tell(LogEvent::Restored { index: LogIndex(index), state }));
    }

    fn commit(&mut self, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| is_change(entry)) {
            self.change_members(entry);
            if self.removed {
                return;
            }
        }
        if let Some(last) = entries.last() {
            self.committed = last.index;
            self.node.advance_apply_to(last.index);
        }
    }

    /// A change that raft-rs refuses changes nothing, on every replica alike.
    fn change_members(&mut self, entry: &Entry) {
        let Some(change) = change_of(entry) else { return };
        let before = self.confirmed();
        let Ok(conf) = self.node.apply_conf_change(&change) else { return };
        let is_member = contains(&conf, self.config.id.0);
        self.members.changed(entry.index, conf, MemberNames::decode(&change.context));
        self.say_farewell(&before, entry.index);
        if self.was_member && !is_member {
            self.committed = entry.index;
            self.hand_out_rest();
            self.stop();
        }
        self.was_member = is_member;
    }

    /// Hands out committed entries as long as the window has room.
    fn hand_out(&mut self) {
        if !self.writes.has_snapshot() {
            self.hand_out_rest();
        }
        self.announce_lead();
        self.ask_for_snapshot();
    }

    fn hand_out_rest(&mut self) {
        let mut batch = Vec::new();
        while self.window.handed() < self.committed && self.window.has_room() {
            let index = self.window.handed() + 1;
            let Some(entry) = self.node.store().get(index) else { break };
            let record = if is_change(entry) { Bytes::new() } else { entry.data.clone() };
            self.window.hand_out(index, record.len());
            batch.push(Committed { index: LogIndex(index), record });
        }
        if !batch.is_empty() {
            self.out.push(Output::Tell(LogEvent::Committed(batch)));
        }
    }

    fn answer_read(&mut self, state: &ReadState) {
        let asked = <[u8; 8]>::try_from(state.request_ctx.as_slice()).map(u64::from_be_bytes);
        if let Some(read) = asked.ok().and_then(|asked| self.reads.remove(&asked)) {
            self.out.push(Output::Tell(LogEvent::Readable { read, index: LogIndex(state.index) }));
        }
    }

    pub(super) fn send(&mut self, messages: Vec<Message>) {
        for mut message in messages {
            let is_snapshot = message.get_msg_type() == MessageType::MsgSnapshot;
            if is_snapshot {
                self.snapshots_sent.insert(message.to, self.ticks);
            }
            self.mark(&mut message);
            let bytes = message.write_to_bytes().expect("a message without required fields can be written");
            self.out.push(Output::Send(Send { to: RaftId(message.to), message: bytes.into(), is_snapshot }));
        }
    }

    /// Whether it is the leader of raft's making, whatever it has said.
    pub(super) fn is_leader(&self) -> bool {
        self.node.raft.state == StateRole::Leader
    }
}

fn is_change(entry: &Entry) -> bool {
    entry.get_entry_type() != EntryType::EntryNormal
}

fn change_of(entry: &Entry) -> Option<ConfChangeV2> {
    match entry.get_entry_type() {
        EntryType::EntryNormal => None,
        EntryType::EntryConfChange => {
            let mut change = ConfChange::parse_from_bytes(&entry.data).ok()?;
            let single = ConfChangeSingle {
                change_type: change.change_type,
                node_id: change.node_id,
                ..ConfChangeSingle::default()
            };
            let context = change.take_context();
            Some(ConfChangeV2 { changes: vec![single].into(), context, ..ConfChangeV2::default() })
        }
        EntryType::EntryConfChangeV2 => ConfChangeV2::parse_from_bytes(&entry.data).ok(),
    }
}
