//! Groups of replicas in a simulated world.

#![allow(clippy::unwrap_used, reason = "tests")]

mod elections;
mod faults;
mod hostile;
mod members;
mod world;
