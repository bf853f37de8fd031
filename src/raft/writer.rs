//! The thread that writes the log.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender};

use akrida_core::replica::output::Write;

use super::inbox::{Inbox, Shared, offer};
use super::process_end::end_process;
use super::store::{HardState, LogStore, StoreError, StoredEntry};

/// Writes until nobody has anything to write any more. What has gathered while the disk was busy is written at once.
pub(super) fn write_all(
    mut store: Box<dyn LogStore>,
    jobs: &Receiver<Write>,
    shared: &Arc<Shared>,
    inbox: &SyncSender<Inbox>,
) {
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Write> = std::iter::once(first).chain(jobs.try_iter()).collect();
        let count = batch.len() as u64;
        match write(store.as_mut(), batch) {
            Ok(number) => {
                shared.persisted.fetch_max(number.unwrap_or(0), Ordering::AcqRel);
                shared.writes_done.fetch_add(count, Ordering::AcqRel);
                let _ = offer(inbox, Inbox::Wake);
            }
            Err(error) => end_process(&error.to_string()),
        }
    }
}

/// Entries of several writes, to be made durable together.
#[derive(Debug, Default)]
struct Gathered {
    entries: Vec<StoredEntry>,
    hard_state: Option<HardState>,
}

impl Gathered {
    fn add(&mut self, entries: Vec<StoredEntry>, hard_state: Option<HardState>) {
        if let Some(first) = entries.first() {
            self.entries.retain(|entry| entry.index < first.index);
        }
        self.entries.extend(entries);
        self.hard_state = hard_state.or(self.hard_state.take());
    }

    fn flush(&mut self, store: &mut dyn LogStore) -> Result<(), StoreError> {
        let Self { entries, hard_state } = std::mem::take(self);
        if entries.is_empty() && hard_state.is_none() {
            return Ok(());
        }
        store.append(&entries, hard_state)
    }
}

/// Writes a batch in order; tells the number of its last write.
fn write(store: &mut dyn LogStore, batch: Vec<Write>) -> Result<Option<u64>, StoreError> {
    let mut gathered = Gathered::default();
    let mut last = None;
    for job in batch {
        match job {
            Write::Log(persist) => {
                last = Some(persist.number);
                if let Some(snapshot) = persist.snapshot {
                    // The log behind it and the commit index mean nothing to a store without the snapshot.
                    gathered.flush(store)?;
                    store.save_snapshot(&snapshot)?;
                }
                gathered.add(persist.entries, persist.hard_state);
            }
            Write::Snapshot(snapshot) => {
                gathered.flush(store)?;
                store.save_snapshot(&snapshot)?;
            }
            Write::Compact(up_to) => {
                gathered.flush(store)?;
                store.compact(up_to)?;
            }
        }
    }
    gathered.flush(store)?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use akrida_core::replica::output::Persist;

    use super::*;
    use crate::raft::store::MemoryStore;

    fn entry(index: u64, term: u64) -> StoredEntry {
        StoredEntry { index, term, ..StoredEntry::default() }
    }

    fn persist(number: u64, entries: &[(u64, u64)], commit: u64) -> Write {
        let entries = entries.iter().map(|(index, term)| entry(*index, *term)).collect();
        let hard_state = Some(HardState { term: 1, commit, ..HardState::default() });
        Write::Log(Persist { number, snapshot: None, entries, hard_state })
    }

    #[test]
    fn writes_that_come_together_leave_what_they_would_leave_alone() {
        let jobs = || {
            vec![
                persist(1, &[(1, 1), (2, 1), (3, 1)], 0),
                persist(2, &[(2, 2), (3, 2)], 1),
                Write::Compact(1),
                persist(4, &[(4, 2)], 2),
            ]
        };
        let mut together = MemoryStore::default();
        assert_eq!(write(&mut together, jobs()).unwrap(), Some(4));
        let mut alone = MemoryStore::default();
        for job in jobs() {
            write(&mut alone, vec![job]).unwrap();
        }
        let stored = together.load().unwrap();
        assert_eq!(stored, alone.load().unwrap());
        let entries: Vec<(u64, u64)> = stored.entries.iter().map(|entry| (entry.index, entry.term)).collect();
        assert_eq!(entries, [(2, 2), (3, 2), (4, 2)]);
        assert_eq!(stored.hard_state.commit, 2);
    }
}
