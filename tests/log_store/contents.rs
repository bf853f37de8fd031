//! What goes in comes out, also after the store was closed.

use akrida::raft::store::backup::{read_backup, write_backup};
use akrida::raft::store::{Identity, LogStore, StoreError, Stored};
use akrida_core::ids::{ClusterId, RaftId};
use raft::eraftpb::EntryType;

use super::{entries, entry, hard_state, open, reload, snapshot};

fn identity(name: &str) -> Identity {
    Identity { cluster_id: Some(ClusterId(1 << 63)), raft_id: RaftId(u64::MAX), name: name.into() }
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_new_store_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(&folder.path().join("some/data"));
    assert_eq!(store.load().unwrap(), Stored::default());
    assert_eq!(store.identity(), None);
}

#[test]
fn entries_hard_state_and_identity_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = entries(1..=3, 1);
    written[1].set_entry_type(EntryType::EntryConfChangeV2);
    written[1].context = b"context".as_slice().into();
    written[2].data = vec![0xa5; 3 << 20].into();
    let mut store = open(folder.path());
    store.set_identity(identity("one")).unwrap();
    store.append(&written, Some(hard_state(1, 7, 2))).unwrap();
    store.append(&[entry(4, 2)], None).unwrap();
    store.append(&[], Some(hard_state(u64::MAX, u64::MAX, 4))).unwrap();
    store.append(&[], None).unwrap();
    drop(store);
    let mut store = open(folder.path());
    assert_eq!(store.identity(), Some(identity("one")));
    let stored = store.load().unwrap();
    assert_eq!(stored.entries[..3], written);
    assert_eq!(stored.entries[3..], [entry(4, 2)]);
    assert_eq!(stored.hard_state, hard_state(u64::MAX, u64::MAX, 4));
    store.set_identity(identity("two")).unwrap();
    drop(store);
    assert_eq!(open(folder.path()).identity(), Some(identity("two")));
}

#[test]
fn entries_of_a_newer_leader_replace_the_ones_from_there_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&entries(1..=9, 1), Some(hard_state(1, 1, 3))).unwrap();
    store.append(&entries(5..=6, 2), Some(hard_state(2, 0, 4))).unwrap();
    drop(store);
    assert_eq!(reload(folder.path()).entries, [entries(1..=4, 1), entries(5..=6, 2)].concat());
}

#[test]
fn compaction_drops_only_what_the_newest_snapshot_covers() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&entries(1..=9, 1), Some(hard_state(1, 1, 8))).unwrap();
    assert!(matches!(store.compact(1).unwrap_err(), StoreError::OutOfPlace { .. }));
    store.save_snapshot(&snapshot(6, 1)).unwrap();
    assert!(matches!(store.compact(7).unwrap_err(), StoreError::OutOfPlace { .. }));
    assert_eq!(store.load().unwrap().entries, entries(1..=9, 1));
    store.compact(4).unwrap();
    store.compact(3).unwrap();
    store.append(&[entry(10, 2)], None).unwrap();
    drop(store);
    let stored = reload(folder.path());
    assert_eq!(stored.entries, [entries(5..=9, 1), entries(10..=10, 2)].concat());
    assert_eq!(stored.snapshot, Some(snapshot(6, 1)));
    let mut store = open(folder.path());
    store.compact(6).unwrap();
    store.append(&[], Some(hard_state(1, 1, 10))).unwrap();
    store.save_snapshot(&snapshot(10, 2)).unwrap();
    store.compact(10).unwrap();
    assert_eq!(store.load().unwrap().entries, []);
    store.append(&[entry(11, 2)], None).unwrap();
    drop(store);
    assert_eq!(reload(folder.path()).entries, [entry(11, 2)]);
}

#[test]
fn a_snapshot_of_another_master_replaces_the_log() {
    for (own, at) in [(0, 20), (9, 20), (9, 8)] {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        if own > 0 {
            store.append(&entries(1..=own, 1), Some(hard_state(1, 3, 4))).unwrap();
        }
        store.save_snapshot(&snapshot(at, 2)).unwrap();
        let after = store.load().unwrap();
        assert_eq!((after.entries, after.snapshot), (vec![], Some(snapshot(at, 2))));
        assert_eq!(after.hard_state, hard_state(2, 0, at));
        store.append(&[entry(at + 1, 2)], Some(hard_state(3, 2, at))).unwrap();
        drop(store);
        let stored = reload(folder.path());
        assert_eq!((stored.entries, stored.hard_state), (vec![entry(at + 1, 2)], hard_state(3, 2, at)));
    }
}

#[test]
fn a_snapshot_that_is_not_newer_changes_nothing_and_one_that_contradicts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&entries(1..=9, 1), Some(hard_state(1, 1, 9))).unwrap();
    store.save_snapshot(&snapshot(6, 1)).unwrap();
    store.compact(6).unwrap();
    let before = store.load().unwrap();
    store.save_snapshot(&snapshot(5, 1)).unwrap();
    store.save_snapshot(&snapshot(6, 1)).unwrap();
    for wrong in [snapshot(7, 2), snapshot(0, 0)] {
        assert!(matches!(store.save_snapshot(&wrong).unwrap_err(), StoreError::OutOfPlace { .. }));
    }
    assert_eq!(store.load().unwrap(), before);
    drop(store);
    assert_eq!(reload(folder.path()), before);
}

#[test]
fn the_newest_two_snapshots_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.append(&entries(1..=12, 1), Some(hard_state(1, 1, 12))).unwrap();
    for index in [2, 9, 10, 11] {
        store.save_snapshot(&snapshot(index, 1)).unwrap();
    }
    let expected = ["ACKNOWLEDGED", "FORMAT", "LOCK", "log.redb", "snapshot-10-1.akrida", "snapshot-11-1.akrida"];
    assert_eq!(names(folder.path()), expected);
}

#[test]
fn a_purged_store_is_as_new_but_for_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.set_identity(identity("one")).unwrap();
    store.append(&entries(1..=9, 1), Some(hard_state(1, 1, 9))).unwrap();
    store.save_snapshot(&snapshot(6, 1)).unwrap();
    store.compact(6).unwrap();
    store.purge().unwrap();
    assert_eq!((store.load().unwrap(), store.identity()), (Stored::default(), Some(identity("one"))));
    assert_eq!(names(folder.path()), ["ACKNOWLEDGED", "FORMAT", "LOCK", "log.redb"]);
    store.append(&[entry(1, 5)], None).unwrap();
    drop(store);
    assert_eq!(reload(folder.path()).entries, [entry(1, 5)]);
}

#[test]
fn a_backup_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cluster.backup");
    for members in [b"".as_slice(), b"members"] {
        write_backup(&path, &snapshot(8, 3), members).unwrap();
        let (state, found) = read_backup(&path).unwrap();
        assert_eq!((state, &found[..]), (snapshot(8, 3), members));
    }
    assert_eq!(names(folder.path()), ["cluster.backup"]);
}
