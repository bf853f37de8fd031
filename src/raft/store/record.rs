//! A record of the log file: a format version, a checksum over its key, version and content, and the content.
//!
//! The database has checksums of its own, but it reads pages without looking at them.

use crc32fast::Hasher;

/// The format of records.
const VERSION: u8 = 1;

/// Version and checksum.
const HEAD_BYTES: usize = 5;

/// The record with what `fill` appends as its content.
pub(super) fn encode(key: &[u8], fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut record = vec![VERSION, 0, 0, 0, 0];
    fill(&mut record);
    let sum = checksum(key, VERSION, &record[HEAD_BYTES..]);
    record[1..HEAD_BYTES].copy_from_slice(&sum.to_le_bytes());
    record
}

/// The content of a record, or what is wrong with it.
pub(super) fn decode<'a>(key: &[u8], record: &'a [u8]) -> Result<&'a [u8], String> {
    let Some((&[version, a, b, c, d], content)) = record.split_first_chunk::<HEAD_BYTES>() else {
        return Err(format!("it has {} bytes", record.len()));
    };
    if checksum(key, version, content) != u32::from_le_bytes([a, b, c, d]) {
        return Err("its checksum is wrong".to_owned());
    }
    if version != VERSION {
        return Err(format!("its format {version} is not known"));
    }
    Ok(content)
}

fn checksum(key: &[u8], version: u8, content: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(key);
    hasher.update(&[version]);
    hasher.update(content);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_only_as_it_was_written_and_under_its_own_key() {
        let record = encode(b"entry 7", |record| record.extend_from_slice(b"content"));
        assert_eq!(decode(b"entry 7", &record).unwrap(), b"content");
        decode(b"entry 8", &record).unwrap_err();
        for length in 0..record.len() {
            decode(b"entry 7", &record[..length]).unwrap_err();
        }
        for bit in 0..record.len() * 8 {
            let mut flipped = record.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            decode(b"entry 7", &flipped).unwrap_err();
        }
    }
}
