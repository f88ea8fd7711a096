//! Finding things in a segment: a batch by its offset, the largest timestamp.
//!
//! Called by `read`, `timestamps`, `retention`, `compaction` and `recovery`.

use crate::error::StorageError;
use crate::index::{OffsetEntry, TimeEntry};
use crate::range::LogRange;
use crate::read::{LogRead, Records};
use crate::reindex::INDEX_INTERVAL;
use crate::scan::{Headers, Placed};
use crate::segment::{Largest, Segment};
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{Batch, BatchHeader};
use gofka_core::time::TimestampMs;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// A read of so many bytes is done at once; of more, only the place is found. A test's files are
/// small.
pub const LOADED_BYTES_MAX: usize = if cfg!(test) { 200 } else { 32 << 10 };

/// Where a batch begins that a reader wants.
pub(crate) type Place = Placed;

/// What walking over headers says of an offset.
enum Found {
    /// Where its batch is; nowhere, if it is after all of them.
    Sure(Option<Place>),
    /// Nothing that would be believed.
    Unsure,
}

impl Segment {
    /// The first batch that ends at `offset` or later, if there is one.
    ///
    /// Headers are believed that are known to be good, and those that nobody has compared where
    /// they leave no gap from an index entry on. Anything else is surveyed.
    pub(crate) fn locate(&self, offset: Offset) -> Result<Option<Place>, StorageError> {
        let found = match self.locate_by_headers(offset) {
            Err(problem) if self.blames_index(&problem) => match self.rebuild_indexes(&problem) {
                Ok(()) => self.locate_by_headers(offset)?,
                Err(StorageError::Corrupt { .. }) => return self.survey_between(offset, &[]),
                Err(error) => return Err(error),
            },
            found => found?,
        };
        match found {
            Found::Sure(place) => Ok(place),
            Found::Unsure => self.survey(offset),
        }
    }

    fn locate_by_headers(&self, offset: Offset) -> Result<Found, StorageError> {
        let entries = self.offsets.around(self.relative(offset), 1, 2)?;
        let wanted = offset.max(self.base);
        let entry = entries.first().copied().filter(|entry| self.offset_of(*entry) <= wanted);
        let start = entry.map_or(0, |entry| u64::from(entry.position));
        let mut headers = self.headers(start)?;
        let mut known = entry.is_none().then_some(self.base);
        let mut is_sure = true;
        loop {
            let placed = match headers.next_header() {
                Err(StorageError::Corrupt { .. }) => return Ok(Found::Unsure),
                placed => placed?,
            };
            let Some(placed) = placed else {
                let is_good = known.is_some() && self.trust.covers(&(start..headers.position()));
                return Ok(if is_good { Found::Sure(None) } else { Found::Unsure });
            };
            let header = &placed.header;
            match (entry, known) {
                (None, _) => self.check_empty(&placed)?,
                (Some(entry), None) if self.offset_of(entry) < header.base_offset => {
                    return Ok(Found::Unsure);
                }
                // Older writers let an entry name the last of several batches.
                (Some(entry), None) => is_sure = self.offset_of(entry) == header.last_offset(),
                (Some(_), Some(_)) => {}
            }
            is_sure &= known.is_none_or(|known| known == header.base_offset);
            if header.last_offset() >= wanted {
                // The first of those after the offset may be the entry of this batch.
                let mut ends = entries.iter().map(|entry| u64::from(entry.position));
                let next = ends.find(|position| *position > placed.position);
                let fits = next.is_none_or(|position| placed.end() <= position)
                    && header.next_offset() <= self.end_offset();
                let is_good = is_sure && header.base_offset <= wanted
                    || self.trust.covers(&(start..placed.end()));
                return Ok(if fits && is_good { Found::Sure(Some(placed)) } else { Found::Unsure });
            }
            known = Some(header.next_offset());
        }
    }

    /// As an index counts it.
    pub(crate) fn relative(&self, offset: Offset) -> u32 {
        (offset.0 - self.base.0).clamp(0, i64::from(u32::MAX)) as u32
    }

    /// The offset that an entry names.
    pub(crate) fn offset_of(&self, entry: OffsetEntry) -> Offset {
        self.base.plus(i64::from(entry.relative))
    }

    /// An index entry names the last offset of the batch it points to. Older writers let it name
    /// the last of several batches, so that only a batch that begins later is a lie.
    fn check_entry(&self, entry: OffsetEntry, batch: Option<&Placed>) -> Result<(), StorageError> {
        match batch {
            Some(placed) if placed.header.base_offset <= self.offset_of(entry) => Ok(()),
            _ => Err(self.names_another(entry)),
        }
    }

    pub(crate) fn names_another(&self, entry: OffsetEntry) -> StorageError {
        let what =
            format!("its entry for offset {} points to another batch", self.offset_of(entry));
        StorageError::corrupt(self.offsets.slot().path(), what)
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

    /// Whole batches from `place` on, where `wanted` begins: those that end before its end, at most
    /// `max_bytes` of them, but the first one where `at_least_one` says so.
    pub(crate) fn read(
        self: &Arc<Self>,
        place: &Place,
        max_bytes: usize,
        wanted: Range<Offset>,
        at_least_one: bool,
    ) -> Result<LogRead, StorageError> {
        let (first, up_to) = (place.header.size(), wanted.end);
        if place.header.last_offset() >= up_to || first > max_bytes && !at_least_one {
            return Ok(LogRead::default());
        }
        let rest = (self.size() - place.position) as usize;
        let len = max_bytes.max(first).min(rest);
        if len > LOADED_BYTES_MAX {
            return self.find_range(place, len, wanted);
        }
        let mut bytes = self.read_bytes(place.position, len)?;
        let (mut whole, _) = whole_batches(&bytes, place.header.base_offset, up_to);
        bytes.truncate(whole);
        let bytes = Bytes::from(bytes);
        if !self.trust.covers(&(place.position..place.position + whole as u64)) {
            let offsets = place.header.base_offset..up_to;
            whole = match self.check(place.position, &bytes, offsets) {
                Err(problem) => {
                    let place = self.next_best(place.position, wanted.start, problem)?;
                    return self.read(&place, max_bytes, wanted, at_least_one);
                }
                good => good?,
            };
        }
        let bytes = bytes.slice(..whole);
        let (_, next_offset) = whole_batches(&bytes, place.header.base_offset, up_to);
        Ok(LogRead { records: Records::Loaded(bytes), next_offset })
    }

    /// The batch that has `offset`, where the one at `position` only seemed to; else `problem`.
    pub(crate) fn next_best(
        &self,
        position: u64,
        offset: Offset,
        problem: StorageError,
    ) -> Result<Place, StorageError> {
        match problem {
            StorageError::Corrupt { .. } => {}
            error => return Err(error),
        }
        match self.survey(offset)? {
            Some(place) if place.position != position => Ok(place),
            _ => Err(problem),
        }
    }

    fn find_range(
        self: &Arc<Self>,
        place: &Place,
        len: usize,
        wanted: Range<Offset>,
    ) -> Result<LogRead, StorageError> {
        let (limit, up_to) = (place.position + len as u64, wanted.end);
        let (end, next_offset) = match self.end_by_index(place, limit, up_to) {
            // An entry leads to something else, or a batch has changed; what comes before it can
            // be read. Who looks for what comes after it finds out.
            Err(StorageError::Corrupt { .. }) => self.end_of_range(place, limit, up_to, None)?,
            found => found?,
        };
        let offsets = place.header.base_offset..next_offset;
        let range = LogRange::new(self, place.position..end, offsets, wanted)?;
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
                    Err(problem) if self.blames_index(&problem) => {
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
        let Some(entry) = last else {
            if self.size() == 0 {
                return Ok(None);
            }
            let path = self.times.slot().path();
            return Err(StorageError::corrupt(path, "it has no entries"));
        };
        self.check_time(entry)?;
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

    /// An error where the batch that a time entry names does not have its timestamp. Of a batch
    /// that has changed the entry knows better.
    pub(crate) fn check_time(&self, entry: TimeEntry) -> Result<(), StorageError> {
        let place = match self.locate(self.base.plus(i64::from(entry.relative))) {
            Err(problem @ StorageError::Corrupt { .. }) if !self.blames_index(&problem) => {
                return Ok(());
            }
            place => place?,
        };
        if let Some(place) = place
            && (place.header.max_timestamp == entry.timestamp || self.load(&place).is_err())
        {
            return Ok(());
        }
        let what = "an entry names a batch that does not have its timestamp";
        Err(StorageError::corrupt(self.times.slot().path(), what))
    }

    /// A batch, whose checksum fits.
    pub(crate) fn load(&self, place: &Place) -> Result<Batch, StorageError> {
        let bytes = self.read_bytes(place.position, place.header.size())?;
        let batch = Batch::parse(Bytes::from(bytes));
        batch.and_then(|batch| batch.check_crc().map(|()| batch)).map_err(|problem| {
            let position = place.position;
            let what = format!("the batch at position {position} has changed: {problem}");
            StorageError::corrupt(self.log.path(), what)
        })
    }
}

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

#[cfg(test)]
mod tests {
    use super::Found;
    use crate::testing::*;
    use gofka_core::config::TopicConfig;
    use gofka_core::ids::Offset;

    /// A survey compares all of several batches: who reads what is as it was does without, whether
    /// each batch has an index entry or one of many, and whoever wrote it.
    #[test]
    fn headers_are_enough_where_nothing_has_changed() {
        for index_interval_bytes in [1, 250, 4096] {
            let home =
                Home::new(TopicConfig { segment_bytes: 1000, index_interval_bytes, ..config() });
            for _ in 0..2 {
                let (dirs, log) = home.open();
                for n in 0..40 {
                    append(&log, &batch_of(&[("k", Some("v"), n * 10), ("k", None, n * 10 + 5)]));
                }
                let end = log.log_end_offset();
                for segment in log.all_segments() {
                    for offset in segment.base.0..segment.end_offset().0 {
                        let found = segment.locate_by_headers(Offset(offset)).unwrap();
                        assert!(matches!(found, Found::Sure(Some(_))), "{offset} of {end}");
                    }
                }
                dirs.close(no_watermark).unwrap();
            }
        }
    }
}
