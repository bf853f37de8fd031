//! A data folder with which a new cluster begins, from the state of a lost one.

use std::sync::Arc;

use akrida_core::ids::{ClusterId, RaftId};
use akrida_core::replica::stored::{NamedMember, Stored};

use super::store::{Identity, LogStore, StoreError};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The folder is that of a master.
    #[error(
        "the data folder belongs to {master} of cluster {cluster}: nothing is restored over it; stop that master and \
         move its folder away first"
    )]
    NotEmpty {
        /// Whose it is.
        master: Arc<str>,
        /// Its cluster.
        cluster: ClusterId,
    },
    /// It cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The new identities of a restored cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anew {
    /// The new cluster.
    pub cluster: ClusterId,
    /// Its first master.
    pub founder: NamedMember,
}

impl Anew {
    /// Draws new identities: nothing that still runs of the lost cluster is taken for a part of this one.
    #[must_use]
    pub fn draw(name: &str) -> Self {
        let founder = NamedMember { id: RaftId(fastrand::u64(1..)), name: name.into() };
        Self { cluster: ClusterId(fastrand::u64(1..)), founder }
    }

    /// Writes the log of the first master. The master that starts with it leads at once, alone. Until this has returned
    /// `Ok`, the folder counts as empty.
    ///
    /// # Errors
    /// When the folder is not empty or cannot be written.
    pub fn write(&self, store: &mut dyn LogStore, stored: &Stored) -> Result<(), RestoreError> {
        if let Some(Identity { cluster_id: Some(cluster), name, .. }) = store.identity() {
            return Err(RestoreError::NotEmpty { master: name, cluster });
        }
        store.purge()?;
        if let Some(snapshot) = &stored.snapshot {
            store.save_snapshot(snapshot)?;
        }
        store.append(&stored.entries, Some(stored.hard_state.clone()))?;
        let NamedMember { id, name } = self.founder.clone();
        store.set_identity(Identity { cluster_id: Some(self.cluster), raft_id: id, name })?;
        Ok(())
    }
}
