//! The built-in target: a small web server to run load against.
//!
//! It serves the demo, the tests and whoever wants to see what Akrida reports when a server is slow, freezes or
//! fails. It counts every request that it received, so what a load generator claims can be compared with what
//! arrived. It runs on threads of its own and can live in the process that generates the load.
//!
//! - [`TargetOptions`], [`Latency`], [`Stall`]: how it behaves
//! - [`start`], [`Target`]: running it
//! - [`Counts`]: what it received
//!
//! Every request but those to `/_count` and `/_reset` passes the gate, which receives the whole request, counts it and
//! answers it when and how the options say.

mod access_log;
mod basics;
mod behaviour;
mod counts;
mod echo;
mod gate;
mod latency;
mod limits;
mod options;
mod routes;
mod server;
mod shop;
mod stall;
mod upload;

pub use counts::Counts;
pub use latency::{Latency, LatencyProblem};
pub use options::TargetOptions;
pub use server::{Target, start};
pub use stall::{Stall, StallProblem};
