//! The worker actor: gives the core its messages and its time, and carries its decisions to the engine and the leader.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, SpawnHandle, WrapFuture};
use akrida_core::ids::{Incarnation, RunId, WorkerId};
use akrida_core::limits;
use akrida_core::state::worker::WorkerProfile;
use akrida_core::wire::{Assignment, FromWorker, Vitals};
use akrida_core::worker::{Input, Output, RunEvent, Sealed, WorkerCore};
use tokio::sync::{oneshot, watch};

use super::load::{Done, Load};
use super::log_tail::{LogTail, ReadLog};
use super::masters::Masters;
use super::orders::WorkerEnd;
use super::sight::WorkerSight;
use crate::engine::{Engine, EngineOptions, RunLinks};
use crate::memory;
use crate::user::permit::SendPermit;

/// Runs users for a leader, whichever of the masters that is.
///
/// Nothing here waits for a master: what cannot be said is said again, so that a slow or lost leader delays reports and
/// never users.
pub struct WorkerActor {
    core: WorkerCore,
    id: WorkerId,
    incarnation: Incarnation,
    /// When the worker's clock was 0.
    origin: Instant,
    engine: Engine,
    masters: Masters,
    permit: Arc<SendPermit>,
    load: Option<Load>,
    /// The number of the last preparation: what an earlier one gives came too late.
    preparations: u64,
    /// Resolves when the users of an abandoned run are gone.
    abandoned: Option<oneshot::Receiver<()>>,
    vitals: Vitals,
    memory_limit_bytes: Option<u64>,
    /// Why the leader did not want this worker, as it said last.
    put_off: Option<Arc<str>>,
    log: LogTail,
    timer: Option<SpawnHandle>,
    end: watch::Sender<Option<WorkerEnd>>,
}

impl WorkerActor {
    /// A worker with its own engine and without links.
    #[must_use]
    pub fn new(id: WorkerId, incarnation: Incarnation, options: EngineOptions) -> Self {
        let origin = Instant::now();
        Self {
            core: WorkerCore::new(id.clone(), incarnation, WorkerProfile::default()),
            id,
            incarnation,
            origin,
            engine: Engine::new(options),
            masters: Masters::new(0),
            permit: Arc::new(SendPermit::endless(origin)),
            load: None,
            preparations: 0,
            abandoned: None,
            vitals: Vitals::default(),
            memory_limit_bytes: None,
            put_off: None,
            log: LogTail::default(),
            timer: None,
            end: watch::Sender::new(None),
        }
    }

    /// The same with what it says of itself.
    #[must_use]
    pub fn with_profile(self, profile: WorkerProfile) -> Self {
        Self { core: WorkerCore::new(self.id.clone(), self.incarnation, profile), ..self }
    }

    /// The same with links to this many masters: when all of them are given up, the worker ends.
    #[must_use]
    pub fn with_masters(self, count: usize) -> Self {
        Self { masters: Masters::new(count), ..self }
    }

    /// The same with a bound on the memory of the process: what uses more takes part in no further run.
    #[must_use]
    pub fn with_memory_limit(self, bytes: Option<u64>) -> Self {
        Self { memory_limit_bytes: bytes, ..self }
    }

    /// The same with a log of which it tells the leader the last lines.
    #[must_use]
    pub fn with_log(self, read: ReadLog) -> Self {
        Self { log: LogTail::of(read), ..self }
    }

    pub(super) fn masters(&mut self) -> &mut Masters {
        &mut self.masters
    }

    pub(super) fn end(&self) -> watch::Receiver<Option<WorkerEnd>> {
        self.end.subscribe()
    }

    /// How the worker is at this moment.
    pub(super) fn sight(&self) -> WorkerSight {
        WorkerSight {
            is_welcomed: self.core.is_welcomed(),
            masters_linked: self.masters.linked(),
            vitals: self.vitals(),
            unsafe_deltas: self.core.unsafe_deltas(),
            may_give_up: self.core.may_give_up(),
        }
    }

    fn vitals(&self) -> Vitals {
        let (memory_bytes, memory_limit_bytes) = (memory::resident_bytes(), self.memory_limit_bytes);
        Vitals { memory_bytes, memory_limit_bytes, ..self.vitals }
    }

    pub(super) fn step_all(&mut self, inputs: Vec<Input>, context: &mut Context<Self>) {
        inputs.into_iter().for_each(|input| self.step(input, context));
    }

    pub(super) fn step(&mut self, input: Input, context: &mut Context<Self>) {
        let outputs = self.core.step(input, self.now_us());
        // Before users hear of anything: those that stop may send what they need for it.
        self.permit.set_until_us(self.core.may_send_until_us());
        for output in outputs {
            self.carry_out(output, context);
        }
        self.arm_timer(context);
    }

    /// Tells a leader that knows this worker what is new in the log.
    fn tell_log(&mut self) {
        let Some(term) = self.masters.leader_term().filter(|_| self.core.is_welcomed()) else { return };
        if let Some(news) = self.log.news_for(term) {
            self.masters.say(&self.id, self.incarnation, news);
        }
    }

    fn of_run(&mut self, run: RunId, event: RunEvent, context: &mut Context<Self>) {
        self.step(Input::OfRun { run, event }, context);
    }

    fn carry_out(&mut self, output: Output, context: &mut Context<Self>) {
        match output {
            Output::Send(message) => self.masters.say(&self.id, self.incarnation, message),
            Output::Heartbeat { sent_us, running } => {
                let heartbeat = FromWorker::Heartbeat { sent_us, running, vitals: self.vitals() };
                self.masters.say(&self.id, self.incarnation, heartbeat);
            }
            Output::Prepare(assignment) => self.prepare(*assignment, context),
            Output::Finished(run) => {
                tracing::debug!(%run, "everything of the run is safe");
                self.forget_load();
            }
            Output::Abandon { run, lost_deltas } => self.abandon(run, lost_deltas, context),
            Output::Retired { lost_deltas } => self.end_with(WorkerEnd::Retired { lost_deltas }, context),
            Output::PutOff { reason } => self.log_put_off(reason),
            Output::Rejected { reason } => {
                tracing::error!(%reason, "this worker cannot go on");
                self.end_with(WorkerEnd::Rejected { reason }, context);
            }
            of_users => self.carry_out_on_users(of_users, context),
        }
    }

    /// The same reason again and again is said once, until a run begins.
    fn log_put_off(&mut self, reason: Arc<str>) {
        if self.put_off.as_ref() == Some(&reason) {
            tracing::debug!(%reason, "this worker is not taken yet");
        } else {
            tracing::warn!("this worker is not taken: {reason}; it asks again every {:?}", limits::NOT_NOW_RETRY);
            self.put_off = Some(reason);
        }
    }

    fn carry_out_on_users(&mut self, output: Output, context: &mut Context<Self>) {
        let Some(load) = &mut self.load else { return };
        match output {
            Output::Launch { anchor_us, slots } => {
                let launched = load.launch(self.origin, anchor_us, slots);
                Self::wait(launched, context);
            }
            Output::Start(starts) => Self::wait(load.start(&starts), context),
            Output::Stop(users) => Self::wait(load.stop(users), context),
            Output::Resume => Self::wait(load.resume(), context),
            Output::MoveSlots { epoch, slots } => {
                let (run, moved) = (load.run, load.move_slots(slots));
                Self::then(run, moved, move |()| RunEvent::SlotsLeft { epoch }, context);
            }
            Output::Drain { within_us } => {
                tracing::warn!("no leader has answered for too long: users stop until one does");
                Self::then(load.run, load.suspend(within_us), |()| RunEvent::Drained, context);
            }
            Output::EndLoad => Self::then(load.run, load.end(), |()| RunEvent::UsersStopped, context),
            Output::Seal => self.seal(context),
            Output::GiveRows { feeder, rows } => load.give_rows(feeder, &rows),
            _ => {}
        }
    }

    /// Takes nothing else on before the arbiters have taken an order, so that orders stay in order.
    fn wait(taken: Done, context: &mut Context<Self>) {
        context.wait(actix::fut::wrap_future::<_, Self>(taken).map(|(), _, _| ()));
    }

    /// Tells the core when something has been done.
    fn then<T: 'static>(
        run: RunId,
        done: Done<T>,
        event: impl FnOnce(T) -> RunEvent + 'static,
        context: &mut Context<Self>,
    ) {
        let told = move |value, actor: &mut Self, context: &mut Context<Self>| {
            actor.of_run(run, event(value), context);
        };
        context.spawn(actix::fut::wrap_future::<_, Self>(done).map(told));
    }

    fn seal(&mut self, context: &mut Context<Self>) {
        let Some(load) = &self.load else { return };
        let run = load.run;
        let told = move |sealed: Sealed, actor: &mut Self, context: &mut Context<Self>| {
            if actor.load.as_ref().is_some_and(|load| load.run == run) {
                actor.vitals.users = sealed.users.iter().sum();
                actor.vitals.cpu_permille = sealed.cpu_permille;
            }
            actor.of_run(run, RunEvent::Sealed(Box::new(sealed)), context);
        };
        context.spawn(load.drain().into_actor(self).map(told));
    }

    fn prepare(&mut self, assignment: Assignment, context: &mut Context<Self>) {
        self.put_off = None;
        self.preparations += 1;
        let vitals = self.vitals();
        if vitals.is_short_of_memory() {
            let (used, limit) = (vitals.memory_bytes, vitals.memory_limit_bytes.unwrap_or(0));
            let reason = format!("it uses {used} bytes of memory, and its memory_limit is {limit}");
            tracing::error!(run = %assignment.run, %reason, "the run is not prepared");
            return self.of_run(assignment.run, RunEvent::Prepared(Err(reason.into())), context);
        }
        let (preparation, run, stop_timeout_ms) = (self.preparations, assignment.run, assignment.stop_timeout_ms);
        let links = RunLinks {
            exhausted: context.address().recipient(),
            rows: context.address().recipient(),
            permit: Arc::clone(&self.permit),
        };
        let (gone, prepared) = (self.abandoned.take(), self.engine.prepare(&assignment, links));
        let ready = async move {
            users_gone(gone).await;
            prepared.await
        };
        context.spawn(ready.into_actor(self).map(move |ready, actor, context| {
            if actor.preparations != preparation {
                return;
            }
            let outcome = ready.map(|users| actor.load = Some(Load::new(run, users, stop_timeout_ms)));
            if let Err(reason) = &outcome {
                tracing::error!(%run, %reason, "the run cannot be prepared");
            }
            actor.of_run(run, RunEvent::Prepared(outcome), context);
        }));
    }

    fn abandon(&mut self, run: RunId, lost_deltas: usize, context: &mut Context<Self>) {
        if lost_deltas > 0 {
            tracing::warn!(%run, lost_deltas, "a run is given up; what was not merged of it is lost");
        } else {
            tracing::info!(%run, "a run is given up");
        }
        let Some(load) = self.forget_load() else { return };
        let (sender, gone) = oneshot::channel();
        self.abandoned = Some(gone);
        context.spawn(load.abandon().into_actor(self).map(|(), _, _| {
            // Nobody may wait for it.
            let _ = sender.send(());
        }));
    }

    fn forget_load(&mut self) -> Option<Load> {
        self.preparations += 1;
        self.vitals = Vitals::default();
        self.load.take()
    }

    /// Makes the end known once no user is left.
    fn end_with(&mut self, end: WorkerEnd, context: &mut Context<Self>) {
        let gone = users_gone(self.abandoned.take());
        context.spawn(gone.into_actor(self).map(|(), actor, _| {
            actor.end.send_replace(Some(end));
        }));
    }

    fn now_us(&self) -> u64 {
        self.origin.elapsed().as_micros() as u64
    }

    fn arm_timer(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let Some(next_us) = self.core.next_tick_us() else { return };
        let delay = Duration::from_micros(next_us.saturating_sub(self.now_us()));
        self.timer = Some(context.run_later(delay, |actor, context| {
            actor.timer = None;
            actor.step(Input::Tick, context);
        }));
    }
}

/// Waits until the users of an abandoned run are gone: no two runs are on at once.
async fn users_gone(abandoned: Option<oneshot::Receiver<()>>) {
    if let Some(abandoned) = abandoned {
        // Whoever would tell it is gone with them.
        let _ = abandoned.await;
    }
}

impl Actor for WorkerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::WORKER_MAILBOX);
        context.run_interval(limits::WORKER_LOG_EVERY, |actor, _| actor.tell_log());
    }
}

impl std::fmt::Debug for WorkerActor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerActor").field("id", &self.id).finish_non_exhaustive()
    }
}
