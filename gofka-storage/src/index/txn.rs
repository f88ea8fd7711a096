//! `.txnindex`: the aborted transactions whose marker is in the segment.
//!
//! ```text
//! 0 version i16 (0) | 2 producer id i64 | 10 first offset i64 | 18 last offset i64
//! 26 last stable offset when it ended i64
//! ```
//! The file exists only where there are any. Called by `segment`.

use crate::disk::{self, FileSlot};
use crate::error::StorageError;
use gofka_core::ids::{Offset, ProducerId};
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ENTRY_SIZE: usize = 34;
const VERSION: i16 = 0;

/// One aborted transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TxnEntry {
    pub(crate) producer_id: ProducerId,
    /// Its first record.
    pub(crate) first_offset: Offset,
    /// Its marker.
    pub(crate) last_offset: Offset,
    /// Last stable offset once it had ended.
    pub(crate) last_stable_offset: Offset,
}

impl TxnEntry {
    fn encode(&self) -> [u8; ENTRY_SIZE] {
        let mut out = [0; ENTRY_SIZE];
        out[..2].copy_from_slice(&VERSION.to_be_bytes());
        out[2..10].copy_from_slice(&self.producer_id.0.to_be_bytes());
        out[10..18].copy_from_slice(&self.first_offset.0.to_be_bytes());
        out[18..26].copy_from_slice(&self.last_offset.0.to_be_bytes());
        out[26..].copy_from_slice(&self.last_stable_offset.0.to_be_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            i64::from_be_bytes(word)
        };
        (bytes[..2] == VERSION.to_be_bytes()).then(|| Self {
            producer_id: ProducerId(long(2)),
            first_offset: Offset(long(10)),
            last_offset: Offset(long(18)),
            last_stable_offset: Offset(long(26)),
        })
    }
}

/// The aborted transactions of one segment.
#[derive(Debug)]
pub(crate) struct TxnIndex {
    slot: Arc<FileSlot>,
    /// Known to have no entry: spares every read of a log without transactions a look.
    empty: AtomicBool,
}

impl TxnIndex {
    pub(crate) fn new(slot: Arc<FileSlot>) -> Self {
        Self { slot, empty: AtomicBool::new(false) }
    }

    pub(crate) fn slot(&self) -> &Arc<FileSlot> {
        &self.slot
    }

    /// Adds one, at the end.
    pub(crate) fn append(&self, entry: &TxnEntry) -> Result<(), StorageError> {
        let file = self.slot.file_or_create()?;
        let path = self.slot.path();
        let len = file.metadata().map_err(|e| StorageError::io(path, e))?.len();
        let end = len - len % ENTRY_SIZE as u64;
        self.empty.store(false, Ordering::Release);
        self.slot.disk().write_at(&file, path, &mut [IoSlice::new(&entry.encode())], end)
    }

    /// All of them; none when there is no file.
    pub(crate) fn entries(&self) -> Result<Vec<TxnEntry>, StorageError> {
        if self.empty.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let path = self.slot.path();
        let file = match self.slot.file() {
            Ok(file) => file,
            // A segment that was replaced is another matter: its transactions are elsewhere.
            Err(error) if error.is_not_found() && !self.slot.is_retired() => {
                self.empty.store(true, Ordering::Release);
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let len = file.metadata().map_err(|e| StorageError::io(path, e))?.len() as usize;
        let bytes = disk::read_at(&file, 0, len).map_err(|e| StorageError::io(path, e))?;
        let mut entries = Vec::with_capacity(len / ENTRY_SIZE);
        for chunk in bytes.chunks_exact(ENTRY_SIZE) {
            let Some(entry) = TxnEntry::decode(chunk) else {
                return Err(StorageError::corrupt(path, "an entry has an unknown version"));
            };
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Forgets all.
    pub(crate) fn reset(&self) -> Result<(), StorageError> {
        self.slot.close();
        self.slot.disk().remove(self.slot.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;

    fn entry(n: i64) -> TxnEntry {
        TxnEntry {
            producer_id: ProducerId(n),
            first_offset: Offset(n * 10),
            last_offset: Offset(n * 10 + 9),
            last_stable_offset: Offset(n * 10 + 10),
        }
    }

    #[test]
    fn entries_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::new(8);
        let index = TxnIndex::new(FileSlot::new(&disk, dir.path().join("x.txnindex")));
        assert_eq!(index.entries().unwrap(), []);
        for n in 0..3 {
            index.append(&entry(n)).unwrap();
        }
        assert_eq!(index.entries().unwrap(), [entry(0), entry(1), entry(2)]);
        index.reset().unwrap();
        assert_eq!(index.entries().unwrap(), []);
    }
}
