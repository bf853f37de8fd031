//! How many users there are at an instant of plan time, and who runs them.
//!
//! A plan is a pure function from plan time (microseconds since the start of the run) to load. Every worker holds the
//! whole plan and a set of slots; from these it knows its share without asking anybody.

pub mod arrivals;
pub mod classes;
pub mod dealing;
pub mod mixed;
pub mod rate;
pub mod slots;

use serde::{Deserialize, Serialize};

use arrivals::ArrivalPlan;
use rate::SpawnRate;

/// The load of a run over plan time: stages that follow each other, and an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Stages by ascending start; never empty.
    stages: Vec<Stage>,
    /// The open model: arrivals instead of users. The stages then hold no users.
    arrivals: Option<ArrivalPlan>,
    /// When users stop; `None` for a run without a run time.
    ends_at_us: Option<u64>,
}

/// From an instant on, users are started or stopped at a rate until a target is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Start, in plan time.
    pub starts_at_us: u64,
    /// Users at the start.
    pub from_users: u64,
    /// Users in the end.
    pub to_users: u64,
    /// Rate at which users are started or stopped.
    pub rate: SpawnRate,
}

impl Plan {
    /// Up to `users` users from the start, at `rate`, for `run_time_us` if given.
    #[must_use]
    pub fn new(users: u64, rate: SpawnRate, run_time_us: Option<u64>) -> Self {
        let first = Stage { starts_at_us: 0, from_users: 0, to_users: users, rate };
        Self { stages: vec![first], arrivals: None, ends_at_us: run_time_us }
    }

    /// Arrivals from the start, until they end by themselves or `run_time_us` is over.
    #[must_use]
    pub fn open(arrivals: ArrivalPlan, run_time_us: Option<u64>) -> Self {
        let length_us = arrivals.length().map(|length| length.as_micros() as u64);
        let ends_at_us = [length_us, run_time_us].into_iter().flatten().min();
        let nobody = Stage { starts_at_us: 0, from_users: 0, to_users: 0, rate: SpawnRate::ONE_PER_SECOND };
        Self { stages: vec![nobody], arrivals: Some(arrivals), ends_at_us }
    }

    /// The arrivals of an open model.
    #[must_use]
    pub fn arrivals(&self) -> Option<&ArrivalPlan> {
        self.arrivals.as_ref()
    }

    /// Its stages of users, in order; never empty.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The most users that there are at any time: those of the highest stage, or those that may serve arrivals.
    #[must_use]
    pub fn users_max(&self) -> u64 {
        let highest = self.stages.iter().map(|stage| stage.to_users).max().unwrap_or(0);
        self.arrivals.as_ref().map_or(highest, |arrivals| arrivals.users_max)
    }

    /// How many arrivals are due from one instant of plan time to another; 0 in the closed model.
    #[must_use]
    pub fn arrivals_due(&self, from_us: u64, to_us: u64) -> u64 {
        let Some(arrivals) = &self.arrivals else { return 0 };
        let until_us = self.ends_at_us.map_or(to_us, |end| to_us.min(end));
        arrivals.due_before(until_us).saturating_sub(arrivals.due_before(from_us))
    }

    /// The same plan with another target from an instant on. What was planned before that instant stays; of several edits
    /// at one instant the last one counts.
    #[must_use]
    pub fn edited(&self, at_us: u64, users: u64, rate: SpawnRate) -> Self {
        let mut edited = self.clone();
        edited.stages.retain(|stage| stage.starts_at_us < at_us);
        // Not from what an edit at the same instant would have begun: nobody but this stage has those users start.
        let from_users = if edited.stages.is_empty() { 0 } else { edited.users_before_end(at_us) };
        edited.stages.push(Stage { starts_at_us: at_us, from_users, to_users: users, rate });
        edited
    }

    /// The same plan with an end no later than `at_us`.
    #[must_use]
    pub fn ended_at(&self, at_us: u64) -> Self {
        let ends_at_us = Some(self.ends_at_us.map_or(at_us, |end| end.min(at_us)));
        Self { ends_at_us, ..self.clone() }
    }

    /// Users that should exist at an instant: user `k` exists if `k` is less than this.
    #[must_use]
    pub fn users_at(&self, at_us: u64) -> u64 {
        if self.ends_at_us.is_some_and(|end| at_us >= end) { 0 } else { self.users_before_end(at_us) }
    }

    /// Users that should exist once the current stage is through.
    fn target_at(&self, at_us: u64) -> u64 {
        self.stage_at(at_us).to_users
    }

    /// Users that should exist once the last stage is through.
    #[must_use]
    pub fn last_target(&self) -> u64 {
        self.target_at(u64::MAX)
    }

    /// When the target of the last stage is reached.
    #[must_use]
    pub fn last_target_reached_us(&self) -> u64 {
        self.target_reached_us(u64::MAX)
    }

    /// The spawn rate of the last stage.
    #[must_use]
    pub fn last_rate(&self) -> SpawnRate {
        self.rate_at(u64::MAX)
    }

    /// The spawn rate at an instant.
    #[must_use]
    pub fn rate_at(&self, at_us: u64) -> SpawnRate {
        self.stage_at(at_us).rate
    }

    /// When the target of the stage at an instant is reached.
    #[must_use]
    pub fn target_reached_us(&self, at_us: u64) -> u64 {
        let stage = self.stage_at(at_us);
        let steps = stage.from_users.abs_diff(stage.to_users);
        stage.starts_at_us.saturating_add(steps.checked_sub(1).map_or(0, |last| stage.rate.instant_of_us(last)))
    }

    /// When the plan wanted user `index` to start, as seen at an instant at which that user should exist.
    #[must_use]
    pub fn intended_start_us(&self, index: u64, at_us: u64) -> u64 {
        let reached = self.stages.iter().rev().filter(|stage| stage.starts_at_us <= at_us);
        let started_by = reached.skip_while(|stage| index < stage.from_users).find(|stage| index < stage.to_users);
        started_by.map_or(0, |stage| stage.starts_at_us + stage.rate.instant_of_us(index - stage.from_users))
    }

    /// The next instant after `at_us` at which [`Plan::users_at`] changes; `None` if it never does.
    #[must_use]
    pub fn next_change_us(&self, at_us: u64) -> Option<u64> {
        let stage = self.stage_at(at_us);
        let steps = stage.from_users.abs_diff(stage.to_users);
        let done = stage.rate.steps_by(at_us - stage.starts_at_us).min(steps);
        let step = (done < steps).then(|| stage.starts_at_us + stage.rate.instant_of_us(done));
        let next_stage = self.stages.iter().map(|stage| stage.starts_at_us).find(|start| *start > at_us);
        let end = self.ends_at_us.filter(|end| *end > at_us);
        [step, next_stage, end].into_iter().flatten().filter(|next| *next > at_us).min()
    }

    /// When the plan ends.
    #[must_use]
    pub fn ends_at_us(&self) -> Option<u64> {
        self.ends_at_us
    }

    fn users_before_end(&self, at_us: u64) -> u64 {
        let stage = self.stage_at(at_us);
        let steps = stage.rate.steps_by(at_us - stage.starts_at_us).min(stage.from_users.abs_diff(stage.to_users));
        if stage.to_users >= stage.from_users { stage.from_users + steps } else { stage.from_users - steps }
    }

    fn stage_at(&self, at_us: u64) -> Stage {
        let current = self.stages.iter().rev().find(|stage| stage.starts_at_us <= at_us);
        *current.unwrap_or(&self.stages[0])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::slots::{Dealing, SlotSet};
    use super::*;

    fn per_s(rate: f64) -> SpawnRate {
        SpawnRate::per_second(rate).expect("a valid rate")
    }

    #[test]
    fn user_k_starts_k_over_rate_after_the_start() {
        let plan = Plan::new(10, per_s(4.0), None);
        assert_eq!([0, 249_999, 250_000, 500_000, 10_000_000].map(|at| plan.users_at(at)), [1, 1, 2, 3, 10]);
        assert_eq!(plan.intended_start_us(3, 10_000_000), 750_000);
        assert_eq!(plan.target_reached_us(0), 2_250_000);
    }

    #[test]
    fn a_run_time_ends_the_plan() {
        let plan = Plan::new(10, per_s(100.0), Some(5_000_000));
        assert_eq!((plan.users_at(4_999_999), plan.users_at(5_000_000)), (10, 0));
        assert_eq!(plan.next_change_us(4_000_000), Some(5_000_000));
        assert_eq!(plan.next_change_us(5_000_000), None);
    }

    #[test]
    fn an_edit_goes_on_from_what_exists_and_keeps_the_past() {
        let plan = Plan::new(10, per_s(1.0), None).edited(3_500_000, 2, per_s(2.0));
        assert_eq!([3_000_000, 3_500_000, 4_000_000, 9_000_000].map(|at| plan.users_at(at)), [4, 3, 2, 2]);
        assert_eq!(plan.target_at(9_000_000), 2);
        let raised = plan.edited(10_000_000, 4, per_s(1.0));
        assert_eq!(raised.intended_start_us(3, 20_000_000), 11_000_000);
        assert_eq!(raised.intended_start_us(1, 20_000_000), 1_000_000, "a user that stayed keeps its start");
    }

    #[test]
    fn of_edits_at_one_instant_the_last_counts_and_every_user_knows_its_start() {
        let edits = [20, 30, 40];
        let plan = edits
            .into_iter()
            .fold(Plan::new(10, per_s(100.0), None), |plan, users| plan.edited(2_000_000, users, per_s(100.0)));
        assert_eq!([1_999_999, 2_000_000, 9_000_000].map(|at| plan.users_at(at)), [10, 11, 40]);
        assert_eq!(plan.intended_start_us(10, 9_000_000), 2_000_000);
        assert_eq!(Plan::new(10, per_s(100.0), None).edited(0, 5, per_s(1.0)), Plan::new(5, per_s(1.0), None));
    }

    #[test]
    fn no_users_is_a_plan() {
        let plan = Plan::new(0, per_s(1.0), None);
        assert_eq!((plan.users_at(0), plan.next_change_us(0), plan.target_reached_us(0)), (0, None, 0));
    }

    fn edits() -> impl Strategy<Value = Plan> {
        let edit = (0_u64..60_000_000, 0_u64..5_000, 0.1_f64..5_000.0);
        (0_u64..5_000, 0.1_f64..5_000.0, prop::collection::vec(edit, 0..4)).prop_map(|(users, rate, mut edits)| {
            edits.sort_by_key(|edit| edit.0);
            let first = Plan::new(users, per_s(rate), None);
            edits.into_iter().fold(first, |plan, (at, users, rate)| plan.edited(at, users, per_s(rate)))
        })
    }

    proptest! {
        // Each case makes a set of all slots for each worker.
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn shares_sum_to_the_plan_at_every_instant(
            plan in edits(), workers in 1_usize..70, at_us in 0_u64..120_000_000,
        ) {
            let dealt: Vec<SlotSet> = Dealing::round_robin(workers).sets();
            let users = plan.users_at(at_us);
            let shares: Vec<u64> = dealt.iter().map(|slots| slots.users_below(users)).collect();
            prop_assert_eq!(shares.iter().sum::<u64>(), users);
            let (least, most) = (shares.iter().min().expect("some"), shares.iter().max().expect("some"));
            prop_assert!(most - least <= 1 + users / super::slots::SLOTS_U64, "{:?}", shares);
        }
    }

    proptest! {
        #[test]
        fn users_change_only_at_the_announced_instants(plan in edits(), at_us in 0_u64..120_000_000) {
            let users = plan.users_at(at_us);
            match plan.next_change_us(at_us) {
                None => prop_assert_eq!(plan.users_at(u64::MAX / 2), users),
                Some(next) => {
                    prop_assert!(next > at_us);
                    prop_assert_eq!(plan.users_at(next - 1), users);
                }
            }
        }

        #[test]
        fn a_user_exists_from_its_intended_start_on(plan in edits(), at_us in 0_u64..120_000_000) {
            let users = plan.users_at(at_us);
            if let Some(last) = users.checked_sub(1) {
                let start = plan.intended_start_us(last, at_us);
                prop_assert!(start <= at_us, "user {} of {} starts at {} after {}", last, users, start, at_us);
                prop_assert!(plan.users_at(start) > last);
            }
        }
    }
}
