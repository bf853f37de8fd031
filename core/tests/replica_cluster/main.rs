//! Groups of replicas in a simulated world.

mod elections;
mod faults;
mod hostile;
mod members;
mod world;
