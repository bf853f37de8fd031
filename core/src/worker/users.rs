//! Which users of a plan a worker runs: those of its slots, started and stopped when the plan says so.
//!
//! Users that the plan wanted earlier, and that this worker does not run yet, are *missing*: those of slots that it has
//! just got, all of them when it joins a run, and all of them after its lease had ended. They start one after the other,
//! at the worker's share of the spawn rate.

use std::collections::BTreeSet;

use super::{Output, UserStart};
use crate::limits;
use crate::plan::Plan;
use crate::plan::classes::ClassSequence;
use crate::plan::rate::SpawnRate;
use crate::plan::slots::{SLOTS_U64, SlotSet};

/// The users of a worker in a run.
#[derive(Debug)]
pub(super) struct Users {
    classes: ClassSequence,
    slots: SlotSet,
    /// Every own user below this index runs, or is missing.
    reached: u64,
    missing: BTreeSet<u64>,
    pace: Option<Pace>,
}

/// How missing users start.
#[derive(Clone, Copy, Debug)]
struct Pace {
    since_us: u64,
    rate: SpawnRate,
    /// The worker's slots: its share of the rate.
    slots: u64,
    started: u64,
}

impl Users {
    /// Nobody yet.
    pub(super) fn none(classes: ClassSequence, slots: SlotSet) -> Self {
        Self { classes, slots, reached: 0, missing: BTreeSet::new(), pace: None }
    }

    /// The worker's slots.
    pub(super) fn slots(&self) -> &SlotSet {
        &self.slots
    }

    /// Starts or stops the users that are due. Missing users stay so unless `catches_up`.
    pub(super) fn follow(&mut self, plan: &Plan, now_us: u64, catches_up: bool) -> Vec<Output> {
        let wanted = self.wanted_at(plan, now_us);
        let mut outputs = Vec::new();
        if wanted >= self.reached {
            outputs.extend(self.start_up_to(wanted, plan, now_us));
        } else {
            outputs.extend(self.stop_down_to(wanted));
        }
        if catches_up {
            outputs.extend(self.start_missing(plan, now_us));
        }
        outputs
    }

    /// When [`Self::follow`] has something to do next, in plan time.
    pub(super) fn next_change_us(&self, plan: &Plan, now_us: u64, catches_up: bool) -> Option<u64> {
        if self.reached != self.wanted_at(plan, now_us) {
            return Some(now_us);
        }
        let missing = (catches_up && !self.missing.is_empty()).then(|| self.pace.map_or(now_us, |pace| pace.next_us()));
        [plan.next_change_us(now_us), missing].into_iter().flatten().min()
    }

    /// All users that the plan wants by now are missing.
    pub(super) fn miss_all(&mut self, plan: &Plan, now_us: u64) {
        self.reached = self.wanted_at(plan, now_us);
        self.missing = (0..self.reached).filter(|user| self.slots.owns_user(*user)).collect();
        self.pace = None;
    }

    /// Takes other slots. Whoever calls it stops the users of those that were lost.
    pub(super) fn move_to(&mut self, slots: SlotSet) {
        let before = std::mem::replace(&mut self.slots, slots);
        self.missing.retain(|user| self.slots.owns_user(*user));
        let gained = (0..self.reached).filter(|user| self.slots.owns_user(*user) && !before.owns_user(*user));
        self.missing.extend(gained);
        self.pace = None;
    }

    fn wanted_at(&self, plan: &Plan, now_us: u64) -> u64 {
        let users = plan.users_at(now_us);
        self.classes.users_max().map_or(users, |most| users.min(most))
    }

    fn start_up_to(&mut self, wanted: u64, plan: &Plan, now_us: u64) -> Option<Output> {
        let wanted = wanted.min(self.reached + limits::USERS_CHANGED_PER_TICK_MAX);
        let own = (self.reached..wanted).filter(|user| self.slots.owns_user(*user));
        let starts: Vec<_> = own
            .filter_map(|index| {
                let class = self.classes.class_of(index)?;
                Some(UserStart { index, class, intended_start_us: plan.intended_start_us(index, now_us) })
            })
            .collect();
        self.reached = wanted;
        (!starts.is_empty()).then_some(Output::Start(starts))
    }

    fn stop_down_to(&mut self, wanted: u64) -> Option<Output> {
        let wanted = wanted.max(self.reached.saturating_sub(limits::USERS_CHANGED_PER_TICK_MAX));
        let missing = self.missing.split_off(&wanted);
        let own = (wanted..self.reached).rev().filter(|user| self.slots.owns_user(*user) && !missing.contains(user));
        let stops: Vec<_> = own.collect();
        self.reached = wanted;
        (!stops.is_empty()).then_some(Output::Stop(stops))
    }

    fn start_missing(&mut self, plan: &Plan, now_us: u64) -> Option<Output> {
        if self.missing.is_empty() {
            self.pace = None;
            return None;
        }
        let (rate, slots) = (plan.rate_at(now_us), self.slots.len());
        let mut pace = self.pace.unwrap_or(Pace { since_us: now_us, rate, slots, started: 0 });
        let due = pace.due_by(now_us).min(limits::USERS_CHANGED_PER_TICK_MAX);
        let mut starts = Vec::new();
        for _ in 0..due {
            let Some(index) = self.missing.pop_first() else { break };
            let intended_start_us = pace.next_us();
            pace.started += 1;
            starts.extend(self.classes.class_of(index).map(|class| UserStart { index, class, intended_start_us }));
        }
        self.pace = Some(pace);
        (!starts.is_empty()).then_some(Output::Start(starts))
    }
}

impl Pace {
    /// How many more users should have started by now.
    fn due_by(&self, now_us: u64) -> u64 {
        let elapsed_us = u128::from(now_us.saturating_sub(self.since_us));
        let own_us = elapsed_us * u128::from(self.slots) / u128::from(SLOTS_U64);
        self.rate.steps_by(u64::try_from(own_us).unwrap_or(u64::MAX)).saturating_sub(self.started)
    }

    /// When the next user starts.
    fn next_us(&self) -> u64 {
        let own_us = u128::from(self.rate.instant_of_us(self.started));
        let us = (own_us * u128::from(SLOTS_U64)).div_ceil(u128::from(self.slots.max(1)));
        self.since_us.saturating_add(u64::try_from(us).unwrap_or(u64::MAX))
    }
}
