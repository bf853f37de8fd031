//! The snapshots of a data folder: `snapshot-INDEX-TERM.akrida`, the newest two.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use akrida_core::limits::SNAPSHOTS_KEPT;
use tracing::warn;

use super::error::StoreError;
use super::facts::Position;
use super::snapshot_file::{Kind, Unusable};
use super::{StoredSnapshot, durable_file, snapshot_file};

const PREFIX: &str = "snapshot-";
const SUFFIX: &str = ".akrida";

/// What a damaged snapshot is called after its name.
const SET_ASIDE: &str = ".damaged";

/// The snapshots in a data folder.
pub(super) struct SnapshotFolder {
    folder: PathBuf,
}

impl SnapshotFolder {
    /// Those in this folder. Files that were never finished are removed.
    pub(super) fn open(folder: &Path) -> Result<Self, StoreError> {
        let snapshots = Self { folder: folder.to_owned() };
        snapshots.remove(|name| name.ends_with(durable_file::UNFINISHED))?;
        Ok(snapshots)
    }

    /// Writes a snapshot, then removes all but the newest.
    pub(super) fn save(&self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        let position = Position { index: snapshot.index, term: snapshot.term };
        snapshot_file::write(&self.folder.join(name_of(position)), Kind::Snapshot, snapshot, &[])?;
        let kept: Vec<String> = self.list()?.into_iter().take(SNAPSHOTS_KEPT).map(name_of).collect();
        self.remove(|name| !kept.iter().any(|kept| kept == name))
    }

    /// The newest snapshot that is as it was written. Newer ones that are not are set aside, with a warning. Without a
    /// good one, a damaged one is an error.
    pub(super) fn newest(&self) -> Result<Option<StoredSnapshot>, StoreError> {
        let mut damaged = Vec::new();
        let mut good = None;
        for position in self.list()? {
            let path = self.folder.join(name_of(position));
            match read(&path, position) {
                Ok(snapshot) => {
                    good = Some(snapshot);
                    break;
                }
                Err(Unusable::Io(source)) => return Err(StoreError::io("read", &path)(source)),
                Err(Unusable::Newer(version)) => damaged.push((path, format!("its format {version} is not known"))),
                Err(Unusable::Damaged(what)) => damaged.push((path, what)),
            }
        }
        if good.is_none() {
            return match damaged.into_iter().next() {
                Some((path, what)) => Err(StoreError::Damaged { path, what }),
                None => Ok(None),
            };
        }
        for (path, what) in damaged {
            warn!(path = %path.display(), what, "a snapshot is damaged; the one before it is used");
            let mut aside = OsString::from(&path);
            aside.push(SET_ASIDE);
            fs::rename(&path, aside).map_err(StoreError::io("rename", &path))?;
        }
        Ok(good)
    }

    /// Removes all snapshots, for good when it returns.
    pub(super) fn clear(&self) -> Result<(), StoreError> {
        self.remove(|_| true)?;
        durable_file::sync_folder(&self.folder)
    }

    /// Where the snapshots are that seem to be there, the newest first.
    fn list(&self) -> Result<Vec<Position>, StoreError> {
        let mut found: Vec<Position> = self.names()?.iter().filter_map(|name| position_of(name)).collect();
        found.sort_unstable_by_key(|position| std::cmp::Reverse((position.index, position.term)));
        Ok(found)
    }

    /// Removes those files of snapshots whose name is meant.
    fn remove(&self, is_meant: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        for name in self.names()?.iter().filter(|name| is_meant(name)) {
            let path = self.folder.join(name);
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                removed => removed.map_err(StoreError::io("remove", &path))?,
            }
        }
        Ok(())
    }

    /// The names of all files that are snapshots, or were, or were to be.
    fn names(&self) -> Result<Vec<String>, StoreError> {
        let listed = fs::read_dir(&self.folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = listed.map_err(StoreError::io("list", &self.folder))?;
        let names = listed.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
        let whole = |name: &String| {
            let name = name.strip_suffix(durable_file::UNFINISHED).unwrap_or(name);
            position_of(name.strip_suffix(SET_ASIDE).unwrap_or(name)).is_some()
        };
        Ok(names.filter(whole).collect())
    }
}

/// Reads the snapshot that a name promises.
fn read(path: &Path, position: Position) -> Result<StoredSnapshot, Unusable> {
    let (snapshot, _) = snapshot_file::read(path, Kind::Snapshot)?;
    if (Position { index: snapshot.index, term: snapshot.term }) != position {
        let what = format!("it holds index {} of term {}", snapshot.index, snapshot.term);
        return Err(Unusable::Damaged(what));
    }
    Ok(snapshot)
}

fn name_of(position: Position) -> String {
    format!("{PREFIX}{}-{}{SUFFIX}", position.index, position.term)
}

/// The place that a name stands for, if it is written as [`name_of`] writes it.
fn position_of(name: &str) -> Option<Position> {
    let (index, term) = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.split_once('-')?;
    let position = Position { index: index.parse().ok()?, term: term.parse().ok()? };
    (name_of(position) == name).then_some(position)
}
