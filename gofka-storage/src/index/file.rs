//! A sorted file of small fixed-size entries: in memory while its segment is written, on disk
//! once that is sealed.
//!
//! Called by `segment`. One thread appends; any thread searches.

use crate::disk::{self, FileSlot};
use crate::error::StorageError;
use parking_lot::RwLock;
use std::io::IoSlice;
use std::sync::Arc;

/// An entry of an index file.
pub(crate) trait Entry: Copy + std::fmt::Debug + PartialEq {
    /// Bytes on disk.
    const SIZE: usize;
    /// What the file is sorted by, strictly rising.
    type Key: Ord + Copy;

    fn key(&self) -> Self::Key;
    /// Writes `SIZE` bytes.
    fn encode(&self, out: &mut Vec<u8>);
    /// Reads `SIZE` bytes.
    fn decode(bytes: &[u8]) -> Self;
}

/// Entries read in one go at the end of a search on disk.
const BLOCK_ENTRIES: u32 = 512;

#[derive(Debug)]
enum State<E> {
    /// Not looked at yet.
    Unknown,
    /// All entries, of a segment that is being written.
    Growing(Vec<E>),
    /// So many entries are in the file.
    Sealed(u32),
}

/// One index file.
#[derive(Debug)]
pub(crate) struct IndexFile<E> {
    slot: Arc<FileSlot>,
    state: RwLock<State<E>>,
}

impl<E: Entry> IndexFile<E> {
    /// The index of a sealed segment; looked at when it is needed.
    pub(crate) fn sealed(slot: Arc<FileSlot>) -> Self {
        Self { slot, state: RwLock::new(State::Unknown) }
    }

    /// The empty index of a new segment.
    pub(crate) fn growing(slot: Arc<FileSlot>) -> Self {
        Self { slot, state: RwLock::new(State::Growing(Vec::new())) }
    }

    pub(crate) fn slot(&self) -> &Arc<FileSlot> {
        &self.slot
    }

    /// Adds an entry; its key must be above the last one's, or it is left out.
    pub(crate) fn push(&self, entry: E) {
        let mut state = self.state.write();
        let State::Growing(entries) = &mut *state else {
            unreachable!("only a growing index is appended to");
        };
        if entries.last().is_none_or(|last| last.key() < entry.key()) {
            entries.push(entry);
        }
    }

    /// Whether its segment is being written.
    pub(crate) fn is_growing(&self) -> bool {
        matches!(&*self.state.read(), State::Growing(_))
    }

    /// Number of entries while growing; 0 for a sealed index.
    pub(crate) fn growing_len(&self) -> usize {
        match &*self.state.read() {
            State::Growing(entries) => entries.len(),
            State::Unknown | State::Sealed(_) => 0,
        }
    }

    /// The entry with the largest key that is not above `key`.
    pub(crate) fn floor(&self, key: E::Key) -> Result<Option<E>, StorageError> {
        self.last_where(|entry| entry.key() <= key)
    }

    /// The last entry for which `holds` is true, which it is for a beginning of the entries.
    pub(crate) fn last_where(&self, holds: impl Fn(&E) -> bool) -> Result<Option<E>, StorageError> {
        if let State::Growing(entries) = &*self.state.read() {
            let after = entries.partition_point(&holds);
            return Ok(after.checked_sub(1).map(|at| entries[at]));
        }
        let count = self.count()?;
        let (block, after, _) = self.search(holds, count)?;
        Ok(after.checked_sub(1).map(|at| block[at]))
    }

    /// At most `before` entries up to `key`, and as many as `after` that follow them.
    pub(crate) fn around(
        &self,
        key: E::Key,
        before: usize,
        after: usize,
    ) -> Result<Vec<E>, StorageError> {
        let holds = |entry: &E| entry.key() <= key;
        let range = |at: usize, count: usize| at.saturating_sub(before)..(at + after).min(count);
        if let State::Growing(entries) = &*self.state.read() {
            return Ok(entries[range(entries.partition_point(holds), entries.len())].to_vec());
        }
        let count = self.count()?;
        let (_, at, first) = self.search(holds, count)?;
        let range = range(first as usize + at, count as usize);
        self.read(range.start as u32, range.len() as u32)
    }

    /// Some of the entries on disk, among which the first one is for which `holds` is not true:
    /// its index in them, and the number of those before.
    fn search(
        &self,
        holds: impl Fn(&E) -> bool,
        count: u32,
    ) -> Result<(Vec<E>, usize, u32), StorageError> {
        // Invariant: it holds for the entries below `low`, and not from `high` on.
        let (mut low, mut high) = (0, count);
        while high - low > BLOCK_ENTRIES {
            let middle = low + (high - low) / 2;
            if holds(&self.read(middle, 1)?[0]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let first = low.saturating_sub(1);
        let block = self.read(first, high - first)?;
        let after = block.partition_point(holds);
        Ok((block, after, first))
    }

    /// The last entry.
    pub(crate) fn last(&self) -> Result<Option<E>, StorageError> {
        if let State::Growing(entries) = &*self.state.read() {
            return Ok(entries.last().copied());
        }
        let count = self.count()?;
        let Some(last) = count.checked_sub(1) else { return Ok(None) };
        Ok(self.read(last, 1)?.pop())
    }

    /// All entries.
    pub(crate) fn entries(&self) -> Result<Vec<E>, StorageError> {
        if let State::Growing(entries) = &*self.state.read() {
            return Ok(entries.clone());
        }
        let count = self.count()?;
        self.read(0, count)
    }

    /// Writes the entries to the file, replacing what is there.
    pub(crate) fn store(&self) -> Result<(), StorageError> {
        match &*self.state.read() {
            State::Growing(entries) => self.write(entries),
            State::Unknown | State::Sealed(_) => Ok(()),
        }
    }

    /// Keeps the entries, which are stored, on disk only.
    pub(crate) fn mark_sealed(&self) {
        let mut state = self.state.write();
        if let State::Growing(entries) = &*state {
            *state = State::Sealed(entries.len() as u32);
        }
    }

    /// As if it had never been looked at.
    #[cfg(test)]
    pub(crate) fn forget(&self) {
        *self.state.write() = State::Unknown;
    }

    /// Takes a file that is on disk back into memory, to be appended to again.
    pub(crate) fn unseal(&self) -> Result<(), StorageError> {
        let entries = self.entries()?;
        *self.state.write() = State::Growing(entries);
        Ok(())
    }

    /// Starts again with `entries`, growing.
    pub(crate) fn restart(&self, entries: Vec<E>) {
        *self.state.write() = State::Growing(entries);
    }

    /// Replaces a sealed index that is wrong.
    pub(crate) fn replace(&self, entries: &[E]) -> Result<(), StorageError> {
        let mut state = self.state.write();
        self.write(entries)?;
        *state = State::Sealed(entries.len() as u32);
        Ok(())
    }

    fn write(&self, entries: &[E]) -> Result<(), StorageError> {
        let mut bytes = Vec::with_capacity(entries.len() * E::SIZE);
        for entry in entries {
            entry.encode(&mut bytes);
        }
        let file = self.slot.file_or_create()?;
        let disk = self.slot.disk();
        // Cut first: a crash in between leaves a short file, which is noticed, not a mixed one.
        disk.set_len(&file, self.slot.path(), 0)?;
        disk.write_at(&file, self.slot.path(), &mut [IoSlice::new(&bytes)], 0).inspect_err(|_| {
            // A part that ends after an entry would not be noticed.
            let _ = disk.set_len(&file, self.slot.path(), 0);
        })
    }

    /// Number of entries on disk, having looked whether the file can be an index at all.
    fn count(&self) -> Result<u32, StorageError> {
        if let State::Sealed(count) = &*self.state.read() {
            return Ok(*count);
        }
        let path = self.slot.path();
        let len =
            self.slot.file()?.metadata().map_err(|e| StorageError::io(path, e))?.len() as usize;
        if !len.is_multiple_of(E::SIZE) {
            return Err(StorageError::corrupt(path, "its size is no multiple of an entry's"));
        }
        let count = (len / E::SIZE) as u32;
        if count >= 2 {
            let last = self.read(count - 1, 1)?;
            let first = self.read(0, 1)?;
            if last[0].key() <= first[0].key() {
                return Err(StorageError::corrupt(path, "its last entry is before its first"));
            }
        }
        *self.state.write() = State::Sealed(count);
        Ok(count)
    }

    fn read(&self, first: u32, count: u32) -> Result<Vec<E>, StorageError> {
        let path = self.slot.path();
        let len = count as usize * E::SIZE;
        let bytes = disk::read_at(&*self.slot.file()?, u64::from(first) * E::SIZE as u64, len)
            .map_err(|e| StorageError::io(path, e))?;
        if bytes.len() < len {
            return Err(StorageError::corrupt(path, "it ends before its last entry"));
        }
        Ok(bytes.chunks_exact(E::SIZE).map(E::decode).collect())
    }
}
