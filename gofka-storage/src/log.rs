//! One partition's log.

use crate::error::{AppendError, ReadError, StorageError};
use bytes::Bytes;
use gofka_core::config::TopicConfig;
use gofka_core::ids::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicId, TopicPartition,
};
use gofka_core::record::Batch;
use gofka_core::time::TimestampMs;
use std::path::PathBuf;
use std::sync::Arc;

/// What an append did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The broker's timestamp, where the batches carry `LogAppendTime`.
    pub log_append_time: Option<TimestampMs>,
    /// Log start offset when it was appended.
    pub log_start_offset: Offset,
    /// The batches were in the log already; the offsets are those of then.
    pub duplicate: bool,
}

/// What a read found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRead {
    /// Whole batches as they are on disk; empty when there is nothing below the bound. The first
    /// may begin before the offset asked for, and holds it.
    pub records: Bytes,
}

/// A transaction that ended in an abort, for `read_committed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose it was.
    pub producer_id: ProducerId,
    /// Its first record.
    pub first_offset: Offset,
}

/// What the log remembers of one producer (DescribeProducers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerStatus {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its latest epoch.
    pub epoch: ProducerEpoch,
    /// Sequence of its last record, or -1.
    pub last_sequence: Sequence,
    /// Largest timestamp of its last batch.
    pub last_timestamp: TimestampMs,
    /// Epoch of the transaction coordinator that wrote its last marker, or -1.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction.
    pub current_txn_start: Option<Offset>,
}

/// What one run of the cleaner did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompactionOutcome {
    /// Bytes of the segments before.
    pub bytes_before: u64,
    /// And after.
    pub bytes_after: u64,
    /// Everything below is clean now.
    pub clean_up_to: Offset,
}

/// How a log that stands alone is opened.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Its folder; made where it is missing.
    pub dir: PathBuf,
    /// Its name.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// Its settings.
    pub config: Arc<TopicConfig>,
}

/// One partition's log. Cheap methods read published state; one append runs at a time.
#[derive(Debug)]
pub struct Log {}

#[allow(unused_variables, clippy::unused_self, clippy::needless_pass_by_value)]
impl Log {
    /// Opens a log outside of any [`crate::LogDirs`], checking every byte after its last sync.
    pub fn open(options: LogOptions) -> Result<Self, StorageError> {
        todo!()
    }

    /// Appends validated batches: assigns their offsets and `epoch`, checks producer state.
    pub fn append_as_leader(
        &self,
        batches: &[Batch],
        epoch: LeaderEpoch,
        now: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        todo!()
    }

    /// Appends batches that carry their offsets and epochs already.
    pub fn append_as_follower(
        &self,
        batches: &[Batch],
        now: TimestampMs,
    ) -> Result<AppendInfo, AppendError> {
        todo!()
    }

    /// Whole batches from the one that holds `from` on, all of them below `up_to`, at most
    /// `max_bytes` of them, but one where `at_least_one_batch` says so.
    pub fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        up_to: Offset,
        at_least_one_batch: bool,
    ) -> Result<LogRead, ReadError> {
        todo!()
    }

    /// Transactions with a record in `from..up_to` that were aborted.
    pub fn aborted_transactions(
        &self,
        from: Offset,
        up_to: Offset,
    ) -> Result<Vec<AbortedTransaction>, StorageError> {
        todo!()
    }

    /// First offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        todo!()
    }

    /// Offset of the next record.
    pub fn log_end_offset(&self) -> Offset {
        todo!()
    }

    /// Everything below is synced to disk.
    pub fn safe_offset(&self) -> Offset {
        todo!()
    }

    /// Everything below belongs to no open transaction; at most the log end offset. The caller
    /// bounds it by the high watermark.
    pub fn last_stable_offset(&self) -> Offset {
        todo!()
    }

    /// Tells which markers are replicated; costs nothing where there are no transactions.
    pub fn note_high_watermark(&self, high_watermark: Offset) {
        todo!()
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        todo!()
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        todo!()
    }

    /// Its settings.
    pub fn config(&self) -> Arc<TopicConfig> {
        todo!()
    }

    /// Changes its settings from here on.
    pub fn set_config(&self, config: Arc<TopicConfig>) {
        todo!()
    }

    /// Its folder.
    pub fn dir(&self) -> PathBuf {
        todo!()
    }

    /// Its topic's id.
    pub fn topic_id(&self) -> TopicId {
        todo!()
    }

    /// Its name.
    pub fn partition(&self) -> &TopicPartition {
        todo!()
    }

    /// The first record at or after `timestamp`, below `up_to`, with its own timestamp.
    pub fn offset_for_timestamp(
        &self,
        timestamp: TimestampMs,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        todo!()
    }

    /// The first record with the largest timestamp, where it is below `up_to`.
    pub fn max_timestamp_offset(
        &self,
        up_to: Offset,
    ) -> Result<Option<(Offset, TimestampMs)>, StorageError> {
        todo!()
    }

    /// The last epoch at or before `epoch`, and where it ends (KIP-101, KIP-279); (-1, -1) when
    /// the log does not know.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        todo!()
    }

    /// The newest epoch, or -1.
    pub fn latest_epoch(&self) -> LeaderEpoch {
        todo!()
    }

    /// The epoch in which the record at `offset` was written, or -1.
    pub fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        todo!()
    }

    /// Notes that `epoch` starts at `start`.
    pub fn assign_epoch(&self, epoch: LeaderEpoch, start: Offset) {
        todo!()
    }

    /// Writes everything appended so far to the disk itself; the new safe offset. A failure takes
    /// the log directory offline for good.
    pub fn sync(&self) -> Result<Offset, StorageError> {
        todo!()
    }

    /// Raises the log start offset (DeleteRecords) and removes segments that are wholly below it.
    pub fn set_log_start_offset(&self, offset: Offset) -> Result<(), StorageError> {
        todo!()
    }

    /// Removes segments by age and size, none that reaches past `high_watermark`. Number removed.
    pub fn apply_retention(
        &self,
        now: TimestampMs,
        high_watermark: Offset,
    ) -> Result<usize, StorageError> {
        todo!()
    }

    /// Starts a new segment where the active one is older than `segment.ms`.
    pub fn roll_if_old(&self, now: TimestampMs) -> Result<bool, StorageError> {
        todo!()
    }

    /// Starts a new segment.
    pub fn roll(&self) -> Result<(), StorageError> {
        todo!()
    }

    /// Compacts what is dirty below `up_to` (high watermark or last stable offset), where enough
    /// of it is; `map_bytes` bounds the memory for keys. `None` when there was nothing to do.
    pub fn compact(
        &self,
        now: TimestampMs,
        up_to: Offset,
        map_bytes: usize,
    ) -> Result<Option<CompactionOutcome>, StorageError> {
        todo!()
    }

    /// Cuts the log back so that it ends at `offset`.
    pub fn truncate_to(&self, offset: Offset) -> Result<(), StorageError> {
        todo!()
    }

    /// Forgets producers that were silent for longer than `expiration_ms`.
    pub fn expire_producers(&self, now: TimestampMs, expiration_ms: i64) {
        todo!()
    }

    /// Every producer that the log knows.
    pub fn active_producers(&self) -> Vec<ProducerStatus> {
        todo!()
    }

    /// Syncs, writes indexes and producer state, and refuses everything from here on.
    pub fn close(&self) -> Result<(), StorageError> {
        todo!()
    }
}
