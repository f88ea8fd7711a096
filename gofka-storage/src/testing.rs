//! What the tests of this crate share: small batches, and a folder with logs in it.

use crate::compaction::{CompactionOutcome, CompactionRun};
use crate::dirs::{Claim, DirOptions, LogDirs};
use crate::error::StorageError;
use crate::log::{AppendInfo, Log};
use gofka_core::config::{CleanupPolicy, TopicConfig};
use gofka_core::ids::{
    LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, Sequence, TopicId, TopicPartition, Uuid,
};
use gofka_core::record::{
    self, Batch, BatchBuilder, Compression, NewRecord, Record, TimestampType,
};
use gofka_core::time::TimestampMs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
pub(crate) const EPOCH: LeaderEpoch = LeaderEpoch(3);
pub(crate) const TOPIC_ID: TopicId = TopicId(Uuid::from_u128(0x1234_5678));

pub(crate) fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

/// Small segments and an index entry for every few batches.
pub(crate) fn config() -> TopicConfig {
    TopicConfig { segment_bytes: 1000, index_interval_bytes: 150, ..TopicConfig::default() }
}

pub(crate) fn compacted() -> TopicConfig {
    TopicConfig {
        cleanup_policy: CleanupPolicy { delete: false, compact: true },
        min_cleanable_dirty_ratio: 0.0,
        delete_retention_ms: 1000,
        ..config()
    }
}

/// A batch of records `(key, value, timestamp)`.
pub(crate) fn batch_of(records: &[(&str, Option<&str>, i64)]) -> Batch {
    let mut builder = BatchBuilder::new(Offset(0), Compression::None, TimestampType::CreateTime);
    for (key, value, timestamp) in records {
        builder.push(&NewRecord {
            timestamp: TimestampMs(*timestamp),
            key: Some(key.as_bytes()),
            value: value.map(str::as_bytes),
            headers: &[],
        });
    }
    builder.build_batch()
}

/// A batch of `count` records with values `text`.
pub(crate) fn batch(text: &str, count: usize) -> Batch {
    batch_of(&vec![("k", Some(text), NOW.0); count])
}

/// A batch of an idempotent producer.
pub(crate) fn idempotent(id: i64, epoch: i16, sequence: i32, count: usize) -> Batch {
    let mut builder = BatchBuilder::new(Offset(0), Compression::None, TimestampType::CreateTime)
        .producer(ProducerId(id), ProducerEpoch(epoch), Sequence(sequence));
    for _ in 0..count {
        builder.push(&NewRecord { timestamp: NOW, key: Some(b"k"), ..NewRecord::default() });
    }
    builder.build_batch()
}

pub(crate) fn append(log: &Log, batch: &Batch) -> AppendInfo {
    log.append_as_leader(std::slice::from_ref(batch), EPOCH, NOW).unwrap()
}

/// One run of the cleaner that nothing holds up.
pub(crate) fn compact_log(
    log: &Log,
    now: TimestampMs,
    up_to: Offset,
    map_bytes: usize,
) -> Result<Option<CompactionOutcome>, StorageError> {
    log.compact(&CompactionRun { now, up_to, map_bytes, pace: &|_, _| true })
}

/// Every record from `from` on, read `max_bytes` at a time.
pub(crate) fn read_all(log: &Log, from: Offset, max_bytes: usize) -> Vec<Record> {
    let end = log.log_end_offset();
    let mut next = from;
    let mut found = Vec::new();
    loop {
        let read = log.read(next, max_bytes, end, true).unwrap();
        let batches = record::split(read.records.load().unwrap()).unwrap();
        let Some(last) = batches.last() else { return found };
        next = last.header.next_offset();
        for batch in &batches {
            batch.check_crc().unwrap();
            let records = record::records(batch, 1 << 20).unwrap();
            found.extend(records.into_iter().filter(|record| record.offset >= from));
        }
    }
}

/// Offsets and values as text.
pub(crate) fn texts(records: &[Record]) -> Vec<(i64, String)> {
    let text = |record: &Record| {
        let value = record.value.as_deref().unwrap_or(b"(none)");
        (record.offset.0, String::from_utf8_lossy(value).into_owned())
    };
    records.iter().map(text).collect()
}

/// A log directory with one log in it, that can be closed, left and opened again.
pub(crate) struct Home {
    pub(crate) root: tempfile::TempDir,
    pub(crate) config: Arc<TopicConfig>,
}

impl Home {
    pub(crate) fn new(config: TopicConfig) -> Self {
        Self { root: tempfile::tempdir().unwrap(), config: Arc::new(config) }
    }

    pub(crate) fn log_dir(&self) -> PathBuf {
        self.root.path().join(partition().to_string())
    }

    /// Opens the directory and its log, which is made where it is missing.
    pub(crate) fn open(&self) -> (LogDirs, Arc<Log>) {
        let dirs = open_dirs(self.root.path());
        let loaded = dirs.load(claim(&self.config), NOW).unwrap();
        let log = loaded.into_iter().next().map(|(_, log)| log);
        let log = log.unwrap_or_else(|| {
            dirs.create(&partition(), TOPIC_ID, Arc::clone(&self.config)).unwrap()
        });
        (dirs, log)
    }

    /// Names of the log's files.
    pub(crate) fn files(&self) -> Vec<String> {
        crate::disk::list(&self.log_dir()).unwrap()
    }
}

pub(crate) fn dir_options() -> DirOptions {
    DirOptions {
        node_id: NodeId(0),
        cluster_id: None,
        max_open_files: 16,
        recovery_threads: 2,
        min_free_bytes: 0,
    }
}

/// Wants every log, with these settings.
pub(crate) fn claim(config: &Arc<TopicConfig>) -> impl Fn(&TopicPartition, TopicId) -> Claim {
    |_, topic_id| wants(topic_id, config)
}

/// Wants one, whatever leader epochs it tells of.
pub(crate) fn wants(topic_id: TopicId, config: &Arc<TopicConfig>) -> Claim {
    Claim::Wanted { topic_id, config: Arc::clone(config), leader_epoch: None }
}

pub(crate) fn open_dirs(root: &Path) -> LogDirs {
    LogDirs::open(&[root.to_owned()], &dir_options()).unwrap()
}

/// High watermarks for checkpoints: the log's end.
pub(crate) fn no_watermark(_: &TopicPartition) -> Option<Offset> {
    None
}
