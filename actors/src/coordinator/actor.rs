//! The coordinator actor: applies what the log commits, and while this master leads carries messages, orders and ticks to
//! the core and its decisions out.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix::{Actor, AsyncContext, Context, Recipient};
use akrida_core::coordinator::{Coordinator, Input, Now, Output, Settings};
use akrida_core::ids::{Incarnation, LogIndex, RaftId, WorkerId};
use akrida_core::limits;
use akrida_core::state::command::Command;
use akrida_core::state::record::Record;
use akrida_core::state::request::RequestKey;
use akrida_core::state::{ClusterState, Entry};
use akrida_core::view::validity::ValidityLimits;
use akrida_core::wire::refused::RefusedCallers;
use akrida_core::wire::{MasterPlace, ToWorker};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::changes;
use super::log::{Committed, LogEvent, ReplicatedLog, Told};
use super::proposals::{OrderError, Outcome, Proposals, Waiting};
use super::published::{Published, Publisher};
use super::reads::Reads;
use super::sessions::Sessions;
use super::unproved::{Heartbeat, Unproved};
use super::worker_logs::WorkerLogs;
use crate::link::Downlink;

/// Opens a log that tells its events to this recipient.
pub type OpenLog = Box<dyn FnOnce(Recipient<Told>) -> Box<dyn ReplicatedLog> + Send>;

/// A master's copy of the replicated state, and its part as leader.
pub struct CoordinatorActor {
    settings: Settings,
    state: ClusterState,
    log: Log,
    role: Role,
    pub(super) sessions: Sessions,
    proposals: Proposals,
    reads: Reads,
    unproved: Unproved,
    publisher: Publisher,
    clock: Instant,
    refused: RefusedCallers,
    worker_logs: WorkerLogs,
}

enum Log {
    Closed(Option<OpenLog>),
    Open(Box<dyn ReplicatedLog>),
}

/// What this master is in the group.
#[derive(Debug)]
enum Role {
    Leads { term: u64, core: Box<Coordinator> },
    Follows { term: u64, leader: Option<RaftId> },
}

impl CoordinatorActor {
    /// A coordinator that has applied nothing, and what it publishes. `seed` differs with each life of the process.
    #[must_use]
    pub fn new(settings: Settings, validity: ValidityLimits, seed: u64, open_log: OpenLog) -> (Self, Published) {
        let (publisher, published) = Publisher::new(validity);
        let actor = Self {
            settings,
            state: ClusterState::default(),
            log: Log::Closed(Some(open_log)),
            role: Role::Follows { term: 0, leader: None },
            sessions: Sessions::default(),
            proposals: Proposals::new(seed),
            reads: Reads::default(),
            unproved: Unproved::default(),
            publisher,
            clock: Instant::now(),
            refused: RefusedCallers::default(),
            worker_logs: WorkerLogs::default(),
        };
        (actor, published)
    }

    /// The state as it is applied here.
    pub(super) fn state(&self) -> &ClusterState {
        &self.state
    }

    /// What the workers' logs say, as far as this master was told.
    pub(super) fn worker_logs(&self) -> &WorkerLogs {
        &self.worker_logs
    }

    /// Keeps what a worker's log says.
    pub(super) fn keep_worker_log(&mut self, worker: &WorkerId, lines: &[Arc<str>]) {
        let state = &self.state;
        self.worker_logs.keep(worker, lines, |worker| state.worker(worker).is_some());
    }

    /// The leader's part, if this master leads.
    pub(super) fn core(&self) -> Option<&Coordinator> {
        match &self.role {
            Role::Leads { core, .. } => Some(core),
            Role::Follows { .. } => None,
        }
    }

    /// Who leads, as far as this master knows.
    pub(super) fn leader(&self) -> Option<RaftId> {
        match &self.role {
            Role::Leads { .. } => None,
            Role::Follows { leader, .. } => *leader,
        }
    }

    /// Where the masters are that belong to the group; `None` if none is known, as on one machine.
    pub(super) fn masters(&self) -> Option<Downlink> {
        let members = self.state.members().iter().filter(|member| member.id != RaftId(0));
        let places: Vec<MasterPlace> = members
            .map(|member| MasterPlace {
                name: Arc::clone(&member.name),
                host: Arc::clone(&member.host),
                port: member.port,
            })
            .collect();
        (!places.is_empty()).then_some(Downlink::Masters(places))
    }

    /// Tells all workers where the masters are.
    fn announce_masters(&self) {
        if let Some(masters) = self.masters() {
            self.sessions.send_all(&masters);
        }
    }

    /// What to tell a worker that attaches.
    pub(super) fn announcement(&self) -> Downlink {
        match &self.role {
            Role::Leads { term, .. } => Downlink::Leads { term: *term },
            Role::Follows { term, .. } => Downlink::Follows { term: *term },
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { mono_us: self.clock.elapsed().as_micros() as u64, unix_ms: now_unix_ms() }
    }

    /// Gives the core something to decide, and does what it says; nothing while this master does not lead.
    pub(super) fn step(&mut self, input: Input) {
        let now = self.now();
        let Role::Leads { core, .. } = &mut self.role else { return };
        let outputs = core.step(input, now, &self.state);
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Propose(command) => self.propose(command, None, None),
                Output::Send(worker, message) => {
                    let life = self.core().and_then(|core| core.life_of(&worker));
                    match (life, message) {
                        (Some(life), ToWorker::HeartbeatHeard { sent_us, plan }) if self.gives_leases() => {
                            let heard_us = self.now().mono_us;
                            self.unproved.keep_heard(worker, life, Heartbeat { sent_us, plan, heard_us });
                        }
                        (Some(life), message) => self.tell(&worker, life, Downlink::Message(message)),
                        (None, _) => {}
                    }
                }
                Output::SendTo(worker, life, message) => {
                    self.log_refusal(&worker, &message);
                    self.sessions.send(&worker, life, Downlink::Message(message));
                }
                Output::RunEnded => tracing::debug!("run ended"),
            }
        }
    }

    /// Says something to one life of a worker.
    pub(super) fn tell(&self, worker: &WorkerId, life: Incarnation, what: Downlink) {
        self.sessions.send(worker, life, what);
    }

    /// Whether workers stop their users when no leader answers.
    pub(super) fn gives_leases(&self) -> bool {
        self.settings.lease.is_some()
    }

    /// What waits for the proof that this master leads.
    pub(super) fn unproved(&mut self) -> &mut Unproved {
        &mut self.unproved
    }

    /// Says that a worker is not taken, but not each time that it asks.
    fn log_refusal(&mut self, worker: &WorkerId, message: &ToWorker) {
        let (ToWorker::NotNow { reason } | ToWorker::Refused { reason }) = message else { return };
        if let Some(times) = self.refused.note(&worker.0, reason, self.clock.elapsed()) {
            tracing::warn!(%worker, times, "worker is not taken: {reason}");
        }
    }

    /// Proposes a command; `reply` is told what became of it.
    pub(super) fn propose(
        &mut self,
        command: Command,
        request: Option<RequestKey>,
        reply: Option<oneshot::Sender<Outcome>>,
    ) {
        if self.proposals.len() >= limits::PROPOSALS_MAX {
            Waiting::answer(reply, Err(OrderError::Unknown));
            return self.step(Input::Dropped { command });
        }
        let now = self.now();
        let proposal = self.proposals.add(command.clone(), reply, now.mono_us);
        let record = Record { proposal, time_ms: now.unix_ms, request, command };
        self.log().propose(proposal, record.to_bytes().into());
    }

    pub(super) fn log(&mut self) -> &mut dyn ReplicatedLog {
        match &mut self.log {
            Log::Open(log) => log.as_mut(),
            Log::Closed(_) => unreachable!("the log opens before the first message is handled"),
        }
    }

    /// Proves that this master leads, then calls back through `proved`.
    pub(super) fn prove_leadership(&mut self, proved: oneshot::Sender<Result<(), OrderError>>) {
        if self.core().is_none() {
            // Whoever stopped waiting has no use for the answer.
            let _ = proved.send(Err(OrderError::NotLeading));
            return;
        }
        let read = self.reads.add(proved, self.now().mono_us);
        self.log().read(read);
    }

    pub(super) fn hear_log(&mut self, event: LogEvent) {
        match event {
            LogEvent::Committed(entries) => self.commit(entries),
            LogEvent::Restored { index, state } => self.restore(index, &state),
            LogEvent::SnapshotWanted => {
                let (index, bytes) = (self.state.applied(), self.state.to_bytes().into());
                self.log().snapshot(index, bytes);
            }
            LogEvent::Leads { term } => self.lead(term),
            LogEvent::Follows { term, leader } => self.follow(term, leader),
            LogEvent::Dropped(proposal) => {
                if let Some(dropped) = self.proposals.take(proposal) {
                    self.give_up(dropped, OrderError::NotLeading);
                }
            }
            LogEvent::Readable { read, index } => self.reads.readable(read, index, self.state.applied()),
        }
    }

    fn commit(&mut self, entries: Vec<Committed>) {
        for Committed { index, record } in entries {
            self.apply(index, &record);
        }
        let applied = self.state.applied();
        self.log().applied(applied);
        self.reads.applied(applied);
        self.publisher.applied();
        self.publish();
    }

    fn apply(&mut self, index: LogIndex, record: &Bytes) {
        if record.is_empty() {
            return self.state.note(index);
        }
        let Record { proposal, time_ms, request, command } = Record::from_bytes(record)
            .unwrap_or_else(|error| diverged(&format!("entry {} of the log cannot be applied: {error}", index.0)));
        let entry = Entry { index, time_ms, request, command };
        let applied = self.state.apply(&entry);
        if matches!(entry.command, Command::SetMembers(_)) {
            self.announce_masters();
        }
        let own = self.proposals.take(proposal);
        if let Some(Waiting { command, reply, .. }) = own {
            if applied.reply.is_ok() {
                changes::log(&command);
            }
            Waiting::answer(reply, applied.reply.clone().map_err(OrderError::Refused));
            self.step(Input::Applied { command, applied });
        }
    }

    fn restore(&mut self, index: LogIndex, state: &[u8]) {
        self.state = ClusterState::from_bytes(state)
            .unwrap_or_else(|error| diverged(&format!("the snapshot at entry {} cannot be read: {error}", index.0)));
        self.announce_masters();
        self.publisher.applied();
        self.publish();
    }

    fn lead(&mut self, term: u64) {
        tracing::info!(term, "this master leads");
        let (core, outputs) = Coordinator::lead(self.settings.clone(), self.now(), &self.state);
        self.role = Role::Leads { term, core: Box::new(core) };
        self.carry_out(outputs);
        self.announce();
    }

    fn follow(&mut self, term: u64, leader: Option<RaftId>) {
        let led = self.core().is_some();
        self.role = Role::Follows { term, leader };
        if led {
            tracing::info!(term, "this master no longer leads");
        }
        for waiting in self.proposals.take_all() {
            Waiting::answer(waiting.reply, Err(OrderError::Unknown));
        }
        self.reads.fail_all();
        self.announce();
    }

    fn announce(&self) {
        let term = match &self.role {
            Role::Leads { term, .. } => Some(*term),
            Role::Follows { .. } => None,
        };
        self.publisher.leads(term);
        self.sessions.send_all(&self.announcement());
    }

    fn give_up(&mut self, Waiting { command, reply, .. }: Waiting, why: OrderError) {
        Waiting::answer(reply, Err(why));
        self.step(Input::Dropped { command });
    }

    fn tick(&mut self) {
        let now_us = self.now().mono_us;
        for overdue in self.proposals.take_overdue(now_us) {
            self.give_up(overdue, OrderError::Unknown);
        }
        self.reads.fail_overdue(now_us);
        self.step(Input::Tick);
        self.publish();
    }

    fn publish(&mut self) {
        let now_us = self.now().mono_us;
        self.publisher.publish(&self.state, now_us);
    }
}

/// A master that cannot apply what the others apply must not go on.
fn diverged(reason: &str) -> ! {
    tracing::error!("{reason}; this master ends, so that it never shows another state than the others");
    std::process::abort()
}

fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}

impl Actor for CoordinatorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::COORDINATOR_MAILBOX);
        if let Log::Closed(open) = &mut self.log
            && let Some(open) = open.take()
        {
            self.log = Log::Open(open(context.address().recipient()));
        }
        context.run_interval(limits::COORDINATOR_TICK, |actor, _| actor.tick());
    }
}

impl fmt::Debug for CoordinatorActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoordinatorActor").field("role", &self.role).finish_non_exhaustive()
    }
}
