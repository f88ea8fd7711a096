//! Finding things in a segment: a batch by its offset, the largest timestamp; and making the
//! indexes anew where they do not tell the truth.
//!
//! Called by `read`, `timestamps`, `retention`, `compaction` and `recovery`.

use crate::error::StorageError;
use crate::index::{OffsetEntry, TimeEntry};
use crate::log::{LogRead, Records};
use crate::range::LogRange;
use crate::scan::{Headers, Placed};
use crate::segment::{Growth, Largest, Segment};
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::BatchHeader;
use gofka_core::time::TimestampMs;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A read of so many bytes is done at once; of more, only the place is found. A test's files are
/// small.
pub const LOADED_BYTES_MAX: usize = if cfg!(test) { 200 } else { 32 << 10 };

/// Where a batch begins that a reader wants.
pub(crate) type Place = Placed;

impl Segment {
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
        let mut headers = self.headers(start)?;
        let first = headers.next_header()?;
        if let Some(entry) = entry {
            self.check_entry(entry, first.as_ref())?;
        }
        let mut next = first;
        while let Some(placed) = next {
            if entry.is_none() {
                self.check_empty(&placed)?;
            }
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

    /// An index without entries is what a disk without room has left, where a batch begins further
    /// on than an index that is made anew would have its first entry.
    fn check_empty(&self, placed: &Placed) -> Result<(), StorageError> {
        let wants_entry = placed.position > INDEX_INTERVAL && !self.offsets.is_growing();
        if wants_entry && self.offsets.last()?.is_none() {
            let what = "it has no entries";
            return Err(StorageError::corrupt(self.offsets.slot().path(), what));
        }
        Ok(())
    }

    /// Whole batches from `place` on: those that end below `up_to`, at most `max_bytes` of them,
    /// but the first one where `at_least_one` says so.
    pub(crate) fn read(
        self: &Arc<Self>,
        place: &Place,
        max_bytes: usize,
        up_to: Offset,
        at_least_one: bool,
    ) -> Result<LogRead, StorageError> {
        let first = place.header.size();
        if place.header.last_offset() >= up_to || first > max_bytes && !at_least_one {
            return Ok(LogRead::default());
        }
        let rest = (self.size() - place.position) as usize;
        let len = max_bytes.max(first).min(rest);
        if len > LOADED_BYTES_MAX {
            return self.find_range(place, len, up_to);
        }
        let mut bytes = self.read_bytes(place.position, len)?;
        let (whole, next_offset) = whole_batches(&bytes, place.header.base_offset, up_to);
        if whole == 0 {
            let what = format!("no batch at position {}", place.position);
            return Err(StorageError::corrupt(self.log.path(), what));
        }
        bytes.truncate(whole);
        let mut bytes = Bytes::from(bytes);
        if !self.trust.covers(&(place.position..place.position + whole as u64)) {
            let good = self.check(place.position, &bytes, place.header.base_offset..up_to)?;
            if good < whole {
                bytes.truncate(good);
                let (_, next_offset) = whole_batches(&bytes, place.header.base_offset, up_to);
                return Ok(LogRead { records: Records::Loaded(bytes), next_offset });
            }
        }
        Ok(LogRead { records: Records::Loaded(bytes), next_offset })
    }

    fn find_range(
        self: &Arc<Self>,
        place: &Place,
        len: usize,
        up_to: Offset,
    ) -> Result<LogRead, StorageError> {
        let limit = place.position + len as u64;
        let found = match self.end_by_index(place, limit, up_to) {
            Err(problem) if self.may_rebuild(&problem) => {
                self.rebuild_indexes(&problem).and_then(|()| self.end_by_index(place, limit, up_to))
            }
            found => found,
        };
        let (end, next_offset) = match found {
            // Where the index leads a batch has changed; what comes before it can be read.
            Err(StorageError::Corrupt { .. }) => self.end_of_range(place, limit, up_to, None)?,
            found => found?,
        };
        let offsets = place.header.base_offset..next_offset;
        let range = LogRange::new(self, place.position..end, offsets)?;
        Ok(LogRead { records: Records::InFile(range), next_offset })
    }

    /// Where the last batch ends that ends below `limit` and `up_to`, and the offset after it. The
    /// first one does.
    fn end_by_index(
        &self,
        first: &Place,
        limit: u64,
        up_to: Offset,
    ) -> Result<(u64, Offset), StorageError> {
        let entry = self.offsets.last_where(|entry| {
            u64::from(entry.position) <= limit && self.base.plus(i64::from(entry.relative)) < up_to
        })?;
        let entry = entry.filter(|entry| u64::from(entry.position) > first.position);
        self.end_of_range(first, limit, up_to, entry)
    }

    /// The same, looked for from the batch that `entry` names on.
    fn end_of_range(
        &self,
        first: &Place,
        limit: u64,
        up_to: Offset,
        entry: Option<OffsetEntry>,
    ) -> Result<(u64, Offset), StorageError> {
        let start = entry.map_or(first.position, |entry| u64::from(entry.position));
        let mut headers = self.headers(start)?;
        let mut last = (start, None);
        loop {
            let next = match headers.next_header() {
                // What comes before it can be read.
                Err(StorageError::Corrupt { .. }) if last.1.is_some() => break,
                next => next?,
            };
            if let (Some(entry), None) = (entry, last.1) {
                self.check_entry(entry, next.as_ref())?;
            }
            let Some(placed) = next else { break };
            if placed.header.last_offset() >= up_to || placed.end() > limit {
                last.1 = last.1.or(Some(placed.header.base_offset));
                break;
            }
            last = (placed.end(), Some(placed.header.next_offset()));
        }
        Ok((last.0, last.1.unwrap_or_else(|| first.header.next_offset())))
    }

    /// The headers of the batches from `position` on, of which one has to begin there.
    pub(crate) fn headers(&self, position: u64) -> Result<Headers, StorageError> {
        let headers = Headers::new(&self.log, position, self.size(), self.base)?;
        Ok(headers.noting(&self.trust))
    }

    pub(crate) fn read_bytes(&self, position: u64, len: usize) -> Result<Vec<u8>, StorageError> {
        let file: Arc<File> = self.log.file()?;
        let read = self.trust.read_at(&file, position, len);
        read.map_err(|error| StorageError::io(self.log.path(), error))
    }

    /// The offset after the last batch; the base offset of an empty segment.
    pub(crate) fn next_offset(&self) -> Result<Offset, StorageError> {
        let start = self.offsets.last()?.map_or(0, |entry| u64::from(entry.position));
        let mut headers = self.headers(start)?;
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
        let mut headers = self.headers(0)?;
        while let Some(placed) = headers.next_header()? {
            scratch.index(&mut growth, &placed.header, placed.position, INDEX_INTERVAL);
        }
        scratch.push_time(growth.largest);
        self.offsets.replace(&scratch.offsets.entries()?)?;
        self.times.replace(&scratch.times.entries()?)
    }
}

/// Bytes between two entries of an index that is rebuilt: `index.interval.bytes` as shipped.
const INDEX_INTERVAL: u64 = 4096;

/// How many of `bytes` are whole batches that end below `up_to`, and the offset after them.
fn whole_batches(bytes: &[u8], first: Offset, up_to: Offset) -> (usize, Offset) {
    let (mut end, mut next) = (0, first);
    while let Ok(header) = BatchHeader::parse(&bytes[end..]) {
        let fits = end + header.size() <= bytes.len();
        if !fits || header.base_offset < next || header.last_offset() >= up_to {
            break;
        }
        end += header.size();
        next = header.next_offset();
    }
    (end, next)
}
