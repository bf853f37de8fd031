//! The coordinator: the leader's shell around `akrida_core::coordinator`.

mod actor;
mod local_log;

pub use actor::{Attach, CoordinatorActor, Give, Published, ViewReceiver};
