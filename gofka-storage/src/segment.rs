//! One segment: a file of batches, and the indexes beside it.
//!
//! Called by `log` and its parts. One thread at a time appends (it holds the log's writer);
//! any number read what is published. **Invariant:** bytes below `size` never change.

use crate::disk::{Disk, FileSlot};
use crate::error::StorageError;
use crate::index::{IndexFile, OffsetEntry, TimeEntry, TxnEntry, TxnIndex};
use crate::names;
use crate::producer_state::CompletedTxn;
use crate::trust::Trust;
use gofka_core::ids::Offset;
use gofka_core::record::BatchHeader;
use gofka_core::time::TimestampMs;
use parking_lot::Mutex;
use std::io::IoSlice;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// One segment of a log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) log: Arc<FileSlot>,
    pub(crate) offsets: IndexFile<OffsetEntry>,
    pub(crate) times: IndexFile<TimeEntry>,
    pub(crate) txns: TxnIndex,
    size: AtomicU64,
    /// No batch in it ends after this offset: its own end, or where the next segment begins.
    end_offset: AtomicI64,
    pub(crate) trust: Arc<Trust>,
    /// Up to where disk blocks were taken ahead of appends; 0 where none were.
    pub(crate) allocated: AtomicU64,
    /// The largest timestamp and the batch that has it; unknown until a sealed segment is asked.
    pub(crate) largest: Mutex<Largest>,
    /// Held while a sealed segment's indexes are rebuilt.
    pub(crate) rebuilding: Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Largest {
    Unknown,
    Known(Option<TimeEntry>),
}

/// What the writer knows of the segment it appends to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Growth {
    /// Bytes since the last index entry.
    pub(crate) unindexed: u64,
    /// The broker's time when the first batch came; after a restart, the time of that.
    pub(crate) first_append: Option<TimestampMs>,
    /// Largest timestamp of the first batch: the age of the segment counts from it.
    pub(crate) first_timestamp: Option<TimestampMs>,
    /// Largest timestamp so far.
    pub(crate) largest: Option<TimeEntry>,
}

impl Segment {
    pub(crate) fn with(
        disk: &Arc<Disk>,
        dir: &Path,
        base: Offset,
        size: u64,
        growing: bool,
    ) -> Self {
        Self::named(disk, base, size, growing, |extension| dir.join(names::file(base, extension)))
    }

    fn named(
        disk: &Arc<Disk>,
        base: Offset,
        size: u64,
        growing: bool,
        path: impl Fn(&str) -> PathBuf,
    ) -> Self {
        let slot = |extension| FileSlot::new(disk, path(extension));
        let (index, times) = (slot(names::INDEX), slot(names::TIME_INDEX));
        Self {
            base,
            log: slot(names::LOG),
            offsets: if growing { IndexFile::growing(index) } else { IndexFile::sealed(index) },
            times: if growing { IndexFile::growing(times) } else { IndexFile::sealed(times) },
            txns: TxnIndex::new(slot(names::TXN_INDEX)),
            size: AtomicU64::new(size),
            end_offset: AtomicI64::new(i64::MAX),
            trust: Arc::new(Trust::new(size)),
            allocated: AtomicU64::new(0),
            largest: Mutex::new(if growing { Largest::Known(None) } else { Largest::Unknown }),
            rebuilding: Mutex::new(()),
        }
    }

    /// A segment that is on disk with `size` bytes.
    pub(crate) fn on_disk(disk: &Arc<Disk>, dir: &Path, base: Offset, size: u64) -> Self {
        Self::with(disk, dir, base, size, false)
    }

    /// Makes an empty segment. What a segment of this name left behind is cut away.
    pub(crate) fn create(disk: &Arc<Disk>, dir: &Path, base: Offset) -> Result<Self, StorageError> {
        Self::with(disk, dir, base, 0, true).make()
    }

    /// Makes an empty segment under the names of unfinished files.
    pub(crate) fn create_cleaned(
        disk: &Arc<Disk>,
        dir: &Path,
        base: Offset,
    ) -> Result<Self, StorageError> {
        let name = |extension: &str| format!("{}.{}", names::file(base, extension), names::CLEANED);
        Self::named(disk, base, 0, true, |extension| dir.join(name(extension))).make()
    }

    fn make(self) -> Result<Self, StorageError> {
        let file = self.log.file_or_create()?;
        let (path, disk) = (self.log.path(), self.log.disk());
        if file.metadata().map_err(|e| StorageError::io(path, e))?.len() > 0 {
            disk.set_len(&file, path, 0)?;
        }
        self.txns.reset()?;
        Ok(self)
    }

    /// The offsets that can be in it: indexes count them from the base with 31 bits.
    pub(crate) fn offsets_range(&self) -> Range<Offset> {
        self.base..self.base.plus(1 << 31)
    }

    /// Bytes of whole batches.
    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// No batch ends after it. To be asked for after the size: an append moves it first.
    pub(crate) fn end_offset(&self) -> Offset {
        let end = Offset(self.end_offset.load(Ordering::Acquire));
        end.min(self.offsets_range().end)
    }

    /// Notes where its offsets end. Before the size is published that has them.
    pub(crate) fn ends_before(&self, end: Offset) {
        self.end_offset.store(end.0, Ordering::Release);
    }

    /// Writes `slices`, whole batches, at the end, and hides them until `publish`. On an error the
    /// file is as before, as far as the disk lets it.
    pub(crate) fn write(&self, slices: &mut [IoSlice<'_>]) -> Result<(), StorageError> {
        let file = self.log.file()?;
        let (path, disk, end) = (self.log.path(), self.log.disk(), self.size());
        disk.write_at(&file, path, slices, end).inspect_err(|_| {
            // Recovery cuts a torn tail as well; this spares the reader of the file the sight.
            let _ = disk.set_len(&file, path, end);
        })
    }

    /// Enters a batch that was written at `position` into the indexes.
    pub(crate) fn index(
        &self,
        growth: &mut Growth,
        header: &BatchHeader,
        position: u64,
        index_interval: u64,
    ) {
        let relative = (header.last_offset().0 - self.base.0) as u32;
        let timestamp = header.max_timestamp;
        if growth.first_timestamp.is_none() {
            growth.first_timestamp = Some(timestamp);
        }
        if growth.largest.is_none_or(|largest| timestamp > largest.timestamp) {
            growth.largest = Some(TimeEntry { timestamp, relative });
            *self.largest.lock() = Largest::Known(growth.largest);
        }
        if growth.unindexed > index_interval {
            self.offsets.push(OffsetEntry { relative, position: position as u32 });
            self.push_time(growth.largest);
            growth.unindexed = 0;
        }
        growth.unindexed += header.size() as u64;
    }

    /// Shows readers the first `size` bytes.
    pub(crate) fn publish(&self, size: u64) {
        self.trust.ends_at(size);
        self.size.store(size, Ordering::Release);
    }

    /// Writes the index files of the active segment, which may go on growing.
    pub(crate) fn write_indexes(&self, growth: &Growth) -> Result<(), StorageError> {
        self.push_time(growth.largest);
        self.offsets.store()?;
        self.times.store()
    }

    /// Keeps the indexes, which are written, on disk only; nothing is appended any more.
    pub(crate) fn mark_sealed(&self) {
        self.offsets.mark_sealed();
        self.times.mark_sealed();
    }

    /// Notes an aborted transaction whose marker is in this segment.
    pub(crate) fn append_aborted(
        &self,
        completed: &CompletedTxn,
        last_stable_offset: Offset,
    ) -> Result<(), StorageError> {
        self.txns.append(&TxnEntry {
            producer_id: completed.producer_id,
            first_offset: completed.first_offset,
            last_offset: completed.last_offset,
            last_stable_offset,
        })
    }

    /// Batches without timestamps (-1) leave no entry.
    pub(crate) fn push_time(&self, largest: Option<TimeEntry>) {
        if let Some(entry) = largest.filter(|entry| entry.timestamp >= TimestampMs(0)) {
            self.times.push(entry);
        }
    }

    /// When its file was last written.
    pub(crate) fn modified(&self) -> Result<TimestampMs, StorageError> {
        let file = self.log.file()?;
        let modified = file.metadata().and_then(|metadata| metadata.modified());
        let modified = modified.map_err(|e| StorageError::io(self.log.path(), e))?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(TimestampMs(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Every file that the segment may have.
    pub(crate) fn slots(&self) -> [&Arc<FileSlot>; 4] {
        [&self.log, self.offsets.slot(), self.times.slot(), self.txns.slot()]
    }

    /// Lets the files be found under other names from now on: who has none open, fails.
    pub(crate) fn retire(&self) {
        self.slots().iter().for_each(|slot| slot.retire());
    }

    /// Removes the files. The log goes first: what is left without it is removed at the next start.
    pub(crate) fn remove(&self) -> Result<(), StorageError> {
        self.retire();
        for slot in self.slots() {
            slot.disk().remove(slot.path())?;
        }
        Ok(())
    }
}
