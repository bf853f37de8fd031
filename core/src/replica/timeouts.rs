//! Election time-outs that a seed decides.
//!
//! raft-rs draws them from the thread's random numbers whenever its role or term changes. Here each of these is replaced
//! at once by one of our own, drawn anew when role or term have changed or an election was started.

use fastrand::Rng;
use raft::{RawNode, StateRole};

use super::mirror::Mirror;

/// How many ticks after the leader's process has ended an election starts, at most. From two on, so that the other masters
/// have learned of it too and give their votes; of several numbers, so that two masters rarely ask at the same time.
const HASTE_TICKS: usize = 8;

/// The time-outs of one replica.
#[derive(Debug)]
pub(super) struct Timeouts {
    rng: Rng,
    least: usize,
    current: usize,
    drawn_for: (u64, StateRole, u64),
    elections: u64,
}

impl Timeouts {
    pub(super) fn new(seed: u64, election_ticks: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let current = rng.usize(election_ticks..2 * election_ticks);
        Self { rng, least: election_ticks, current, drawn_for: (0, StateRole::Follower, 0), elections: 0 }
    }

    /// Counts an election that the tick just made started: without it, two masters with the same time-out would go on
    /// colliding.
    pub(super) fn ticked(&mut self, node: &RawNode<Mirror>) {
        if node.raft.state != StateRole::Leader && node.raft.election_elapsed == 0 {
            self.elections += 1;
        }
    }

    /// The leader's process has ended: from now on others get this master's vote, and it asks for theirs within a few ticks.
    /// Nothing if its time is up already.
    pub(super) fn hasten(&mut self, node: &mut RawNode<Mirror>) -> bool {
        if node.raft.election_elapsed >= self.least {
            return false;
        }
        let most = HASTE_TICKS.min(self.least - 1);
        node.raft.election_elapsed = self.least;
        self.current = self.least + self.rng.usize(2.min(most)..=most);
        node.raft.set_randomized_election_timeout(self.current);
        true
    }

    /// Must follow every call into raft-rs that may change its role or term.
    pub(super) fn settle(&mut self, node: &mut RawNode<Mirror>) {
        let now = (node.raft.term, node.raft.state, self.elections);
        if now != self.drawn_for {
            self.drawn_for = now;
            self.current = self.rng.usize(self.least..2 * self.least);
        }
        node.raft.set_randomized_election_timeout(self.current);
    }
}
