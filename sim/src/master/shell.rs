//! A master's coordinator: the same wiring around `akrida_core::coordinator` as the program's coordinator actor.
//!
//! It has no clock and sends nothing by itself: what it does is a list of [`Deed`]s.

use std::collections::BTreeMap;

use akrida_core::coordinator::{Coordinator, Input, Now, Output, Settings};
use akrida_core::ids::{Incarnation, LogIndex, ProposalId, WorkerId};
use akrida_core::limits;
use akrida_core::replica::event::{Committed, LogEvent};
use akrida_core::state::command::{Command, DeltaPart};
use akrida_core::state::record::Record;
use akrida_core::state::request::RequestKey;
use akrida_core::state::{Applied, ClusterState, Entry};
use akrida_core::wire::{FromWorker, Leadership, ToWorker};
use bytes::Bytes;

use super::orders::Asked;
use super::proposals::{Proposals, Waiting};
use crate::bugs::Bug;
use crate::invariants::{HasApplied, Oracle};
use crate::links::{ConnectionId, Down};
use crate::workload::{ActionId, Outcome};

/// What a coordinator does.
#[derive(Debug)]
pub(crate) enum Deed {
    Propose(ProposalId, Bytes, Option<ActionId>),
    /// Everything up to here is applied.
    Applied(LogIndex),
    Snapshot(LogIndex, Bytes),
    Tell(ConnectionId, Down),
    Answer(ActionId, Outcome),
    /// For the oracle: a leader of this term acts.
    Acted {
        term: u64,
    },
    /// For the oracle: a leader tells a worker that these deltas are safe.
    Acknowledged {
        worker: WorkerId,
        message: ToWorker,
    },
}

/// What this master is in the group.
#[derive(Debug)]
enum Role {
    Leads { term: u64, core: Box<Coordinator> },
    Follows { term: u64 },
}

/// A coordinator.
#[derive(Debug)]
pub(crate) struct Shell {
    settings: Settings,
    pub(crate) state: ClusterState,
    role: Role,
    /// The links of all lives of all workers; of each life the one that came last.
    sessions: BTreeMap<(WorkerId, Incarnation), ConnectionId>,
    proposals: Proposals,
    proposed_ms: u64,
    bug: Option<Bug>,
    deeds: Vec<Deed>,
}

impl Shell {
    /// A coordinator that has applied nothing.
    pub(crate) fn new(settings: Settings, seed: u64, bug: Option<Bug>) -> Self {
        Self {
            settings,
            state: ClusterState::default(),
            role: Role::Follows { term: 0 },
            sessions: BTreeMap::new(),
            proposals: Proposals::new(seed),
            proposed_ms: 0,
            bug,
            deeds: Vec::new(),
        }
    }

    /// What is to be done since the last time.
    pub(crate) fn take(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    /// The term in which it leads.
    pub(crate) fn leads(&self) -> Option<u64> {
        match &self.role {
            Role::Leads { term, .. } => Some(*term),
            Role::Follows { .. } => None,
        }
    }

    fn announcement(&self) -> Leadership {
        match &self.role {
            Role::Leads { term, .. } => Leadership::Leads { term: *term },
            Role::Follows { term } => Leadership::Follows { term: *term },
        }
    }

    fn step(&mut self, input: Input, now: Now) {
        let Role::Leads { core, term } = &mut self.role else { return };
        let term = *term;
        let outputs = core.step(input, now, &self.state);
        if !outputs.is_empty() {
            self.deeds.push(Deed::Acted { term });
        }
        self.carry_out(outputs, now);
    }

    fn carry_out(&mut self, outputs: Vec<Output>, now: Now) {
        for output in outputs {
            match output {
                Output::Propose(command) => self.propose(command, None, None, now),
                Output::Send(worker, message) => {
                    if matches!(message, ToWorker::Acknowledge { .. } | ToWorker::Welcome { .. }) {
                        self.deeds.push(Deed::Acknowledged { worker: worker.clone(), message: message.clone() });
                    }
                    let Role::Leads { core, .. } = &self.role else { continue };
                    if let Some(life) = core.life_of(&worker) {
                        self.tell(worker, life, Down::Message(message));
                    }
                }
                Output::SendTo(worker, life, message) => self.tell(worker, life, Down::Message(message)),
                Output::RunEnded => {}
            }
        }
    }

    fn propose(&mut self, command: Command, request: Option<RequestKey>, action: Option<ActionId>, now: Now) {
        if self.proposals.len() >= limits::PROPOSALS_MAX {
            self.answer(action, Outcome::Unknown);
            return self.step(Input::Dropped { command }, now);
        }
        self.proposed_ms = now.unix_ms.max(self.proposed_ms + 1).max(self.state.time_ms() + 1);
        let proposal = self.proposals.add(command.clone(), action, now.mono_us);
        let record = Record { proposal, time_ms: self.proposed_ms, request, command };
        self.deeds.push(Deed::Propose(proposal, record.to_bytes().into(), action));
    }

    fn answer(&mut self, action: Option<ActionId>, outcome: Outcome) {
        self.deeds.extend(action.map(|action| Deed::Answer(action, outcome)));
    }

    fn tell(&mut self, worker: WorkerId, life: Incarnation, what: Down) {
        if let Some(link) = self.sessions.get(&(worker, life)) {
            self.deeds.push(Deed::Tell(*link, what));
        }
    }

    /// The raft thread says something.
    pub(crate) fn hear_log(&mut self, event: LogEvent, now: Now, oracle: &mut Oracle) {
        match event {
            LogEvent::Committed(entries) => self.commit(entries, now, oracle),
            LogEvent::Restored { index, state } => {
                self.state = ClusterState::from_bytes(&state)
                    .unwrap_or_else(|error| panic!("the snapshot at entry {} cannot be read: {error}", index.0));
                oracle.restored(&self.state);
                self.deeds.push(Deed::Applied(index));
            }
            LogEvent::SnapshotWanted => {
                self.deeds.push(Deed::Snapshot(self.state.applied(), self.state.to_bytes().into()));
            }
            LogEvent::Leads { term } => self.lead(term, now),
            LogEvent::Follows { .. } if self.bug == Some(Bug::DeafLeader) && self.leads().is_some() => {}
            LogEvent::Follows { term, .. } => self.follow(term),
            LogEvent::Dropped(proposal) => {
                if let Some(dropped) = self.proposals.take(proposal) {
                    self.give_up(dropped, Outcome::NotLeading, now);
                }
            }
            // Nothing asks for a read here.
            LogEvent::Readable { .. } => {}
        }
    }

    fn commit(&mut self, entries: Vec<Committed>, now: Now, oracle: &mut Oracle) {
        for Committed { index, record } in entries {
            self.apply(index, &record, now, oracle);
        }
        self.deeds.push(Deed::Applied(self.state.applied()));
    }

    fn apply(&mut self, index: LogIndex, record: &[u8], now: Now, oracle: &mut Oracle) {
        if record.is_empty() {
            self.state.note(index);
            return oracle.applied(&self.state, None);
        }
        let record = Record::from_bytes(record)
            .unwrap_or_else(|error| panic!("entry {} of the log cannot be applied: {error}", index.0));
        let places = places_of(&record.command, &self.state);
        let applied = self.apply_record(index, &record, now);
        oracle.applied(&self.state, Some(&HasApplied { record: &record, applied: &applied, places }));
        if let Some(Waiting { command, action, .. }) = self.proposals.take(record.proposal) {
            self.answer(action, applied.reply.clone().map_or_else(Outcome::Refused, Outcome::Done));
            self.step(Input::Applied { command, applied }, now);
        }
    }

    fn apply_record(&mut self, index: LogIndex, record: &Record, now: Now) -> Applied {
        let mut entry =
            Entry { index, time_ms: record.time_ms, request: record.request.clone(), command: record.command.clone() };
        match (self.bug, &mut entry.command) {
            (Some(Bug::OwnClock), _) => entry.time_ms = now.unix_ms,
            (Some(Bug::PartialMerge), Command::MergeDeltas(batch)) => {
                let before = &self.state;
                batch.parts.retain(|part| {
                    let known = before.worker(&part.worker).filter(|known| known.incarnation == part.incarnation);
                    let run = before.run().and_then(|run| run.participant(&part.worker, part.incarnation));
                    known.is_some_and(|known| known.last_seq.next() == part.first)
                        && run.is_some_and(|(_, participant)| participant.is_live())
                });
            }
            _ => {}
        }
        self.state.apply(&entry)
    }

    fn lead(&mut self, term: u64, now: Now) {
        let (core, outputs) = Coordinator::lead(self.settings.clone(), now, &self.state);
        self.role = Role::Leads { term, core: Box::new(core) };
        self.carry_out(outputs, now);
        self.announce();
    }

    fn follow(&mut self, term: u64) {
        self.role = Role::Follows { term };
        for waiting in self.proposals.take_all() {
            self.answer(waiting.action, Outcome::Unknown);
        }
        self.announce();
    }

    fn announce(&mut self) {
        let announcement = self.announcement();
        let links: Vec<ConnectionId> = self.sessions.values().copied().collect();
        self.deeds.extend(links.into_iter().map(|link| Deed::Tell(link, Down::Leadership(announcement))));
    }

    fn give_up(&mut self, Waiting { command, action, .. }: Waiting, why: Outcome, now: Now) {
        self.answer(action, why);
        if self.bug != Some(Bug::SwallowDropped) {
            self.step(Input::Dropped { command }, now);
        }
    }

    /// A worker's link is there.
    pub(crate) fn attach(&mut self, worker: WorkerId, incarnation: Incarnation, link: ConnectionId) {
        self.sessions.insert((worker, incarnation), link);
        self.deeds.push(Deed::Tell(link, Down::Leadership(self.announcement())));
    }

    /// A worker's link is gone.
    pub(crate) fn detach(
        &mut self,
        worker: WorkerId,
        incarnation: Incarnation,
        link: ConnectionId,
        died: bool,
        now: Now,
    ) {
        let life = (worker.clone(), incarnation);
        if self.sessions.get(&life) == Some(&link) {
            self.sessions.remove(&life);
            self.step(Input::Unlinked { worker, incarnation, died }, now);
        }
    }

    /// A worker says something.
    pub(crate) fn hear_worker(&mut self, worker: WorkerId, incarnation: Incarnation, message: FromWorker, now: Now) {
        if let (Some(Bug::AckBeforeCommit), FromWorker::Delta(delta), Some(_)) = (self.bug, &message, self.leads()) {
            let message = ToWorker::Acknowledge { run: delta.run, seq: delta.seq };
            self.deeds.push(Deed::Acknowledged { worker: worker.clone(), message: message.clone() });
            self.tell(worker.clone(), incarnation, Down::Message(message));
        }
        self.step(Input::Message { worker, incarnation, message }, now);
    }

    /// A client wants something.
    pub(crate) fn order(&mut self, asked: Asked, now: Now) {
        let Asked { action, order, request } = asked;
        let Role::Leads { core, .. } = &self.role else { return self.answer(Some(action), Outcome::NotLeading) };
        if let Some(outcome) = request.as_ref().and_then(|request| self.state.outcome_of(request)) {
            return self.answer(Some(action), outcome.map_or_else(Outcome::Refused, Outcome::Done));
        }
        match core.order(order, now, &self.state) {
            Ok(command) => self.propose(command, request, Some(action), now),
            Err(refusal) => self.answer(Some(action), Outcome::Refused(refusal)),
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Now) {
        for overdue in self.proposals.take_overdue(now.mono_us) {
            self.give_up(overdue, Outcome::Unknown, now);
        }
        self.step(Input::Tick, now);
    }
}

/// Where the workers of a batch are in the run.
fn places_of(command: &Command, state: &ClusterState) -> BTreeMap<WorkerId, usize> {
    let (Command::MergeDeltas(batch), Some(run)) = (command, state.run()) else { return BTreeMap::new() };
    let place = |part: &DeltaPart| {
        let (position, _) = run.participant(&part.worker, part.incarnation)?;
        Some((part.worker.clone(), position))
    };
    batch.parts.iter().filter_map(place).collect()
}
