//! The file `OFFSET.snapshot`: all producers as they were when the log ended at OFFSET.
//!
//! ```text
//! 0 version i16 (1) | 2 CRC-32C of what follows u32 | 6 number of producers i32 | then each:
//! producer id i64 | epoch i16 | last sequence i32 | last offset i64 | offset delta i32
//! timestamp i64 | coordinator epoch i32 | first offset of the open transaction i64, or -1
//! ```
//! Kafka's format holds the last batch only; the four before it are known again once the log
//! after the snapshot has been replayed.

use super::{BatchSpan, ProducerEntry, ProducerState};
use gofka_core::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use gofka_core::time::TimestampMs;

const VERSION: i16 = 1;
const HEAD_SIZE: usize = 10;
const CRC_FROM: usize = 6;
const ENTRY_SIZE: usize = 46;

/// Why a snapshot is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("its checksum does not fit")]
    Crc,
    #[error("version {0} is unknown")]
    Version(i16),
    #[error("its size does not fit its count")]
    Size,
}

impl ProducerState {
    /// The file's bytes.
    pub(crate) fn to_snapshot(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD_SIZE + self.producers.len() * ENTRY_SIZE);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&(self.producers.len() as i32).to_be_bytes());
        for (id, entry) in &self.producers {
            write_entry(&mut out, *id, entry);
        }
        let crc = crc32c::crc32c(&out[CRC_FROM..]);
        out[2..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
        out
    }

    /// Reads them back; every producer counts as heard of at `now`.
    pub(crate) fn from_snapshot(bytes: &[u8], now: TimestampMs) -> Result<Self, SnapshotError> {
        let Some(head) = bytes.first_chunk::<HEAD_SIZE>() else { return Err(SnapshotError::Size) };
        let version = i16::from_be_bytes([head[0], head[1]]);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        if crc32c::crc32c(&bytes[CRC_FROM..]).to_be_bytes() != head[2..CRC_FROM] {
            return Err(SnapshotError::Crc);
        }
        let count = u32::from_be_bytes([head[6], head[7], head[8], head[9]]) as usize;
        let entries = &bytes[HEAD_SIZE..];
        if !entries.len().is_multiple_of(ENTRY_SIZE) || entries.len() / ENTRY_SIZE != count {
            return Err(SnapshotError::Size);
        }
        let mut state = Self::default();
        for chunk in entries.chunks_exact(ENTRY_SIZE) {
            let (id, entry) = read_entry(chunk, now);
            if let Some(first) = entry.current_txn_start {
                state.open_txns.insert(first, id);
            }
            state.producers.insert(id, entry);
        }
        Ok(state)
    }
}

fn write_entry(out: &mut Vec<u8>, id: ProducerId, entry: &ProducerEntry) {
    let none = BatchSpan {
        last_sequence: Sequence::NONE,
        last_offset: Offset::NONE,
        offset_delta: 0,
        timestamp: TimestampMs::NONE,
    };
    let last = entry.last().copied().unwrap_or(none);
    out.extend_from_slice(&id.0.to_be_bytes());
    out.extend_from_slice(&entry.epoch.0.to_be_bytes());
    out.extend_from_slice(&last.last_sequence.0.to_be_bytes());
    out.extend_from_slice(&last.last_offset.0.to_be_bytes());
    out.extend_from_slice(&last.offset_delta.to_be_bytes());
    out.extend_from_slice(&entry.last_timestamp.0.to_be_bytes());
    out.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
    let txn_start = entry.current_txn_start.unwrap_or(Offset::NONE);
    out.extend_from_slice(&txn_start.0.to_be_bytes());
}

fn read_entry(mut bytes: &[u8], now: TimestampMs) -> (ProducerId, ProducerEntry) {
    let id = ProducerId(i64::from_be_bytes(take(&mut bytes)));
    let mut entry = ProducerEntry::new(ProducerEpoch(i16::from_be_bytes(take(&mut bytes))));
    let last_sequence = Sequence(i32::from_be_bytes(take(&mut bytes)));
    let last_offset = Offset(i64::from_be_bytes(take(&mut bytes)));
    let offset_delta = i32::from_be_bytes(take(&mut bytes));
    let timestamp = TimestampMs(i64::from_be_bytes(take(&mut bytes)));
    entry.coordinator_epoch = i32::from_be_bytes(take(&mut bytes));
    let txn_start = Offset(i64::from_be_bytes(take(&mut bytes)));
    entry.last_timestamp = timestamp;
    entry.last_seen = now;
    entry.current_txn_start = (txn_start >= Offset::ZERO).then_some(txn_start);
    if last_offset >= Offset::ZERO {
        entry.push(BatchSpan { last_sequence, last_offset, offset_delta, timestamp });
    }
    (id, entry)
}

/// The next `N` bytes; the caller has checked that there are enough.
fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let (head, rest) = bytes.split_at(N);
    out.copy_from_slice(head);
    *bytes = rest;
    out
}
