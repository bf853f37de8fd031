//! The leader's clock of plan time: monotonic, anchored at the launch, or taken over from the workers.

use std::collections::BTreeMap;

use super::Now;
use crate::ids::{RunId, WorkerId};
use crate::limits;

/// Plan time of a run.
#[derive(Debug, Default)]
pub(super) struct PlanClock {
    run: Option<RunId>,
    anchor: Option<Anchor>,
    /// Since when reports are awaited.
    since_us: u64,
    /// The instant of plan time 0 as each worker has it; `None` of those that have not begun.
    reports: BTreeMap<WorkerId, Option<i64>>,
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    /// The instant of plan time 0 on the leader's monotonic clock.
    zero_us: i64,
    /// Whether no worker has confirmed it.
    is_guess: bool,
}

/// What workers say about plan time, put together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// How many take part.
    pub(super) live: usize,
    /// Up to where there are statistics.
    pub(super) until_us: u64,
}

impl PlanClock {
    /// The clock of a run that begins in `limits::LAUNCH_AHEAD`.
    pub(super) fn launched(run: RunId, now: Now) -> Self {
        Self { run: Some(run), anchor: Some(ahead(now)), ..Self::default() }
    }

    /// The clock of a run that another leader has launched.
    pub(super) fn unknown(run: RunId, now: Now) -> Self {
        Self { run: Some(run), since_us: now.mono_us, ..Self::default() }
    }

    /// Whether it is the clock of this run.
    pub(super) fn is_of(&self, run: RunId) -> bool {
        self.run == Some(run)
    }

    /// Plan time of a run; negative before its first user, `None` as long as it is not known.
    pub(super) fn plan_us(&self, run: RunId, mono_us: u64) -> Option<i64> {
        let anchor = self.anchor.filter(|_| self.is_of(run))?;
        Some((mono_us as i64).saturating_sub(anchor.zero_us))
    }

    /// A worker says where it is.
    pub(super) fn report(&mut self, worker: &WorkerId, run: RunId, plan_us: Option<u64>, now: Now) {
        if self.is_of(run) && self.anchor.is_none_or(|anchor| anchor.is_guess) {
            let zero_us = plan_us.map(|plan_us| (now.mono_us as i64).saturating_sub_unsigned(plan_us));
            self.reports.insert(worker.clone(), zero_us);
        }
    }

    /// Adopts the median of what workers report: once a majority has, or some have in `limits::PLAN_TIME_WAIT`. If all of
    /// them wait for the launch, it is now. When nobody says anything, plan time goes on from the statistics.
    pub(super) fn settle(&mut self, known: Known, now: Now) {
        if self.run.is_none() || self.anchor.is_some_and(|anchor| !anchor.is_guess) {
            return;
        }
        let waited_us = now.mono_us.saturating_sub(self.since_us);
        let majority = self.reports.len() > known.live / 2;
        let enough = majority || waited_us >= limits::PLAN_TIME_WAIT.as_micros() as u64;
        if enough && !self.reports.is_empty() {
            let unconfirmed = || match known.until_us {
                0 => ahead(now),
                until_us => from_statistics(until_us, now),
            };
            self.anchor = self.median().or(self.anchor).or_else(|| Some(unconfirmed()));
        } else if self.anchor.is_none() && waited_us >= limits::PLAN_TIME_GUESS_AFTER.as_micros() as u64 {
            self.anchor = Some(from_statistics(known.until_us, now));
        }
    }

    fn median(&self) -> Option<Anchor> {
        let mut zeros: Vec<i64> = self.reports.values().flatten().copied().collect();
        zeros.sort_unstable();
        zeros.get(zeros.len().checked_sub(1)? / 2).map(|zero_us| Anchor { zero_us: *zero_us, is_guess: false })
    }
}

fn ahead(now: Now) -> Anchor {
    let zero_us = now.mono_us.saturating_add(limits::LAUNCH_AHEAD.as_micros() as u64) as i64;
    Anchor { zero_us, is_guess: false }
}

fn from_statistics(until_us: u64, now: Now) -> Anchor {
    Anchor { zero_us: (now.mono_us as i64).saturating_sub_unsigned(until_us), is_guess: true }
}
