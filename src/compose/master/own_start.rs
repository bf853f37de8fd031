//! Starts the run that masters were told to start by themselves: once, however many masters were told so, and whoever of
//! them leads.
//!
//! Once it is written down that the run is to be started ([`super::intent`]), whoever leads when the workers are there starts
//! it. The others wait until it is started or given up.

use std::sync::Arc;
use std::time::Duration;

use akrida_actors::coordinator::messages::Sight;
use akrida_core::coordinator::{Now, Order};
use akrida_core::ids::{Incarnation, RunId, WorkerId};
use akrida_core::state::command::{Command, Refusal, RunSpec};
use akrida_core::state::intended::{Fate, IntendedRun};
use akrida_core::state::worker::LossReason;
use akrida_core::view::workers::WorkerState;
use tokio::time::{Instant, sleep};

use super::control::Control;
use crate::web::{ControlError, MasterControl};

/// How often it is looked what has become of it.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a leader waits for workers that were there before it led. Without a run, those are not waited for longer.
const SILENT_MAX: Duration = Duration::from_secs(5);

/// How much longer than the leader the others wait for workers: it is the leader who gives up for all.
const FOLLOWERS_WAIT_LONGER: Duration = Duration::from_secs(30);

/// What a master was told to start.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) spec: RunSpec,
    /// A hash of it.
    pub(super) command: u64,
    pub(super) expect_workers: usize,
    /// How long to wait for them; without end if `None`.
    pub(super) max_wait: Option<Duration>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It was started, by this master or another one.
    Run(RunId),
    /// It will not be started, for this reason.
    GivenUp(String),
}

/// Waits until the run is started or given up, and does its part for that.
pub(super) async fn begun(wish: &Wish, control: &Arc<Control>) -> Begun {
    let mut start = Start::new(wish, control);
    loop {
        // A coordinator that does not answer is asked again.
        if let Ok(seen) = control.look(Seen::of).await
            && let Some(begun) = start.step(seen).await
        {
            return begun;
        }
        if let Some(begun) = start.followed_too_long() {
            return begun;
        }
        sleep(LOOK_EVERY).await;
    }
}

struct Start<'a> {
    wish: &'a Wish,
    control: &'a Arc<Control>,
    since: Instant,
    leads_since: Option<Instant>,
    /// Whether it was written down that this master takes part.
    took_part: bool,
    /// How many workers were there when that was said last.
    told: Option<usize>,
}

/// What a look at the state gives.
struct Seen {
    leads: bool,
    intended: Option<IntendedRun>,
    /// Workers that this leader has heard.
    heard: usize,
    /// Workers that count as there, and were not heard by this leader.
    silent: Vec<(WorkerId, Incarnation)>,
}

impl Seen {
    fn of(sight: Sight<'_>) -> Self {
        let now = Now { mono_us: sight.now_us, unix_ms: 0 };
        let workers = sight.core.map(|core| core.workers_view(now, sight.state)).unwrap_or_default();
        let is_there = |state| !matches!(state, WorkerState::Gone | WorkerState::Quarantined);
        let there = workers.into_iter().filter(|worker| is_there(worker.state));
        let (heard, silent): (Vec<_>, Vec<_>) = there.partition(|worker| worker.heard_ms_ago.is_some());
        Self {
            leads: sight.core.is_some(),
            intended: sight.state.intended().cloned(),
            heard: heard.len(),
            silent: silent.into_iter().map(|worker| (worker.worker, worker.incarnation)).collect(),
        }
    }
}

impl<'a> Start<'a> {
    fn new(wish: &'a Wish, control: &'a Arc<Control>) -> Self {
        let since = Instant::now();
        Self { wish, control, since, leads_since: None, took_part: false, told: None }
    }

    async fn step(&mut self, seen: Seen) -> Option<Begun> {
        self.leads_since = if seen.leads { self.leads_since.or_else(|| Some(Instant::now())) } else { None };
        let (master, life) = self.control.life();
        let takes_part = |intended: &&IntendedRun| intended.is_of(&master, life);
        let is_own = |intended: &&IntendedRun| intended.command == self.wish.command;
        if seen.intended.as_ref().is_some_and(|intended| !is_own(&intended)) && self.took_part {
            return Some(Begun::GivenUp("masters that were told to start another run lead now".to_owned()));
        }
        let IntendedRun { run, fate, .. } = seen.intended.as_ref().filter(is_own).filter(takes_part)?;
        self.took_part = true;
        match fate {
            Fate::Started => return Some(Begun::Run(*run)),
            Fate::Cancelled { reason } => return Some(Begun::GivenUp(reason.to_string())),
            Fate::Waiting if seen.leads => self.start_or_wait(*run, &seen).await,
            Fate::Waiting => {}
        }
        None
    }

    async fn start_or_wait(&mut self, run: RunId, seen: &Seen) {
        let expected = self.wish.expect_workers;
        if seen.heard < expected {
            if self.told != Some(seen.heard) {
                self.told = Some(seen.heard);
                tracing::info!("waiting for workers to be ready, {} of {expected} connected", seen.heard);
            }
            if self.wish.max_wait.is_some_and(|most| self.since.elapsed() >= most) {
                let heard = seen.heard;
                self.cancel(run, format!("gave up waiting for workers to connect: {heard} of {expected} did")).await;
            }
            return;
        }
        if !seen.silent.is_empty() {
            if self.leads_since.is_some_and(|since| since.elapsed() >= SILENT_MAX) {
                self.lose(&seen.silent).await;
            }
            return;
        }
        match self.control.order(Order::Start(run, Box::new(self.wish.spec.clone())), None).await {
            Ok(_) => tracing::info!(%run, "the run starts"),
            Err(ControlError::TooFewWorkers { .. } | ControlError::Refused(Refusal::NoWorkers)) => {}
            Err(error) if error.may_pass() => {}
            Err(ControlError::Refused(Refusal::RunWasStarted | Refusal::RunIsCancelled)) => {}
            Err(error) => self.cancel(run, error.to_string()).await,
        }
    }

    /// Without a run nobody is harmed: whoever lives says hello again.
    async fn lose(&self, silent: &[(WorkerId, Incarnation)]) {
        for (worker, incarnation) in silent {
            tracing::warn!(%worker, "a worker that was there before this master led was not heard again");
            let (worker, incarnation, reason) = (worker.clone(), *incarnation, LossReason::Silence);
            if let Err(error) = self.control.propose(Command::LoseWorker { worker, incarnation, reason }).await {
                tracing::debug!(%error, "it is tried again");
            }
        }
    }

    async fn cancel(&self, run: RunId, reason: String) {
        // What has become of it is seen at the next look.
        if let Err(error) = self.control.propose(Command::CancelIntended { run, reason: reason.into() }).await {
            tracing::debug!(%error, "it is tried again");
        }
    }

    /// Whether this master has waited in vain for a leader that starts the run or gives it up.
    fn followed_too_long(&self) -> Option<Begun> {
        let most = self.wish.max_wait?.saturating_add(FOLLOWERS_WAIT_LONGER);
        let is_over = self.leads_since.is_none() && self.since.elapsed() >= most;
        is_over.then(|| Begun::GivenUp("no leader has started the run or given it up in time".to_owned()))
    }
}
