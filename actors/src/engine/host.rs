//! The host: starts and stops the users of its arbiter.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use actix::{Actor, Addr, AsyncContext, Context, Handler, SpawnHandle};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::plan::arrivals::{Arrival, LatePolicy};

use super::open_load::OpenLoad;
use super::waiting::Waiting;
use crate::user::actor::{Stop, UserActor, UserEnded, start_user};
use crate::user::context::{SharedContext, StopMode, UserSpec};
use crate::user::desk::ArrivalDesk;
use crate::user::program::Program;

/// Knows the users of one arbiter, and in an open model starts them when arrivals need them.
pub(super) struct UserHost {
    pub(super) context: SharedContext,
    program: Rc<Program>,
    pub(super) users: HashMap<UserIndex, Addr<UserActor>>,
    /// Users that were told to stop to make room for others.
    leaving: HashSet<UserIndex>,
    pub(super) load: Option<OpenLoad>,
    /// Whether no arrivals are let in for now.
    pub(super) is_suspended: bool,
    /// Goes off when the next arrival is due.
    timer: Option<SpawnHandle>,
    /// How users stop for which slots that were lost leave no room.
    pub(super) trim_mode: StopMode,
    /// Users that were told to stop and whose place in the plan has a new user already.
    pub(super) replaced: Vec<(UserIndex, Addr<UserActor>)>,
    pub(super) waiting: Waiting,
}

impl UserHost {
    /// A host without users.
    pub(super) fn new(context: SharedContext, load: Option<OpenLoad>) -> Self {
        let program = Rc::new(Program::new(&context));
        Self {
            context,
            program,
            users: HashMap::new(),
            leaving: HashSet::new(),
            load,
            is_suspended: false,
            timer: None,
            trim_mode: StopMode::Now,
            replaced: Vec::new(),
            waiting: Waiting::default(),
        }
    }

    pub(super) fn start_user(&mut self, spec: UserSpec, context: &mut Context<Self>) {
        let ended = context.address().recipient();
        let address = start_user(&self.context, &self.program, spec, ended);
        self.replaced.extend(self.users.insert(spec.index, address).map(|before| (spec.index, before)));
    }

    /// Comes back when the next arrival is due.
    pub(super) fn arm(&mut self, context: &mut Context<Self>) {
        if let Some(timer) = self.timer.take() {
            context.cancel_future(timer);
        }
        let next_us = self.load.as_ref().filter(|_| !self.is_suspended).and_then(OpenLoad::next_due_us);
        if let Some(next_us) = next_us {
            let delay = self.context.clock.instant_of(next_us).saturating_duration_since(Instant::now());
            self.timer = Some(context.run_later(delay, Self::serve_arrivals));
        }
    }

    /// Hands out the arrivals that are due and comes back for the next one.
    fn serve_arrivals(&mut self, context: &mut Context<Self>) {
        self.hand_out_due(context);
        self.make_users_fit();
        self.arm(context);
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
        let has_room = load.may_start(self.staying());
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

    /// Users that were not told to leave.
    fn staying(&self) -> u64 {
        (self.users.len() - self.leaving.len()) as u64
    }

    /// Lets an idle user of another class go; false if there is none.
    fn make_room(&mut self, class: usize, desk: &ArrivalDesk) -> bool {
        let Some(user) = desk.spare(Some(class)) else { return false };
        self.let_go(user, StopMode::Now);
        true
    }

    fn let_go(&mut self, user: UserIndex, mode: StopMode) {
        self.leaving.insert(user);
        self.users.get(&user).into_iter().for_each(|user| Self::stop(user, mode));
    }

    /// Lets users go for which slots that were lost leave no room, idle ones first, and says when the others fit.
    pub(super) fn make_users_fit(&mut self) {
        let Some(users_max) = self.load.as_ref().filter(|load| !load.is_moving()).map(OpenLoad::users_max) else {
            return;
        };
        let shared = Rc::clone(&self.context);
        while self.staying() > users_max {
            let idle = shared.desk.as_ref().and_then(|desk| desk.spare(None));
            let Some(user) = idle.filter(|user| self.users.contains_key(user)) else { break };
            self.let_go(user, StopMode::Now);
        }
        let excess = self.staying().saturating_sub(users_max) as usize;
        let busy = self.users.keys().filter(|user| !self.leaving.contains(user)).take(excess);
        for user in busy.copied().collect::<Vec<_>>() {
            self.let_go(user, self.trim_mode);
        }
        if self.users.len() as u64 <= users_max {
            self.waiting.has_room();
        }
    }

    /// Hands out what is due, and then nothing more.
    pub(super) fn end_arrivals(&mut self, context: &mut Context<Self>) {
        let now_us = self.context.clock.now_us();
        while !self.is_suspended && self.load.as_ref().is_some_and(|load| load.has_due(now_us)) {
            self.hand_out_due(context);
        }
        self.load = None;
        if let Some(desk) = &self.context.desk {
            desk.close();
        }
        // Those that serve what was due stop with all others.
        self.waiting.has_room();
    }

    pub(super) fn stop(user: &Addr<UserActor>, mode: StopMode) {
        if let Err(error) = user.try_send(Stop(mode)) {
            tracing::debug!(%error, "user is ending already");
        }
    }

    pub(super) fn stop_all(&self, mode: StopMode) {
        self.users.values().for_each(|user| Self::stop(user, mode));
        self.replaced.iter().for_each(|(_, user)| Self::stop(user, mode));
    }

    pub(super) fn drop_waiting_arrivals(&self) {
        if let Some(desk) = &self.context.desk {
            self.context.recorder.borrow_mut().count_arrivals_dropped(desk.clear());
        }
    }

    pub(super) fn tell_if_none_is_left(&mut self) {
        if self.users.is_empty() && self.replaced.is_empty() {
            if self.waiting.is_for_none() {
                self.drop_waiting_arrivals();
            }
            self.waiting.none_is_left();
        }
    }
}

impl Actor for UserHost {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::HOST_MAILBOX);
    }
}

impl Handler<UserEnded> for UserHost {
    type Result = ();

    fn handle(&mut self, ended: UserEnded, _: &mut Self::Context) {
        if self.users.get(&ended.index) == Some(&ended.user) {
            self.users.remove(&ended.index);
            self.leaving.remove(&ended.index);
        } else {
            self.replaced.retain(|(_, user)| *user != ended.user);
        }
        self.waiting.user_ended(ended.index);
        self.make_users_fit();
        self.tell_if_none_is_left();
    }
}
