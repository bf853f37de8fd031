//! What a master or worker shows to those who watch it: `/metrics` for Prometheus on one port, `/health` and `/ready` for
//! whoever restarts and feeds processes on another.
//!
//! - [`Watched`]: what is asked of the process; `compose` knows the answers
//! - [`figures`]: what there is to see, as plain data
//! - `exposition`: figures as Prometheus reads them
//! - `server`: the two ports
//! - [`resources`]: what a process uses, held against what it may use

mod exposition;
pub mod figures;
pub mod resources;
mod server;

pub use figures::{Figures, LeaderFigures, MasterFigures, WorkerFigures};
pub use server::{Answering, Endpoint, MonitoringServer, Watched, start};
