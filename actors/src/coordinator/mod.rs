//! The coordinator: a master's copy of the replicated state, and the leader's shell around `akrida_core::coordinator`.
//!
//! - [`log`]: what it needs of a replicated log; [`LocalLog`] is that of a group of one
//! - [`messages`]: what others ask of it
//! - `actor`: applies what is committed; while this master leads, carries out what the core decides
//! - `changes`: what the log says of workers
//! - `unproved`: what only a leader may say that proves that it leads
//! - `proposals`, `reads`: what waits for the log; `sessions`: the attached workers; `published`: what others see;
//!   `worker_logs`: what workers tell of theirs

mod actor;
mod changes;
mod local_log;
pub mod log;
pub mod messages;
mod no_log;
mod proposals;
mod published;
mod reads;
mod sessions;
mod unproved;
mod worker_logs;

pub use actor::{CoordinatorActor, OpenLog};
pub use local_log::LocalLog;
pub use no_log::NoLog;
pub use proposals::{OrderError, Outcome};
pub use published::{PlacedView, PlacedViewReceiver, Published, ViewReceiver};
pub use worker_logs::WorkerLogs;
