//! One process that is master and worker: a group of one voter and one worker, joined by actor messages.

use actix::{Actor, Addr, Arbiter};
use akrida_actors::coordinator::messages::Give;
use akrida_actors::coordinator::{CoordinatorActor, LocalLog, OpenLog, OrderError, Published, ViewReceiver};
use akrida_actors::engine::EngineOptions;
use akrida_actors::link::Attach;
use akrida_actors::worker::{Connect, WorkerActor};
use akrida_core::coordinator::{Order, Settings};
use akrida_core::ids::{Incarnation, WorkerId};
use akrida_core::state::request::Reply;
use akrida_core::view::validity::ValidityLimits;
use anyhow::Context;

/// A running group of one.
#[derive(Debug)]
pub(super) struct Standalone {
    coordinator: Addr<CoordinatorActor>,
    views: ViewReceiver,
}

impl Standalone {
    /// Starts a coordinator and a worker, each on an arbiter of its own, and connects them. Needs a running actix
    /// system.
    pub(super) async fn start(engine: EngineOptions) -> anyhow::Result<Self> {
        let open_log: OpenLog = Box::new(|events| Box::new(LocalLog::new(events)));
        let (settings, seed) = (Settings::default(), fastrand::u64(..));
        let (coordinator, published) = CoordinatorActor::new(settings, ValidityLimits::default(), seed, open_log);
        let Published { views, mut workers, mut leads, .. } = published;
        let coordinator = CoordinatorActor::start_in_arbiter(&Arbiter::new().handle(), move |_| coordinator);
        let id = WorkerId("standalone".into());
        let worker_id = id.clone();
        let incarnation = Incarnation(engine.seed);
        let worker = WorkerActor::start_in_arbiter(&Arbiter::new().handle(), move |_| {
            WorkerActor::new(worker_id, incarnation, engine)
        });
        leads.wait_for(Option::is_some).await.context("the coordinator did not start")?;
        let attach = Attach { worker: id, incarnation, downlink: worker.clone().recipient() };
        coordinator.send(attach).await.context("the coordinator did not start")?;
        worker.send(Connect(coordinator.clone().recipient())).await.context("the worker did not start")?;
        workers.wait_for(|registered| *registered > 0).await.context("the coordinator has ended")?;
        Ok(Self { coordinator, views })
    }

    /// Gives an order and waits until it is applied or refused.
    pub(super) async fn order(&self, order: Order) -> anyhow::Result<Result<Reply, OrderError>> {
        self.coordinator.send(Give { order, request: None }).await.context("the coordinator has ended")
    }

    /// Where the views of the run appear.
    pub(super) fn views(&self) -> ViewReceiver {
        self.views.clone()
    }
}
