//! The open model on one arbiter: which arrivals are due, and how many users may serve them.

use akrida_core::ids::UserIndex;
use akrida_core::plan::arrivals::{Arrival, ArrivalShare, ArrivalSource, LatePolicy};
use akrida_core::plan::classes::ClassSequence;
use akrida_core::plan::slots::Dealing;
use akrida_core::wire::Assignment;
use fastrand::Rng;

/// An arbiter's place in a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Its number among the arbiters of its worker.
    pub(super) arbiter: u64,
    /// Arbiters of the worker.
    pub(super) arbiters: u64,
}

/// The arrivals of an arbiter, and the users that it may start for them.
#[derive(Debug)]
pub(super) struct OpenLoad {
    source: ArrivalSource,
    next: Option<Arrival>,
    random: Rng,
    classes: ClassSequence,
    late: LatePolicy,
    /// When the plan ends; what is due then or later does not arrive.
    ends_at_us: u64,
    users_max: u64,
    users: UserNumbers,
}

/// The indices of the users of an arbiter: each its own in the whole run.
#[derive(Debug)]
struct UserNumbers {
    next: u64,
    step: u64,
}

impl OpenLoad {
    /// The part of an arbiter in the arrivals of a plan; `None` in the closed model, and when so few users are allowed
    /// that this arbiter gets none.
    pub(super) fn new(assignment: &Assignment, place: Place, seed: u64) -> Option<Self> {
        let arrivals = assignment.plan.arrivals()?.clone();
        let slots = Dealing::round_robin(assignment.workers).set_of(assignment.position);
        let workers = assignment.workers as u64;
        let worker_users = slots.users_below(arrivals.users_max);
        let arbiters = place.arbiters.min(worker_users);
        if place.arbiter >= arbiters {
            return None;
        }
        let users_max = worker_users / arbiters + u64::from(place.arbiter < worker_users % arbiters);
        let (late, share) = (arrivals.late, ArrivalShare { slots, workers, arbiter: place.arbiter, arbiters });
        let first_user = assignment.position as u64 + place.arbiter * workers;
        let mut load = Self {
            source: ArrivalSource::new(arrivals, share),
            next: None,
            random: Rng::with_seed(seed),
            classes: ClassSequence::new(&assignment.shares),
            late,
            ends_at_us: assignment.plan.ends_at_us().unwrap_or(u64::MAX),
            users_max,
            users: UserNumbers { next: first_user, step: workers * arbiters },
        };
        load.advance();
        Some(load)
    }

    /// When the next arrival is due, in plan time; `None` when there are no more.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        self.next.map(|arrival| arrival.due_us)
    }

    /// The next arrival if it is due, with its class.
    pub(super) fn take_due(&mut self, now_us: u64) -> Option<(Arrival, usize)> {
        let arrival = self.next.filter(|arrival| arrival.due_us <= now_us)?;
        self.advance();
        // Classes repeat when only fixed counts are given: then these are their shares.
        let index = self.classes.users_max().map_or(arrival.index, |fixed| arrival.index % fixed.max(1));
        Some((arrival, self.classes.class_of(index)?))
    }

    /// Whether an arrival is due.
    pub(super) fn has_due(&self, now_us: u64) -> bool {
        self.next.is_some_and(|arrival| arrival.due_us <= now_us)
    }

    fn advance(&mut self) {
        self.next = self.source.next(&mut self.random).filter(|arrival| arrival.due_us < self.ends_at_us);
    }

    /// Whether one more user may exist beside these.
    pub(super) fn may_start(&self, users: u64) -> bool {
        users < self.users_max
    }

    /// The index of the next user to start.
    pub(super) fn new_user(&mut self) -> UserIndex {
        let user = UserIndex(self.users.next);
        self.users.next += self.users.step;
        user
    }

    /// What happens to an arrival for which no user is free.
    pub(super) fn late(&self) -> LatePolicy {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use akrida_core::ids::RunId;
    use akrida_core::plan::Plan;
    use akrida_core::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, RateStage};
    use akrida_core::plan::classes::ClassShare;

    use super::*;

    fn assignment(users_max: u64, position: usize, workers: usize) -> Assignment {
        let rate = ArrivalRate::per_second(100.0).expect("valid");
        let stage = RateStage { from: rate, to: rate, length_us: Some(1_000_000) };
        let arrivals = ArrivalPlan::new(vec![stage], Distribution::Uniform, users_max, LatePolicy::Queue);
        Assignment {
            run: RunId(1),
            plan: Plan::open(arrivals.expect("valid"), None),
            shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
            position,
            workers,
            segment: 0,
            stop_timeout_ms: 0,
        }
    }

    fn loads(users_max: u64, workers: usize, arbiters: u64) -> Vec<OpenLoad> {
        let places = (0..workers).flat_map(|worker| (0..arbiters).map(move |arbiter| (worker, arbiter)));
        let load =
            |(worker, arbiter)| OpenLoad::new(&assignment(users_max, worker, workers), Place { arbiter, arbiters }, 1);
        places.filter_map(load).collect()
    }

    #[test]
    fn all_arbiters_together_serve_every_arrival_with_no_more_users_than_allowed() {
        for (users_max, workers, arbiters) in [(10, 1, 1), (7, 2, 3), (2, 1, 4), (100, 3, 2)] {
            let mut loads = loads(users_max, workers, arbiters);
            assert_eq!(loads.iter().map(|load| load.users_max).sum::<u64>(), users_max);
            let due = |load: &mut OpenLoad| std::iter::from_fn(|| load.take_due(2_000_000)).count();
            assert_eq!(loads.iter_mut().map(due).sum::<usize>(), 100, "the one that is due at the end does not arrive");
        }
    }

    #[test]
    fn users_of_different_arbiters_have_different_indices() {
        let mut loads = loads(100, 2, 2);
        let mut users: Vec<_> = loads.iter_mut().flat_map(|load| [load.new_user(), load.new_user()]).collect();
        users.sort();
        assert_eq!(users.iter().map(|user| user.0).collect::<Vec<_>>(), (0..8).collect::<Vec<_>>());
    }
}
