//! The worker actor: gives the core its messages and its time, and carries its decisions to the engine and the leader.

use std::time::{Duration, Instant};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Recipient, SpawnHandle, WrapFuture};
use akrida_core::ids::{Incarnation, UserIndex, WorkerId};
use akrida_core::limits;
use akrida_core::wire::{Assignment, FromWorker};
use akrida_core::worker::{Input, Output, Sealed, UserStart, WorkerCore};

use crate::clock::PlanClock;
use crate::engine::{Engine, EngineOptions, RunningUsers};
use crate::link::{Downlink, Uplink};
use crate::user::context::{StopMode, UserSpec};
use crate::user::feeders::DataExhausted;

/// Runs users for a leader.
pub struct WorkerActor {
    core: WorkerCore,
    id: WorkerId,
    incarnation: Incarnation,
    engine: Engine,
    run: Option<ActiveRun>,
    leader: Option<Recipient<Uplink>>,
    timer: Option<SpawnHandle>,
}

struct ActiveRun {
    clock: PlanClock,
    users: RunningUsers,
    stop_mode: StopMode,
}

/// Connects the worker to its leader: it says hello.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Connect(pub Recipient<Uplink>);

impl WorkerActor {
    /// A worker with its own engine.
    #[must_use]
    pub fn new(id: WorkerId, incarnation: Incarnation, options: EngineOptions) -> Self {
        Self {
            core: WorkerCore::new(id.clone(), incarnation),
            id,
            incarnation,
            engine: Engine::new(options),
            run: None,
            leader: None,
            timer: None,
        }
    }

    fn step(&mut self, input: Input, context: &mut Context<Self>) {
        for output in self.core.step(input) {
            self.carry_out(output, context);
        }
        self.arm_timer(context);
    }

    fn carry_out(&mut self, output: Output, context: &mut Context<Self>) {
        match output {
            Output::Send(message) => self.send(message, context),
            Output::Prepare(assignment) => self.prepare(&assignment, context),
            Output::Start(starts) => self.start(&starts, context),
            Output::Stop(users) => self.stop(&users, context),
            Output::StopAll => self.stop_all(context),
            Output::Seal => self.seal(context),
            Output::Finished(run) => {
                tracing::debug!(%run, "everything of the run is safe");
                self.run = None;
            }
        }
    }

    /// Waits for the leader to take the message, so that messages stay in order and a slow leader slows the worker's
    /// reports, never its users.
    fn send(&self, message: FromWorker, context: &mut Context<Self>) {
        let Some(leader) = &self.leader else { return };
        let sent = leader.send(Uplink { worker: self.id.clone(), incarnation: self.incarnation, message });
        context.wait(sent.into_actor(self).map(|sent, _, _| {
            if let Err(error) = sent {
                tracing::warn!(%error, "leader does not take messages");
            }
        }));
    }

    fn prepare(&mut self, assignment: &Assignment, context: &mut Context<Self>) {
        let clock = PlanClock::anchored_at(Instant::now() + limits::START_AHEAD);
        let stop_mode = match assignment.stop_timeout_ms {
            0 => StopMode::Now,
            timeout_ms => StopMode::AfterTask(Duration::from_millis(timeout_ms)),
        };
        let prepared = self.engine.prepare(clock, assignment, context.address().recipient());
        context.wait(prepared.into_actor(self).map(move |users, actor, context| {
            actor.run = Some(ActiveRun { clock, users, stop_mode });
            actor.arm_timer(context);
        }));
    }

    fn start(&mut self, starts: &[UserStart], context: &mut Context<Self>) {
        let Some(run) = &self.run else { return };
        let specs = starts.iter().map(|start| UserSpec {
            index: UserIndex(start.index),
            class: start.class,
            intended_start_us: start.intended_start_us,
        });
        let started = run.users.start(specs.collect());
        context.wait(started.into_actor(self).map(|(), _, _| ()));
    }

    fn stop(&mut self, users: &[u64], context: &mut Context<Self>) {
        let Some(run) = &self.run else { return };
        let stopped = run.users.stop(users.iter().copied().map(UserIndex).collect(), run.stop_mode);
        context.wait(stopped.into_actor(self).map(|(), _, _| ()));
    }

    fn stop_all(&mut self, context: &mut Context<Self>) {
        let Some(run) = &self.run else { return };
        let gone = run.users.stop_all(run.stop_mode);
        context.spawn(gone.into_actor(self).map(|(), actor, context| actor.users_gone(context)));
    }

    fn users_gone(&mut self, context: &mut Context<Self>) {
        if let Some(now_us) = self.run.as_ref().map(|run| run.clock.now_us()) {
            self.step(Input::UsersStopped { now_us }, context);
        }
    }

    fn seal(&mut self, context: &mut Context<Self>) {
        let Some(run) = &self.run else { return };
        let drained = run.users.drain();
        context.spawn(drained.into_actor(self).map(|sealed: Sealed, actor, context| {
            actor.step(Input::Sealed(Box::new(sealed)), context);
        }));
    }

    fn arm_timer(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let Some(run) = &self.run else { return };
        let Some(next_us) = self.core.next_tick_us(run.clock.now_us()) else { return };
        let delay = run.clock.instant_of(next_us).saturating_duration_since(Instant::now());
        self.timer = Some(context.run_later(delay, |actor, context| {
            actor.timer = None;
            if let Some(now_us) = actor.run.as_ref().map(|run| run.clock.now_us()) {
                actor.step(Input::Tick { now_us }, context);
            }
        }));
    }
}

impl Actor for WorkerActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::WORKER_MAILBOX);
    }
}

impl Handler<Connect> for WorkerActor {
    type Result = ();

    fn handle(&mut self, connect: Connect, context: &mut Self::Context) {
        self.leader = Some(connect.0);
        self.send(self.core.hello(), context);
    }
}

impl Handler<DataExhausted> for WorkerActor {
    type Result = ();

    fn handle(&mut self, DataExhausted { run }: DataExhausted, context: &mut Self::Context) {
        if let Some(now_us) = self.run.as_ref().map(|run| run.clock.now_us()) {
            self.step(Input::DataExhausted { run, now_us }, context);
        }
    }
}

impl Handler<Downlink> for WorkerActor {
    type Result = ();

    fn handle(&mut self, message: Downlink, context: &mut Self::Context) {
        if let Downlink::Message(message) = message {
            self.step(Input::Message(message), context);
        }
    }
}

impl std::fmt::Debug for WorkerActor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerActor").field("id", &self.id).finish_non_exhaustive()
    }
}
