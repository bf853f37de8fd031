//! The coordinator actor: carries messages, orders and ticks to the core, and its decisions out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use actix::{Actor, AsyncContext, Context, Handler, Message, Recipient};
use akrida_core::coordinator::{Coordinator, Input, Now, Order, Output};
use akrida_core::ids::WorkerId;
use akrida_core::limits;
use akrida_core::state::command::{Command, Refusal};
use akrida_core::view::RunView;
use akrida_core::view::validity::ValidityLimits;
use tokio::sync::watch;

use super::local_log::LocalLog;
use crate::link::{Attach, Downlink, Uplink};

/// Receives the latest view of the run; `None` before the first run.
pub type ViewReceiver = watch::Receiver<Option<Arc<RunView>>>;

/// What a coordinator publishes.
#[derive(Clone, Debug)]
pub struct Published {
    /// The run.
    pub views: ViewReceiver,
    /// How many workers have registered.
    pub workers: watch::Receiver<usize>,
}

/// The leader of a group of one.
#[derive(Debug)]
pub struct CoordinatorActor {
    core: Coordinator,
    log: LocalLog,
    workers: BTreeMap<WorkerId, Recipient<Downlink>>,
    validity_limits: ValidityLimits,
    views: watch::Sender<Option<Arc<RunView>>>,
    registered: watch::Sender<usize>,
}

/// An operator's order; answered when it is applied.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), Refusal>")]
pub struct Give(pub Order);

impl CoordinatorActor {
    /// A coordinator without workers, and what it publishes.
    #[must_use]
    pub fn new(validity_limits: ValidityLimits) -> (Self, Published) {
        let (views, views_receiver) = watch::channel(None);
        let (registered, workers) = watch::channel(0);
        let actor = Self {
            core: Coordinator::default(),
            log: LocalLog::default(),
            workers: BTreeMap::new(),
            validity_limits,
            views,
            registered,
        };
        (actor, Published { views: views_receiver, workers })
    }

    /// Takes a step and everything that follows from it.
    fn step(&mut self, input: Input) -> Result<(), Refusal> {
        let due = self.core.step(input, now(), self.log.state());
        self.carry_out(due)
    }

    fn propose(&mut self, command: Command) -> Result<(), Refusal> {
        self.carry_out(vec![Output::Propose(command)])
    }

    fn carry_out(&mut self, due: Vec<Output>) -> Result<(), Refusal> {
        let mut first_reply = Ok(());
        let mut changed = false;
        let mut due = VecDeque::from(due);
        while let Some(output) = due.pop_front() {
            match output {
                Output::Propose(command) => {
                    let (reply, follow_ups) = self.commit(command);
                    first_reply = first_reply.and(reply);
                    due.extend(follow_ups);
                    changed = true;
                }
                Output::Send(worker, message) => self.send(&worker, message),
                Output::RunEnded => tracing::debug!("run ended"),
            }
        }
        if changed {
            self.publish();
        }
        first_reply
    }

    fn commit(&mut self, command: Command) -> (Result<(), Refusal>, Vec<Output>) {
        let applied = self.log.commit(command.clone(), now_unix_ms());
        let reply = applied.reply.clone().map(|_| ());
        (reply, self.core.step(Input::Applied { command, applied }, now(), self.log.state()))
    }

    fn send(&self, worker: &WorkerId, message: akrida_core::wire::ToWorker) {
        let Some(downlink) = self.workers.get(worker) else { return };
        if let Err(error) = downlink.try_send(Downlink::Message(message)) {
            tracing::warn!(%worker, %error, "worker does not take messages");
        }
    }

    fn publish(&self) {
        let view = self.log.state().run().map(|run| Arc::new(RunView::of(run, &self.validity_limits)));
        self.views.send_replace(view);
        self.registered.send_replace(self.log.state().workers().count());
    }
}

fn now() -> Now {
    Now { mono_us: 0, unix_ms: now_unix_ms() }
}

fn now_unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}

impl Actor for CoordinatorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(limits::COORDINATOR_MAILBOX);
        context.run_interval(limits::COORDINATOR_TICK, |actor, _| {
            if let Err(refusal) = actor.step(Input::Tick) {
                tracing::debug!(%refusal, "timed command was refused");
            }
        });
    }
}

impl Handler<Attach> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, attach: Attach, _: &mut Self::Context) {
        self.workers.insert(attach.worker, attach.downlink);
    }
}

impl Handler<Uplink> for CoordinatorActor {
    type Result = ();

    fn handle(&mut self, uplink: Uplink, _: &mut Self::Context) {
        if let Err(refusal) = self.step(Input::Message {
            worker: uplink.worker.clone(),
            incarnation: uplink.incarnation,
            message: uplink.message,
        }) {
            tracing::warn!(worker = %uplink.worker, %refusal, "message was refused");
        }
    }
}

impl Handler<Give> for CoordinatorActor {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, order: Give, _: &mut Self::Context) -> Self::Result {
        let command = self.core.order(order.0, now(), self.log.state())?;
        self.propose(command)
    }
}
