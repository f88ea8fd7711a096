//! Record batches (magic 2, not compressed), written and read by hand, for tests that change
//! single bytes or must know which batches an answer has.

use std::time::{SystemTime, UNIX_EPOCH};

/// Bytes of a batch before its first record.
pub const HEADER: usize = 61;
/// What the checksum covers begins here.
const CHECKED_FROM: usize = 21;

/// A record's key and value.
pub type Record<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// A batch as it stands in a log or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub base_offset: i64,
    /// The offset after it.
    pub next_offset: i64,
    pub bytes: Vec<u8>,
}

/// The wall clock, for timestamps.
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("not so late")
}

/// A batch of records that have all the same timestamp.
pub fn of(records: &[Record], timestamp_ms: i64) -> Vec<u8> {
    let last_delta = records.len() as i32 - 1;
    let mut checked = Vec::new();
    checked.extend(0i16.to_be_bytes());
    checked.extend(last_delta.to_be_bytes());
    checked.extend(timestamp_ms.to_be_bytes());
    checked.extend(timestamp_ms.to_be_bytes());
    // No producer id, epoch and sequence.
    checked.extend((-1i64).to_be_bytes());
    checked.extend((-1i16).to_be_bytes());
    checked.extend((-1i32).to_be_bytes());
    checked.extend((records.len() as i32).to_be_bytes());
    for (delta, record) in records.iter().enumerate() {
        put_record(&mut checked, delta as i64, *record);
    }
    let mut batch = 0i64.to_be_bytes().to_vec();
    batch.extend((checked.len() as i32 + 9).to_be_bytes());
    batch.extend((-1i32).to_be_bytes());
    batch.push(2);
    batch.extend(crc32c::crc32c(&checked).to_be_bytes());
    batch.extend(checked);
    batch
}

fn put_record(to: &mut Vec<u8>, offset_delta: i64, (key, value): Record) {
    let mut record = vec![0];
    put_varint(&mut record, 0);
    put_varint(&mut record, offset_delta);
    for field in [key, value] {
        put_varint(&mut record, field.map_or(-1, |field| field.len() as i64));
        record.extend(field.unwrap_or_default());
    }
    put_varint(&mut record, 0);
    put_varint(to, record.len() as i64);
    to.extend(record);
}

fn put_varint(to: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        to.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

/// The whole batches in `bytes`, a file's or an answer's; their checksums must fit.
pub fn split(bytes: &[u8]) -> Vec<Batch> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while rest.len() >= HEADER {
        let base_offset = i64::from_be_bytes(rest[..8].try_into().expect("eight bytes"));
        let number = |at: usize| i32::from_be_bytes(rest[at..at + 4].try_into().expect("four"));
        let size = number(8) as usize + 12;
        // What was preallocated is zeros.
        if size < HEADER || size > rest.len() {
            break;
        }
        let crc = crc32c::crc32c(&rest[CHECKED_FROM..size]);
        assert_eq!(crc, number(17) as u32, "the checksum of the batch at offset {base_offset}");
        let next_offset = base_offset + i64::from(number(23)) + 1;
        found.push(Batch { base_offset, next_offset, bytes: rest[..size].to_vec() });
        rest = &rest[size..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let one = of(&[(Some(b"k"), Some(b"v")), (None, None)], 5);
        let found = split(&[one.clone(), one.clone()].concat());
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].base_offset, found[0].next_offset), (0, 2));
        assert_eq!(found[1].bytes, one);
    }
}
