//! The host: starts and stops the users of its arbiter.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::time::Instant;

use actix::{Actor, Addr, AsyncContext, Context, Handler, ResponseFuture, SpawnHandle};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use akrida_core::plan::arrivals::{Arrival, LatePolicy};

use super::host_orders::{Launch, MoveSlots, Resume, StartUsers, StopAllUsers, StopUsers, SuspendUsers};
use super::open_load::OpenLoad;
use super::waiting::Waiting;
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
    /// Whether no arrivals are let in for now.
    is_suspended: bool,
    /// Goes off when the next arrival is due.
    timer: Option<SpawnHandle>,
    /// How users stop for which slots that were lost leave no room.
    trim_mode: StopMode,
    /// Users that were told to stop and whose place in the plan has a new user already.
    replaced: Vec<(UserIndex, Addr<UserActor>)>,
    waiting: Waiting,
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

    fn start_user(&mut self, spec: UserSpec, context: &mut Context<Self>) {
        let ended = context.address().recipient();
        let address = start_user(&self.context, &self.program, spec, ended);
        self.replaced.extend(self.users.insert(spec.index, address).map(|before| (spec.index, before)));
    }

    /// Comes back when the next arrival is due.
    fn arm(&mut self, context: &mut Context<Self>) {
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
    fn make_users_fit(&mut self) {
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
    fn end_arrivals(&mut self, context: &mut Context<Self>) {
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

    fn stop(user: &Addr<UserActor>, mode: StopMode) {
        if let Err(error) = user.try_send(Stop(mode)) {
            tracing::debug!(%error, "user is ending already");
        }
    }

    fn stop_all(&self, mode: StopMode) {
        self.users.values().for_each(|user| Self::stop(user, mode));
        self.replaced.iter().for_each(|(_, user)| Self::stop(user, mode));
    }

    fn drop_waiting_arrivals(&self) {
        if let Some(desk) = &self.context.desk {
            self.context.recorder.borrow_mut().count_arrivals_dropped(desk.clear());
        }
    }

    fn tell_if_none_is_left(&mut self) {
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

impl Handler<Launch> for UserHost {
    type Result = ();

    fn handle(&mut self, Launch { clock, slots, from_us }: Launch, context: &mut Self::Context) {
        self.context.clock.anchor(clock);
        if let Some(load) = &mut self.load {
            load.move_to(slots, from_us);
        }
        self.arm(context);
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

impl Handler<MoveSlots> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, MoveSlots { slots, at_us, mode }: MoveSlots, context: &mut Self::Context) -> Self::Result {
        if self.context.desk.is_none() {
            let all = self.users.iter().chain(self.replaced.iter().map(|(index, user)| (index, user)));
            let others = all.clone().filter(|(index, _)| !slots.owns_user(index.0));
            others.for_each(|(_, user)| Self::stop(user, mode));
            let indices: Vec<UserIndex> = all.map(|(index, _)| *index).collect();
            return self.waiting.for_others(slots, indices.into_iter());
        }
        let has_room = self.waiting.for_room();
        self.trim_mode = mode;
        match &mut self.load {
            Some(load) => load.move_to(slots, at_us),
            None => self.waiting.has_room(),
        }
        if let Some(load) = self.load.as_mut().filter(|_| self.is_suspended) {
            load.move_now();
            self.make_users_fit();
        }
        self.arm(context);
        has_room
    }
}

impl Handler<SuspendUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, SuspendUsers(mode): SuspendUsers, context: &mut Self::Context) -> Self::Result {
        self.is_suspended = true;
        if let Some(load) = &mut self.load {
            load.move_now();
        }
        self.arm(context);
        self.drop_waiting_arrivals();
        let none_left = self.waiting.for_none();
        self.stop_all(mode);
        self.make_users_fit();
        self.tell_if_none_is_left();
        none_left
    }
}

impl Handler<Resume> for UserHost {
    type Result = ();

    fn handle(&mut self, Resume { from_us }: Resume, context: &mut Self::Context) {
        self.is_suspended = false;
        if let Some(load) = &mut self.load {
            load.skip_to(from_us);
        }
        self.arm(context);
    }
}

impl Handler<StopAllUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, order: StopAllUsers, context: &mut Self::Context) -> Self::Result {
        let none_left = self.waiting.for_none();
        self.end_arrivals(context);
        let mode = match (order.0, &self.context.desk) {
            // What was due before the end is still served, in the time that requests in flight get.
            (StopMode::Now, Some(_)) => StopMode::AfterTask(limits::STOP_GRACE),
            (mode, _) => mode,
        };
        self.stop_all(mode);
        self.tell_if_none_is_left();
        none_left
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
