//! When a better master gets the lead back.
//!
//! raft-rs uses priorities only while it votes: a master that was away for an election stays a follower, whatever its
//! priority. So the leader looks for better ones itself.

use std::collections::BTreeMap;

use crate::ids::RaftId;

/// How patient it is. Times in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailBackRule {
    /// How long the better master must have been healthy and caught up.
    pub steady_ticks: u64,
    /// Least time between two transfers by this master.
    pub rest_ticks: u64,
}

/// A follower as the leader sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub id: RaftId,
    /// Its priority.
    pub priority: i64,
    /// Whether it is healthy and caught up.
    pub is_fit: bool,
}

/// What a leader remembers of better masters.
#[derive(Debug, Default)]
pub struct FailBack {
    fit_since: BTreeMap<RaftId, u64>,
    last_transfer: Option<u64>,
}

impl FailBack {
    /// The lead is lost: the next one begins to look afresh. The time of the last transfer stays.
    pub fn lost_lead(&mut self) {
        self.fit_since.clear();
    }

    /// Who should get the lead now, if anybody. Called with every tick while this master leads.
    pub fn decide(&mut self, rule: FailBackRule, now: u64, own: i64, candidates: &[Candidate]) -> Option<RaftId> {
        let is_better = |candidate: &&Candidate| candidate.is_fit && candidate.priority > own;
        let better: BTreeMap<RaftId, i64> =
            candidates.iter().filter(is_better).map(|candidate| (candidate.id, candidate.priority)).collect();
        self.fit_since.retain(|id, _| better.contains_key(id));
        for id in better.keys() {
            self.fit_since.entry(*id).or_insert(now);
        }
        if self.last_transfer.is_some_and(|last| now - last < rule.rest_ticks) {
            return None;
        }
        let is_steady = |id: &RaftId| self.fit_since.get(id).is_some_and(|since| now - since >= rule.steady_ticks);
        let best = better.iter().filter(|(id, _)| is_steady(id)).max_by_key(|(id, priority)| (**priority, **id))?;
        self.last_transfer = Some(now);
        Some(*best.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: FailBackRule = FailBackRule { steady_ticks: 30, rest_ticks: 300 };

    fn candidate(id: u64, priority: i64, is_fit: bool) -> Candidate {
        Candidate { id: RaftId(id), priority, is_fit }
    }

    /// The ticks at which somebody gets the lead, with the follower fit or not at each tick.
    fn transfers(own: i64, ticks: u64, is_fit: impl Fn(u64) -> bool) -> Vec<u64> {
        let mut fail_back = FailBack::default();
        (0..ticks).filter(|now| fail_back.decide(RULE, *now, own, &[candidate(7, 3, is_fit(*now))]).is_some()).collect()
    }

    #[test]
    fn a_better_master_gets_the_lead_after_it_was_fit_for_long_enough_and_seldom() {
        assert_eq!(transfers(2, 400, |_| true), [30, 330]);
    }

    #[test]
    fn a_moment_of_weakness_begins_the_wait_anew() {
        assert_eq!(transfers(2, 60, |now| now != 20), [51]);
        assert_eq!(transfers(2, 400, |now| now % 30 != 0), [0_u64; 0]);
    }

    #[test]
    fn an_equal_or_worse_master_never_gets_it() {
        assert_eq!(transfers(3, 1_000, |_| true), [0_u64; 0]);
        assert_eq!(transfers(4, 1_000, |_| true), [0_u64; 0]);
    }

    #[test]
    fn the_best_of_several_gets_it() {
        let mut fail_back = FailBack::default();
        let all = [candidate(1, 5, true), candidate(2, 9, true), candidate(3, 7, true)];
        let chosen: Vec<RaftId> = (0..=30).filter_map(|now| fail_back.decide(RULE, now, 1, &all)).collect();
        assert_eq!(chosen, [RaftId(2)]);
    }
}
