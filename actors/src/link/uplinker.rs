//! What a worker says on one connection to a master.

use actix::{Actor, ActorContext, ActorFutureExt, AtomicResponse, Context, Handler, WrapFuture};
use akrida_core::wire::body::pack;
use akrida_core::wire::frame::FrameKind;

use super::Says;
use super::queue::FrameSender;

/// Takes what the worker says on one connection. A message for a connection that has ended goes nowhere: what matters is
/// said again on the next.
pub(super) struct Uplinker {
    pub(super) queue: FrameSender,
}

impl Actor for Uplinker {
    type Context = Context<Self>;
}

impl Handler<Says> for Uplinker {
    type Result = AtomicResponse<Self, ()>;

    /// Answers when there is place for the message, and takes no other one before.
    fn handle(&mut self, Says(message): Says, _: &mut Self::Context) -> Self::Result {
        let queue = self.queue.clone();
        let pushed = async move { queue.push(FrameKind::FromWorker, pack(&message)).await };
        AtomicResponse::new(Box::pin(pushed.into_actor(self).map(|is_open, _, context| {
            if !is_open {
                context.stop();
            }
        })))
    }
}
