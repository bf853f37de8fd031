//! The worker: the shell around `akrida_core::worker`.
//!
//! - [`WorkerActor`]: gives the core its messages and its time, and carries its decisions to the engine and the leader
//! - `orders`: what others tell it
//! - `load`: the run that it has got ready, and its users
//! - `log_tail`: what its log says, for whoever looks on
//! - `masters`: its links, and which master leads
//! - `sight`: how it is, for whoever looks on

mod actor;
mod load;
mod log_tail;
mod masters;
mod orders;
mod sight;

pub use actor::WorkerActor;
pub use log_tail::ReadLog;
pub use orders::{AwaitEnd, Connect, GiveUp, Retire, WorkerEnd};
pub use sight::{Look, WorkerSight};
