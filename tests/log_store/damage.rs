//! Files that are not what was written. The outcome is an error that says what to do, or exactly what was written.

use std::fs;
use std::path::Path;

use akrida::raft::store::backup::{read_backup, write_backup};
use akrida::raft::store::{LogStore, RedbStore, StoreError, Stored};

use super::{copy_folder, entries, entry, hard_state, open, reload, snapshot};

/// A folder with two snapshots and a log that begins before the older one.
fn sample(folder: &Path) -> Stored {
    let mut store = open(folder);
    store.append(&entries(1..=9, 1), Some(hard_state(1, 1, 8))).unwrap();
    store.save_snapshot(&snapshot(4, 1)).unwrap();
    store.save_snapshot(&snapshot(7, 1)).unwrap();
    store.compact(3).unwrap();
    store.load().unwrap()
}

fn open_and_load(folder: &Path) -> Result<Stored, StoreError> {
    RedbStore::open(folder).and_then(|mut store| store.load())
}

/// The bytes with each bit flipped in turn, and cut at each place.
fn spoilt(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let flipped = (0..bytes.len()).flat_map(|at| [0, 3, 7].map(|bit| (at, bit))).map(|(at, bit)| {
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << bit;
        flipped
    });
    flipped.chain((0..bytes.len()).map(|length| bytes[..length].to_vec()))
}

#[test]
fn a_damaged_newest_snapshot_is_set_aside_and_the_one_before_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sample(folder.path());
    let expected = Stored { snapshot: Some(snapshot(4, 1)), ..whole };
    let newest = folder.path().join("snapshot-7-1.akrida");
    let bytes = fs::read(&newest).unwrap();
    for spoilt in spoilt(&bytes).step_by(3) {
        fs::write(&newest, spoilt).unwrap();
        assert_eq!(reload(folder.path()), expected);
        assert!(!newest.exists() && folder.path().join("snapshot-7-1.akrida.damaged").exists());
    }
    let mut store = open(folder.path());
    store.load().unwrap();
    assert!(matches!(store.compact(5).unwrap_err(), StoreError::OutOfPlace { .. }), "only 4 is covered");
    store.save_snapshot(&snapshot(6, 1)).unwrap();
    store.compact(6).unwrap();
    drop(store);
    let stored = reload(folder.path());
    assert_eq!((stored.snapshot, stored.entries), (Some(snapshot(6, 1)), entries(7..=9, 1)));
    assert!(folder.path().join("snapshot-4-1.akrida").exists());
    assert!(!folder.path().join("snapshot-7-1.akrida.damaged").exists());
}

#[test]
fn a_damaged_snapshot_that_the_log_needs_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    sample(folder.path());
    open(folder.path()).compact(5).unwrap();
    let newest = folder.path().join("snapshot-7-1.akrida");
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[1..]).unwrap();
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the log begins after entry 5, but the snapshots end with 4"), "{error}");
    fs::write(&newest, &bytes).unwrap();
    assert_eq!(reload(folder.path()).snapshot, Some(snapshot(7, 1)));
}

#[test]
fn without_a_good_snapshot_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    sample(folder.path());
    for name in ["snapshot-4-1.akrida", "snapshot-7-1.akrida"] {
        fs::write(folder.path().join(name), "").unwrap();
    }
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("snapshot-7-1.akrida is damaged: it is cut off"), "{error}");
    for name in ["snapshot-4-1.akrida", "snapshot-7-1.akrida"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("the snapshots end with") || error.contains("none is there"), "{error}");
}

#[test]
fn a_snapshot_under_another_name_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sample(folder.path());
    fs::copy(folder.path().join("snapshot-4-1.akrida"), folder.path().join("snapshot-8-1.akrida")).unwrap();
    write_backup(&folder.path().join("snapshot-9-1.akrida"), &snapshot(9, 1), b"").unwrap();
    fs::write(folder.path().join("snapshot-010-1.akrida"), "not a name of ours").unwrap();
    assert_eq!(reload(folder.path()), whole);
}

#[test]
fn a_snapshot_that_was_written_just_before_a_crash_counts() {
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sample(folder.path());
    open(other.path()).save_snapshot(&snapshot(20, 3)).unwrap();
    fs::copy(other.path().join("snapshot-20-3.akrida"), folder.path().join("snapshot-20-3.akrida")).unwrap();
    for _ in 0..2 {
        let stored = reload(folder.path());
        assert_eq!((stored.entries, stored.snapshot), (vec![], Some(snapshot(20, 3))));
        assert_eq!(stored.hard_state, hard_state(3, 0, 20));
    }
    open(folder.path()).append(&[entry(21, 3)], None).unwrap();
}

#[test]
fn a_snapshot_that_contradicts_committed_entries_is_an_error() {
    let [folder, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sample(folder.path());
    open(other.path()).save_snapshot(&snapshot(7, 2)).unwrap();
    fs::copy(other.path().join("snapshot-7-2.akrida"), folder.path().join("snapshot-7-2.akrida")).unwrap();
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("contradict each other"), "{error}");
}

#[test]
fn any_damage_to_the_small_files_is_harmless_or_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sample(folder.path());
    for name in ["FORMAT", "ACKNOWLEDGED", "LOCK"] {
        let path = folder.path().join(name);
        let bytes = fs::read(&path).unwrap();
        for spoilt in spoilt(&bytes) {
            fs::write(&path, spoilt).unwrap();
            match open_and_load(folder.path()) {
                Ok(stored) => assert!(stored == whole && name != "FORMAT", "{name}"),
                Err(StoreError::Damaged { path: at, .. } | StoreError::Newer { path: at, .. }) => {
                    assert!(at == path && name == "FORMAT", "{name}");
                }
                Err(error) => panic!("{error}"),
            }
        }
        fs::write(&path, bytes).unwrap();
    }
    for name in ["ACKNOWLEDGED", "LOCK"] {
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    assert_eq!(reload(folder.path()), whole);
}

#[test]
fn a_log_that_is_missing_empty_foreign_or_old_is_an_error() {
    let [folder, old] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    sample(folder.path());
    copy_folder(folder.path(), old.path());
    open(folder.path()).append(&[entry(10, 1)], None).unwrap();
    let log = folder.path().join("log.redb");
    fs::copy(old.path().join("log.redb"), &log).unwrap();
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("were acknowledged") && error.contains("cluster replace"), "{error}");
    for content in ["", "x", &"not a database ".repeat(10_000)] {
        fs::write(&log, content).unwrap();
        let error = open_and_load(folder.path()).unwrap_err();
        assert!(matches!(&error, StoreError::Damaged { path, .. } if *path == log), "{error}");
    }
    fs::remove_file(&log).unwrap();
    let error = open_and_load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("log.redb is damaged: it is missing"), "{error}");
}

#[test]
fn a_log_file_cut_or_changed_anywhere_is_whole_or_refused() {
    let [folder, spoilt] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let whole = sample(folder.path());
    let bytes = fs::read(folder.path().join("log.redb")).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let mut refused = 0;
    for _ in 0..250 {
        copy_folder(folder.path(), spoilt.path());
        let mut bytes = bytes.clone();
        match random.u8(0..4) {
            0 => bytes.truncate(random.usize(..bytes.len())),
            1 => bytes.truncate(random.usize(..bytes.len() / 512) * 512),
            2 => bytes.chunks_mut(512).nth(random.usize(..100)).unwrap().reverse(),
            _ => bytes.chunks_mut(4_096).nth(random.usize(..12)).unwrap().fill(0),
        }
        fs::write(spoilt.path().join("log.redb"), bytes).unwrap();
        match open_and_load(spoilt.path()) {
            Ok(stored) => assert_eq!(stored, whole),
            Err(StoreError::Damaged { .. }) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn a_backup_that_is_not_what_was_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    write_backup(&path, &snapshot(8, 3), b"members").unwrap();
    let bytes = fs::read(&path).unwrap();
    for spoilt in spoilt(&bytes) {
        fs::write(&path, spoilt).unwrap();
        let error = read_backup(&path).unwrap_err();
        assert!(matches!(error, StoreError::BadBackup { .. } | StoreError::Newer { .. }), "{error}");
    }
    fs::write(&path, [&bytes[..], b"x"].concat()).unwrap();
    assert!(matches!(read_backup(&path).unwrap_err(), StoreError::BadBackup { .. }));
    sample(&folder.path().join("data"));
    let own = folder.path().join("data/snapshot-7-1.akrida");
    assert!(matches!(read_backup(&own).unwrap_err(), StoreError::BadBackup { .. }));
    assert!(matches!(read_backup(folder.path()).unwrap_err(), StoreError::BadBackup { .. }));
    assert!(matches!(read_backup(Path::new("/dev/zero")).unwrap_err(), StoreError::BadBackup { .. }));
    assert!(matches!(read_backup(&folder.path().join("none")).unwrap_err(), StoreError::Io { .. }));
}
