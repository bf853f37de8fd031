//! One life of a user: its variables, `on_start`, tasks and pauses, `on_stop`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use akrida_core::plan::arrivals::Arrival;
use akrida_core::scenario::model::{Iterations, WaitTime};
use tokio::time::Instant;

use super::context::{SharedContext, UserSpec};
use super::feeders::HeldRows;
use super::native::registry::Living;
use super::program::{ClassProgram, Program, SetProgram, TaskProgram};
use super::session::Session;
use super::stop::{Phase, StopSignal};
use super::tasks::Picks;
use super::wait;
use crate::http::client::Client;
use crate::observe::Event;

/// How steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// By themselves.
    Continue,
    /// The rest of the task is pointless.
    EndTask,
    /// An `interrupt` step leaves the task set.
    Interrupt,
    /// A `stop_user` step ends the user.
    StopUser,
    /// The user was told to stop.
    Cut,
}

/// What runs a user calls it so; code of the program knows it as its [`UserContext`].
pub(super) type Runner = UserContext;

/// A user at work: what the code of its tasks may use. It comes with every call and belongs to this user alone.
pub struct UserContext {
    pub(super) context: SharedContext,
    pub(super) program: Rc<Program>,
    pub(super) session: Session,
    pub(super) rows: HeldRows,
    pub(super) stop: Rc<StopSignal>,
    pub(super) spec: UserSpec,
    /// Failed samples, groups and exceptions so far; a group compares it before and after.
    pub(super) failures: u64,
    /// The state that code of the program keeps for this user.
    pub(super) living: Option<Box<dyn Living>>,
    /// When the current task was due to start.
    task_due: Instant,
    /// In an open model: how late the task started, for its first request; 0 for the others.
    lag_us: Option<u64>,
    /// The polls seen when this user last gave way.
    polls: u64,
    /// Whether `on_unauthorized` runs, whose own requests do not run it again.
    pub(super) authorizing: bool,
    /// Whether `on_stop` runs, which a stop no longer cuts short.
    ending: bool,
}

impl Runner {
    pub(super) fn new(context: SharedContext, program: Rc<Program>, spec: UserSpec, stop: Rc<StopSignal>) -> Self {
        let class = &program.classes[spec.class];
        let client = Client::with_rules(Rc::clone(&program.network), spec.index, Rc::clone(&class.connection));
        let session = Session::new(spec, Arc::clone(&class.name), context.seed, client);
        let rows = HeldRows::none(&context, spec.class);
        let polls = stop.polls();
        let (task_due, lag_us) = (Instant::now(), context.desk.as_ref().map(|_| 0));
        Self {
            context,
            program,
            session,
            rows,
            stop,
            spec,
            failures: 0,
            living: None,
            task_due,
            lag_us,
            polls,
            authorizing: false,
            ending: false,
        }
    }

    /// Lives until a step ends the user or it is told to stop.
    pub(super) async fn run(&mut self) {
        let program = Rc::clone(&self.program);
        let class = &program.classes[self.spec.class];
        match self.draw_rows().await {
            Flow::Continue => {}
            Flow::StopUser => return self.give_up_arrival(),
            // It never started, and its `on_stop` may name a row.
            _ => return,
        }
        if !matches!(self.start_at_last(class).await, Flow::StopUser | Flow::Cut) {
            self.task_due = Instant::now();
            if self.context.desk.is_some() {
                self.serve(&class.tasks).await;
            } else {
                self.run_set(&class.tasks, false).await;
            }
        }
        self.finish(class).await;
    }

    pub(super) async fn finish(&mut self, class: &ClassProgram) {
        self.ending = true;
        if class.on_stop.is_empty() && self.living.is_none() {
            return;
        }
        self.context.show(&Event::Begins("on_stop"));
        Box::pin(self.run_steps(&class.on_stop)).await;
        self.stop_native().await;
    }

    /// Drops the arrival of an open model for which a user was started that finds no row.
    fn give_up_arrival(&self) {
        if self.context.desk.as_ref().is_some_and(|desk| desk.give_up(self.spec.class)) {
            self.context.recorder.borrow_mut().count_arrivals_dropped(1);
        }
    }

    pub(super) async fn start(&mut self, class: &ClassProgram) -> Flow {
        self.set_variables(&class.variables);
        if class.on_start.is_empty() && !class.is_native {
            return Flow::Continue;
        }
        self.context.show(&Event::Begins("on_start"));
        if class.is_native {
            return Box::pin(self.start_native(class)).await;
        }
        Box::pin(self.run_steps(&class.on_start)).await
    }

    /// Serves arrivals of an open model: one task each, without pauses. One that finds no row is dropped, as is one for which
    /// no request may be sent any more.
    async fn serve(&mut self, set: &SetProgram) -> Flow {
        let mut picks = Picks::new(set.order);
        let mut is_first = true;
        while let Some(arrival) = self.next_arrival().await {
            if let Err(flow) = self.prepare_to_serve(std::mem::replace(&mut is_first, false)).await {
                self.context.recorder.borrow_mut().count_arrivals_dropped(1);
                return flow;
            }
            let lag_us = self.context.clock.now_us().saturating_sub(arrival.due_us);
            self.lag_us = Some(lag_us);
            {
                let mut recorder = self.context.recorder.borrow_mut();
                recorder.count_arrival_started();
                recorder.record_schedule_lag(lag_us);
            }
            let next = self.pick(&mut picks, set);
            let flow = self.run_task(&set.tasks[next]).await;
            if matches!(flow, Flow::StopUser | Flow::Cut) {
                return flow;
            }
            self.lag_us = Some(0);
            self.give_way().await;
        }
        Flow::Cut
    }

    /// What an arrival needs before it counts as started. The first one has the rows that the user started with.
    async fn prepare_to_serve(&mut self, is_first: bool) -> Result<(), Flow> {
        self.permitted().await?;
        if is_first {
            return Ok(());
        }
        match self.draw_rows().await {
            flow @ (Flow::StopUser | Flow::Cut) => Err(flow),
            // Rows may have been long in coming.
            _ => self.permitted().await,
        }
    }

    /// The next arrival; `None` once the user is to stop. One that was due before the stop is still served.
    async fn next_arrival(&self) -> Option<Arrival> {
        let desk = self.context.desk.as_ref().filter(|_| self.stop.phase() < Phase::Cut)?;
        tokio::select! {
            biased;
            arrival = desk.next(self.spec.class, self.spec.index) => Some(arrival),
            () = self.stop.reaches(Phase::Finishing) => None,
        }
    }

    /// What the next sample's latency leaves out before the request was sent; once for each arrival.
    pub(super) fn take_lag_us(&mut self) -> Option<u64> {
        let lag_us = self.lag_us?;
        self.lag_us = Some(0);
        Some(lag_us)
    }

    /// Gives the next sample the lag back that was taken too early.
    pub(super) fn put_lag_back(&mut self, lag_us: Option<u64>) {
        self.lag_us = lag_us;
    }

    fn pick(&mut self, picks: &mut Picks, set: &SetProgram) -> usize {
        picks.next(&set.weights, |below| self.session.random().u64(..below))
    }

    async fn run_task(&mut self, task: &TaskProgram) -> Flow {
        // Boxed, so that a user that pauses between tasks does not carry the size of a running one.
        match task {
            TaskProgram::Steps(steps) => Box::pin(self.run_steps(steps)).await,
            TaskProgram::Set(inner) => Box::pin(self.run_set(inner, true)).await,
            TaskProgram::Native(task) => self.run_native(*task).await,
        }
    }

    /// Runs tasks of a set, with a pause between each two. The set of a class (not nested) never ends by itself.
    async fn run_set(&mut self, set: &SetProgram, nested: bool) -> Flow {
        let mut picks = Picks::new(set.order);
        if set.tasks.is_empty() {
            return Flow::Continue;
        }
        let mut keeps_rows = true;
        loop {
            // The first task has the rows that the user started with, nested ones those of the task around them.
            if !std::mem::replace(&mut keeps_rows, nested)
                && let flow @ (Flow::StopUser | Flow::Cut) = self.draw_rows().await
            {
                return flow;
            }
            let next = self.pick(&mut picks, set);
            self.context.show(&Event::Begins(&set.names[next].0));
            let flow = self.run_task(&set.tasks[next]).await;
            match flow {
                Flow::StopUser | Flow::Cut => return flow,
                // The outer set goes on at once, as in Locust.
                Flow::Interrupt if nested => return Flow::Interrupt,
                Flow::Continue | Flow::EndTask | Flow::Interrupt => {}
            }
            if self.stop.phase() > Phase::Running {
                return Flow::Cut;
            }
            if nested && matches!(set.iterations, Iterations::Count(count) if picks.rounds() >= count) {
                return Flow::Continue;
            }
            let left_at_once = flow == Flow::Interrupt && matches!(set.tasks[next], TaskProgram::Set(_));
            if !left_at_once && self.pause_between(&set.wait_time).await == Flow::Cut {
                return Flow::Cut;
            }
            self.give_way().await;
        }
    }

    async fn pause_between(&mut self, wait: &WaitTime) -> Flow {
        let now = Instant::now();
        let pause = self.drawn_pause(wait, now);
        // From the time the task is due, not from when the timer went off: a late timer must not slow a pacing down.
        self.task_due = now + pause;
        self.pause(pause, Phase::Finishing).await
    }

    /// Pauses within a task.
    pub(super) async fn pause_within(&mut self, wait: &WaitTime) -> Flow {
        let pause = self.drawn_pause(wait, Instant::now());
        self.pause(pause, self.pauses_until()).await
    }

    /// The phase that ends a pause within a task.
    pub(super) fn pauses_until(&self) -> Phase {
        if self.ending { Phase::Dead } else { Phase::Cut }
    }

    fn drawn_pause(&mut self, wait: &WaitTime, now: Instant) -> Duration {
        let unit = self.session.random().f64();
        wait::pause(wait, unit, now.saturating_duration_since(self.task_due))
    }

    /// Waits, and records how late it woke up. Ends at once when stopping reaches the phase.
    pub(super) async fn pause(&mut self, pause: Duration, until: Phase) -> Flow {
        if pause.is_zero() {
            return Flow::Continue;
        }
        self.context.show(&Event::Waits(pause));
        let due = Instant::now() + pause;
        tokio::select! {
            biased;
            () = self.stop.reaches(until) => Flow::Cut,
            () = tokio::time::sleep_until(due) => {
                let lag = Instant::now().saturating_duration_since(due);
                self.context.recorder.borrow_mut().record_schedule_lag(lag.as_micros() as u64);
                Flow::Continue
            }
        }
    }

    /// Whether no further step may begin.
    pub(super) fn is_cut(&self) -> bool {
        !self.ending && self.stop.phase() >= Phase::Cut
    }

    /// Lets others run if this user has not waited for anything since it last gave way.
    pub(super) async fn give_way(&mut self) {
        if self.stop.polls() == self.polls {
            tokio::task::yield_now().await;
        }
        self.polls = self.stop.polls();
    }
}
