//! Where the rows of `unique` feeders come from: this process ([`OwnLeases`]), or the leader ([`LeaderRows`]).

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Message, Recipient};
use akrida_core::data::leases::{NotLeased, RowLeases};
use akrida_core::data::ranges::RowRange;
use akrida_core::data::{Feeder, OnExhausted, Pick};
use akrida_core::ids::{RunId, WorkerId};

use super::unique::UniqueRows;

/// Leases the rows of one `unique` feeder to this process.
pub trait RowSource: fmt::Debug + Send + Sync {
    /// Takes note of the rows that are done with, and gives more to [`UniqueRows::granted`], at once or later, but
    /// always: none when no row is left.
    fn lease(&self, demand: Demand, rows: &Arc<UniqueRows>);

    /// The run has ended here. What was leased and is not among these rows was used.
    fn close(&self, unused: &[RowRange]);
}

/// What a source is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Leased rows that were used and that no user has any more.
    pub used: Vec<RowRange>,
    /// How many more are wanted.
    pub want: u64,
}

/// The leases of a feeder that only this process draws from.
#[derive(Debug)]
pub struct OwnLeases {
    leases: Mutex<RowLeases>,
    own_name: WorkerId,
}

impl OwnLeases {
    /// All rows of a feeder are free.
    #[must_use]
    pub fn of(feeder: &Feeder) -> Self {
        let recycles = feeder.pick == Pick::Unique(OnExhausted::Recycle);
        let leases = RowLeases::new(feeder.table.rows(), recycles);
        Self { leases: Mutex::new(leases), own_name: WorkerId("this".into()) }
    }

    fn change<R>(&self, change: impl FnOnce(&mut RowLeases) -> R) -> R {
        change(&mut self.leases.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl RowSource for OwnLeases {
    fn lease(&self, Demand { used, want }: Demand, rows: &Arc<UniqueRows>) {
        let granted = self.change(|leases| {
            report(leases.settle(&self.own_name, &used));
            leases.lease(&self.own_name, want)
        });
        rows.granted(&granted);
    }

    fn close(&self, unused: &[RowRange]) {
        report(self.change(|leases| leases.close(&self.own_name, unused)));
    }
}

/// The leases of a feeder that the leader gives; the worker asks for them, and asks again until it gets them.
#[derive(Debug)]
pub struct LeaderRows {
    run: RunId,
    feeder: u32,
    worker: Recipient<AskRows>,
}

/// What a feeder has to say to the leader.
#[derive(Clone, Debug, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct AskRows {
    /// Which run.
    pub run: RunId,
    /// Which feeder, in the order of the scenario.
    pub feeder: u32,
    /// What.
    pub ask: RowsAsk,
}

/// What a feeder wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowsAsk {
    /// More rows.
    Lease(Demand),
    /// Nothing more; these rows were not used.
    Close(Vec<RowRange>),
}

impl LeaderRows {
    /// The rows of a feeder of a run, for which this worker asks.
    #[must_use]
    pub fn new(run: RunId, feeder: u32, worker: Recipient<AskRows>) -> Self {
        Self { run, feeder, worker }
    }

    fn ask(&self, ask: RowsAsk) {
        // One request of each feeder at a time waits for its answer, so that a full mailbox is no reason to lose it.
        self.worker.do_send(AskRows { run: self.run, feeder: self.feeder, ask });
    }
}

impl RowSource for LeaderRows {
    fn lease(&self, demand: Demand, _: &Arc<UniqueRows>) {
        self.ask(RowsAsk::Lease(demand));
    }

    fn close(&self, unused: &[RowRange]) {
        self.ask(RowsAsk::Close(unused.to_vec()));
    }
}

fn report(settled: Result<(), NotLeased>) {
    if let Err(error) = settled {
        tracing::error!(%error, "rows were counted wrongly");
    }
}
