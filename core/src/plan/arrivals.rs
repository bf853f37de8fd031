//! The open model: arrivals at a rate, whatever the target does.
//!
//! Arrival `n` (from 0) is due at the first instant at which the integral of the rate reaches `n`. All in integers: a rate
//! is millionths of an arrival per second, so that its integral over microseconds counts in 10⁻¹² arrivals.

use std::time::Duration;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::mixed;
use super::slots::SlotSet;
use crate::limits;

/// One arrival in units of the integral.
const ARRIVAL: u128 = 1_000_000_000_000;

/// Arrivals over plan time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivalPlan {
    /// Stages that follow each other; never empty.
    stages: Vec<RateStage>,
    /// How arrivals lie around their instants.
    pub distribution: Distribution,
    /// The most users that serve them, over all workers.
    pub users_max: u64,
    /// What happens to an arrival for which no user is free.
    pub late: LatePolicy,
}

/// A rate that is held or changes evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateStage {
    /// Rate at the start.
    pub from: ArrivalRate,
    /// Rate at the end.
    pub to: ArrivalRate,
    /// Its length; `None` for a last stage that does not end by itself.
    pub length_us: Option<u64>,
}

/// Arrivals per second, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArrivalRate {
    per_million_s: u64,
}

/// How arrivals lie around their instants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distribution {
    /// Evenly: the gaps follow the rate.
    #[default]
    Uniform,
    /// As a Poisson process: the gaps are exponentially distributed, as of many users who know nothing of each other.
    Poisson,
}

impl Distribution {
    /// The word for it in scenarios and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Poisson => "poisson",
        }
    }
}

/// What happens to an arrival for which no user is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LatePolicy {
    /// It waits for a user, up to `limits::LATE_ARRIVAL_WAIT`; the wait is part of its latency.
    #[default]
    Queue,
    /// It is dropped and counted.
    Drop,
}

/// One arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// It decides the class. With even gaps it is the arrival's number in the whole run.
    pub index: u64,
    /// When it is due, in plan time.
    pub due_us: u64,
}

impl ArrivalRate {
    /// A rate; `None` unless it is finite, not negative and at most `limits::ARRIVAL_RATE_MAX_PER_S`.
    #[must_use]
    pub fn per_second(rate: f64) -> Option<Self> {
        let valid = (0.0..=limits::ARRIVAL_RATE_MAX_PER_S).contains(&rate);
        valid.then_some(Self { per_million_s: (rate * 1e6).round() as u64 })
    }

    /// The rate per second.
    #[must_use]
    pub fn as_per_second(self) -> f64 {
        self.per_million_s as f64 / 1e6
    }
}

impl RateStage {
    /// The integral over the first `us` of the stage; beyond its end that of the whole stage.
    fn integral(&self, us: u64) -> u128 {
        let us = u128::from(self.length_us.map_or(us, |length| us.min(length)));
        let (from, to) = (u128::from(self.from.per_million_s), u128::from(self.to.per_million_s));
        let Some(length) = self.length_us.map(u128::from).filter(|length| *length > 0) else { return from * us };
        let change = from.abs_diff(to) * us * us / (2 * length);
        if to >= from { from * us + change } else { from * us - change }
    }

    /// The first instant at which the integral reaches `level`; `None` if it never does.
    fn instant_of(&self, level: u128) -> Option<u64> {
        if level == 0 {
            return Some(0);
        }
        if self.from == self.to {
            let rate = u128::from(self.from.per_million_s);
            let us = (rate > 0).then(|| level.div_ceil(rate)).and_then(|us| u64::try_from(us).ok())?;
            return self.length_us.is_none_or(|length| us <= length).then_some(us);
        }
        let length = self.length_us?;
        if self.integral(length) < level {
            return None;
        }
        let (mut low, mut high) = (0, length);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.integral(middle) >= level { high = middle } else { low = middle + 1 }
        }
        Some(low)
    }
}

impl ArrivalPlan {
    /// A plan; `None` without stages, or with a stage other than the last that has no length, or when it is longer than
    /// `limits::ARRIVAL_PLAN_MAX`.
    #[must_use]
    pub fn new(stages: Vec<RateStage>, distribution: Distribution, users_max: u64, late: LatePolicy) -> Option<Self> {
        let (last, before) = stages.split_last()?;
        let length_us = stages.iter().map(|stage| u128::from(stage.length_us.unwrap_or(0))).sum::<u128>();
        let valid = before.iter().all(|stage| stage.length_us.is_some())
            && (last.length_us.is_some() || last.from == last.to)
            && length_us <= limits::ARRIVAL_PLAN_MAX.as_micros();
        valid.then_some(Self { stages, distribution, users_max, late })
    }

    /// When the last stage ends; `None` if it does not.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        let us = self.stages.iter().map(|stage| stage.length_us).sum::<Option<u64>>()?;
        Some(Duration::from_micros(us))
    }

    /// The highest rate of the plan.
    #[must_use]
    pub fn peak(&self) -> ArrivalRate {
        let rates = self.stages.iter().flat_map(|stage| [stage.from, stage.to]);
        rates.max().unwrap_or(ArrivalRate { per_million_s: 0 })
    }

    /// How many arrivals are due before an instant of plan time, with even gaps. Of a Poisson process it is what is
    /// expected.
    #[must_use]
    pub fn due_before(&self, at_us: u64) -> u64 {
        let Some(before_us) = at_us.checked_sub(1) else { return 0 };
        u64::try_from(self.level_at(before_us) / ARRIVAL).unwrap_or(u64::MAX).saturating_add(1)
    }

    /// The integral of the rate up to an instant of plan time, in 10⁻¹² arrivals.
    fn level_at(&self, at_us: u64) -> u128 {
        let mut level = 0;
        let mut start_us = 0;
        for stage in &self.stages {
            level += stage.integral(at_us.saturating_sub(start_us));
            start_us = start_us.saturating_add(stage.length_us.unwrap_or(u64::MAX));
        }
        level
    }

    /// The instant at which the integral reaches `level`, in 10⁻¹² arrivals.
    fn instant_of(&self, level: u128) -> Option<u64> {
        let (mut before, mut start_us) = (0, 0_u64);
        for stage in &self.stages {
            if let Some(us) = stage.instant_of(level - before) {
                return start_us.checked_add(us);
            }
            let length_us = stage.length_us?;
            before += stage.integral(length_us);
            start_us += length_us;
        }
        None
    }
}

/// The arrivals of one arbiter, in order.
#[derive(Debug)]
pub struct ArrivalSource {
    plan: ArrivalPlan,
    share: ArrivalShare,
    /// Where the last one lay on the integral.
    level: u128,
    /// The next index to look at.
    next_index: u64,
}

/// Which arrivals are an arbiter's: those of its worker's slots, mixed evenly over the worker's arbiters. Neither depends
/// on how many workers there are, so that an arrival that stays with a worker stays with its arbiter.
#[derive(Clone, Debug)]
pub struct ArrivalShare {
    /// The worker's slots.
    pub slots: SlotSet,
    /// The place of the arbiter among those of its worker that serve arrivals.
    pub arbiter: u64,
    /// Arbiters of the worker that serve arrivals; with fewer than its place is, this one has no share.
    pub arbiters: u64,
}

impl ArrivalShare {
    /// Whether there are no arrivals in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() || self.arbiter >= self.arbiters
    }

    fn owns(&self, index: u64) -> bool {
        self.slots.owns_user(index) && mixed::place_of(index, self.arbiters) == self.arbiter
    }

    /// The part of all arrivals that is the arbiter's.
    fn fraction(&self) -> f64 {
        self.slots.len() as f64 / super::slots::SLOTS_U64 as f64 / self.arbiters as f64
    }
}

impl ArrivalSource {
    /// The arrivals of a share that are due at an instant of plan time or later. A Poisson process has no numbers of its
    /// own: its arrivals are numbered from `first_index`.
    #[must_use]
    pub fn new(plan: ArrivalPlan, share: ArrivalShare, from_us: u64, first_index: u64) -> Self {
        let next_index = if plan.distribution == Distribution::Poisson { first_index } else { 0 };
        let mut source = Self { plan, share, level: 0, next_index };
        source.skip_to(from_us);
        source
    }

    /// The next arrival; `None` when there are no more.
    pub fn next(&mut self, random: &mut Rng) -> Option<Arrival> {
        if self.share.is_empty() {
            return None;
        }
        match self.plan.distribution {
            Distribution::Uniform => self.next_even(),
            Distribution::Poisson => self.next_random(random),
        }
    }

    /// Leaves out what is due before an instant.
    pub fn skip_to(&mut self, from_us: u64) {
        self.level = self.level.max(self.plan.level_at(from_us));
        if self.plan.distribution == Distribution::Uniform {
            self.next_index = self.next_index.max(self.plan.due_before(from_us));
        }
    }

    /// Goes on with another share from an instant on, whatever of the old one was given out that is due then or later:
    /// that counts as not given.
    pub fn change(&mut self, share: ArrivalShare, from_us: u64) {
        self.share = share;
        // What comes next of a Poisson process does not depend on what came before, so it is drawn again.
        self.level = self.plan.level_at(from_us);
        if self.plan.distribution == Distribution::Uniform {
            self.next_index = self.plan.due_before(from_us);
        }
    }

    fn next_even(&mut self) -> Option<Arrival> {
        while !self.share.owns(self.next_index) {
            self.next_index += 1;
        }
        let index = self.next_index;
        let due_us = self.plan.instant_of(u128::from(index) * ARRIVAL)?;
        self.next_index += 1;
        Some(Arrival { index, due_us })
    }

    /// A Poisson process of varying rate is one of rate 1 on the integral of the rate; independent shares of it are
    /// Poisson processes that add up to it.
    fn next_random(&mut self, random: &mut Rng) -> Option<Arrival> {
        let gap = -(1.0 - random.f64()).ln() / self.share.fraction();
        self.level += (gap * ARRIVAL as f64) as u128;
        let due_us = self.plan.instant_of(self.level)?;
        let index = self.next_index;
        self.next_index = index.wrapping_add(1);
        Some(Arrival { index, due_us })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::slots::Dealing;
    use super::*;

    fn rate(per_s: f64) -> ArrivalRate {
        ArrivalRate::per_second(per_s).expect("valid")
    }

    fn stage(from: f64, to: f64, length_us: Option<u64>) -> RateStage {
        RateStage { from: rate(from), to: rate(to), length_us }
    }

    fn plan(stages: Vec<RateStage>, distribution: Distribution) -> ArrivalPlan {
        ArrivalPlan::new(stages, distribution, 10, LatePolicy::Queue).expect("valid")
    }

    fn all_of(plan: &ArrivalPlan, workers: usize, arbiters: u64, until_us: u64) -> Vec<Arrival> {
        let mut all = Vec::new();
        for (worker, slots) in Dealing::round_robin(workers).sets().into_iter().enumerate() {
            for arbiter in 0..arbiters {
                let share = ArrivalShare { slots: slots.clone(), arbiter, arbiters };
                let mut source = ArrivalSource::new(plan.clone(), share, 0, 0);
                let mut random = fastrand::Rng::with_seed((worker as u64) << 8 | arbiter);
                let arrivals = std::iter::from_fn(|| source.next(&mut random));
                all.extend(arrivals.take_while(|arrival| arrival.due_us < until_us));
            }
        }
        all.sort_by_key(|arrival| (arrival.due_us, arrival.index));
        all
    }

    #[test]
    fn a_constant_rate_is_even() {
        let plan = plan(vec![stage(4.0, 4.0, None)], Distribution::Uniform);
        let due: Vec<_> = all_of(&plan, 1, 1, 1_000_001).iter().map(|arrival| arrival.due_us).collect();
        assert_eq!(due, [0, 250_000, 500_000, 750_000, 1_000_000]);
        assert_eq!((plan.due_before(1_000_000), plan.due_before(1_000_001)), (4, 5));
        assert_eq!(plan.length(), None);
    }

    #[test]
    fn a_ramp_has_the_area_under_it() {
        let plan = plan(vec![stage(0.0, 100.0, Some(10_000_000))], Distribution::Uniform);
        assert_eq!(plan.due_before(10_000_000), 500);
        assert_eq!(all_of(&plan, 1, 1, 10_000_000).len(), 500);
        let at_half = all_of(&plan, 1, 1, 5_000_000).len();
        assert_eq!(at_half, 125, "a quarter of the area lies in the first half");
    }

    #[test]
    fn stages_follow_each_other_without_a_gap() {
        let stages =
            vec![stage(10.0, 10.0, Some(1_000_000)), stage(10.0, 30.0, Some(1_000_000)), stage(30.0, 30.0, None)];
        let plan = plan(stages, Distribution::Uniform);
        let due: Vec<_> = all_of(&plan, 1, 1, 3_000_000).iter().map(|arrival| arrival.due_us).collect();
        assert_eq!(due.len(), 10 + 20 + 30);
        assert!(due.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn impossible_plans_are_refused() {
        let build = |stages| ArrivalPlan::new(stages, Distribution::Uniform, 1, LatePolicy::Drop);
        assert_eq!(build(Vec::new()), None);
        assert_eq!(build(vec![stage(1.0, 1.0, None), stage(1.0, 1.0, None)]), None);
        assert_eq!(build(vec![stage(1.0, 2.0, None)]), None, "a ramp needs a length");
        assert!([-1.0, f64::NAN, f64::INFINITY].iter().all(|rate| ArrivalRate::per_second(*rate).is_none()));
    }

    #[test]
    fn a_poisson_process_has_the_rate_and_the_spread_of_one() {
        let plan = plan(vec![stage(1_000.0, 1_000.0, Some(20_000_000))], Distribution::Poisson);
        let all = all_of(&plan, 2, 2, 20_000_000);
        let expected = 20_000.0_f64;
        assert!((all.len() as f64 - expected).abs() < 5.0 * expected.sqrt(), "{}", all.len());
        let mut windows = vec![0.0_f64; 2_000];
        all.iter().for_each(|arrival| windows[(arrival.due_us / 10_000) as usize] += 1.0);
        let mean = windows.iter().sum::<f64>() / windows.len() as f64;
        let variance = windows.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / windows.len() as f64;
        assert!((0.8..1.25).contains(&(variance / mean)), "variance {variance} of a mean of {mean}");
    }

    /// What two workers of two arbiters each serve when slots move between them at this instant.
    fn all_with_a_move(plan: &ArrivalPlan, moves: impl Fn(u16) -> bool, at_us: u64, end_us: u64) -> Vec<Arrival> {
        let first = SlotSet::from_fn(|slot| slot % 2 == 0);
        let owns = |worker: bool, slot: u16| slot.is_multiple_of(2) == worker;
        let mut all = Vec::new();
        for (worker, arbiter) in [(true, 0), (true, 1), (false, 0), (false, 1)] {
            let before = if worker { first.clone() } else { SlotSet::from_fn(|slot| slot % 2 == 1) };
            let after = SlotSet::from_fn(|slot| owns(worker, slot) != moves(slot));
            let share = |slots| ArrivalShare { slots, arbiter, arbiters: 2 };
            let mut source = ArrivalSource::new(plan.clone(), share(before), 0, 0);
            let mut random = fastrand::Rng::with_seed(u64::from(worker) << 8 | arbiter);
            let mut next = source.next(&mut random);
            while let Some(arrival) = next.filter(|arrival| arrival.due_us < at_us) {
                all.push(arrival);
                next = source.next(&mut random);
            }
            source.change(share(after), at_us);
            let rest = std::iter::from_fn(|| source.next(&mut random));
            all.extend(rest.take_while(|arrival| arrival.due_us < end_us));
        }
        all.sort_by_key(|arrival| (arrival.due_us, arrival.index));
        all
    }

    #[test]
    fn a_poisson_process_keeps_its_rate_when_slots_move() {
        let plan = plan(vec![stage(1_000.0, 1_000.0, Some(20_000_000))], Distribution::Poisson);
        let all = all_with_a_move(&plan, |slot| slot % 4 == 0, 10_000_000, 20_000_000);
        for half in [0..10_000_000, 10_000_000..20_000_000] {
            let count = all.iter().filter(|arrival| half.contains(&arrival.due_us)).count() as f64;
            assert!((count - 10_000.0).abs() < 500.0, "{count} in {half:?}");
        }
    }

    #[test]
    fn the_arbiters_of_a_worker_are_evenly_loaded_whatever_its_slots() {
        let plan = plan(vec![stage(1_000.0, 1_000.0, Some(8_000_000))], Distribution::Uniform);
        for (modulus, rest) in [(1, 0), (2, 1), (3, 0), (4, 2), (8, 5)] {
            let slots = SlotSet::from_fn(|slot| slot % modulus == rest);
            let expected = 8_000.0 / f64::from(modulus) / 4.0;
            for arbiter in 0..4 {
                let share = ArrivalShare { slots: slots.clone(), arbiter, arbiters: 4 };
                let mut source = ArrivalSource::new(plan.clone(), share, 0, 0);
                let count = std::iter::from_fn(|| source.next(&mut fastrand::Rng::with_seed(1))).count() as f64;
                assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} of {expected} with {modulus}");
            }
        }
    }

    fn stages() -> impl Strategy<Value = Vec<RateStage>> {
        let one = (0_u32..2_000, 0_u32..2_000, 1_u64..5_000_000);
        let one = one.prop_map(|(from, to, length)| stage(f64::from(from), f64::from(to), Some(length)));
        prop::collection::vec(one, 1..4)
    }

    proptest! {
        #[test]
        fn the_shares_of_all_arbiters_are_the_plan(stages in stages(), workers in 1_usize..5, arbiters in 1_u64..4) {
            let plan = plan(stages, Distribution::Uniform);
            let end_us = plan.length().expect("ends").as_micros() as u64;
            let all = all_of(&plan, workers, arbiters, end_us);
            prop_assert_eq!(all.len() as u64, plan.due_before(end_us));
            prop_assert!(all.iter().enumerate().all(|(at, arrival)| at as u64 == arrival.index));
        }

        #[test]
        fn an_arrival_is_due_when_the_count_says_so(stages in stages(), at_us in 0_u64..10_000_000) {
            let plan = plan(stages, Distribution::Uniform);
            let end_us = plan.length().expect("ends").as_micros() as u64;
            let at_us = at_us.min(end_us);
            prop_assert_eq!(all_of(&plan, 1, 1, at_us).len() as u64, plan.due_before(at_us));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_arrival_is_served_twice_or_missed_when_slots_move(
            stages in stages(), modulus in 1_u16..100, at_us in 0_u64..10_000_000,
        ) {
            let plan = plan(stages, Distribution::Uniform);
            let end_us = plan.length().expect("ends").as_micros() as u64;
            let all = all_with_a_move(&plan, |slot| slot % modulus == 0, at_us.min(end_us), end_us);
            prop_assert_eq!(all.len() as u64, plan.due_before(end_us));
            prop_assert!(all.iter().enumerate().all(|(at, arrival)| at as u64 == arrival.index));
        }

        #[test]
        fn what_is_due_before_an_instant_is_left_out(stages in stages(), from_us in 0_u64..10_000_000) {
            let plan = plan(stages, Distribution::Uniform);
            let end_us = plan.length().expect("ends").as_micros() as u64;
            let share = ArrivalShare { slots: SlotSet::all(), arbiter: 0, arbiters: 1 };
            let mut source = ArrivalSource::new(plan.clone(), share, from_us, 0);
            let rest = std::iter::from_fn(|| source.next(&mut fastrand::Rng::with_seed(1)));
            let rest: Vec<_> = rest.take_while(|arrival| arrival.due_us < end_us).collect();
            let expected: Vec<_> =
                all_of(&plan, 1, 1, end_us).into_iter().filter(|arrival| arrival.due_us >= from_us).collect();
            prop_assert_eq!(rest, expected);
        }
    }
}
