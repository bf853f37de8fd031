//! What a leader knows of a worker beside the replicated state.

use super::Now;
use crate::ids::{Incarnation, RunId};
use crate::state::worker::WorkerProfile;
use crate::wire::{Running, Vitals};

/// A worker's life, as this leader has heard of it. Instants are of the leader's monotonic clock.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) incarnation: Incarnation,
    /// What it said of itself; `None` while it has not said hello to this leader.
    pub(super) profile: Option<WorkerProfile>,
    pub(super) heard_us: u64,
    /// Whether anything was heard, or only waited for since `heard_us`.
    pub(super) was_heard: bool,
    pub(super) is_linked: bool,
    /// Whether its link has ended since it was last heard.
    pub(super) link_has_ended: bool,
    pub(super) vitals: Option<Vitals>,
    /// Where it is, as it said last.
    pub(super) running: Option<Running>,
    /// The run that it is ready for.
    pub(super) ready: Option<RunId>,
    pub(super) begun: Option<Begun>,
    /// The latest distribution of the slots that it confirmed, and of which run.
    confirmed: Option<(RunId, u64)>,
    pub(super) launch_sent_us: u64,
    pub(super) slots_sent_us: u64,
    pub(super) plan_sent_us: u64,
    pub(super) welcomed_us: u64,
    /// When its deltas went on last, or it was asked for them.
    pub(super) progress_us: u64,
    /// When its last delta came.
    pub(super) delta_us: Option<u64>,
}

/// A run that a worker was told to get ready for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) run: RunId,
    pub(super) first_us: u64,
    pub(super) sent_us: u64,
}

impl Session {
    /// A worker that is to be there and has not said anything.
    pub(super) fn awaited(incarnation: Incarnation, now: Now) -> Self {
        Self {
            incarnation,
            profile: None,
            heard_us: now.mono_us,
            was_heard: false,
            is_linked: false,
            link_has_ended: false,
            vitals: None,
            running: None,
            ready: None,
            begun: None,
            confirmed: None,
            launch_sent_us: 0,
            slots_sent_us: 0,
            plan_sent_us: 0,
            welcomed_us: 0,
            progress_us: now.mono_us,
            delta_us: None,
        }
    }

    /// A worker that has just said something.
    pub(super) fn heard(incarnation: Incarnation, now: Now) -> Self {
        Self { was_heard: true, is_linked: true, ..Self::awaited(incarnation, now) }
    }

    pub(super) fn hear(&mut self, now: Now) {
        (self.heard_us, self.was_heard, self.is_linked) = (now.mono_us, true, true);
        self.link_has_ended = false;
    }

    /// It was told to get ready.
    pub(super) fn begin(&mut self, run: RunId, now: Now) {
        let first_us = self.begun.filter(|begun| begun.run == run).map_or(now.mono_us, |begun| begun.first_us);
        if self.begun.is_none_or(|begun| begun.run != run) {
            self.delta_us = None;
        }
        self.begun = Some(Begun { run, first_us, sent_us: now.mono_us });
    }

    /// It knows this distribution of the slots.
    pub(super) fn confirm(&mut self, run: RunId, epoch: u64) {
        self.confirmed = Some((run, epoch.max(self.confirmed(run))));
    }

    pub(super) fn confirmed(&self, run: RunId) -> u64 {
        self.confirmed.filter(|(of, _)| *of == run).map_or(0, |(_, epoch)| epoch)
    }

    /// Whether it is ready for a run, or in it already.
    pub(super) fn is_ready(&self, run: RunId) -> bool {
        self.ready == Some(run) || self.in_run(run).is_some_and(|running| running.plan_us.is_some())
    }

    /// Where it is in a run.
    pub(super) fn in_run(&self, run: RunId) -> Option<Running> {
        self.running.filter(|running| running.run == run)
    }

    /// It was told to forget what run it was in.
    pub(super) fn leave(&mut self) {
        (self.ready, self.begun, self.confirmed) = (None, None, None);
    }
}
