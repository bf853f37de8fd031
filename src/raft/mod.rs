//! A master's part in the Raft group: the shell around `akrida_core::replica`.
//!
//! Two threads of their own. `raft` takes ticks from a real clock, messages, and proposals, and carries out what the
//! replica answers; `raft-log` writes to the [`store`](store::LogStore), so that no fsync delays a tick. If either of
//! them panics, or a write fails, the process ends: what is in memory may then be ahead of the disk, and a restart from
//! the disk is safe. Actors hear [`LogEvent`](akrida_actors::coordinator::log::LogEvent)s and speak through a
//! [`RaftHandle`].

mod clock;
mod driver;
mod forming;
mod handle;
mod inbox;
mod joiners;
pub mod peers;
mod process_end;
pub mod restore;
pub mod status;
pub mod store;
mod thread;
mod writer;

pub use handle::{RaftHandle, ReplaceRefused, Unanswered};
pub use thread::{FailBackAfter, RaftOptions, RaftThread, start};
