//! The data folder: whose it is, which format it has, and what a first start leaves when it is interrupted.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use akrida::raft::store::{LogStore, RedbStore, StoreError, Stored};

use super::{copy_folder, entries, open, reload};

fn refusal(folder: &Path) -> StoreError {
    RedbStore::open(folder).err().expect("a refusal")
}

#[test]
fn only_one_store_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
    drop(store);
    open(folder.path());
}

#[test]
fn a_folder_of_a_newer_version_is_refused_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    fs::write(folder.path().join("FORMAT"), "akrida data folder, format 2\n").unwrap();
    let before = fs::read(folder.path().join("log.redb")).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::Newer { found: 2, supported: 1, .. }), "{error}");
    assert!(error.to_string().contains("has format 2, but this version reads formats up to 1"), "{error}");
    assert_eq!(fs::read(folder.path().join("log.redb")).unwrap(), before);
}

#[test]
fn a_folder_with_other_content_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "two years of work").unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::NotADataFolder { .. }), "{error}");
    assert!(error.to_string().contains("thesis.txt"), "{error}");
    assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_log_without_a_format_is_refused_unless_it_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).append(&entries(1..=1, 1), None).unwrap();
    fs::remove_file(folder.path().join("FORMAT")).unwrap();
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::NotADataFolder { .. }), "{error}");
}

#[test]
fn the_root_of_a_new_file_system_will_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lost+found")).unwrap();
    open(folder.path()).append(&entries(1..=1, 1), None).unwrap();
    assert_eq!(reload(folder.path()).entries, entries(1..=1, 1));
}

#[test]
fn an_interrupted_first_start_is_started_again() {
    let whole = tempfile::tempdir().unwrap();
    drop(open(whole.path()));
    for left in [
        &["LOCK"][..],
        &["LOCK", "ACKNOWLEDGED"],
        &["LOCK", "ACKNOWLEDGED", "log.redb.tmp"],
        &["LOCK", "ACKNOWLEDGED", "log.redb"],
        &["LOCK", "ACKNOWLEDGED", "log.redb", "FORMAT.tmp"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(whole.path(), folder.path());
        fs::copy(whole.path().join("log.redb"), folder.path().join("log.redb.tmp")).unwrap();
        fs::copy(whole.path().join("FORMAT"), folder.path().join("FORMAT.tmp")).unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            if !left.iter().any(|name| file.file_name() == *name) {
                fs::remove_file(file.path()).unwrap();
            }
        }
        let mut store = open(folder.path());
        assert_eq!(store.load().unwrap(), Stored::default(), "{left:?}");
        store.append(&entries(1..=1, 1), None).unwrap();
        drop(store);
        assert_eq!(reload(folder.path()).entries, entries(1..=1, 1), "{left:?}");
    }
}

#[test]
fn an_unfinished_snapshot_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()));
    let unfinished = folder.path().join("snapshot-3-1.akrida.tmp");
    fs::write(&unfinished, "half").unwrap();
    assert_eq!(reload(folder.path()), Stored::default());
    assert!(!unfinished.exists());
}

#[test]
fn nobody_else_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    let mut store = open(&data);
    store.append(&entries(1..=1, 1), None).unwrap();
    store.save_snapshot(&super::snapshot(1, 1)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&data), 0o700);
    for file in fs::read_dir(&data).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path) & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_place_where_nothing_can_be_written_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [Path::new("/proc/akrida"), &file, &file.join("below")] {
        let error = refusal(place);
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
        assert!(error.to_string().contains(place.to_str().unwrap()), "{error}");
    }
}
