//! The format of a file that holds a snapshot: a checked head, then the body.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | what kind of file it is |
//! | 4 | format version, little-endian like all numbers here |
//! | 8 | length of the body |
//! | 4 | CRC-32 of the 20 bytes before and of the body |
//! | 8 + 8 | index and term of the last entry that is part of the state |
//! | 4 + 4 | lengths of the next two parts |
//! | … | the group, in protobuf |
//! | … | the members, in a backup |
//! | … | the state |

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use bytes::{Buf, Bytes};
use crc32fast::Hasher;
use protobuf::Message;
use raft::eraftpb::ConfState;

use super::error::StoreError;
use super::{StoredSnapshot, durable_file};

/// The format that is written.
pub(super) const VERSION: u32 = 1;

/// Kind, version and length.
const CHECKED_HEAD_BYTES: usize = 20;

/// The checked head and the checksum.
const HEAD_BYTES: usize = CHECKED_HEAD_BYTES + 4;

/// The numbers at the start of the body.
const NUMBERS_BYTES: usize = 24;

/// What a file is for, so that none is taken for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A master's own.
    Snapshot,
    /// For an operator to keep.
    Backup,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It cannot be read.
    Io(io::Error),
    /// Its format is newer.
    Newer(u32),
    /// It is not what was written.
    Damaged(String),
}

/// Writes a file as a whole or not at all.
pub(super) fn write(path: &Path, kind: Kind, snapshot: &StoredSnapshot, members: &[u8]) -> Result<(), StoreError> {
    let (head, before) = before_state(kind, snapshot, members)?;
    durable_file::write(path, |file| {
        [&head[..], &before, &snapshot.data].into_iter().try_for_each(|part| file.write_all(part))
    })
}

/// The content of a file.
pub(super) fn to_bytes(kind: Kind, snapshot: &StoredSnapshot, members: &[u8]) -> Result<Vec<u8>, StoreError> {
    let (head, before) = before_state(kind, snapshot, members)?;
    Ok([&head[..], &before, &snapshot.data].concat())
}

/// The head, and the body up to the state.
fn before_state(
    kind: Kind,
    snapshot: &StoredSnapshot,
    members: &[u8],
) -> Result<([u8; HEAD_BYTES], Vec<u8>), StoreError> {
    let too_long = |_| StoreError::out_of_place("a snapshot whose group or members are longer than 4 GiB");
    let group = snapshot.conf_state.write_to_bytes().expect("a message without required fields can be written");
    let mut before = Vec::with_capacity(NUMBERS_BYTES + group.len() + members.len());
    before.extend_from_slice(&snapshot.index.to_le_bytes());
    before.extend_from_slice(&snapshot.term.to_le_bytes());
    before.extend_from_slice(&u32::try_from(group.len()).map_err(too_long)?.to_le_bytes());
    before.extend_from_slice(&u32::try_from(members.len()).map_err(too_long)?.to_le_bytes());
    before.extend_from_slice(&group);
    before.extend_from_slice(members);
    Ok((head(kind, &[&before, &snapshot.data]), before))
}

/// Reads a file: the snapshot and the members.
pub(super) fn read(path: &Path, kind: Kind) -> Result<(StoredSnapshot, Bytes), Unusable> {
    let file = File::open(path).map_err(Unusable::Io)?;
    let metadata = file.metadata().map_err(Unusable::Io)?;
    if !metadata.is_file() {
        return Err(Unusable::Damaged("it is not a regular file".to_owned()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default());
    (&file).take(metadata.len()).read_to_end(&mut bytes).map_err(Unusable::Io)?;
    of_bytes(Bytes::from(bytes), kind)
}

/// Reads the content of a file: the snapshot and the members.
pub(super) fn of_bytes(bytes: Bytes, kind: Kind) -> Result<(StoredSnapshot, Bytes), Unusable> {
    let body = checked_body(bytes, kind)?;
    decode(body).ok_or_else(|| Unusable::Damaged("its content cannot be read".to_owned()))
}

fn magic(kind: Kind) -> &'static [u8; 8] {
    match kind {
        Kind::Snapshot => b"AKRIDA S",
        Kind::Backup => b"AKRIDA B",
    }
}

fn head(kind: Kind, body: &[&[u8]]) -> [u8; HEAD_BYTES] {
    let length: usize = body.iter().map(|part| part.len()).sum();
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(magic(kind));
    head[8..12].copy_from_slice(&VERSION.to_le_bytes());
    head[12..CHECKED_HEAD_BYTES].copy_from_slice(&(length as u64).to_le_bytes());
    let sum = checksum(&head[..CHECKED_HEAD_BYTES], body);
    head[CHECKED_HEAD_BYTES..].copy_from_slice(&sum.to_le_bytes());
    head
}

fn checksum(head: &[u8], body: &[&[u8]]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(head);
    body.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

fn checked_body(mut bytes: Bytes, kind: Kind) -> Result<Bytes, Unusable> {
    let damaged = |what: &str| Err(Unusable::Damaged(what.to_owned()));
    if bytes.len() < HEAD_BYTES {
        return damaged("it is cut off");
    }
    let head = bytes.split_to(HEAD_BYTES);
    let (checked, mut rest) = (&head[..CHECKED_HEAD_BYTES], &head[8..]);
    if &head[..8] != magic(kind) {
        return damaged("it is not such a file");
    }
    let (version, length, sum) = (rest.get_u32_le(), rest.get_u64_le(), rest.get_u32_le());
    if version > VERSION {
        return Err(Unusable::Newer(version));
    }
    if length != bytes.len() as u64 {
        return Err(Unusable::Damaged(format!("{} of {length} bytes are there", bytes.len())));
    }
    if checksum(checked, &[&bytes]) != sum {
        return damaged("its checksum is wrong");
    }
    Ok(bytes)
}

fn decode(mut body: Bytes) -> Option<(StoredSnapshot, Bytes)> {
    let (index, term) = (body.try_get_u64_le().ok()?, body.try_get_u64_le().ok()?);
    let group_bytes = usize::try_from(body.try_get_u32_le().ok()?).ok()?;
    let members_bytes = usize::try_from(body.try_get_u32_le().ok()?).ok()?;
    if group_bytes.checked_add(members_bytes)? > body.len() {
        return None;
    }
    let conf_state = ConfState::parse_from_bytes(&body.split_to(group_bytes)).ok()?;
    let members = body.split_to(members_bytes);
    Some((StoredSnapshot { index, term, conf_state, data: body }, members))
}
