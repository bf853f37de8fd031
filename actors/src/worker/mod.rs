//! The worker: the shell around `akrida_core::worker`.

mod actor;

pub use actor::{Connect, WorkerActor};
