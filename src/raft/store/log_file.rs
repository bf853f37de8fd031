//! The database file: the entries of the log, and the facts beside them, changed together.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use akrida_core::limits::LOG_CACHE_BYTES;
use protobuf::Message;
use raft::eraftpb::Entry;
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, Table, TableDefinition};

use super::error::StoreError;
use super::facts::{Ballot, Facts, Position};
use super::{Identity, record};

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const FACTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("facts");
const FACTS_KEY: &str = "facts";

type EntryTable<'a> = Table<'a, u64, &'static [u8]>;

/// The open database file. Each change is one transaction with one sync.
pub(super) struct LogFile {
    path: PathBuf,
    database: Database,
    facts: Facts,
    last: u64,
}

impl LogFile {
    /// Makes an empty log in an empty file.
    pub(super) fn create(path: &Path, backend: impl StorageBackend) -> Result<Self, StoreError> {
        let database = guarded(path, || Ok(builder().create_with_backend(backend)?))?;
        let mut log = Self { path: path.to_owned(), database, facts: Facts::default(), last: 0 };
        log.change(|_, _| Ok(()))?;
        Ok(log)
    }

    /// Opens a log and checks it, except for the content of its entries. Fewer writes than were acknowledged are an
    /// error.
    pub(super) fn open(path: &Path, backend: impl StorageBackend, acknowledged: u64) -> Result<Self, StoreError> {
        let (database, facts, last) = guarded(path, || {
            if backend.len().map_err(redb::StorageError::from)? == 0 {
                return Err(Failure::Damaged("it is empty".to_owned()));
            }
            let database = builder().create_with_backend(backend)?;
            let facts = read_facts(&database)?;
            let entries = database.begin_read()?.open_table(ENTRIES)?;
            let last = entries.last()?.map_or(facts.start.index, |(index, _)| index.value());
            Ok((database, facts, last))
        })?;
        if facts.writes < acknowledged {
            let what = format!("it holds {} writes, but {acknowledged} were acknowledged", facts.writes);
            return Err(StoreError::damaged(path, what));
        }
        Ok(Self { path: path.to_owned(), database, facts, last })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is known beside the entries.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The last entry, or where the log begins if there is none.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// All entries, checked: none is missing after the start of the log, and terms do not go back.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        guarded(&self.path, || {
            let table = self.database.begin_read()?.open_table(ENTRIES)?;
            let mut entries = Vec::new();
            let mut before = self.facts.start;
            for item in table.range::<u64>(..)? {
                let (index, stored) = item?;
                let entry = read_entry(index.value(), stored.value())?;
                if Some(entry.index) != before.index.checked_add(1) {
                    let gap = format!("entry {} follows entry {}", entry.index, before.index);
                    return Err(Failure::Damaged(gap));
                }
                if entry.term < before.term {
                    let what = format!("entry {} has term {} after term {}", entry.index, entry.term, before.term);
                    return Err(Failure::Damaged(what));
                }
                before = Position { index: entry.index, term: entry.term };
                entries.push(entry);
            }
            Ok(entries)
        })
    }

    /// Whether the log holds this entry or begins right after it.
    pub(super) fn has(&self, position: Position) -> Result<bool, StoreError> {
        if position == self.facts.start && position.index > 0 {
            return Ok(true);
        }
        Ok(self.term_at(position.index)? == Some(position.term))
    }

    /// Writes entries in place of those at and after the first, and the ballot if there is one.
    pub(super) fn append(&mut self, entries: &[Entry], ballot: Option<Ballot>) -> Result<(), StoreError> {
        self.check_place(entries, ballot)?;
        let old_last = self.last;
        self.change(|table, facts| {
            if let Some(first) = entries.first().filter(|first| first.index <= old_last) {
                table.retain_in(first.index.., |_, _| false)?;
            }
            for entry in entries {
                table.insert(entry.index, write_entry(entry)?.as_slice())?;
            }
            facts.ballot = ballot.unwrap_or(facts.ballot);
            Ok(())
        })?;
        self.last = entries.last().map_or(old_last, |entry| entry.index);
        Ok(())
    }

    /// Notes that a snapshot is saved; without `keep_log`, the log begins anew after it.
    pub(super) fn note_snapshot(&mut self, position: Position, keep_log: bool) -> Result<(), StoreError> {
        self.change(|table, facts| {
            facts.snapshot = Some(position);
            if !keep_log {
                table.retain(|_, _| false)?;
                facts.start = position;
            }
            Ok(())
        })?;
        if !keep_log {
            self.last = position.index;
        }
        Ok(())
    }

    /// Drops entries up to and including this one, which the log must hold.
    pub(super) fn compact(&mut self, up_to: u64) -> Result<(), StoreError> {
        let Some(term) = self.term_at(up_to)? else {
            return Err(StoreError::out_of_place(format!("to drop entries up to {up_to}, which it does not hold")));
        };
        self.change(|table, facts| {
            table.retain_in(..=up_to, |_, _| false)?;
            facts.start = Position { index: up_to, term };
            Ok(())
        })
    }

    /// Sets whose store it is.
    pub(super) fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        self.change(|_, facts| {
            facts.identity = Some(identity);
            Ok(())
        })
    }

    /// Forgets everything but whose log it is, and notes that files of snapshots are to be removed.
    pub(super) fn begin_purge(&mut self) -> Result<(), StoreError> {
        self.change(|table, facts| {
            table.retain(|_, _| false)?;
            let identity = facts.identity.take();
            *facts = Facts { writes: facts.writes, identity, purging: true, ..Facts::default() };
            Ok(())
        })?;
        self.last = 0;
        Ok(())
    }

    /// Notes that the files of snapshots are removed.
    pub(super) fn end_purge(&mut self) -> Result<(), StoreError> {
        self.change(|_, facts| {
            facts.purging = false;
            Ok(())
        })
    }

    fn term_at(&self, index: u64) -> Result<Option<u64>, StoreError> {
        guarded(&self.path, || {
            let table = self.database.begin_read()?.open_table(ENTRIES)?;
            let Some(stored) = table.get(index)? else { return Ok(None) };
            Ok(Some(read_entry(index, stored.value())?.term))
        })
    }

    /// Refuses what would leave a gap, replace a committed entry or commit one that is not there.
    fn check_place(&self, entries: &[Entry], ballot: Option<Ballot>) -> Result<(), StoreError> {
        if let Some(first) = entries.first() {
            let kept = self.facts.start.index.max(self.facts.ballot.commit).max(self.facts.snapshot_index());
            if first.index <= kept {
                let what = format!("entry {}: entries up to {kept} are settled", first.index);
                return Err(StoreError::out_of_place(what));
            }
            if first.index - 1 > self.last {
                return Err(StoreError::out_of_place(format!("entry {} after entry {}", first.index, self.last)));
            }
            if let Some(pair) = entries.windows(2).find(|pair| pair[0].index.checked_add(1) != Some(pair[1].index)) {
                return Err(StoreError::out_of_place(format!("entry {} after entry {}", pair[1].index, pair[0].index)));
            }
        }
        let last = entries.last().map_or(self.last, |entry| entry.index);
        if let Some(ballot) = ballot.filter(|ballot| ballot.commit > last) {
            let what = format!("that entry {} is committed while entry {last} is the last", ballot.commit);
            return Err(StoreError::out_of_place(what));
        }
        Ok(())
    }

    fn change(
        &mut self,
        edit: impl FnOnce(&mut EntryTable<'_>, &mut Facts) -> Result<(), Failure>,
    ) -> Result<(), StoreError> {
        let mut facts = self.facts.clone();
        facts.writes += 1;
        guarded(&self.path, || {
            let transaction = self.database.begin_write()?;
            edit(&mut transaction.open_table(ENTRIES)?, &mut facts)?;
            let content = rmp_serde::to_vec(&facts).expect("facts are plain data");
            let stored = record::encode(FACTS_KEY.as_bytes(), |record| record.extend_from_slice(&content));
            transaction.open_table(FACTS)?.insert(FACTS_KEY, stored.as_slice())?;
            transaction.commit()?;
            Ok(())
        })?;
        self.facts = facts;
        Ok(())
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(LOG_CACHE_BYTES).set_check_integrity_on_open(true);
    builder
}

/// Why something inside the database file did not work.
enum Failure {
    Database(redb::Error),
    Damaged(String),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// Runs something on the database. A damaged file can make redb panic, in its own checks or by reading what is not
/// there; that is a damaged file as well, and no reason to take the process down in the middle of something.
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, StoreError> {
    let done = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Failure::Damaged(format!("the database gave up: {text}")))
    });
    done.map_err(|failure| match failure {
        Failure::Damaged(what) => StoreError::damaged(path, what),
        Failure::Database(redb::Error::DatabaseAlreadyOpen) => {
            StoreError::InUse { path: path.to_owned(), holder: "another process".to_owned() }
        }
        Failure::Database(redb::Error::Io(source)) if !is_damage(&source) => {
            StoreError::Io { action: "use", path: path.to_owned(), source }
        }
        Failure::Database(error) => StoreError::damaged(path, error.to_string()),
    })
}

/// Whether an error of input is one of content: redb reports what is not a database, and what ends too early, so.
fn is_damage(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof)
}

fn read_facts(database: &Database) -> Result<Facts, Failure> {
    let table = database.begin_read()?.open_table(FACTS)?;
    let stored = table.get(FACTS_KEY)?.ok_or_else(|| Failure::Damaged("its facts are missing".to_owned()))?;
    let content = record::decode(FACTS_KEY.as_bytes(), stored.value())
        .map_err(|what| Failure::Damaged(format!("the record of its facts cannot be used: {what}")))?;
    rmp_serde::from_slice(content).map_err(|error| Failure::Damaged(format!("its facts cannot be read: {error}")))
}

fn entry_key(index: u64) -> [u8; 13] {
    let mut key = *b"entry\0\0\0\0\0\0\0\0";
    key[5..].copy_from_slice(&index.to_be_bytes());
    key
}

fn write_entry(entry: &Entry) -> Result<Vec<u8>, Failure> {
    let mut written = Ok(());
    let record = record::encode(&entry_key(entry.index), |record| written = entry.write_to_vec(record));
    written.map_err(|error| Failure::Damaged(format!("entry {} cannot be written: {error}", entry.index)))?;
    Ok(record)
}

fn read_entry(index: u64, stored: &[u8]) -> Result<Entry, Failure> {
    let unusable = |what: String| Failure::Damaged(format!("entry {index} cannot be used: {what}"));
    let content = record::decode(&entry_key(index), stored).map_err(unusable)?;
    let entry = Entry::parse_from_bytes(content).map_err(|error| unusable(error.to_string()))?;
    if entry.index != index {
        return Err(unusable(format!("it is entry {}", entry.index)));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
