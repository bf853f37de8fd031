//! What others ask of a coordinator.

use actix::{Context, Handler, Message, MessageResult, ResponseFuture};
use akrida_core::coordinator::{Coordinator, Input, Order};
use akrida_core::ids::RaftId;
use akrida_core::state::ClusterState;
use akrida_core::state::command::Command;
use akrida_core::state::request::{Reply, RequestKey};
use akrida_core::wire::{FromWorker, ToWorker};
use tokio::sync::oneshot;

use super::actor::CoordinatorActor;
use super::log::Told;
use super::proposals::{OrderError, Outcome};
use super::worker_logs::WorkerLogs;
use crate::link::{Attach, Detach, Downlink, Uplink};

/// An operator's order; answered when it is applied.
#[derive(Debug, Message)]
#[rtype(result = "Result<Reply, OrderError>")]
pub struct Give {
    /// What is wanted.
    pub order: Order,
    /// What makes a repeat of it harmless.
    pub request: Option<RequestKey>,
}

/// Proposes a command as it is; answered when it is applied.
#[derive(Debug, Message)]
#[rtype(result = "Result<Reply, OrderError>")]
pub struct Propose {
    /// What is to be done.
    pub command: Command,
    /// What makes a repeat of it harmless.
    pub request: Option<RequestKey>,
}

/// Has all workers end that this master leads. Answers how many are still attached; said again until none is.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "usize")]
pub struct Dismiss;

/// Waits until this master has proved that it leads, and has applied everything that was committed before the question.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), OrderError>")]
pub struct ProveLeadership;

/// Looks at the state, and at the leader's part if this master leads.
pub struct Look<T>(pub Box<dyn FnOnce(Sight<'_>) -> T + Send>);

/// What there is to see.
#[derive(Debug)]
pub struct Sight<'a> {
    /// The state as it is applied here.
    pub state: &'a ClusterState,
    /// The leader's part, if this master leads.
    pub core: Option<&'a Coordinator>,
    /// Who else leads, as far as this master knows.
    pub leader: Option<RaftId>,
    /// Microseconds of the coordinator's monotonic clock.
    pub now_us: u64,
    /// What the workers' logs say, if this master leads.
    pub worker_logs: &'a WorkerLogs,
}

impl<T> std::fmt::Debug for Look<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Look").finish_non_exhaustive()
    }
}

impl<T: Send + 'static> Message for Look<T> {
    type Result = T;
}

impl Handler<Told> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, Told(event): Told, _: &mut Context<Self>) {
        self.hear_log(event);
    }
}

impl Handler<Attach> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, attach: Attach, _: &mut Context<Self>) {
        let (worker, incarnation, announcement) = (attach.worker.clone(), attach.incarnation, self.announcement());
        self.sessions.attach(attach);
        self.sessions.send(&worker, incarnation, announcement);
        if let Some(masters) = self.masters() {
            self.sessions.send(&worker, incarnation, masters);
        }
    }
}

impl Handler<Detach> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, detach: Detach, _: &mut Context<Self>) {
        if self.sessions.detach(&detach) {
            self.unproved().forget(&detach);
            let Detach { worker, incarnation, died, .. } = detach;
            self.step(Input::Unlinked { worker, incarnation, died });
        }
    }
}

impl Handler<Uplink> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, uplink: Uplink, context: &mut Context<Self>) {
        if let FromWorker::Log { lines } = &uplink.message {
            return self.keep_worker_log(&uplink.worker, lines);
        }
        self.take(uplink, context);
    }
}

impl Handler<Give> for CoordinatorActor {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, Give { order, request }: Give, _: &mut Context<Self>) -> Self::Result {
        let now = self.now();
        let command = match self.core() {
            None => return Box::pin(async { Err(OrderError::NotLeading) }),
            Some(core) => {
                // Before anything else: what has become of the run since is no reason to refuse a repeat.
                if let Some(outcome) = request.as_ref().and_then(|request| self.state().outcome_of(request)) {
                    return Box::pin(async { outcome.map_err(OrderError::Refused) });
                }
                core.order(order, now, self.state())
            }
        };
        match command {
            Ok(command) => self.proposed(command, request),
            Err(refusal) => Box::pin(async { Err(refusal.into()) }),
        }
    }
}

impl Handler<Propose> for CoordinatorActor {
    type Result = ResponseFuture<Outcome>;

    fn handle(&mut self, Propose { command, request }: Propose, _: &mut Context<Self>) -> Self::Result {
        if self.core().is_none() {
            return Box::pin(async { Err(OrderError::NotLeading) });
        }
        self.proposed(command, request)
    }
}

impl CoordinatorActor {
    fn proposed(&mut self, command: Command, request: Option<RequestKey>) -> ResponseFuture<Outcome> {
        let (sender, outcome) = oneshot::channel();
        self.propose(command, request, Some(sender));
        Box::pin(async { outcome.await.unwrap_or(Err(OrderError::Unknown)) })
    }
}

impl Handler<Dismiss> for CoordinatorActor {
    type Result = usize;

    fn handle(&mut self, _: Dismiss, _: &mut Context<Self>) -> usize {
        if self.core().is_some() {
            self.sessions.send_all(&Downlink::Message(ToWorker::Quit));
        }
        self.sessions.len()
    }
}

impl Handler<ProveLeadership> for CoordinatorActor {
    type Result = ResponseFuture<Result<(), OrderError>>;

    fn handle(&mut self, _: ProveLeadership, _: &mut Context<Self>) -> Self::Result {
        let (sender, proved) = oneshot::channel();
        self.prove_leadership(sender);
        Box::pin(async { proved.await.unwrap_or(Err(OrderError::Unknown)) })
    }
}

impl<T: Send + 'static> Handler<Look<T>> for CoordinatorActor {
    type Result = MessageResult<Look<T>>;

    fn handle(&mut self, Look(look): Look<T>, _: &mut Context<Self>) -> Self::Result {
        let (leader, now_us) = (self.leader(), self.now().mono_us);
        let worker_logs = self.worker_logs();
        MessageResult(look(Sight { state: self.state(), core: self.core(), leader, now_us, worker_logs }))
    }
}
