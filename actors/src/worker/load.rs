//! The run that a worker has got ready, and what it does with its users.

use std::time::{Duration, Instant};

use akrida_core::ids::{RunId, UserIndex};
use akrida_core::limits;
use akrida_core::plan::slots::SlotSet;
use akrida_core::worker::{Sealed, UserStart};
use futures_util::future::LocalBoxFuture;

use crate::clock::PlanClock;
use crate::engine::RunningUsers;
use crate::user::context::{StopMode, UserSpec};

/// A run that is ready, or runs.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) run: RunId,
    users: RunningUsers,
    stop_mode: StopMode,
    clock: PlanClock,
}

/// What is done once the engine has done something.
pub(super) type Done<T = ()> = LocalBoxFuture<'static, T>;

impl Load {
    /// A run that is ready.
    pub(super) fn new(run: RunId, users: RunningUsers, stop_timeout_ms: u64) -> Self {
        let stop_mode = match stop_timeout_ms {
            0 => StopMode::Now,
            timeout_ms => StopMode::AfterTask(Duration::from_millis(timeout_ms)),
        };
        Self { run, users, stop_mode, clock: PlanClock::anchored_at(Instant::now()) }
    }

    /// Starts its clock: plan time is 0 so long after the origin.
    pub(super) fn launch(&mut self, origin: Instant, anchor_us: i64, slots: SlotSet) -> Done {
        self.clock = PlanClock::anchored_after(origin, anchor_us);
        let now_us = self.clock.now_us();
        // What was due a moment ago is late; of what was due before, others had the time to serve it.
        let is_joining = now_us > HANDOVER_US;
        self.users.launch(self.clock, slots, if is_joining { now_us + HANDOVER_US } else { 0 })
    }

    pub(super) fn start(&self, starts: &[UserStart]) -> Done {
        let specs = starts.iter().map(|start| UserSpec {
            index: UserIndex(start.index),
            class: start.class,
            intended_start_us: start.intended_start_us,
        });
        self.users.start(specs.collect())
    }

    pub(super) fn stop(&self, users: Vec<u64>) -> Done {
        self.users.stop(users.into_iter().map(UserIndex).collect(), self.stop_mode)
    }

    pub(super) fn move_slots(&mut self, slots: SlotSet) -> Done {
        self.users.move_slots(slots, self.clock.now_us() + HANDOVER_US, self.stop_mode)
    }

    /// Stops all users so that none is left within this time.
    pub(super) fn suspend(&self, within_us: u64) -> Done {
        // The last of it is for requests in flight.
        let after = Duration::from_micros(within_us).saturating_sub(limits::STOP_GRACE);
        let mode = match self.stop_mode {
            StopMode::AfterTask(timeout) if !after.is_zero() => StopMode::AfterTask(timeout.min(after)),
            StopMode::AfterTask(_) | StopMode::Now => StopMode::Now,
        };
        self.users.suspend(mode)
    }

    pub(super) fn resume(&self) -> Done {
        self.users.resume(self.clock.now_us())
    }

    pub(super) fn end(&self) -> Done {
        self.users.stop_all(self.stop_mode)
    }

    pub(super) fn abandon(&self) -> Done {
        self.users.stop_all(StopMode::Now)
    }

    pub(super) fn drain(&self) -> Done<Sealed> {
        self.users.drain()
    }

    pub(super) fn give_rows(&self, feeder: u32, rows: &[akrida_core::data::ranges::RowRange]) {
        self.users.give_rows(feeder, rows);
    }
}

const HANDOVER_US: u64 = limits::HANDOVER_AHEAD.as_micros() as u64;
