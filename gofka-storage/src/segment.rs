//! One segment: a file of batches, and the indexes beside it.
//!
//! Called by `log` and its parts. One thread at a time appends (it holds the log's writer);
//! any number read what is published. **Invariant:** bytes below `size` never change.

use crate::disk::{self, Disk, FileSlot};
use crate::error::StorageError;
use crate::index::{IndexFile, OffsetEntry, TimeEntry, TxnEntry, TxnIndex};
use crate::names;
use crate::producer_state::CompletedTxn;
use crate::scan::{Headers, Placed};
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::BatchHeader;
use gofka_core::time::TimestampMs;
use parking_lot::Mutex;
use std::fs::File;
use std::io::IoSlice;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a batch begins that a reader wants.
pub(crate) type Place = Placed;

/// One segment of a log.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) log: Arc<FileSlot>,
    pub(crate) offsets: IndexFile<OffsetEntry>,
    pub(crate) times: IndexFile<TimeEntry>,
    pub(crate) txns: TxnIndex,
    size: AtomicU64,
    /// The largest timestamp and the batch that has it; unknown until a sealed segment is asked.
    largest: Mutex<Largest>,
    /// Held while a sealed segment's indexes are rebuilt.
    rebuilding: Mutex<()>,
}

#[derive(Clone, Copy, Debug)]
enum Largest {
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
    fn with(disk: &Arc<Disk>, dir: &Path, base: Offset, size: u64, growing: bool) -> Self {
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
    fn push_time(&self, largest: Option<TimeEntry>) {
        if let Some(entry) = largest.filter(|entry| entry.timestamp >= TimestampMs(0)) {
            self.times.push(entry);
        }
    }

    /// The first batch that ends at `offset` or later, if there is one.
    pub(crate) fn locate(&self, offset: Offset) -> Result<Option<Place>, StorageError> {
        match self.locate_by_index(offset) {
            Err(problem) if self.may_rebuild(&problem) => {
                self.rebuild_indexes(&problem)?;
                self.locate_by_index(offset)
            }
            found => found,
        }
    }

    fn locate_by_index(&self, offset: Offset) -> Result<Option<Place>, StorageError> {
        let relative = (offset.0 - self.base.0).clamp(0, i64::from(u32::MAX)) as u32;
        let entry = self.offsets.floor(relative)?;
        let start = entry.map_or(0, |entry| u64::from(entry.position));
        let end = self.size();
        let mut headers = Headers::new(&self.log, start, end, self.base)?;
        let first = headers.next_header()?;
        if let Some(entry) = entry {
            self.check_entry(entry, first.as_ref())?;
        }
        let mut next = first;
        while let Some(placed) = next {
            if placed.header.last_offset() >= offset {
                return Ok(Some(placed));
            }
            next = headers.next_header()?;
        }
        Ok(None)
    }

    /// An index entry names the last offset of the batch it points to. Older writers let it name
    /// the last of several batches, so that only a batch that begins later is a lie.
    fn check_entry(&self, entry: OffsetEntry, batch: Option<&Placed>) -> Result<(), StorageError> {
        let named = self.base.plus(i64::from(entry.relative));
        match batch {
            Some(placed) if placed.header.base_offset <= named => Ok(()),
            _ => {
                let what = format!("its entry for offset {named} points to another batch");
                Err(StorageError::corrupt(self.offsets.slot().path(), what))
            }
        }
    }

    /// Whole batches from `place` on: those that end below `up_to`, at most `max_bytes` of them,
    /// but the first one where `at_least_one` says so.
    pub(crate) fn read(
        &self,
        place: &Place,
        max_bytes: usize,
        up_to: Offset,
        at_least_one: bool,
    ) -> Result<Bytes, StorageError> {
        let first = place.header.size();
        if place.header.last_offset() >= up_to || first > max_bytes && !at_least_one {
            return Ok(Bytes::new());
        }
        let rest = (self.size() - place.position) as usize;
        let bytes = self.read_bytes(place.position, max_bytes.max(first).min(rest))?;
        let whole = whole_batches(&bytes, place.header.base_offset, up_to);
        if whole == 0 {
            let what = format!("no batch at position {}", place.position);
            return Err(StorageError::corrupt(self.log.path(), what));
        }
        let mut bytes = bytes;
        bytes.truncate(whole);
        // A small answer out of a large read must not keep the large buffer alive.
        if bytes.capacity() > 2 * whole + 4096 {
            bytes.shrink_to_fit();
        }
        Ok(Bytes::from(bytes))
    }

    pub(crate) fn read_bytes(&self, position: u64, len: usize) -> Result<Vec<u8>, StorageError> {
        let file: Arc<File> = self.log.file()?;
        disk::read_at(&file, position, len).map_err(|e| StorageError::io(self.log.path(), e))
    }

    /// The offset after the last batch; the base offset of an empty segment.
    pub(crate) fn next_offset(&self) -> Result<Offset, StorageError> {
        let start = self.offsets.last()?.map_or(0, |entry| u64::from(entry.position));
        let mut headers = Headers::new(&self.log, start, self.size(), self.base)?;
        let mut next = self.base;
        while let Some(placed) = headers.next_header()? {
            next = placed.header.next_offset();
        }
        Ok(next)
    }

    /// The largest timestamp and the last offset of the batch that has it.
    pub(crate) fn largest(&self) -> Result<Option<(TimestampMs, Offset)>, StorageError> {
        let known = *self.largest.lock();
        let largest = match known {
            Largest::Known(largest) => largest,
            Largest::Unknown => {
                let found = match self.largest_by_index() {
                    Err(problem) if self.may_rebuild(&problem) => {
                        self.rebuild_indexes(&problem)?;
                        self.times.last()?
                    }
                    found => found?,
                };
                *self.largest.lock() = Largest::Known(found);
                found
            }
        };
        Ok(largest.map(|entry| (entry.timestamp, self.base.plus(i64::from(entry.relative)))))
    }

    fn largest_by_index(&self) -> Result<Option<TimeEntry>, StorageError> {
        let last = self.times.last()?;
        let says_nothing = last.is_none() && self.size() > 0;
        if says_nothing || last.is_some_and(|entry| !self.is_true(entry).unwrap_or(false)) {
            let path = self.times.slot().path();
            return Err(StorageError::corrupt(path, "its last entry is not true"));
        }
        Ok(last)
    }

    /// The largest timestamp of a segment that is appended to again.
    pub(crate) fn set_largest(&self, largest: Option<TimeEntry>) {
        *self.largest.lock() = Largest::Known(largest);
    }

    /// An entry for this segment's time index.
    pub(crate) fn time_entry(&self, timestamp: TimestampMs, offset: Offset) -> TimeEntry {
        TimeEntry { timestamp, relative: (offset.0 - self.base.0) as u32 }
    }

    /// Bytes since the batch of the last index entry.
    pub(crate) fn unindexed(&self) -> Result<u64, StorageError> {
        let last = self.offsets.last()?;
        Ok(self.size().saturating_sub(last.map_or(0, |entry| u64::from(entry.position))))
    }

    /// Whether the batch that a time entry names has the timestamp that it says.
    pub(crate) fn is_true(&self, entry: TimeEntry) -> Result<bool, StorageError> {
        let place = self.locate(self.base.plus(i64::from(entry.relative)))?;
        Ok(place.is_some_and(|place| place.header.max_timestamp == entry.timestamp))
    }

    /// Whether the log can tell what an index on disk did not.
    pub(crate) fn may_rebuild(&self, problem: &StorageError) -> bool {
        let in_doubt = matches!(problem, StorageError::Corrupt { .. }) || problem.is_not_found();
        in_doubt && !self.offsets.is_growing()
    }

    /// Writes both indexes anew from the headers of a sealed segment.
    pub(crate) fn rebuild_indexes(&self, problem: &StorageError) -> Result<(), StorageError> {
        let _alone = self.rebuilding.lock();
        tracing::warn!(%problem, "rebuilding the indexes of {}", self.log.path().display());
        let scratch = Self::with(self.log.disk(), Path::new(""), self.base, 0, true);
        let mut growth = Growth::default();
        let mut headers = Headers::new(&self.log, 0, self.size(), self.base)?;
        while let Some(placed) = headers.next_header()? {
            scratch.index(&mut growth, &placed.header, placed.position, INDEX_INTERVAL);
        }
        scratch.push_time(growth.largest);
        self.offsets.replace(&scratch.offsets.entries()?)?;
        self.times.replace(&scratch.times.entries()?)
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

/// Bytes between two entries of an index that is rebuilt: `index.interval.bytes` as shipped.
const INDEX_INTERVAL: u64 = 4096;

/// How many of `bytes` are whole batches that end below `up_to`.
fn whole_batches(bytes: &[u8], first: Offset, up_to: Offset) -> usize {
    let (mut end, mut floor) = (0, first);
    while let Ok(header) = BatchHeader::parse(&bytes[end..]) {
        let fits = end + header.size() <= bytes.len();
        if !fits || header.base_offset < floor || header.last_offset() >= up_to {
            break;
        }
        end += header.size();
        floor = header.next_offset();
    }
    end
}
