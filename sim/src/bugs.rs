//! Known bugs, put into the harness on purpose: what is not caught would not be found either.
//!
//! A forgotten vote and a dropped proposal that nobody hears of need so much bad luck at once that hundreds of seeds do not
//! catch them; all others are caught within 200 (`tests/seeds.rs`).

use std::fmt;
use std::str::FromStr;

use crate::invariants::Invariant;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// The leader acknowledges a delta when it arrives.
    AckBeforeCommit,
    /// A batch is applied as far as its parts fit.
    PartialMerge,
    /// A worker says that slots are released while their users still stop.
    EarlyRelease,
    /// Users of a worker that was paused go on without a look at the lease.
    BlindWake,
    /// The disk says that something is durable when it is not.
    ForgetFsync,
    /// Term and vote are lost when a master dies.
    ForgetVote,
    /// A master goes on as leader although it was told that it is none.
    DeafLeader,
    /// Masters apply entries with their own clocks.
    OwnClock,
    /// The coordinator does not hear of lost proposals.
    SwallowDropped,
    /// Clients repeat actions without a key.
    NoKey,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AckBeforeCommit,
        Self::PartialMerge,
        Self::EarlyRelease,
        Self::BlindWake,
        Self::ForgetFsync,
        Self::ForgetVote,
        Self::DeafLeader,
        Self::OwnClock,
        Self::SwallowDropped,
        Self::NoKey,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "ack-before-commit",
            Self::PartialMerge => "partial-merge",
            Self::EarlyRelease => "early-release",
            Self::BlindWake => "blind-wake",
            Self::ForgetFsync => "forget-fsync",
            Self::ForgetVote => "forget-vote",
            Self::DeafLeader => "deaf-leader",
            Self::OwnClock => "own-clock",
            Self::SwallowDropped => "swallow-dropped",
            Self::NoKey => "no-key",
        }
    }

    /// The invariants that it may break.
    #[must_use]
    pub fn breaks(self) -> &'static [Invariant] {
        use Invariant::{A, B, C, D, E, F, G, H};
        match self {
            Self::AckBeforeCommit => &[F],
            Self::PartialMerge => &[A, B],
            Self::EarlyRelease | Self::BlindWake => &[D],
            Self::ForgetFsync => &[F],
            Self::ForgetVote => &[C, E, F],
            Self::DeafLeader => &[C],
            Self::OwnClock => &[E],
            Self::SwallowDropped => &[G],
            Self::NoKey => &[H],
        }
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|bug| bug.name() == text)
            .ok_or_else(|| format!("no such bug; there are {}", names()))
    }
}
