//! The host: starts and stops the users of its arbiter.

use std::collections::HashMap;
use std::rc::Rc;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture};
use akrida_core::ids::UserIndex;
use akrida_core::limits;
use tokio::sync::oneshot;

use crate::user::actor::{Stop, UserActor, UserEnded, start_user};
use crate::user::context::{SharedContext, StopMode, UserSpec};
use crate::user::program::Program;

/// Knows the users of one arbiter.
pub(super) struct UserHost {
    context: SharedContext,
    program: Rc<Program>,
    users: HashMap<UserIndex, Addr<UserActor>>,
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
    pub(super) fn new(context: SharedContext) -> Self {
        let program = Rc::new(Program::new(&context));
        Self { context, program, users: HashMap::new(), waiting_for_none: Vec::new() }
    }

    fn stop(&self, user: UserIndex, mode: StopMode) {
        let Some(address) = self.users.get(&user) else { return };
        if let Err(error) = address.try_send(Stop(mode)) {
            tracing::debug!(user = user.0, %error, "user is ending already");
        }
    }

    fn tell_if_none_is_left(&mut self) {
        if self.users.is_empty() {
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
    }
}

impl Handler<StartUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StartUsers, context: &mut Self::Context) {
        for spec in order.0 {
            let ended = context.address().recipient();
            let address = start_user(&self.context, &self.program, spec, ended);
            self.users.insert(spec.index, address);
        }
    }
}

impl Handler<StopUsers> for UserHost {
    type Result = ();

    fn handle(&mut self, order: StopUsers, _: &mut Self::Context) {
        order.users.iter().for_each(|user| self.stop(*user, order.mode));
    }
}

impl Handler<StopAllUsers> for UserHost {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, order: StopAllUsers, _: &mut Self::Context) -> Self::Result {
        let (sender, none_left) = oneshot::channel();
        self.waiting_for_none.push(sender);
        self.users.keys().for_each(|user| self.stop(*user, order.0));
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
        self.users.remove(&ended.0);
        self.tell_if_none_is_left();
    }
}
