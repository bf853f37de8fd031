//! A write that fails, and a panic, end the process. Each is tried in a process of its own: this test, started again.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use actix::Actor;
use akrida::raft::peers::{PeerFrame, PeerSender};
use akrida::raft::store::{
    HardState, Identity, LogStore, MemoryStore, StoreError, Stored, StoredEntry, StoredSnapshot,
};
use akrida::raft::{RaftOptions, start};
use bytes::Bytes;

use crate::machine::Machine;

const FAULT: &str = "AKRIDA_TEST_RAFT_FAULT";

#[test]
fn a_failed_write_ends_the_process() {
    let (code, says) = child("write");
    assert_eq!(code, Some(70), "{says}");
    assert!(says.contains("cannot write raft.log: No space left"), "{says}");
}

#[test]
fn a_panic_ends_the_process() {
    let (code, says) = child("panic");
    assert_eq!(code, Some(70), "{says}");
    assert!(says.contains("thread raft-log panicked: the disk is on fire"), "{says}");
}

fn child(fault: &str) -> (Option<i32>, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "failures::a_process_with_a_fault", "--ignored", "--nocapture"])
        .env(FAULT, fault)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[ignore = "started by the other tests as a process of its own"]
#[actix::test]
async fn a_process_with_a_fault() {
    let fault = std::env::var(FAULT).unwrap();
    let options = RaftOptions::new("a".into(), vec!["a".into()], 0);
    let machine = Machine::default();
    Machine::create(|context| {
        let events = actix::AsyncContext::address(context).recipient();
        let store = Box::new(Faulty { store: MemoryStore::default(), appends: 0, fault });
        let (handle, _) = start(options, store, Box::new(Nobody), events).unwrap();
        machine.give(handle);
        machine.clone()
    });
    std::future::pending::<()>().await;
}

struct Nobody;

impl PeerSender for Nobody {
    fn send(&self, _: &str, _: PeerFrame, _: Bytes) -> bool {
        false
    }
}

/// Founds the cluster, and then fails.
struct Faulty {
    store: MemoryStore,
    appends: usize,
    fault: String,
}

impl LogStore for Faulty {
    fn load(&mut self) -> Result<Stored, StoreError> {
        self.store.load()
    }

    fn append(&mut self, entries: &[StoredEntry], hard_state: Option<HardState>) -> Result<(), StoreError> {
        self.appends += 1;
        if self.appends > 1 {
            if self.fault == "panic" {
                panic!("the disk is on fire");
            }
            let source = std::io::Error::from_raw_os_error(28);
            return Err(StoreError::Io { action: "write", path: "raft.log".into(), source });
        }
        self.store.append(entries, hard_state)
    }

    fn save_snapshot(&mut self, snapshot: &StoredSnapshot) -> Result<(), StoreError> {
        self.store.save_snapshot(snapshot)
    }

    fn compact(&mut self, up_to: u64) -> Result<(), StoreError> {
        self.store.compact(up_to)
    }

    fn purge(&mut self) -> Result<(), StoreError> {
        self.store.purge()
    }

    fn identity(&self) -> Option<Identity> {
        self.store.identity()
    }

    fn set_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        self.store.set_identity(identity)
    }
}
