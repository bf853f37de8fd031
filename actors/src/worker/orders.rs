//! What others tell a worker.

use std::sync::Arc;

use actix::{Context, Handler, Message, Recipient, ResponseFuture};
use akrida_core::worker::{Input, RunEvent};

use super::actor::WorkerActor;
use super::masters::LOCAL;
use crate::link::{Downlink, Heard, LinkEvent, Uplink};
use crate::user::feeders::DataExhausted;
use crate::user::feeders::source::{AskRows, Demand, RowsAsk};

/// Connects the worker to a master in the same process, which leads until it says otherwise: the worker says hello.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Connect(pub Recipient<Uplink>);

/// Asks the worker to leave in good order: it stops its users, waits until its last delta is safe and says goodbye.
/// [`AwaitEnd`] tells when that is done.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Retire;

/// Asks the worker to end because no master is to be reached, which it does only if nothing is lost by it; answered with
/// whether it does. [`AwaitEnd`] tells when that is done.
#[derive(Clone, Debug, Message)]
#[rtype(result = "bool")]
pub struct GiveUp {
    /// Why, for the log.
    pub reason: Arc<str>,
}

/// Waits for the end of the worker. It never ends by itself unless it is not wanted or no master can be reached.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "WorkerEnd")]
pub struct AwaitEnd;

/// How a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkerEnd {
    /// As it was asked to.
    Retired {
        /// Sealed deltas that are not known to be safe: their samples may be missing from the result.
        lost_deltas: usize,
    },
    /// A master refused it, or none could be reached. The process should end with an error.
    Rejected {
        /// Why.
        reason: Arc<str>,
    },
}

impl Handler<Connect> for WorkerActor {
    type Result = ();

    fn handle(&mut self, Connect(uplink): Connect, context: &mut Context<Self>) {
        let inputs = self.masters().connect(uplink);
        self.step_all(inputs, context);
    }
}

impl Handler<Downlink> for WorkerActor {
    type Result = ();

    fn handle(&mut self, downlink: Downlink, context: &mut Context<Self>) {
        let inputs = self.masters().hear(Heard { link: LOCAL, event: LinkEvent::Says(downlink) });
        self.step_all(inputs, context);
    }
}

impl Handler<Heard> for WorkerActor {
    type Result = ();

    fn handle(&mut self, heard: Heard, context: &mut Context<Self>) {
        let inputs = self.masters().hear(heard);
        self.step_all(inputs, context);
    }
}

impl Handler<DataExhausted> for WorkerActor {
    type Result = ();

    fn handle(&mut self, DataExhausted { run }: DataExhausted, context: &mut Context<Self>) {
        self.step(Input::OfRun { run, event: RunEvent::DataExhausted }, context);
    }
}

impl Handler<AskRows> for WorkerActor {
    type Result = ();

    fn handle(&mut self, AskRows { run, feeder, ask }: AskRows, context: &mut Context<Self>) {
        let event = match ask {
            RowsAsk::Lease(Demand { used, want }) => RunEvent::RowsWanted { feeder, used, want },
            RowsAsk::Close(unused) => RunEvent::RowsClosed { feeder, unused },
        };
        self.step(Input::OfRun { run, event }, context);
    }
}

impl Handler<Retire> for WorkerActor {
    type Result = ();

    fn handle(&mut self, _: Retire, context: &mut Context<Self>) {
        self.step(Input::Retire, context);
    }
}

impl Handler<GiveUp> for WorkerActor {
    type Result = bool;

    fn handle(&mut self, GiveUp { reason }: GiveUp, context: &mut Context<Self>) -> bool {
        let may_give_up = self.sight().may_give_up;
        if may_give_up {
            self.step(Input::Unreachable { reason }, context);
        }
        may_give_up
    }
}

impl Handler<AwaitEnd> for WorkerActor {
    type Result = ResponseFuture<WorkerEnd>;

    fn handle(&mut self, _: AwaitEnd, _: &mut Context<Self>) -> Self::Result {
        let mut end = self.end();
        Box::pin(async move {
            let ended = end.wait_for(Option::is_some).await.map(|end| end.clone());
            let gone = || WorkerEnd::Rejected { reason: "the worker has stopped".into() };
            ended.ok().flatten().unwrap_or_else(gone)
        })
    }
}
