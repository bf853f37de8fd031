//! The durable store of a master: what it holds, what it survives and what it refuses.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use akrida::raft::store::{LogStore, RedbStore, Stored, StoredSnapshot};
use raft::eraftpb::{ConfState, Entry, HardState};

mod contents;
mod damage;
mod folder;
mod model;
mod processes;

fn open(folder: &Path) -> RedbStore {
    RedbStore::open(folder).unwrap()
}

/// What is there after the store was closed.
fn reload(folder: &Path) -> Stored {
    open(folder).load().unwrap()
}

fn entry(index: u64, term: u64) -> Entry {
    let data = format!("what entry {index} of term {term} says").into_bytes().into();
    Entry { index, term, data, ..Entry::default() }
}

fn entries(indexes: std::ops::RangeInclusive<u64>, term: u64) -> Vec<Entry> {
    indexes.map(|index| entry(index, term)).collect()
}

fn hard_state(term: u64, vote: u64, commit: u64) -> HardState {
    HardState { term, vote, commit, ..HardState::default() }
}

fn snapshot(index: u64, term: u64) -> StoredSnapshot {
    let conf_state = ConfState { voters: vec![1, 2, 3 + index], ..ConfState::default() };
    StoredSnapshot { index, term, conf_state, data: format!("the state as of {index}").into_bytes().into() }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}
