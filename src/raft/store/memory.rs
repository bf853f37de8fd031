//! A log in memory: for tests, and for a group of one that need not survive its process.

use super::{HardState, Identity, LogStore, StoreError, Stored, StoredEntry, StoredSnapshot};

/// A log that is gone with its process. A clone is a copy.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    stored: Stored,
    identity: Option<Identity>,
}

impl LogStore for MemoryStore {
    fn load(&mut self) -> Result<Stored, StoreError> {
        Ok(self.stored.clone())
    }

    fn append(&mut self, entries: &[StoredEntry], hard_state: Option<HardState>) -> Result<(), StoreError> {
        self.stored.append(entries, hard_state);
        Ok(())
    }

    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.stored.save_snapshot(snapshot.clone());
        Ok(())
    }

    fn compact(&mut self, up_to: u64) -> Result<(), StoreError> {
        self.stored.compact(up_to);
        Ok(())
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        self.stored = Stored::default();
        Ok(())
    }

    fn identity(&self) -> Option<Identity> {
        self.identity.clone()
    }

    fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        self.identity = Some(identity);
        Ok(())
    }
}
