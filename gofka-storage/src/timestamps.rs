//! From a timestamp to an offset (ListOffsets).
//!
//! Called by the partition. Finds the segment by its largest timestamp, the batch by the time
//! index, and opens that one batch to find the record.

use crate::error::StorageError;
use crate::log::Log;
use crate::segment::Segment;
use bytes::Bytes;
use gofka_core::ids::Offset;
use gofka_core::record::{self, Batch, BatchHeader};
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
        let start = self.log_start_offset();
        let found = segment.first_in_batch(place.position, &place.header, timestamp, start)?;
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
        let from = self.last_before(timestamp)?.max(start);
        let Some(place) = self.locate(from)? else { return Ok(None) };
        let mut headers = self.headers(place.position)?;
        while let Some(placed) = headers.next_header()? {
            if placed.header.max_timestamp < timestamp {
                continue;
            }
            let found = self.first_in_batch(placed.position, &placed.header, timestamp, start)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// An offset before which every timestamp is smaller.
    fn last_before(&self, timestamp: TimestampMs) -> Result<Offset, StorageError> {
        let look = || {
            let Some(entry) = self.times.floor(TimestampMs(timestamp.0.saturating_sub(1)))? else {
                return Ok(self.base);
            };
            if !self.is_true(entry)? {
                let what = "an entry names a batch that does not have its timestamp";
                return Err(StorageError::corrupt(self.times.slot().path(), what));
            }
            Ok(self.base.plus(i64::from(entry.relative)))
        };
        match look() {
            Err(problem) if self.may_rebuild(&problem) => {
                self.rebuild_indexes(&problem)?;
                look()
            }
            found => found,
        }
    }

    /// The first record of a batch at or after both `timestamp` and the offset `start`.
    fn first_in_batch(
        &self,
        position: u64,
        header: &BatchHeader,
        timestamp: TimestampMs,
        start: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        let broken = |problem: record::BatchError| {
            let what = format!("batch at offset {}: {problem}", header.base_offset);
            StorageError::corrupt(self.log.path(), what)
        };
        let bytes = self.read_bytes(position, header.size())?;
        let batch = Batch::parse(Bytes::from(bytes)).map_err(broken)?;
        let records = record::records(&batch, DECOMPRESSED_MAX).map_err(broken)?;
        let fits = |found: &&record::Record| found.timestamp >= timestamp && found.offset >= start;
        Ok(records.iter().find(fits).map(|found| (found.offset, found.timestamp)))
    }
}
