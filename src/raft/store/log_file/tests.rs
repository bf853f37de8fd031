#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use akrida_core::ids::{ClusterId, RaftId};
use raft::eraftpb::Entry;
use redb::StorageBackend;

use super::*;

/// A disk in memory whose content can be seen and changed, and which can fail.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
struct DiskState {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What may be on the disk if the power fails during a sync.
    torn: Vec<Vec<u8>>,
    /// How many of those to make for each sync.
    torn_per_sync: usize,
    sync_fails: bool,
    has_no_space: bool,
    /// The pages that were read.
    read: BTreeSet<usize>,
}

/// What the database reads and writes.
const PAGE_BYTES: usize = 4_096;

/// What a disk writes whole.
const SECTOR_BYTES: usize = 512;

impl Disk {
    fn with(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.state().bytes = bytes;
        disk
    }

    fn state(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap()
    }

    fn content(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }
}

impl DiskState {
    /// The durable content with some of the sectors that were written since, in no order.
    fn tear(&self, random: &mut fastrand::Rng) -> Vec<u8> {
        let mut torn = self.durable.clone();
        torn.resize(self.bytes.len(), 0);
        let share = random.f64();
        for start in (0..torn.len()).step_by(SECTOR_BYTES) {
            if random.f64() < share {
                let end = (start + SECTOR_BYTES).min(torn.len());
                torn[start..end].copy_from_slice(&self.bytes[start..end]);
            }
        }
        torn
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let mut state = self.state();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        state.read.extend(start / PAGE_BYTES..(start + out.len()).div_ceil(PAGE_BYTES));
        let found = state.bytes.get(start..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), io::Error> {
        if self.state().has_no_space {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.state().bytes.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut state = self.state();
        if state.sync_fails {
            return Err(io::Error::other("the disk is broken"));
        }
        let mut random = fastrand::Rng::with_seed(state.torn.len() as u64);
        let torn: Vec<_> = (0..state.torn_per_sync).map(|_| state.tear(&mut random)).collect();
        state.torn.extend(torn);
        state.durable = state.bytes.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        self.state().bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn path() -> &'static Path {
    Path::new("log.redb")
}

fn entry(index: u64, term: u64, bytes: usize) -> Entry {
    let data = (0..bytes).map(|at| (at as u64 ^ index) as u8).collect::<Vec<u8>>().into();
    Entry { index, term, data, ..Entry::default() }
}

/// What a log holds after the writes of [`sample`].
fn sample_entries() -> Vec<Entry> {
    (1..=6).map(|index| entry(index, 1 + index / 4, 30 * index as usize)).collect()
}

/// A log of several transactions: as it is on disk while the process that wrote it runs, and after a clean end.
fn sample() -> ([Vec<u8>; 2], Facts) {
    let disk = Disk::default();
    let mut log = LogFile::create(path(), disk.clone()).unwrap();
    let identity = Identity { cluster_id: Some(ClusterId(7)), raft_id: RaftId(9), name: "one".into() };
    log.set_identity(identity).unwrap();
    for pair in sample_entries().chunks(2) {
        log.append(pair, Some(Ballot { term: pair[1].term, vote: 9, commit: pair[0].index })).unwrap();
    }
    let (running, facts) = (disk.content(), log.facts().clone());
    drop(log);
    ([running, disk.content()], facts)
}

/// Opens a file with these bytes and reads all of it: whether it is what was written, whole. Otherwise it must be an
/// error that says so.
fn is_whole(bytes: Vec<u8>, facts: &Facts) -> bool {
    let read = LogFile::open(path(), Disk::with(bytes), facts.writes).and_then(|log| Ok((log.entries()?, log)));
    match read {
        Err(StoreError::Damaged { .. }) => false,
        Err(error) => panic!("{error}"),
        Ok((entries, log)) => {
            assert_eq!(entries, sample_entries());
            assert_eq!(log.facts(), facts);
            true
        }
    }
}

#[test]
fn a_log_is_whole_after_a_clean_end_and_without_one() {
    let (images, facts) = sample();
    for image in images {
        assert!(is_whole(image, &facts));
    }
}

/// The bits to flip in all pages that are read: all of the start, one of each byte where the content is, and some of the
/// rest, which is mostly unused.
fn bits_that_matter(image: &[u8]) -> Vec<usize> {
    let disk = Disk::with(image.to_vec());
    LogFile::open(path(), disk.clone(), 0).unwrap().entries().unwrap();
    let pages = disk.state().read.clone();
    let in_page = |page: usize| {
        let offsets = (0..PAGE_BYTES).filter(|at| *at < 320 || at % 256 == 0).map(move |at| page * PAGE_BYTES + at);
        offsets.flat_map(move |at| (0..8).filter(move |bit| at < 64 || *bit == at % 8).map(move |bit| at * 8 + bit))
    };
    pages.into_iter().flat_map(in_page).filter(|bit| bit / 8 < image.len()).collect()
}

/// Flips each of the bits that matter in turn; most must be noticed.
fn flips_are_noticed(image: &[u8], facts: &Facts) {
    let bits = bits_that_matter(image);
    let is_noticed = |bit: &&usize| !is_whole(flipped(image, **bit), facts);
    let noticed = bits.iter().filter(is_noticed).count();
    assert!(noticed > 1_000, "only {noticed} of {} flips were noticed", bits.len());
}

fn flipped(image: &[u8], bit: usize) -> Vec<u8> {
    let mut flipped = image.to_vec();
    flipped[bit / 8] ^= 1 << (bit % 8);
    flipped
}

#[test]
fn a_flipped_bit_never_changes_what_is_read_after_a_crash() {
    let ([running, _], facts) = sample();
    flips_are_noticed(&running, &facts);
}

#[test]
fn a_flipped_bit_never_changes_what_is_read_after_a_clean_end() {
    let ([_, clean], facts) = sample();
    flips_are_noticed(&clean, &facts);
}

#[test]
fn a_log_cut_anywhere_is_whole_or_refused() {
    let (images, facts) = sample();
    for image in images {
        for length in 0..image.len() {
            is_whole(image[..length].to_vec(), &facts);
        }
    }
}

#[test]
fn the_count_of_acknowledged_writes_notices_a_commit_that_was_lost() {
    let ([running, _], facts) = sample();
    let forgets = |bit: usize| {
        let log = LogFile::open(path(), Disk::with(flipped(&running, bit)), 0);
        log.is_ok_and(|log| log.facts().writes < facts.writes)
    };
    let bit = bits_that_matter(&running).into_iter().find(|bit| forgets(*bit)).expect("a bit that undoes a commit");
    let refused = LogFile::open(path(), Disk::with(flipped(&running, bit)), facts.writes).err().unwrap();
    assert!(refused.to_string().contains("were acknowledged"), "{refused}");
}

#[test]
fn a_power_failure_loses_nothing_acknowledged_and_halves_nothing() {
    let disk = Disk::default();
    let mut log = LogFile::create(path(), disk.clone()).unwrap();
    disk.state().torn_per_sync = 12;
    let mut random = fastrand::Rng::with_seed(1);
    let mut before = (Vec::new(), log.facts().clone());
    for turn in 0..40 {
        let first = random.u64(log.facts().ballot.commit + 1..=log.last() + 1);
        let entries: Vec<Entry> = (first..first + random.u64(1..4)).map(|at| entry(at, turn, 700)).collect();
        log.append(&entries, Some(Ballot { term: turn, vote: 0, commit: first - 1 })).unwrap();
        let after = (log.entries().unwrap(), log.facts().clone());
        for torn in std::mem::take(&mut disk.state().torn) {
            let log = LogFile::open(path(), Disk::with(torn), before.1.writes).unwrap();
            let read = (log.entries().unwrap(), log.facts().clone());
            assert!(read == before || read == after, "after write {}: {:?}", before.1.writes, read.1);
        }
        before = after;
    }
}

#[test]
fn a_sync_that_fails_is_an_error_and_what_was_acknowledged_stays() {
    let disk = Disk::default();
    let mut log = LogFile::create(path(), disk.clone()).unwrap();
    log.append(&[entry(1, 1, 10)], None).unwrap();
    let durable = disk.state().durable.clone();
    disk.state().sync_fails = true;
    let error = log.append(&[entry(2, 1, 10)], None).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert_eq!(LogFile::open(path(), Disk::with(durable), 2).unwrap().entries().unwrap(), [entry(1, 1, 10)]);
}

#[test]
fn a_full_disk_is_an_error_and_what_was_acknowledged_stays() {
    let disk = Disk::default();
    let mut log = LogFile::create(path(), disk.clone()).unwrap();
    disk.state().has_no_space = true;
    let failed =
        (1..100).find_map(|index| log.append(&[entry(index, 1, 4_000)], None).err().map(|error| (index, error)));
    let (index, error) = failed.expect("no space is left at some time");
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    let reopened = LogFile::open(path(), Disk::with(disk.state().durable.clone()), log.facts().writes).unwrap();
    assert_eq!(reopened.entries().unwrap().len() as u64, index - 1);
}

#[test]
fn a_wrong_record_in_a_sound_database_is_named() {
    let disk = Disk::default();
    let mut log = LogFile::create(path(), disk.clone()).unwrap();
    log.append(&(1..=5).map(|index| entry(index, 1, 10)).collect::<Vec<_>>(), None).unwrap();
    let facts = log.facts().clone();
    for (index, record, what) in [
        (3, Some(write_entry(&entry(4, 1, 10)).ok().unwrap()), "entry 3 cannot be used: its checksum is wrong"),
        (3, Some(write_entry(&entry(3, 0, 10)).ok().unwrap()), "entry 3 has term 0 after term 1"),
        (3, Some(Vec::new()), "entry 3 cannot be used: it has 0 bytes"),
        (3, None, "entry 4 follows entry 2"),
        (7, Some(write_entry(&entry(7, 1, 10)).ok().unwrap()), "entry 7 follows entry 5"),
    ] {
        let disk = Disk::with(disk.content());
        let mut log = LogFile::open(path(), disk.clone(), facts.writes).unwrap();
        log.change(|table, _| {
            match &record {
                Some(record) => table.insert(index, record.as_slice())?,
                None => table.remove(index)?,
            };
            Ok(())
        })
        .unwrap();
        let error = log.entries().unwrap_err().to_string();
        assert!(
            error.contains(what) && error.contains("log.redb") && error.contains("akrida cluster replace"),
            "{error}"
        );
    }
}

#[test]
fn what_would_break_the_log_is_refused_and_changes_nothing() {
    let mut log = LogFile::create(path(), Disk::default()).unwrap();
    log.append(&[entry(1, 1, 1), entry(2, 1, 1), entry(3, 1, 1)], Some(Ballot { term: 1, vote: 0, commit: 2 }))
        .unwrap();
    let before = (log.entries().unwrap(), log.facts().clone());
    let commits = |commit| Some(Ballot { term: 1, vote: 0, commit });
    for (entries, ballot) in [
        (vec![entry(0, 1, 1)], None),
        (vec![entry(2, 2, 1)], None),
        (vec![entry(5, 2, 1)], None),
        (vec![entry(4, 2, 1), entry(6, 2, 1)], None),
        (vec![entry(4, 2, 1), entry(4, 2, 1)], None),
        (vec![entry(u64::MAX, 2, 1)], None),
        (vec![], commits(4)),
        (vec![entry(3, 2, 1)], commits(4)),
    ] {
        let error = log.append(&entries, ballot).unwrap_err();
        assert!(matches!(error, StoreError::OutOfPlace { .. }), "{error}");
    }
    assert!(matches!(log.compact(4).unwrap_err(), StoreError::OutOfPlace { .. }));
    assert_eq!((log.entries().unwrap(), log.facts().clone()), before);
    log.append(&[entry(3, 2, 1), entry(4, 2, 1)], commits(4)).unwrap();
}
