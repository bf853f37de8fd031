//! What a master keeps on disk: its copy of the replicated log, snapshots of the state, and who it is.

mod acknowledged;
pub mod backup;
mod data_folder;
mod durable_file;
pub mod error;
mod facts;
mod log_file;
mod record;
pub mod redb_store;
mod snapshot_file;
mod snapshot_folder;

use akrida_core::ids::RaftId;
use bytes::Bytes;
use raft::eraftpb::{ConfState, Entry, HardState};
use serde::{Deserialize, Serialize};

pub use error::StoreError;
pub use redb_store::RedbStore;

/// A durable log. What a call has done is on disk when it returns `Ok`.
///
/// After an error nobody knows what is on disk, so the store refuses all later calls and the process should end; what
/// was acknowledged before is there at the next start. Only [`StoreError::OutOfPlace`] leaves the store as it was.
pub trait LogStore: Send {
    /// Reads and checks everything. What it returns is what was acknowledged, or it is an error.
    fn load(&mut self) -> Result<Stored, StoreError>;

    /// Writes entries, and the hard state if one is given, together. Entries at or after the first given index are
    /// replaced. The entries follow each other and what is stored, and do not replace committed ones; the hard state
    /// commits nothing that is not stored.
    fn append(&mut self, entries: &[Entry], hard_state: Option<&HardState>) -> Result<(), StoreError>;

    /// Writes a snapshot. The log stays if it holds the snapshot's last entry; otherwise the snapshot replaces it. One
    /// that is not newer than the newest changes nothing. A hard state that comes along is appended afterwards.
    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError>;

    /// Drops entries up to and including this one, which the newest snapshot must cover.
    fn compact(&mut self, up_to: u64) -> Result<(), StoreError>;

    /// Forgets everything, the identity too: afterwards the store is as new.
    fn purge(&mut self) -> Result<(), StoreError>;

    /// Who the owner is; `None` in a new store.
    fn identity(&self) -> Option<&Identity>;

    /// Sets who the owner is.
    fn set_identity(&mut self, identity: &Identity) -> Result<(), StoreError>;
}

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stored {
    /// As last appended; its term and commit index are at least those of the snapshot.
    pub hard_state: HardState,
    /// The group as of the snapshot; empty without one.
    pub conf_state: ConfState,
    /// The newest one that can be read.
    pub snapshot: Option<StoredSnapshot>,
    /// Without gaps. They may begin before the end of the snapshot, but never after the entry that follows it.
    pub entries: Vec<Entry>,
}

/// The state as of an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// The last entry that is part of it; never 0.
    pub index: u64,
    /// The term of that entry.
    pub term: u64,
    /// The group as of that entry.
    pub conf_state: ConfState,
    /// The state.
    pub data: Bytes,
}

/// Whose store it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The cluster that the master belongs to.
    pub cluster_id: u64,
    /// The master's id in the group, drawn with the data folder.
    pub raft_id: RaftId,
    /// The master's configured name.
    pub name: String,
}
