//! The users of a run, over all arbiters.

use std::sync::Arc;

use actix::dev::ToEnvelope;
use actix::{Actor, Addr, Handler, Message};
use akrida_core::data::ranges::RowRange;
use akrida_core::ids::UserIndex;
use akrida_core::plan::mixed;
use akrida_core::plan::slots::SlotSet;
use akrida_core::stats::measurements::Measurements;
use akrida_core::worker::Sealed;
use futures_util::future::{LocalBoxFuture, join_all};

use super::host::UserHost;
use super::host_orders::{Launch, MoveSlots, Resume, StartUsers, StopAllUsers, StopUsers, SuspendUsers};
use super::stats_collector::{Drain, StatsCollector};
use crate::clock::PlanClock;
use crate::user::context::{StopMode, UserSpec};
use crate::user::feeders::RunFeeders;

/// The users of a run, over all arbiters.
#[derive(Debug)]
pub struct RunningUsers {
    arbiters: Vec<ArbiterActors>,
    feeders: Arc<RunFeeders>,
    slots: SlotSet,
}

/// The two actors of an arbiter in a run.
#[derive(Debug)]
pub(super) struct ArbiterActors {
    pub(super) host: Addr<UserHost>,
    pub(super) collector: Addr<StatsCollector>,
}

impl RunningUsers {
    /// Users of these slots, none of which has started.
    pub(super) fn new(arbiters: Vec<ArbiterActors>, feeders: Arc<RunFeeders>, slots: SlotSet) -> Self {
        Self { arbiters, feeders, slots }
    }

    /// Starts the clock. In an open model the arrivals of these slots are served that are due at an instant of plan time
    /// or later. Done when every arbiter has taken its order.
    pub fn launch(&mut self, clock: PlanClock, slots: SlotSet, from_us: u64) -> LocalBoxFuture<'static, ()> {
        self.slots = slots.clone();
        to_each(self.hosts(), std::iter::repeat_with(move || Launch { clock, slots: slots.clone(), from_us }))
    }

    /// Starts users, spread evenly over the arbiters. Done when every arbiter has taken its order.
    pub fn start(&self, specs: Vec<UserSpec>) -> LocalBoxFuture<'static, ()> {
        let count = self.arbiters.len().max(1) as u64;
        let mut orders: Vec<Vec<UserSpec>> = (0..count).map(|_| Vec::new()).collect();
        for spec in specs {
            // By its place among the users of the worker, so that no choice of slots leaves an arbiter idle.
            let place = self.slots.users_below(spec.index.0);
            orders[mixed::place_of(place, count) as usize].push(spec);
        }
        to_each(self.hosts(), orders.into_iter().map(StartUsers))
    }

    /// Stops users. Done when every arbiter has taken its order, not when the users have ended.
    pub fn stop(&self, users: Vec<UserIndex>, mode: StopMode) -> LocalBoxFuture<'static, ()> {
        // Slots may have moved since they started: each arbiter knows its own.
        let users: Arc<[UserIndex]> = users.into();
        to_each(self.hosts(), std::iter::repeat_with(move || StopUsers { users: Arc::clone(&users), mode }))
    }

    /// Stops the users of all slots but these; in an open model serves the arrivals of these from an instant of plan
    /// time on. Done when no user is left in other slots.
    pub fn move_slots(&mut self, slots: SlotSet, at_us: u64, mode: StopMode) -> LocalBoxFuture<'static, ()> {
        self.slots = slots.clone();
        to_each(self.hosts(), std::iter::repeat_with(move || MoveSlots { slots: slots.clone(), at_us, mode }))
    }

    /// Stops all users and lets no arrivals in. Done when no user is left.
    pub fn suspend(&self, mode: StopMode) -> LocalBoxFuture<'static, ()> {
        to_each(self.hosts(), std::iter::repeat_with(move || SuspendUsers(mode)))
    }

    /// After [`Self::suspend`]: serves arrivals again that are due at an instant of plan time or later.
    pub fn resume(&self, from_us: u64) -> LocalBoxFuture<'static, ()> {
        to_each(self.hosts(), std::iter::repeat_with(move || Resume { from_us }))
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

    /// Gives users the rows of a `unique` feeder that they wait for; none when no row is left.
    pub fn give_rows(&self, feeder: u32, rows: &[RowRange]) {
        self.feeders.give(feeder, rows);
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
