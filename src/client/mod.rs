//! Talks to a cluster over HTTP, through whichever master answers.
//!
//! A request is made of one master after the other until one answers it (`exchange`); its key makes that harmless. So
//! neither a master that is gone nor an election is an error, as long as it ends within the client's patience.

mod cluster_client;
pub mod error;
mod exchange;
mod follow;
mod retry;
pub mod runs_text;
pub mod status_text;

pub use cluster_client::ClusterClient;
pub use error::ClientError;
pub use follow::{FollowedRun, follow};
pub use retry::Patience;
