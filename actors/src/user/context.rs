//! What the users of one arbiter share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use akrida_core::data::Feeder;
use akrida_core::ids::UserIndex;
use akrida_core::scenario::model::Scenario;
use akrida_core::stats::recorder::Recorder;

use super::desk::ArrivalDesk;
use super::feeders::source::OwnLeases;
use super::feeders::{DrawPlace, RunFeeders};
use super::native::registry::NativeUsers;
use super::permit::SendPermit;
use crate::clock::{ArbiterClock, PlanClock};
use crate::http::HttpOptions;
use crate::observe::{Event, Observer};

/// Shared by the users of one arbiter and the stats collector that drains the recorder. Single-threaded: no locks.
#[derive(Debug)]
pub struct ArbiterContext {
    /// What users do.
    pub scenario: Arc<Scenario>,
    /// The code of users that have any.
    pub natives: Arc<NativeUsers>,
    /// Where they record.
    pub recorder: RefCell<Recorder>,
    /// Plan time.
    pub clock: ArbiterClock,
    /// Until when requests may be sent.
    pub permit: Arc<SendPermit>,
    /// How they connect.
    pub http: HttpOptions,
    /// Users that exist now, per class.
    pub live: Vec<Cell<u64>>,
    /// Where users wait for arrivals; `None` in the closed model.
    pub desk: Option<ArrivalDesk>,
    /// Who watches the users; `None` but for a user that is debugged.
    pub observer: Option<Rc<dyn Observer>>,
    /// Where users draw rows from; shared with the other arbiters.
    pub feeders: Arc<RunFeeders>,
    /// Seed of all random choices; mixed with the user's index.
    pub seed: u64,
}

impl ArbiterContext {
    /// A context without users, whose feeders are its own.
    #[must_use]
    pub fn new(scenario: Arc<Scenario>, http: HttpOptions, clock: PlanClock, seed: u64) -> Self {
        let live = scenario.classes.iter().map(|_| Cell::new(0)).collect();
        let source_of = |_: usize, feeder: &Feeder| Box::new(OwnLeases::of(feeder)) as _;
        let feeders = Arc::new(RunFeeders::new(&scenario.feeders, DrawPlace::ALONE, None, source_of));
        Self {
            scenario,
            natives: Arc::default(),
            recorder: RefCell::default(),
            clock: ArbiterClock::new(clock),
            permit: Arc::default(),
            http,
            live,
            desk: None,
            observer: None,
            feeders,
            seed,
        }
    }

    /// The same with an end to the time in which requests may be sent.
    #[must_use]
    pub fn permitted_by(self, permit: Arc<SendPermit>) -> Self {
        Self { permit, ..self }
    }

    /// The same with feeders that other arbiters draw from, too.
    #[must_use]
    pub fn sharing(self, feeders: Arc<RunFeeders>) -> Self {
        Self { feeders, ..self }
    }

    /// The same for classes that are code of the program.
    #[must_use]
    pub fn with_natives(self, natives: Arc<NativeUsers>) -> Self {
        Self { natives, ..self }
    }

    /// The same for an open model: users wait for arrivals.
    #[must_use]
    pub fn open(self) -> Self {
        let desk = Some(ArrivalDesk::new(self.live.len()));
        Self { desk, ..self }
    }

    /// The same with somebody who watches its users.
    #[must_use]
    pub fn observed_by(self, observer: Rc<dyn Observer>) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Shows an event to whoever watches.
    pub(super) fn show(&self, event: &Event<'_>) {
        if let Some(observer) = &self.observer {
            observer.see(event);
        }
    }
}

/// Which user to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserSpec {
    /// Its index in the plan.
    pub index: UserIndex,
    /// Its class, an index into `Scenario::classes`.
    pub class: usize,
    /// When the plan wanted it to start, in plan time; the difference to the real start is schedule lag.
    pub intended_start_us: u64,
}

/// How a user is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// At once: a wait ends, a request in flight gets `limits::STOP_GRACE`, then it is interrupted. `on_stop` runs
    /// within the same grace.
    Now,
    /// A wait ends at once, the running task may end by itself within this time.
    AfterTask(Duration),
}

/// A handle to the context.
pub type SharedContext = Rc<ArbiterContext>;
