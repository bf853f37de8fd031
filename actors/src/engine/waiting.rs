//! Who waits for users to end.

use actix::ResponseFuture;
use akrida_core::ids::UserIndex;
use akrida_core::plan::slots::SlotSet;
use tokio::sync::oneshot;

/// Those who wait for users of one arbiter to end.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    for_none: Vec<oneshot::Sender<()>>,
    for_others: Vec<ForOthers>,
    for_room: Vec<oneshot::Sender<()>>,
}

/// Waits until no user is left in other slots than these.
#[derive(Debug)]
struct ForOthers {
    slots: SlotSet,
    left: usize,
    sender: oneshot::Sender<()>,
}

impl Waiting {
    /// Waits until there are no users.
    pub(super) fn for_none(&mut self) -> ResponseFuture<()> {
        let (sender, receiver) = oneshot::channel();
        self.for_none.push(sender);
        answer(receiver)
    }

    /// Waits until none of these users is left that are in other slots.
    pub(super) fn for_others(&mut self, slots: SlotSet, users: impl Iterator<Item = UserIndex>) -> ResponseFuture<()> {
        let (sender, receiver) = oneshot::channel();
        let left = users.filter(|user| !slots.owns_user(user.0)).count();
        if left == 0 {
            tell(sender);
        } else {
            self.for_others.push(ForOthers { slots, left, sender });
        }
        answer(receiver)
    }

    /// Waits until there are no more users than an open model may have.
    pub(super) fn for_room(&mut self) -> ResponseFuture<()> {
        let (sender, receiver) = oneshot::channel();
        self.for_room.push(sender);
        answer(receiver)
    }

    /// A user has ended.
    pub(super) fn user_ended(&mut self, user: UserIndex) {
        for waiting in &mut self.for_others {
            waiting.left -= usize::from(!waiting.slots.owns_user(user.0)).min(waiting.left);
        }
        self.for_others.extract_if(.., |waiting| waiting.left == 0).for_each(|waiting| tell(waiting.sender));
    }

    /// Whether somebody waits until there are no users.
    pub(super) fn is_for_none(&self) -> bool {
        !self.for_none.is_empty()
    }

    /// There are no users.
    pub(super) fn none_is_left(&mut self) {
        self.for_none.drain(..).for_each(tell);
        self.for_others.drain(..).for_each(|waiting| tell(waiting.sender));
    }

    /// There are no more users than may be.
    pub(super) fn has_room(&mut self) {
        self.for_room.drain(..).for_each(tell);
    }
}

fn tell(sender: oneshot::Sender<()>) {
    // Whoever stopped waiting has no use for the answer.
    let _ = sender.send(());
}

fn answer(receiver: oneshot::Receiver<()>) -> ResponseFuture<()> {
    Box::pin(async move {
        if receiver.await.is_err() {
            tracing::error!("the host ended before its users");
        }
    })
}
