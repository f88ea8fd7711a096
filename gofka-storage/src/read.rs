//! Reading: from an offset to bytes of a file, by way of the index.
//!
//! Called by the partition for fetches, by followers and by whoever replays a log. Takes no lock
//! that an append holds for longer than it takes to publish.
//!
//! **Invariant:** a read never skips. It goes on to the next segment only where the one at hand
//! has no batch at or after the offset; a budget that ends inside a batch ends the read.

use crate::error::{ReadError, StorageError};
use crate::log::{AbortedTransaction, Log};
use crate::range::LogRange;
use crate::segment::Segment;
use bytes::Bytes;
use gofka_core::ids::Offset;
use std::sync::Arc;

/// What a read found.
#[derive(Clone, Debug, Default)]
pub struct LogRead {
    /// Whole batches as they are on disk; empty when there is nothing below the bound. The first
    /// may begin before the offset asked for, and holds it.
    pub records: Records,
    /// The offset after the last of them.
    pub next_offset: Offset,
}

/// Whole batches.
#[derive(Clone, Debug)]
pub enum Records {
    /// Few of them, or such as had to be looked at.
    Loaded(Bytes),
    /// Where they are.
    InFile(LogRange),
}

impl Default for Records {
    fn default() -> Self {
        Self::Loaded(Bytes::new())
    }
}

impl Records {
    /// Number of bytes.
    pub const fn len(&self) -> usize {
        match self {
            Self::Loaded(bytes) => bytes.len(),
            Self::InFile(range) => range.len(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their bytes. Those that are in a file are read, and their checksums compared, which blocks.
    pub fn load(self) -> Result<Bytes, StorageError> {
        match self {
            Self::Loaded(bytes) => Ok(bytes),
            Self::InFile(range) => range.load(),
        }
    }
}

/// Attempts at a read whose segment is being removed or replaced.
const ATTEMPTS: usize = 3;

impl Log {
    /// Whole batches from the one that holds `from` on, all of them below `up_to`, at most
    /// `max_bytes` of them, but one where `at_least_one_batch` says so.
    pub fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        up_to: Offset,
        at_least_one_batch: bool,
    ) -> Result<LogRead, ReadError> {
        let found = self.retrying(|| {
            let (start, end) = (self.log_start_offset(), self.log_end_offset());
            if from < start || from > end {
                return Ok(Err(ReadError::OutOfRange { offset: from, start, end }));
            }
            let up_to = up_to.min(end);
            if from >= up_to {
                return Ok(Ok(LogRead::default()));
            }
            self.read_once(from, max_bytes, up_to, at_least_one_batch).map(Ok)
        });
        found?
    }

    /// Whether a read from `from` on begins without waiting for the disk, as far as one can tell.
    pub fn is_hot(&self, from: Offset) -> bool {
        self.segment_at(from).is_none_or(|segment| segment.is_hot(from))
    }

    /// Looks again where a segment was removed or replaced since it was looked up.
    pub(crate) fn retrying<T>(
        &self,
        look: impl Fn() -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        for _ in 1..ATTEMPTS {
            self.check_usable()?;
            match look() {
                // Whoever cuts the log holds the writer's lock until it is done.
                Err(error) if error.is_not_found() => drop(self.writer.lock()),
                found => return found,
            }
        }
        self.check_usable()?;
        look()
    }

    fn read_once(
        &self,
        from: Offset,
        max_bytes: usize,
        up_to: Offset,
        at_least_one_batch: bool,
    ) -> Result<LogRead, StorageError> {
        let mut segment = self.segment_at(from);
        while let Some(this) = segment {
            if let Some(place) = this.locate(from)? {
                let wanted = from.max(this.base)..up_to;
                return this.read(&place, max_bytes, wanted, at_least_one_batch);
            }
            segment = self.segment_after(this.base);
        }
        Ok(LogRead::default())
    }

    /// The segment in which `offset` is, if any; else the first one.
    pub(crate) fn segment_at(&self, offset: Offset) -> Option<Arc<Segment>> {
        let segments = self.segments.read();
        let after = segments.partition_point(|segment| segment.base <= offset);
        segments.get(after.saturating_sub(1)).cloned()
    }

    /// The segment after the one that begins at `base`.
    pub(crate) fn segment_after(&self, base: Offset) -> Option<Arc<Segment>> {
        let segments = self.segments.read();
        segments.get(segments.partition_point(|segment| segment.base <= base)).cloned()
    }

    /// Transactions with a record in `from..up_to` that were aborted.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        up_to: Offset,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        self.retrying(|| self.find_aborted(from, up_to))
    }

    fn find_aborted(
        &self,
        from: Offset,
        up_to: Offset,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        let mut found = Vec::new();
        let mut segment = self.segment_at(from);
        while let Some(this) = segment {
            for entry in this.txns.entries()? {
                if entry.last_offset >= from && entry.first_offset < up_to {
                    let (producer_id, first_offset) = (entry.producer_id, entry.first_offset);
                    found.push(AbortedTransaction { producer_id, first_offset });
                }
                // Everything that ends later began at or after this last stable offset.
                if entry.last_stable_offset >= up_to {
                    return Ok(found);
                }
            }
            segment = self.segment_after(this.base);
        }
        Ok(found)
    }
}
