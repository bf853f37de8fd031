//! The raft thread of a master, as the program drives it: messages, ticks that catch up, and writes.

use akrida_core::ids::{LogIndex, ProposalId, RaftId};
use akrida_core::replica::Output;
use akrida_core::replica::event::LogEvent;
use akrida_core::replica::output::{Send, Write};
use bytes::Bytes;

use super::{ELECTION_TICKS, RAFT_TICK_US};
use crate::bugs::Bug;
use crate::clock::SECOND;
use crate::event::{Event, MasterEvent, Node};
use crate::world::World;

/// What the coordinator says to the raft thread.
#[derive(Debug)]
pub(crate) enum Inbox {
    /// The process of another master has ended.
    Ended(RaftId),
    Propose(ProposalId, Bytes),
    Applied(LogIndex),
    Snapshot(LogIndex, Bytes),
}

/// Ticks that are caught up at most after a pause.
const CATCH_UP_TICKS_MAX: u32 = 2 * ELECTION_TICKS as u32;

impl World {
    pub(super) fn raft_tick(&mut self, at: usize) {
        let now_us = self.schedule.now_us();
        let Some(process) = &mut self.masters[at].process else { return };
        let mono_us = process.mono.at(now_us);
        let mut ticks = 0;
        while process.next_tick_us <= mono_us {
            if ticks == CATCH_UP_TICKS_MAX {
                process.next_tick_us = mono_us + RAFT_TICK_US;
                break;
            }
            process.next_tick_us += RAFT_TICK_US;
            process.replica.tick();
            ticks += 1;
        }
        let (next_us, life) = (process.mono.when(process.next_tick_us), self.masters[at].life);
        self.schedule.at(next_us, Event::Master { at, life, what: MasterEvent::RaftTick });
        self.carry_out_raft(at);
    }

    pub(super) fn raft_receive(&mut self, at: usize, send: &Send) {
        let Some(process) = &mut self.masters[at].process else { return };
        if let Err(refused) = process.replica.receive(&send.message) {
            self.note(format_args!("master {at} refuses a message: {refused}"));
        }
        self.carry_out_raft(at);
    }

    pub(super) fn raft_take(&mut self, at: usize, inbox: Inbox) {
        let Some(process) = &mut self.masters[at].process else { return };
        match inbox {
            Inbox::Ended(member) => {
                process.replica.ended(member);
            }
            Inbox::Propose(proposal, record) => process.replica.propose(proposal, record),
            Inbox::Applied(index) => process.replica.applied(index),
            Inbox::Snapshot(index, state) => process.replica.snapshot(index, &state),
        }
        self.carry_out_raft(at);
    }

    pub(super) fn raft_written(&mut self, at: usize) {
        let before = self.masters[at].disk.vote();
        let number = self.masters[at].disk.written();
        if let Some(number) = number.filter(|_| self.bug != Some(Bug::ForgetFsync)) {
            self.raft_persisted(at, number);
        }
        let (term, vote) = self.masters[at].disk.vote();
        if (term, vote) != before && vote != 0 && vote != self.masters[at].id.0 {
            self.has_voted(at);
        }
    }

    pub(super) fn raft_persisted(&mut self, at: usize, number: u64) {
        let Some(process) = &mut self.masters[at].process else { return };
        process.replica.persisted(number);
        self.carry_out_raft(at);
    }

    /// Carries out what a replica wants, until it wants nothing more.
    pub(crate) fn carry_out_raft(&mut self, at: usize) {
        loop {
            let Some(process) = &mut self.masters[at].process else { return };
            let due = process.replica.take();
            if due.is_empty() {
                return;
            }
            due.into_iter().for_each(|output| self.carry_out_output(at, output));
        }
    }

    fn carry_out_output(&mut self, at: usize, output: Output) {
        match output {
            Output::Send(send) => self.send_to_peer(at, send),
            Output::Write(write) => self.write(at, write),
            Output::Tell(event) => {
                self.look_at(at, &event);
                self.tell_coordinator(at, event);
            }
            Output::Removed => self.note(format_args!("master {at} was removed")),
        }
    }

    /// What the oracle and the trace note of an event.
    fn look_at(&mut self, at: usize, event: &LogEvent) {
        match event {
            LogEvent::Committed(entries) => self.check_durable(at, entries),
            LogEvent::Restored { index, .. } => {
                self.note(format_args!("master {at} gets the state as of entry {}", index.0));
                self.oracle.counts.snapshots += 1;
            }
            LogEvent::Leads { term } => {
                self.note(format_args!("master {at} leads in term {term}"));
                self.oracle.leads(at, *term, self.schedule.now_us());
            }
            LogEvent::Follows { term, leader } => {
                self.note(format_args!("master {at} follows {leader:?} in term {term}"));
            }
            LogEvent::SnapshotWanted | LogEvent::Dropped(_) | LogEvent::Readable { .. } => {}
        }
    }

    fn write(&mut self, at: usize, write: Write) {
        let now_us = self.schedule.now_us();
        let number = write.number();
        let mut due_us = self.masters[at].disk.take(write, now_us, &mut self.random);
        if self.bug == Some(Bug::ForgetFsync) {
            if let Some(number) = number {
                self.plan_at_master(at, 1, MasterEvent::Persisted(number));
            }
            due_us += 5 * SECOND;
        }
        let life = self.masters[at].life;
        self.schedule.at(due_us, Event::Master { at, life, what: MasterEvent::Written });
    }

    fn send_to_peer(&mut self, from: usize, send: Send) {
        let place = self.place_of(send.to);
        let is_there = place.is_some_and(|to| self.masters[to].process.is_some());
        let passes = |to: usize| self.network.passes(Node::Master(from), Node::Master(to));
        // A connection that is down is noticed sooner or later.
        let is_noticed = self.random.bool();
        let Some(to) = place.filter(|to| is_there && (passes(*to) || !is_noticed)) else {
            let Some(process) = &mut self.masters[from].process else { return };
            return process.replica.not_sent(send.to, send.is_snapshot);
        };
        if !passes(to) {
            return;
        }
        for _ in 0..self.network.copies(&mut self.random) {
            let delay_us = self.network.delay(&mut self.random);
            self.plan_at_master(to, delay_us, MasterEvent::Peer(send.clone()));
        }
    }

    /// Where the master with this id is.
    pub(crate) fn place_of(&self, id: RaftId) -> Option<usize> {
        self.masters.iter().position(|master| master.is_in_use && master.id == id)
    }
}
