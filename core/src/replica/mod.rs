//! A master's part in the Raft group, as a function of what it is told.
//!
//! A [`Replica`] owns raft-rs' node over a log in memory. It is told of ticks, messages, proposals and finished writes,
//! and answers with [`Output`]s: what to write, what to send, what is committed. It has no clock, no disk and no chance
//! but its seed, so that a simulated cluster replays exactly.
//!
//! - [`config`]: what a replica is told at the start
//! - [`stored`]: what a master keeps on its disk of the group
//! - [`output`]: what the shell must carry out
//! - [`replica`](self): `inputs` and `ready` go around raft-rs; `screen` refuses messages that it would panic on
//! - [`change`]: members are added and removed in steps
//! - [`fail_back`]: when a better master gets the lead
//! - [`formation`]: how a group comes to be, and how a lost disk joins it again
//! - [`status`]: what a master shows of the group

pub mod change;
pub mod config;
pub mod event;
pub mod fail_back;
mod farewell;
pub mod formation;
mod inputs;
mod leadership;
mod members;
mod mirror;
pub mod output;
mod ready;
pub mod screen;
mod snapshots;
pub mod status;
pub mod stored;
mod timeouts;
mod window;

pub use config::{ReplicaConfig, ReplicaError};
pub use inputs::Replica;
pub use output::Output;
