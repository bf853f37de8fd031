//! The open model on one arbiter: which arrivals are due, and how many users may serve them.

use std::collections::VecDeque;

use akrida_core::ids::UserIndex;
use akrida_core::plan::arrivals::{Arrival, ArrivalShare, ArrivalSource, LatePolicy};
use akrida_core::plan::classes::ClassSequence;
use akrida_core::plan::mixed::mixed;
use akrida_core::plan::slots::SlotSet;
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
    place: Place,
    source: ArrivalSource,
    next: Option<Arrival>,
    /// Slots that the worker will have, in the order of time.
    moves: VecDeque<Move>,
    /// What is due before this was given out, or never will be.
    given_until_us: u64,
    random: Rng,
    classes: ClassSequence,
    late: LatePolicy,
    /// When the plan ends; what is due then or later does not arrive.
    ends_at_us: u64,
    /// The most users of all workers.
    all_users_max: u64,
    users_max: u64,
    users: UserNumbers,
}

#[derive(Debug)]
struct Move {
    at_us: u64,
    slots: SlotSet,
}

/// The indices of the users of an arbiter: each its own in the whole run, however many workers join it. The worker's
/// position, which nobody else ever has, is in the bits from 40 on; the arbiters of the worker take turns below.
#[derive(Debug)]
struct UserNumbers {
    next: u64,
    step: u64,
}

impl UserNumbers {
    fn of(position: u64, place: Place) -> Self {
        Self { next: (position << 40) + place.arbiter, step: place.arbiters.max(1) }
    }
}

impl OpenLoad {
    /// No arrivals yet; `None` in the closed model.
    pub(super) fn new(assignment: &Assignment, place: Place, seed: u64) -> Option<Self> {
        let arrivals = assignment.plan.arrivals()?.clone();
        let position = assignment.position as u64;
        let nothing = ArrivalShare { slots: SlotSet::from_fn(|_| false), arbiter: place.arbiter, arbiters: 0 };
        let (late, all_users_max) = (arrivals.late, arrivals.users_max);
        // Anywhere, so that not all arbiters begin with the same class.
        let first_index = mixed(position << 8 | place.arbiter) >> 1;
        Some(Self {
            place,
            source: ArrivalSource::new(arrivals, nothing, 0, first_index),
            next: None,
            moves: VecDeque::new(),
            given_until_us: 0,
            random: Rng::with_seed(seed),
            classes: ClassSequence::new(&assignment.shares),
            late,
            ends_at_us: assignment.plan.ends_at_us().unwrap_or(u64::MAX),
            all_users_max,
            users_max: 0,
            users: UserNumbers::of(position, place),
        })
    }

    /// From an instant of plan time on the worker has these slots.
    pub(super) fn move_to(&mut self, slots: SlotSet, at_us: u64) {
        self.moves.push_back(Move { at_us, slots });
    }

    /// Carries out the moves that are to come: nothing is served before them.
    pub(super) fn move_now(&mut self) {
        while let Some(next) = self.moves.pop_front() {
            self.carry_out(next);
        }
    }

    /// Whether a move is to come.
    pub(super) fn is_moving(&self) -> bool {
        !self.moves.is_empty()
    }

    /// Leaves out what is due before an instant and was not given out.
    pub(super) fn skip_to(&mut self, from_us: u64) {
        self.given_until_us = self.given_until_us.max(from_us);
        self.source.skip_to(from_us);
        if self.next.is_some_and(|arrival| arrival.due_us < from_us) {
            self.advance();
        }
    }

    /// When there is something to do, in plan time; `None` when there are no more arrivals.
    pub(super) fn next_due_us(&self) -> Option<u64> {
        let arrival = self.next.map(|arrival| arrival.due_us);
        [arrival, self.next_move_us()].into_iter().flatten().min()
    }

    /// The next arrival if it is due, with its class.
    pub(super) fn take_due(&mut self, now_us: u64) -> Option<(Arrival, usize)> {
        loop {
            let move_us = self.next_move_us();
            let is_before = |arrival: &Arrival| move_us.is_none_or(|move_us| arrival.due_us < move_us);
            if let Some(arrival) = self.next.filter(|arrival| arrival.due_us <= now_us && is_before(arrival)) {
                self.given_until_us = self.given_until_us.max(arrival.due_us + 1);
                self.advance();
                // Classes repeat when only fixed counts are given: then these are their shares.
                let index = self.classes.users_max().map_or(arrival.index, |fixed| arrival.index % fixed.max(1));
                return Some((arrival, self.classes.class_of(index)?));
            }
            let due = self.moves.pop_front_if(|next| next.at_us <= now_us)?;
            self.carry_out(due);
        }
    }

    /// Whether an arrival or a move is due.
    pub(super) fn has_due(&self, now_us: u64) -> bool {
        self.next_due_us().is_some_and(|due_us| due_us <= now_us)
    }

    fn next_move_us(&self) -> Option<u64> {
        self.moves.front().map(|next| next.at_us)
    }

    /// Goes on with other slots. An arbiter that hears of them late may have given out arrivals that are due after the
    /// move: then it goes on behind those, so that none is given out twice.
    fn carry_out(&mut self, Move { at_us, slots }: Move) {
        let worker_users = slots.users_below(self.all_users_max);
        let Place { arbiter, arbiters } = self.place;
        let arbiters = arbiters.min(worker_users);
        let more = |arbiters: u64| u64::from(arbiter < worker_users % arbiters);
        self.users_max = if arbiter < arbiters { worker_users / arbiters + more(arbiters) } else { 0 };
        self.source.change(ArrivalShare { slots, arbiter, arbiters }, at_us.max(self.given_until_us));
        self.advance();
    }

    fn advance(&mut self) {
        self.next = self.source.next(&mut self.random).filter(|arrival| arrival.due_us < self.ends_at_us);
    }

    /// Whether one more user may exist beside these.
    pub(super) fn may_start(&self, users: u64) -> bool {
        users < self.users_max
    }

    /// The most users that may exist.
    pub(super) fn users_max(&self) -> u64 {
        self.users_max
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
    use std::collections::BTreeSet;

    use akrida_core::ids::RunId;
    use akrida_core::plan::Plan;
    use akrida_core::plan::arrivals::{ArrivalPlan, ArrivalRate, Distribution, RateStage};
    use akrida_core::plan::classes::ClassShare;
    use akrida_core::plan::slots::Dealing;

    use super::*;

    fn assignment(users_max: u64, position: usize, workers: usize) -> Assignment {
        let rate = ArrivalRate::per_second(100.0).expect("valid");
        let stage = RateStage { from: rate, to: rate, length_us: Some(1_000_000) };
        let arrivals = ArrivalPlan::new(vec![stage], Distribution::Uniform, users_max, LatePolicy::Queue);
        Assignment {
            run: RunId(1),
            bundle: None,
            plan: Plan::open(arrivals.expect("valid"), None),
            shares: vec![ClassShare { fixed_count: 0, weight_milli: 1_000 }],
            slots: Dealing::round_robin(workers).set_of(position),
            epoch: 1,
            position,
            workers,
            segment: 0,
            stop_timeout_ms: 0,
        }
    }

    fn load(users_max: u64, position: usize, workers: usize, place: Place) -> OpenLoad {
        let assignment = assignment(users_max, position, workers);
        let mut load = OpenLoad::new(&assignment, place, 1).expect("an open model");
        load.move_to(assignment.slots, 0);
        load
    }

    fn loads(users_max: u64, workers: usize, arbiters: u64) -> Vec<OpenLoad> {
        let places = (0..workers).flat_map(|worker| (0..arbiters).map(move |arbiter| (worker, arbiter)));
        places.map(|(worker, arbiter)| load(users_max, worker, workers, Place { arbiter, arbiters })).collect()
    }

    fn due_by(load: &mut OpenLoad, now_us: u64) -> Vec<u64> {
        std::iter::from_fn(|| load.take_due(now_us)).map(|(arrival, _)| arrival.index).collect()
    }

    #[test]
    fn all_arbiters_together_serve_every_arrival_with_no_more_users_than_allowed() {
        for (users_max, workers, arbiters) in [(10, 1, 1), (7, 2, 3), (2, 1, 4), (100, 3, 2)] {
            let mut loads = loads(users_max, workers, arbiters);
            let due: usize = loads.iter_mut().map(|load| due_by(load, 2_000_000).len()).sum();
            assert_eq!(due, 100, "the one that is due at the end does not arrive");
            assert_eq!(loads.iter().map(|load| load.users_max).sum::<u64>(), users_max);
        }
    }

    #[test]
    fn users_of_different_arbiters_have_different_indices_however_many_workers_come() {
        let early = loads(100, 2, 2);
        let late = load(100, 7, 8, Place { arbiter: 0, arbiters: 2 });
        let mut users = BTreeSet::new();
        for mut load in early.into_iter().chain([late]) {
            assert!(users.insert(load.new_user()) && users.insert(load.new_user()));
        }
        assert_eq!(users.len(), 10);
        assert_eq!(users.iter().take(4).map(|user| user.0).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn arrivals_change_hands_at_the_instant_of_a_move_whenever_an_arbiter_hears_of_it() {
        let mut loads = loads(100, 2, 2);
        let mut served = Vec::new();
        served.extend(loads.iter_mut().flat_map(|load| due_by(load, 300_000)));
        let (all, none) = (SlotSet::all(), SlotSet::from_fn(|_| false));
        for (at, load) in loads.iter_mut().enumerate() {
            load.move_to(if at < 2 { all.clone() } else { none.clone() }, 500_000);
        }
        served.extend(loads.iter_mut().flat_map(|load| due_by(load, 499_999)));
        assert_eq!(served.len(), 50);
        assert_eq!(loads.iter().map(|load| load.next_due_us()).max(), Some(Some(500_000)));
        assert_eq!(due_by(&mut loads[3], 2_000_000), [0_u64; 0]);
        served.extend(loads.iter_mut().flat_map(|load| due_by(load, 2_000_000)));
        served.sort_unstable();
        assert_eq!(served, (0..100).collect::<Vec<_>>());
        assert_eq!(loads.iter().map(OpenLoad::users_max).collect::<Vec<_>>(), [50, 50, 0, 0]);
    }

    #[test]
    fn an_arbiter_that_hears_of_a_move_too_late_gives_nothing_out_twice() {
        let mut load = load(100, 0, 1, Place { arbiter: 0, arbiters: 1 });
        let before = due_by(&mut load, 600_000);
        load.move_to(SlotSet::all(), 500_000);
        let after = due_by(&mut load, 2_000_000);
        assert_eq!(before.into_iter().chain(after).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_due_during_a_break_is_left_out() {
        let mut load = load(100, 0, 1, Place { arbiter: 0, arbiters: 1 });
        assert_eq!(due_by(&mut load, 99_999).len(), 10);
        load.skip_to(500_000);
        assert_eq!(due_by(&mut load, 2_000_000), (50..100).collect::<Vec<_>>());
    }
}
