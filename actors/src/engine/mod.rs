//! The engine: users on one arbiter per core.
//!
//! Arbiters live as long as the engine. For a run, each gets a host, which starts and stops users, and a stats
//! collector, which drains what they record; both share the arbiter's context and its thread.

mod cpu;
mod host;
mod open_load;
mod stats_collector;

use std::rc::Rc;
use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Arbiter, Handler, Message, Recipient};
use akrida_core::data::Feeder;
use akrida_core::ids::UserIndex;
use akrida_core::scenario::model::Scenario;
use akrida_core::stats::measurements::Measurements;
use akrida_core::wire::Assignment;
use akrida_core::worker::Sealed;
use futures_util::future::{LocalBoxFuture, join_all};
use tokio::sync::oneshot;

use crate::clock::PlanClock;
use crate::http::HttpOptions;
use crate::user::context::{ArbiterContext, StopMode, UserSpec};
use crate::user::feeders::source::OwnLeases;
use crate::user::feeders::{DataExhausted, DrawPlace, ExhaustedNotice, RunFeeders};
use crate::user::native::registry::NativeUsers;
use host::{StartUsers, StopAllUsers, StopUsers, UserHost};
use open_load::{OpenLoad, Place};
use stats_collector::{Drain, StatsCollector};

/// What an engine runs, and on how many arbiters.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// What users do.
    pub scenario: Arc<Scenario>,
    /// The code of users that have any.
    pub natives: Arc<NativeUsers>,
    /// How they connect.
    pub http: HttpOptions,
    /// Arbiters, each with a thread of its own; at least 1.
    pub arbiters: usize,
    /// Seed of all random choices of users.
    pub seed: u64,
}

/// Arbiters that wait for users.
#[derive(Debug)]
pub struct Engine {
    options: EngineOptions,
    arbiters: Vec<Arbiter>,
}

/// The users of a run, over all arbiters.
#[derive(Clone, Debug)]
pub struct RunningUsers {
    arbiters: Vec<ArbiterActors>,
    feeders: Arc<RunFeeders>,
    /// Workers in the run; own users have indices that far apart.
    workers: u64,
}

/// The two actors of an arbiter in a run.
#[derive(Clone, Debug)]
struct ArbiterActors {
    host: Addr<UserHost>,
    collector: Addr<StatsCollector>,
}

impl Engine {
    /// Starts the arbiters. Needs a running actix system.
    #[must_use]
    pub fn new(options: EngineOptions) -> Self {
        let arbiters = (0..options.arbiters.max(1)).map(|_| Arbiter::new()).collect();
        Self { options, arbiters }
    }

    /// Gets all arbiters ready for a run. `exhausted` is told when data runs out that ends the run.
    pub fn prepare(
        &self,
        clock: PlanClock,
        assignment: &Assignment,
        exhausted: Recipient<DataExhausted>,
    ) -> LocalBoxFuture<'static, RunningUsers> {
        let workers = assignment.workers as u64;
        let feeders = Arc::new(self.feeders(assignment, exhausted));
        let arbiters = self.arbiters.iter().enumerate().map(|(at, arbiter)| {
            let (sender, ready) = oneshot::channel();
            let (options, assignment, feeders) = (self.options.clone(), assignment.clone(), Arc::clone(&feeders));
            let place = Place { arbiter: at as u64, arbiters: self.arbiters.len() as u64 };
            let spawned = arbiter.spawn_fn(move || {
                if sender.send(ArbiterActors::start(options, clock, &assignment, place, feeders)).is_err() {
                    tracing::warn!("nobody waits for the arbiter");
                }
            });
            if !spawned {
                tracing::error!("an arbiter has died");
            }
            ready
        });
        let ready = join_all(arbiters.collect::<Vec<_>>());
        Box::pin(async move {
            let arbiters = ready.await.into_iter().flatten().collect();
            RunningUsers { arbiters, feeders, workers: workers.max(1) }
        })
    }

    /// The feeders of a run, from which nothing was drawn.
    fn feeders(&self, assignment: &Assignment, exhausted: Recipient<DataExhausted>) -> RunFeeders {
        let place = DrawPlace { position: assignment.position as u64, workers: assignment.workers as u64 };
        let notice = ExhaustedNotice { run: assignment.run, to: exhausted };
        let source_of = |feeder: &Feeder| Box::new(OwnLeases::of(feeder)) as _;
        RunFeeders::new(&self.options.scenario.feeders, place, Some(&notice), source_of)
    }
}

impl ArbiterActors {
    fn start(
        options: EngineOptions,
        clock: PlanClock,
        assignment: &Assignment,
        place: Place,
        feeders: Arc<RunFeeders>,
    ) -> Self {
        let context = ArbiterContext::new(options.scenario, options.http, clock, options.seed).sharing(feeders);
        let context = context.with_natives(options.natives);
        let is_open = assignment.plan.arrivals().is_some();
        let context = Rc::new(if is_open { context.open() } else { context });
        let load = OpenLoad::new(assignment, place, options.seed.wrapping_add(place.arbiter));
        let collector = StatsCollector::new(Rc::clone(&context)).start();
        Self { host: UserHost::new(context, load).start(), collector }
    }
}

impl RunningUsers {
    /// Starts users, spread evenly over the arbiters. Done when every arbiter has taken its order.
    pub fn start(&self, specs: Vec<UserSpec>) -> LocalBoxFuture<'static, ()> {
        let orders = self.dealt(specs, |spec| spec.index);
        to_each(self.hosts(), orders.into_iter().map(StartUsers))
    }

    /// Stops users. Done when every arbiter has taken its order, not when the users have ended.
    pub fn stop(&self, users: Vec<UserIndex>, mode: StopMode) -> LocalBoxFuture<'static, ()> {
        let orders = self.dealt(users, |user| *user);
        to_each(self.hosts(), orders.into_iter().map(move |users| StopUsers { users, mode }))
    }

    /// Stops all users. Done when the last one has ended; then the rows that none of them drew are given back.
    pub fn stop_all(&self, mode: StopMode) -> LocalBoxFuture<'static, ()> {
        let (gone, feeders) =
            (to_each(self.hosts(), std::iter::repeat_with(move || StopAllUsers(mode))), Arc::clone(&self.feeders));
        Box::pin(async move {
            gone.await;
            feeders.close();
        })
    }

    /// Takes what all collectors have.
    pub fn drain(&self) -> LocalBoxFuture<'static, Sealed> {
        let drained = join_all(self.arbiters.iter().map(|arbiter| arbiter.collector.send(Drain)));
        Box::pin(async move {
            let mut sealed = Sealed { users: Vec::new(), cpu_permille: 0, measurements: Measurements::default() };
            for drained in drained.await {
                let Ok(drained) = drained else {
                    tracing::error!("a stats collector has died");
                    continue;
                };
                sealed.measurements.merge(&drained.measurements);
                sealed.users.resize(sealed.users.len().max(drained.users.len()), 0);
                sealed.users.iter_mut().zip(&drained.users).for_each(|(sum, users)| *sum += users);
                sealed.cpu_permille = sealed.cpu_permille.max(drained.cpu_permille);
            }
            sealed
        })
    }

    fn hosts(&self) -> impl Iterator<Item = &Addr<UserHost>> {
        self.arbiters.iter().map(|arbiter| &arbiter.host)
    }

    /// What belongs to each arbiter. Indices of a worker's users lie `workers` apart, so they are divided by it first:
    /// otherwise two workers of two arbiters each would use one arbiter only.
    fn dealt<T>(&self, items: Vec<T>, index: impl Fn(&T) -> UserIndex) -> Vec<Vec<T>> {
        let count = self.arbiters.len().max(1) as u64;
        let mut dealt: Vec<Vec<T>> = (0..count).map(|_| Vec::new()).collect();
        for item in items {
            let arbiter = index(&item).0 / self.workers % count;
            dealt[arbiter as usize].push(item);
        }
        dealt
    }
}

/// Sends one message to each actor and waits until all are handled.
fn to_each<'a, A, M>(
    actors: impl Iterator<Item = &'a Addr<A>>,
    messages: impl Iterator<Item = M>,
) -> LocalBoxFuture<'static, ()>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message<Result = ()> + Send + 'static,
{
    let sent = join_all(actors.zip(messages).map(|(actor, message)| actor.send(message)).collect::<Vec<_>>());
    Box::pin(async move {
        for outcome in sent.await {
            if let Err(error) = outcome {
                tracing::error!(%error, "an arbiter does not take orders");
            }
        }
    })
}
