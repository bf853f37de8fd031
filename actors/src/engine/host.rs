//! The host: starts and stops the users of its arbiter.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::plan::arrivals::{Arrival, LatePolicy};
use tokio::sync::oneshot;

use super::open_load::OpenLoad;
use crate::user::actor::{Stop, UserActor, UserEnded, start_user};
use crate::user::context::{SharedContext, StopMode, UserSpec};
use crate::user::desk::ArrivalDesk;
use crate::user::program::Program;

/// Knows the users of one arbiter, and in an open model starts them when arrivals need them.
pub(super) struct UserHost {
    context: SharedContext,
    program: Rc<Program>,
    users: HashMap<UserIndex, Addr<UserActor>>,
    /// Users that were told to stop to make room for others.
    leaving: HashSet<UserIndex>,
    load: Option<OpenLoad>,
    /// Users that were told to stop and whose place in the plan has a new user already.
    replaced: Vec<Addr<UserActor>>,
    /// Told when the last user has ended.
    waiting_for_none: Vec<oneshot::Sender<()>>,
}

/// Starts users.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StartUsers(pub(super) Vec<UserSpec>);

/// Stops some users.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StopUsers {
    /// Which.
    pub(super) users: Vec<UserIndex>,
    /// How.
    pub(super) mode: StopMode,
}

/// Stops all users; answered when none is left.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct StopAllUsers(pub(super) StopMode);

impl UserHost {
    /// A host without users.
    pub(super) fn new(context: SharedContext, load: Option<OpenLoad>) -> Self {
        let program = Rc::new(Program::new(&context));
        let (users, leaving) = (HashMap::new(), HashSet::new());
        Self { context, program, users, leaving, load, replaced: Vec::new(), waiting_for_none: Vec::new() }
    }

    fn start_user(&mut self, spec: UserSpec, context: &mut Context<Self>) {
        let ended = context.address().recipient();
        let address = start_user(&self.context, &self.program, spec, ended);
        self.replaced.extend(self.users.insert(spec.index, address));
    }

    /// Hands out the arrivals that are due and comes back for the next one.
    fn serve_arrivals(&mut self, context: &mut Context<Self>) {
        self.hand_out_due(context);
        if let Some(next_us) = self.load.as_ref().and_then(OpenLoad::next_due_us) {
            let delay = self.context.clock.instant_of(next_us).saturating_duration_since(Instant::now());
            context.run_later(delay, Self::serve_arrivals);
        }
    }

    fn hand_out_due(&mut self, context: &mut Context<Self>) {
        let (Some(mut load), shared) = (self.load.take(), Rc::clone(&self.context)) else { return };
        let Some(desk) = &shared.desk else { return };
        let now_us = shared.clock.now_us();
        let dropped = desk.expire(now_us);
        shared.recorder.borrow_mut().count_arrivals_dropped(dropped);
        for _ in 0..limits::ARRIVALS_PER_TURN_MAX {
            let Some((arrival, class)) = load.take_due(now_us) else { break };
            self.hand_out(arrival, class, &mut load, desk, context);
        }
        self.load = Some(load);
    }

    fn hand_out(
        &mut self,
        arrival: Arrival,
        class: usize,
        load: &mut OpenLoad,
        desk: &ArrivalDesk,
        context: &mut Context<Self>,
    ) {
        self.context.recorder.borrow_mut().count_arrival_due();
        if desk.offer(class, arrival) {
            return;
        }
        let has_room = load.may_start((self.users.len() - self.leaving.len()) as u64);
        if has_room || self.make_room(class, desk) {
            // It waits until its user has started; that is part of its latency.
            desk.enqueue(class, arrival);
            let spec = UserSpec { index: load.new_user(), class, intended_start_us: arrival.due_us };
            return self.start_user(spec, context);
        }
        let mut recorder = self.context.recorder.borrow_mut();
        recorder.count_arrival_late();
        if load.late() == LatePolicy::Drop || !desk.enqueue(class, arrival) {
            recorder.count_arrivals_dropped(1);
        }
    }

    /// Lets an idle user of another class go; false if there is none.
    fn make_room(&mut self, class: usize, desk: &ArrivalDesk) -> bool {
        let Some(user) = desk.spare(class) else { return false };
        self.leaving.insert(user);
        self.users.get(&user).into_iter().for_each(|user| Self::stop(user, StopMode::Now));
        true
    }

    /// Hands out what is due, and then nothing more.
    fn end_arrivals(&mut self, context: &mut Context<Self>) {
        while self.load.as_ref().is_some_and(|load| load.has_due(self.context.clock.now_us())) {
            self.hand_out_due(context);
        }
        self.load = None;
        if let Some(desk) = &self.context.desk {
            desk.close();
        }
    }

    fn stop(user: &Addr<UserActor>, mode: StopMode) {
        if let Err(error) = user.try_send(Stop(mode)) {
            tracing::debug!(%error, "user is ending already");
        }
    }

    fn tell_if_none_is_left(&mut self) {
        if self.users.is_empty() && self.replaced.is_empty() {
            if let Some(desk) = self.context.desk.as_ref().filter(|_| !self.waiting_for_none.is_empty()) {
                self.context.recorder.borrow_mut().count_arrivals_dropped(desk.clear());
            }
            for waiting in self.waiting_for_none.drain(..) {
                // Whoever stopped waiting has no use for the answer.
                let _ = waiting.send(());
            }
        }
    }
}

impl Actor for UserHost {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::HOST_MAILBOX);
        let first_us = self.load.as_ref().and_then(OpenLoad::next_due_us);
        if let Some(first_us) = first_us {
            let delay = self.context.clock.instant_of(first_us).saturating_duration_since(Instant::now());
            context.run_later(delay, Self::serve_arrivals);
        }
    }
}

impl Handler<StartUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StartUsers, context: &mut Self::Context) {
        order.0.into_iter().for_each(|spec| self.start_user(spec, context));
    }
}

impl Handler<StopUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StopUsers, _: &mut Self::Context) {
        let users = order.users.iter().filter_map(|user| self.users.get(user));
        users.for_each(|user| Self::stop(user, order.mode));
    }
}

impl Handler<StopAllUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, order: StopAllUsers, context: &mut Self::Context) -> Self::Result {
        let (sender, none_left) = oneshot::channel();
        self.end_arrivals(context);
        self.waiting_for_none.push(sender);
        let mode = match (order.0, &self.context.desk) {
            // What was due before the end is still served, in the time that requests in flight get.
            (StopMode::Now, Some(_)) => StopMode::AfterTask(limits::STOP_GRACE),
            (mode, _) => mode,
        };
        self.users.values().chain(&self.replaced).for_each(|user| Self::stop(user, mode));
        self.tell_if_none_is_left();
        Box::pin(async move {
            if none_left.await.is_err() {
                tracing::error!("the host ended before its users");
            }
        })
    }
}

impl Handler<UserEnded> for UserHost {
    type Result = ();

    fn handle(&mut self, ended: UserEnded, _: &mut Self::Context) {
        if self.users.get(&ended.index) == Some(&ended.user) {
            self.users.remove(&ended.index);
            self.leaving.remove(&ended.index);
        } else {
            self.replaced.retain(|user| *user != ended.user);
        }
        self.tell_if_none_is_left();
    }
}
