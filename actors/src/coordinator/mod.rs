//! The coordinator: the leader's shell around `akrida_core::coordinator`.

mod actor;
mod local_log;
pub mod log;

pub use actor::{CoordinatorActor, Give, Published, ViewReceiver};
