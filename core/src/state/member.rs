//! The masters in the replicated state.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::ids::RaftId;

/// A master: a voter of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its id in the Raft group; a new one for each data folder.
    pub id: RaftId,
    /// Its configured name.
    pub name: Arc<str>,
    /// Where other masters and workers reach it: a host name or address.
    pub host: Arc<str>,
    /// Its port for masters and workers.
    pub port: u16,
    /// Its web port.
    pub web_port: u16,
    /// Of two masters that could lead, the one with the higher priority does.
    pub priority: i64,
}
