//! From a timestamp to an offset (ListOffsets).
//!
//! Called by the partition. Finds the segment by its largest timestamp, the batch by the time
//! index, and opens that one batch to find the record.

use crate::error::StorageError;
use crate::log::Log;
use crate::lookup::Place;
use crate::segment::Segment;
use gofka_core::ids::Offset;
use gofka_core::record;
use gofka_core::time::TimestampMs;
use std::sync::Arc;

/// A compressed batch that a lookup opens may grow to this.
const DECOMPRESSED_MAX: usize = 64 << 20;

impl Log {
    /// The first record at or after `timestamp`, below `up_to`, with its own timestamp.
    pub fn offset_for_timestamp(
        &self,
        timestamp: TimestampMs,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        self.retrying(|| self.find_timestamp(timestamp, up_to))
    }

    fn find_timestamp(
        &self,
        timestamp: TimestampMs,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        let start = self.log_start_offset();
        for segment in self.all_segments() {
            let Some((largest, _)) = segment.largest()? else { continue };
            if largest < timestamp {
                continue;
            }
            if let Some(found) = segment.first_at_or_after(timestamp, start)? {
                return Ok(Some(found).filter(|(offset, _)| *offset < up_to));
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp, where it is below `up_to`.
    pub fn max_timestamp_offset(
        &self,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        self.retrying(|| self.find_max_timestamp(up_to))
    }

    fn find_max_timestamp(
        &self,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        let mut best: Option<(TimestampMs, Offset, Arc<Segment>)> = None;
        for segment in self.all_segments() {
            if let Some((timestamp, offset)) = segment.largest()?
                && timestamp >= TimestampMs(0)
                && best.as_ref().is_none_or(|(largest, ..)| timestamp > *largest)
            {
                best = Some((timestamp, offset, segment));
            }
        }
        let Some((timestamp, offset, segment)) = best else { return Ok(None) };
        let Some(place) = segment.locate(offset)? else { return Ok(None) };
        let found = segment.first_in_batch(&place, timestamp, self.log_start_offset())?;
        Ok(found.filter(|(offset, _)| *offset < up_to))
    }

    pub(crate) fn all_segments(&self) -> Vec<Arc<Segment>> {
        self.segments.read().clone()
    }
}

impl Segment {
    /// The first record at or after both `timestamp` and the offset `start`.
    fn first_at_or_after(
        &self,
        timestamp: TimestampMs,
        start: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        let from = self.end_before(timestamp)?.max(start);
        let Some(place) = self.locate(from)? else { return Ok(None) };
        let mut headers = self.headers(place.position)?;
        while let Some(placed) = headers.next_header()? {
            if placed.header.max_timestamp < timestamp {
                if !self.trust.covers(&(placed.position..placed.end())) {
                    self.load(&placed)?;
                }
                continue;
            }
            let Some(found) = self.first_in_batch(&placed, timestamp, start)? else { continue };
            // No checksum covers the offset of a batch.
            let place = self.locate(found.0)?;
            if place.is_none_or(|place| place.position != placed.position) {
                let what = format!("the batch at position {} is out of place", placed.position);
                return Err(StorageError::corrupt(self.log.path(), what));
            }
            return Ok(Some(found));
        }
        Ok(None)
    }

    /// An offset before which every timestamp is smaller.
    fn end_before(&self, timestamp: TimestampMs) -> Result<Offset, StorageError> {
        let look = || {
            let Some(entry) = self.times.floor(TimestampMs(timestamp.0.saturating_sub(1)))? else {
                return Ok(self.base);
            };
            self.check_time(entry)?;
            Ok(self.base.plus(i64::from(entry.relative) + 1))
        };
        match look() {
            Err(problem) if self.blames_index(&problem) => {
                self.rebuild_indexes(&problem)?;
                look()
            }
            found => found,
        }
    }

    /// The first record of a batch at or after both `timestamp` and the offset `start`.
    fn first_in_batch(
        &self,
        place: &Place,
        timestamp: TimestampMs,
        start: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        let batch = self.load(place)?;
        let records = record::records(&batch, DECOMPRESSED_MAX).map_err(|problem| {
            let what = format!("batch at offset {}: {problem}", place.header.base_offset);
            StorageError::corrupt(self.log.path(), what)
        })?;
        let fits = |found: &&record::Record| found.timestamp >= timestamp && found.offset >= start;
        Ok(records.iter().find(fits).map(|found| (found.offset, found.timestamp)))
    }
}
