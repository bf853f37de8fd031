//! A simulator of a whole cluster: masters with their disks, workers with their users, the network between them, and what
//! goes wrong, in virtual time. A seed decides everything, so whatever it finds can be looked at again.
//!
//! The decisions are those of the program (`akrida-core`); the harness wires them as its actors and threads do. It knows
//! more than any part of the cluster can: which requests were sent, what is on which disk, and what time it really is. With
//! that it holds the [`Invariant`]s at every step.
//!
//! - `world`: the cluster of a seed, and what happens next; `event`, `schedule`, `clock`
//! - `master`, `disk`: a master with its replica and coordinator; `worker`: a worker with its users
//! - `network`, `links`: messages between masters; connections of workers
//! - `workload`, `operator`, `faults`: clients, changes of members, and what goes wrong
//! - `healing`: what must come to pass when faults have ended
//! - `invariants`: what must always hold, and the ledger of everything that was measured
//! - `bugs`: known bugs, which must be caught

mod bugs;
mod clock;
mod disk;
mod event;
mod faults;
mod healing;
mod invariants;
mod links;
mod master;
mod network;
mod operator;
mod schedule;
mod trace;
mod worker;
mod workload;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use bugs::Bug;
pub use invariants::{Counts, Invariant, Violation};
pub use trace::TraceMode;
use world::World;

/// What came of a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The first violation, if there was one.
    pub violation: Option<Violation>,
    /// How much happened.
    pub counts: Counts,
    /// The hash of the trace, if one was made.
    pub trace_hash: u64,
    /// How long it took in the world, in microseconds.
    pub virtual_us: u64,
}

/// Lives through a seed. A panic of the code that is simulated counts as a violation of [`Invariant::G`].
#[must_use]
pub fn live(seed: u64, bug: Option<Bug>, trace: TraceMode) -> Outcome {
    let lived = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::new(seed, bug, trace);
        world.run();
        Outcome {
            violation: world.oracle.violation.take(),
            counts: world.oracle.counts,
            trace_hash: world.trace_hash(),
            virtual_us: world.schedule.now_us(),
        }
    }));
    lived.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let what = format!("a panic: {}", text.unwrap_or_default());
        let violation = Some(Violation { invariant: Invariant::G, at_us: 0, what });
        Outcome { violation, counts: Counts::default(), trace_hash: 0, virtual_us: 0 }
    })
}
