//! The store of a master: a log file and snapshot files in one data folder.

use std::fs::{File, OpenOptions};
use std::path::Path;

use raft::eraftpb::Entry;
use redb::backends::FileBackend;
use tracing::warn;

use super::acknowledged::Acknowledged;
use super::data_folder::DataFolder;
use super::error::StoreError;
use super::facts::{Ballot, Facts, Position};
use super::log_file::LogFile;
use super::snapshot_folder::SnapshotFolder;
use super::{HardState, Identity, LogStore, Stored, StoredSnapshot, durable_file};

/// A [`LogStore`] in a folder that no other process uses meanwhile.
pub struct RedbStore {
    log: LogFile,
    acknowledged: Acknowledged,
    snapshots: SnapshotFolder,
    has_failed: bool,
    // Last, so that the folder is let go of only when the files are closed.
    _folder: DataFolder,
}

impl RedbStore {
    /// Opens the data folder of a master, and makes it if it is not there. Checks everything but the content of entries
    /// and snapshots, which [`LogStore::load`] does.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        let mut folder = DataFolder::open(data_dir)?;
        let mut acknowledged = Acknowledged::open(Acknowledged::path_in(data_dir))?;
        let log = if folder.is_complete() {
            open_log(&folder.log(), acknowledged.count())?
        } else {
            let log = make_log(&folder.log())?;
            acknowledged.set(log.facts().writes)?;
            acknowledged.sync()?;
            folder.complete()?;
            log
        };
        let snapshots = SnapshotFolder::open(folder.path())?;
        let mut store = Self { log, acknowledged, snapshots, has_failed: false, _folder: folder };
        if store.log.facts().purging {
            store.finish_purge()?;
        }
        Ok(store)
    }

    /// Runs a call; after a failure of one there is no other.
    fn run<T>(&mut self, call: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if self.has_failed {
            return Err(StoreError::Failed);
        }
        let done = call(self);
        self.has_failed = matches!(&done, Err(error) if !matches!(error, StoreError::OutOfPlace { .. }));
        done
    }

    fn acknowledge(&mut self) -> Result<(), StoreError> {
        self.acknowledged.set(self.log.facts().writes)
    }

    fn finish_purge(&mut self) -> Result<(), StoreError> {
        self.snapshots.clear()?;
        self.log.end_purge()?;
        self.acknowledge()
    }

    fn load_checked(&mut self) -> Result<Stored, StoreError> {
        let entries = self.log.entries()?;
        let snapshot = self.snapshots.newest()?;
        let position = snapshot.as_ref().map(position_of);
        let entries = self.join(position, entries)?;
        let facts = self.log.facts();
        let hard_state = not_behind(facts.ballot, position.unwrap_or_default());
        if hard_state.commit > self.log.last() {
            let what = format!("entry {} is committed, but entry {} is the last", hard_state.commit, self.log.last());
            return Err(StoreError::damaged(self.log.path(), what));
        }
        Ok(Stored { hard_state, snapshot, entries })
    }

    /// The entries that go with a snapshot. The snapshot must reach the start of the log, and agree with it.
    fn join(&mut self, snapshot: Option<Position>, entries: Vec<Entry>) -> Result<Vec<Entry>, StoreError> {
        let Facts { start, ballot, snapshot: saved, .. } = *self.log.facts();
        let Some(end) = snapshot else {
            return match saved {
                None => Ok(entries),
                Some(saved) => {
                    let what = format!("the snapshot of entry {} was saved, but none is there", saved.index);
                    Err(StoreError::damaged(self.log.path(), what))
                }
            };
        };
        if end.index < start.index {
            let what = format!("the log begins after entry {}, but the snapshots end with {}", start.index, end.index);
            return Err(StoreError::damaged(self.log.path(), what));
        }
        let keep_log = self.log.has(end)?;
        // Either the process ended between the file and the log, while it took over another master's snapshot, or the
        // two do not belong together.
        if !keep_log && (saved == snapshot || end.index <= start.index || ballot.commit > end.index) {
            let what = format!("the snapshot of entry {} and the log contradict each other", end.index);
            return Err(StoreError::damaged(self.log.path(), what));
        }
        if saved != snapshot {
            warn!(index = end.index, keep_log, "the newest good snapshot is not the one that was noted last");
            self.log.note_snapshot(end, keep_log)?;
            self.acknowledge()?;
        }
        Ok(if keep_log { entries } else { Vec::new() })
    }
}

impl LogStore for RedbStore {
    fn load(&mut self) -> Result<Stored, StoreError> {
        self.run(Self::load_checked)
    }

    fn append(&mut self, entries: &[Entry], hard_state: Option<HardState>) -> Result<(), StoreError> {
        self.run(|store| {
            if entries.is_empty() && hard_state.is_none() {
                return Ok(());
            }
            store.log.append(entries, hard_state.as_ref().map(Ballot::from))?;
            store.acknowledge()
        })
    }

    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.run(|store| {
            let position = position_of(snapshot);
            if position.index == 0 {
                return Err(StoreError::out_of_place("a snapshot of nothing"));
            }
            if position.index <= store.log.facts().snapshot_index() {
                return Ok(());
            }
            let keep_log = store.log.has(position)?;
            if !keep_log && position.index <= store.log.facts().ballot.commit {
                let what = format!("a snapshot of entry {} that contradicts committed entries", position.index);
                return Err(StoreError::out_of_place(what));
            }
            store.snapshots.save(snapshot)?;
            store.log.note_snapshot(position, keep_log)?;
            store.acknowledge()
        })
    }

    fn compact(&mut self, up_to: u64) -> Result<(), StoreError> {
        self.run(|store| {
            let facts = store.log.facts();
            let covered = facts.snapshot_index();
            if up_to > covered {
                let what = format!("to drop entries up to {up_to} while the newest snapshot ends with {covered}");
                return Err(StoreError::out_of_place(what));
            }
            if up_to <= facts.start.index {
                return Ok(());
            }
            store.log.compact(up_to)?;
            store.acknowledge()
        })
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        self.run(|store| {
            store.log.begin_purge()?;
            store.acknowledge()?;
            store.finish_purge()
        })
    }

    fn identity(&self) -> Option<Identity> {
        self.log.facts().identity.clone()
    }

    fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        self.run(|store| {
            store.log.set_identity(identity)?;
            store.acknowledge()
        })
    }
}

/// The file of a log that was made before: it must be there.
fn open_log(path: &Path, acknowledged: u64) -> Result<LogFile, StoreError> {
    if !path.try_exists().map_err(StoreError::io("read", path))? {
        return Err(StoreError::damaged(path, "it is missing"));
    }
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(StoreError::io("open", path))?;
    LogFile::open(path, backend(path, file)?, acknowledged)
}

/// The file of a new log. If an interrupted first start has left one, it must be empty.
fn make_log(path: &Path) -> Result<LogFile, StoreError> {
    if path.try_exists().map_err(StoreError::io("read", path))? {
        let log = open_log(path, 0)?;
        let facts = log.facts();
        if *facts == (Facts { writes: facts.writes, ..Facts::default() }) && log.last() == 0 {
            return Ok(log);
        }
        let reason = "it has a log, but no file FORMAT to say which format it has".to_owned();
        let path = path.parent().unwrap_or(path).to_owned();
        return Err(StoreError::NotADataFolder { path, reason });
    }
    let unfinished = durable_file::unfinished(path);
    let file = durable_file::create(&unfinished).map_err(StoreError::io("make", &unfinished))?;
    let log = LogFile::create(path, backend(path, file)?)?;
    durable_file::publish(&unfinished, path)?;
    Ok(log)
}

fn backend(path: &Path, file: File) -> Result<FileBackend, StoreError> {
    FileBackend::new(file).map_err(|error| StoreError::damaged(path, error.to_string()))
}

fn position_of(snapshot: &StoredSnapshot) -> Position {
    Position { index: snapshot.index, term: snapshot.term }
}

/// The hard state, moved up to a snapshot if it is behind, as when the process ended between the two. A vote belongs to
/// its term; there was none in a term that this master never noted.
fn not_behind(mut ballot: Ballot, snapshot: Position) -> HardState {
    if ballot.term < snapshot.term {
        ballot = Ballot { term: snapshot.term, vote: 0, ..ballot };
    }
    ballot.commit = ballot.commit.max(snapshot.index);
    ballot.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_purge_is_finished_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = RedbStore::open(folder.path()).unwrap();
        let snapshot =
            StoredSnapshot { index: 5, term: 1, conf_state: Default::default(), data: b"state".as_slice().into() };
        store.save_snapshot(&snapshot).unwrap();
        store.log.begin_purge().unwrap();
        drop(store);
        assert!(folder.path().join("snapshot-5-1.akrida").exists());
        let mut store = RedbStore::open(folder.path()).unwrap();
        assert_eq!(store.load().unwrap(), Stored::default());
        assert!(!folder.path().join("snapshot-5-1.akrida").exists());
    }

    #[test]
    fn a_store_refuses_everything_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = RedbStore::open(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("snapshot-5-1.akrida.tmp")).unwrap();
        let snapshot = StoredSnapshot { index: 5, term: 1, conf_state: Default::default(), data: Default::default() };
        assert!(matches!(store.save_snapshot(&snapshot).unwrap_err(), StoreError::Io { .. }));
        let identity = Identity { cluster_id: None, raft_id: akrida_core::ids::RaftId(1), name: "one".into() };
        for refused in [
            store.load().err(),
            store.append(&[], Some(HardState::default())).err(),
            store.save_snapshot(&snapshot).err(),
            store.compact(1).err(),
            store.purge().err(),
            store.set_identity(identity).err(),
        ] {
            assert!(matches!(refused, Some(StoreError::Failed)), "{refused:?}");
        }
    }
}
