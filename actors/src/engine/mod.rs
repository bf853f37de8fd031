//! The engine: users on one arbiter per core.
//!
//! Arbiters live as long as the engine. For a run, each gets a host, which starts and stops users, and a stats
//! collector, which drains what they record; both share the arbiter's context and its thread.
//!
//! - [`Engine`]: gets a run ready, which may take its time: its scenario is compiled, once and then for each arbiter
//! - [`RunningUsers`]: launches it, and starts and stops its users
//! - `host`: does so on one arbiter; `host_orders` is what it is told, `waiting` who waits for users to end
//! - `open_load`: the arrivals of an open model on one arbiter

mod cpu;
mod host;
mod host_orders;
mod open_load;
mod options;
mod running;
mod stats_collector;
mod waiting;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::{Actor, Arbiter, ArbiterHandle, Recipient};
use akrida_core::data::Feeder;
use akrida_core::wire::Assignment;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::sync::oneshot;

use crate::clock::PlanClock;
use crate::user::context::ArbiterContext;
use crate::user::feeders::source::{AskRows, LeaderRows, OwnLeases, RowSource};
use crate::user::feeders::{DataExhausted, DrawPlace, ExhaustedNotice, RunFeeders};
use crate::user::permit::SendPermit;
use host::UserHost;
use open_load::{OpenLoad, Place};
pub use options::{Compile, CompileFn, EngineOptions, Prepared, RowOrigin};
use running::ArbiterActors;
pub use running::RunningUsers;
use stats_collector::StatsCollector;

/// Arbiters that wait for users.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    arbiters: Vec<Arbiter>,
}

/// What the users of a run have to do with the rest of the worker.
#[derive(Clone, Debug)]
pub struct RunLinks {
    /// Is told when data runs out that ends the run.
    pub exhausted: Recipient<DataExhausted>,
    /// Is asked for rows that the leader leases.
    pub rows: Recipient<AskRows>,
    /// Until when users may send requests.
    pub permit: Arc<SendPermit>,
}

/// What each arbiter needs to get ready.
#[derive(Clone)]
struct Preparation {
    options: EngineOptions,
    prepared: Prepared,
    assignment: Arc<Assignment>,
    feeders: Arc<RunFeeders>,
    permit: Arc<SendPermit>,
}

impl Engine {
    /// Starts the arbiters. Needs a running actix system.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        let arbiters = (0..options.arbiters.max(1)).map(|_| Arbiter::new()).collect();
        Self { options, arbiters }
    }

    /// Gets all arbiters ready for a run: its scenario is compiled, and nothing happens until it is launched.
    ///
    /// # Errors
    /// Why the run cannot be run here.
    pub fn prepare(
        &self,
        assignment: &Assignment,
        links: RunLinks,
    ) -> LocalBoxFuture<'static, Result<RunningUsers, Arc<str>>> {
        let (options, assignment) = (self.options.clone(), Arc::new(assignment.clone()));
        let arbiters: Vec<ArbiterHandle> = self.arbiters.iter().map(Arbiter::handle).collect();
        Box::pin(async move {
            let prepared = options.prepared(&assignment).await?;
            let feeders = Arc::new(feeders(&prepared, &assignment, options.row_origin, &links));
            let slots = assignment.slots.clone();
            let permit = links.permit;
            let preparation = Preparation { options, prepared, assignment, feeders: Arc::clone(&feeders), permit };
            let ready = join_all(arbiters.iter().enumerate().map(|(at, arbiter)| {
                let place = Place { arbiter: at as u64, arbiters: arbiters.len() as u64 };
                preparation.clone().on(arbiter, place)
            }));
            let arbiters: Vec<_> = ready.await.into_iter().flatten().collect();
            if arbiters.is_empty() {
                return Err("no arbiter is left".into());
            }
            Ok(RunningUsers::new(arbiters, feeders, slots))
        })
    }
}

/// The feeders of a run, from which nothing was drawn.
fn feeders(prepared: &Prepared, assignment: &Assignment, origin: RowOrigin, links: &RunLinks) -> RunFeeders {
    let place = DrawPlace { position: assignment.position as u64, workers: assignment.workers as u64 };
    let notice = ExhaustedNotice { run: assignment.run, to: links.exhausted.clone() };
    let source_of = |at: usize, feeder: &Feeder| -> Box<dyn RowSource> {
        match origin {
            RowOrigin::Own => Box::new(OwnLeases::of(feeder)),
            RowOrigin::Leader => Box::new(LeaderRows::new(assignment.run, at as u32, links.rows.clone())),
        }
    };
    RunFeeders::new(&prepared.scenario.feeders, place, Some(&notice), source_of)
}

impl Preparation {
    /// Gets an arbiter ready, on its thread.
    fn on(self, arbiter: &ArbiterHandle, place: Place) -> oneshot::Receiver<ArbiterActors> {
        let (sender, ready) = oneshot::channel();
        let spawned = arbiter.spawn_fn(move || {
            if sender.send(self.start(place)).is_err() {
                tracing::warn!("nobody waits for the arbiter");
            }
        });
        if !spawned {
            tracing::error!("an arbiter has died");
        }
        ready
    }

    fn start(self, place: Place) -> ArbiterActors {
        let Self { options, prepared, assignment, feeders, permit } = self;
        // It is anchored at the launch.
        let clock = PlanClock::anchored_at(Instant::now());
        let context = ArbiterContext::new(prepared.scenario, prepared.http, clock, options.seed).sharing(feeders);
        let context = context.with_natives(options.natives).permitted_by(permit);
        let is_open = assignment.plan.arrivals().is_some();
        let context = Rc::new(if is_open { context.open() } else { context });
        let load = OpenLoad::new(&assignment, place, options.seed.wrapping_add(place.arbiter));
        let collector = StatsCollector::new(Rc::clone(&context)).start();
        ArbiterActors { host: UserHost::new(context, load).start(), collector }
    }
}
