//! What a master keeps on disk: its copy of the replicated log, snapshots of the state, and who it is.

mod acknowledged;
pub mod backup;
mod data_folder;
mod durable_file;
pub mod error;
mod facts;
mod log_file;
mod memory;
mod record;
pub mod redb_store;
mod snapshot_file;
mod snapshot_folder;

use std::sync::Arc;

use akrida_core::ids::{ClusterId, RaftId};
pub use akrida_core::replica::stored::{Entry as StoredEntry, HardState, Stored, StoredSnapshot};
use serde::{Deserialize, Serialize};

pub use error::StoreError;
pub use memory::MemoryStore;
pub use redb_store::RedbStore;

/// Who this data folder belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The cluster; `None` until this master has founded or joined one.
    pub cluster_id: Option<ClusterId>,
    /// Its id in the group: drawn when the folder was first used, before anybody hears of it.
    pub raft_id: RaftId,
    /// The name that it was configured with then.
    pub name: Arc<str>,
}

/// A durable log. What a call has done is on disk when it returns `Ok`. Entries and states are the types of raft
/// (`eraftpb`), which write themselves as protobuf.
///
/// After an error nobody knows what is on disk, so the store refuses all later calls and the process should end; what
/// was acknowledged before is there at the next start. Only [`StoreError::OutOfPlace`] leaves the store as it was.
pub trait LogStore: Send {
    /// What was written. Damage is an error, never skipped.
    ///
    /// # Errors
    /// When it cannot be read.
    fn load(&mut self) -> Result<Stored, StoreError>;

    /// Writes entries and the term, vote and commit index in one step. Entries of the same or a higher index than the
    /// first of these are dropped. They follow each other and what is stored, and do not replace committed ones; the hard
    /// state commits nothing that is not stored.
    ///
    /// # Errors
    /// When it cannot be written.
    fn append(&mut self, entries: &[StoredEntry], hard_state: Option<HardState>) -> Result<(), StoreError>;

    /// Writes a snapshot in the place of the one before. If the log does not hold an entry of its index and term, the log
    /// is no beginning of what the snapshot continues, and all entries are dropped. One that is not newer than the newest
    /// changes nothing. A hard state that comes along is appended afterwards.
    ///
    /// # Errors
    /// When it cannot be written.
    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError>;

    /// Drops the entries up to this index, which the snapshot covers.
    ///
    /// # Errors
    /// When it cannot be written.
    fn compact(&mut self, up_to: u64) -> Result<(), StoreError>;

    /// Drops entries, snapshot and state. The identity stays.
    ///
    /// # Errors
    /// When it cannot be written.
    fn purge(&mut self) -> Result<(), StoreError>;

    /// Who this data folder belongs to; `None` if it is new.
    fn identity(&self) -> Option<Identity>;

    /// Says who it belongs to.
    ///
    /// # Errors
    /// When it cannot be written.
    fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError>;
}
