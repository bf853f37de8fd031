//! The user actor: one user from its start to its end.

use std::any::Any;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;

use actix::fut::wrap_future;
use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, Addr, AsyncContext as _, Context, Handler, Message, Recipient,
};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use futures_util::FutureExt as _;

use super::context::{SharedContext, StopMode, UserSpec};
use super::program::Program;
use super::runner::Runner;
use super::stop::{Phase, StopSignal};

/// Tells a user to stop. A second order may hasten its end, never delay it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct Stop(pub StopMode);

/// A user has ended, in whatever way, and is no longer counted in `ArbiterContext::live`.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct UserEnded {
    /// Its place in the plan, which may have a new user by now.
    pub index: UserIndex,
    /// Which user it was.
    pub user: Addr<UserActor>,
}

/// One user. Its work is one long future in the actor's context, so that nothing but orders goes through the mailbox.
#[derive(Debug)]
pub struct UserActor {
    stop: Rc<StopSignal>,
}

/// Starts a user on the current arbiter. It counts as live at once, and until it has ended; then `ended` is told, once,
/// whatever room its mailbox has, and the actor stops.
///
/// # Panics
/// When the class of the user is not one of the program's.
#[must_use]
pub fn start_user(
    context: &SharedContext,
    program: &Rc<Program>,
    spec: UserSpec,
    ended: Recipient<UserEnded>,
) -> Addr<UserActor> {
    let program = Rc::clone(program);
    UserActor::create(|ctx| {
        ctx.set_mailbox_capacity(ORDERS_WAITING_MAX);
        let live = LiveUser::new(context, spec, ctx.address(), ended);
        let stop = Rc::new(StopSignal::default());
        let life = live_out(live, program, Rc::clone(&stop));
        ctx.spawn(wrap_future::<_, UserActor>(life).map(|(), _, ctx| ctx.stop()));
        UserActor { stop }
    })
}

/// Orders that wait for one user; they are taken at its next poll.
const ORDERS_WAITING_MAX: usize = 4;

impl Actor for UserActor {
    type Context = Context<Self>;
}

impl Handler<Stop> for UserActor {
    type Result = ();

    fn handle(&mut self, Stop(mode): Stop, _: &mut Self::Context) {
        self.stop.order(mode);
    }
}

/// Takes a user from the live ones and says so when it is dropped: in every way in which a user can end.
struct LiveUser {
    context: SharedContext,
    spec: UserSpec,
    address: Addr<UserActor>,
    ended: Recipient<UserEnded>,
}

impl LiveUser {
    fn new(context: &SharedContext, spec: UserSpec, address: Addr<UserActor>, ended: Recipient<UserEnded>) -> Self {
        let user = Self { context: Rc::clone(context), spec, address, ended };
        user.count().set(user.count().get() + 1);
        user
    }

    fn count(&self) -> &Cell<u64> {
        &self.context.live[self.spec.class]
    }
}

impl Drop for LiveUser {
    fn drop(&mut self) {
        self.count().set(self.count().get().saturating_sub(1));
        self.ended.do_send(UserEnded { index: self.spec.index, user: self.address.clone() });
    }
}

async fn live_out(live: LiveUser, program: Rc<Program>, stop: Rc<StopSignal>) {
    let (context, spec) = (&live.context, live.spec);
    let lag_us = context.clock.now_us().saturating_sub(spec.intended_start_us);
    context.recorder.borrow_mut().record_schedule_lag(lag_us);
    stop.unless(Phase::Dead, pin!(lives(context, &program, spec, &stop))).await;
}

/// Lives, and lives again after a panic.
async fn lives(context: &SharedContext, program: &Rc<Program>, spec: UserSpec, stop: &Rc<StopSignal>) {
    loop {
        let mut runner = Runner::new(Rc::clone(context), Rc::clone(program), spec, Rc::clone(stop));
        // A life that panicked is thrown away whole; what outlives it is changed in single steps only.
        let Err(panic) = AssertUnwindSafe(runner.run()).catch_unwind().await else { return };
        drop(runner);
        let class = &program.classes[spec.class].name;
        let message = format!("panic: {}", panic_text(&*panic));
        tracing::error!(user = spec.index.0, class = %class, "{message}");
        context.recorder.borrow_mut().record_exception(&message, &format!("in user class {class}"));
        tokio::select! {
            biased;
            () = stop.reaches(Phase::Finishing) => return,
            () = tokio::time::sleep(limits::PANIC_PAUSE) => {}
        }
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
