//! Reading a partition, up to what its reader may see.
//!
//! Called by Fetch and by coordinators that load, on their own threads.

use bytes::Bytes;
use gofka_core::error::ErrorCode;
use gofka_core::ids::Offset;
use gofka_storage::{AbortedTransaction, ReadError, Records, StorageError};

use super::replica::Partition;

/// Which records a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Everything below the high watermark.
    ReadUncommitted,
    /// Nothing of an open transaction, nor anything after one.
    ReadCommitted,
}

/// One read.
#[derive(Clone, Debug)]
pub struct PartitionRead {
    /// Whole batches.
    pub records: Records,
    /// The offset after them.
    pub next_offset: Offset,
    /// When it was read.
    pub high_watermark: Offset,
    /// When it was read; never above the high watermark.
    pub last_stable_offset: Offset,
    /// When it was read.
    pub log_start_offset: Offset,
    /// Aborted transactions among the records, for `ReadCommitted`.
    pub aborted: Vec<AbortedTransaction>,
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The first offset.
    pub from: Offset,
    /// Bytes at most.
    pub max_bytes: usize,
    /// Which records.
    pub isolation: Isolation,
    /// One batch comes even if it is larger.
    pub at_least_one_batch: bool,
}

impl Partition {
    /// Reads whole batches from `from` on.
    pub fn read(&self, request: &ReadRequest) -> Result<PartitionRead, ErrorCode> {
        self.check_open()?;
        let high_watermark = self.high_watermark();
        let last_stable_offset = self.log.last_stable_offset().min(high_watermark);
        let up_to = match request.isolation {
            Isolation::ReadUncommitted => high_watermark,
            Isolation::ReadCommitted => last_stable_offset,
        };
        let log_start_offset = self.log.log_start_offset();
        if request.from == up_to && request.from >= log_start_offset {
            // At the end, where most readers are most of the time.
            return Ok(PartitionRead {
                records: Records::default(),
                next_offset: request.from,
                high_watermark,
                last_stable_offset,
                log_start_offset,
                aborted: Vec::new(),
            });
        }
        let read = self
            .log
            .read(request.from, request.max_bytes, up_to, request.at_least_one_batch)
            .map_err(|error| self.read_failure(&error))?;
        let mut aborted = Vec::new();
        if request.isolation == Isolation::ReadCommitted && !read.records.is_empty() {
            aborted = self
                .log
                .aborted_transactions(request.from, up_to)
                .map_err(|error| self.storage_failure(&error, "read"))?;
        }
        Ok(PartitionRead {
            records: read.records,
            next_offset: read.next_offset,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            aborted,
        })
    }

    /// Whether a read from `from` on begins without waiting for the disk, as far as one can tell.
    pub fn is_hot(&self, from: Offset, isolation: Isolation) -> bool {
        from >= self.readable_end(isolation) || self.log.is_hot(from)
    }

    /// Loads records that were found in their file. Blocks.
    pub fn load(&self, records: Records) -> Result<Bytes, ErrorCode> {
        records.load().map_err(|error| self.storage_failure(&error, "read"))
    }

    fn read_failure(&self, error: &ReadError) -> ErrorCode {
        if let ReadError::Storage(storage) = error
            && !matches!(storage, StorageError::Closed)
        {
            tracing::error!(partition = %self.name(), %error, "storage failed during read");
        }
        error.code()
    }
}
