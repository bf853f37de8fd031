//! The web port of a master.
//!
//! Every master answers everything: what changes or reads the state of a run is passed on, one hop, to the leader
//! (`forward`). A request that finds no leader is held until there is one (`to_leader`), and every request that
//! changes something has a key that makes its repetition harmless (`idempotency`). What the cluster is and does is
//! behind a [`ClusterHandle`]; this part knows HTTP only. The live feed (`feed`) tells what this master has applied, whoever
//! leads.

mod base_path;
mod cluster;
pub mod cluster_handle;
mod documents;
mod failure;
mod feed;
mod forward;
mod gate;
mod health;
mod idempotency;
mod locust;
mod origin;
mod relayed;
mod routes;
mod runs;
mod scenario;
mod server;
mod site;
mod to_leader;
#[cfg(feature = "ui")]
mod ui;

pub use cluster_handle::{
    Answering, ClusterHandle, ControlError, Health, Leadership, MasterControl, MemberChange, Role, WebAddress,
};
pub use health::is_ready;
pub use server::{WebServer, start};
pub use site::{BuildSpec, Document, Made, MakeDocument, Renderers, Shown, Theme, WebSetup};
