//! One partition's log: what it consists of, and what it tells.
//!
//! Owned by the server's `partition/` (and by the controller for its own log) through an `Arc`.
//! Appending is in `append`, reading in `read` and `timestamps`, syncing in `flush`, opening in
//! `recovery`, closing in `close`, and so on: each file adds its part to [`Log`]. Any thread may
//! call anything.
//!
//! Locks, in the order in which they are taken: `maintenance` (retention, compaction, truncation),
//! `syncing`, `writer`, `segments`. None but `maintenance` and `syncing` is held while waiting for
//! the disk itself; readers take only `segments`, for as long as it takes to clone a pointer.

use crate::disk::FileSlot;
use crate::epoch_cache::EpochCache;
use crate::error::StorageError;
use crate::health::DirHealth;
use crate::names;
use crate::producer_state::ProducerState;
use crate::segment::{Growth, Segment};
use gofka_core::config::TopicConfig;
use gofka_core::ids::{
    LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicId, TopicPartition,
};
use gofka_core::time::TimestampMs;
use parking_lot::{Mutex, RwLock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

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
pub struct Log {
    pub(crate) partition: TopicPartition,
    pub(crate) topic_id: TopicId,
    pub(crate) dir: PathBuf,
    pub(crate) health: Arc<DirHealth>,
    pub(crate) maintenance: Mutex<()>,
    pub(crate) syncing: Mutex<()>,
    pub(crate) writer: Mutex<Writer>,
    /// Sorted by base offset; the last one is the active segment. Empty before the first append.
    pub(crate) segments: RwLock<Vec<Arc<Segment>>>,
    pub(crate) epochs: RwLock<EpochCache>,
    pub(crate) published: Published,
    config: RwLock<Arc<TopicConfig>>,
    closed: AtomicBool,
}

/// What readers see without a lock.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) start: AtomicI64,
    pub(crate) end: AtomicI64,
    /// Everything below is on the disk itself.
    pub(crate) safe: AtomicI64,
    /// `i64::MAX` when nothing is unstable.
    pub(crate) first_unstable: AtomicI64,
    /// The first offset that was never compacted.
    pub(crate) first_dirty: AtomicI64,
    /// It may have been compacted: the cleaner's checkpoint names it.
    pub(crate) compacted: AtomicBool,
    pub(crate) size: AtomicU64,
}

/// What only an appending thread touches.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The state of the last segment's growth.
    pub(crate) growth: Growth,
    pub(crate) producers: ProducerState,
    /// Written, but not synced; pinned until they are.
    pub(crate) dirty: Vec<Arc<FileSlot>>,
    /// Whether the active segment is among them.
    pub(crate) active_is_dirty: bool,
    /// Files were made since the folder was synced.
    pub(crate) new_entries: bool,
    /// Offset of the newest producer snapshot on disk.
    pub(crate) last_snapshot: Option<Offset>,
}

/// What opening a log found out, handed to [`Log::assemble`].
#[derive(Debug, Default)]
pub(crate) struct Opened {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) writer: Writer,
    pub(crate) epochs: EpochCache,
    pub(crate) start: Offset,
    pub(crate) end: Offset,
    pub(crate) safe: Offset,
}

/// A log's identity and place.
#[derive(Clone, Debug)]
pub(crate) struct LogPlace {
    pub(crate) partition: TopicPartition,
    pub(crate) topic_id: TopicId,
    pub(crate) dir: PathBuf,
    pub(crate) health: Arc<DirHealth>,
    pub(crate) config: Arc<TopicConfig>,
}

impl Log {
    pub(crate) fn assemble(place: LogPlace, opened: Opened) -> Self {
        note_ends(&opened.segments, opened.end);
        let unstable = opened.writer.producers.first_unstable_offset();
        let published = Published {
            start: AtomicI64::new(opened.start.0),
            end: AtomicI64::new(opened.end.0),
            safe: AtomicI64::new(opened.safe.0),
            first_unstable: AtomicI64::new(unstable.map_or(i64::MAX, |offset| offset.0)),
            first_dirty: AtomicI64::new(opened.start.0),
            compacted: AtomicBool::new(false),
            size: AtomicU64::new(opened.segments.iter().map(|segment| segment.size()).sum()),
        };
        Self {
            partition: place.partition,
            topic_id: place.topic_id,
            dir: place.dir,
            health: place.health,
            maintenance: Mutex::default(),
            syncing: Mutex::default(),
            writer: Mutex::new(opened.writer),
            segments: RwLock::new(opened.segments),
            epochs: RwLock::new(opened.epochs),
            published,
            config: RwLock::new(place.config),
            closed: AtomicBool::new(false),
        }
    }

    /// First offset that may be read.
    pub fn log_start_offset(&self) -> Offset {
        Offset(self.published.start.load(Ordering::Acquire))
    }

    /// Offset of the next record.
    pub fn log_end_offset(&self) -> Offset {
        Offset(self.published.end.load(Ordering::Acquire))
    }

    /// Everything below is synced to disk.
    pub fn safe_offset(&self) -> Offset {
        Offset(self.published.safe.load(Ordering::Acquire))
    }

    /// Everything below belongs to no open transaction; at most the log end offset. The caller
    /// bounds it by the high watermark.
    pub fn last_stable_offset(&self) -> Offset {
        let unstable = self.published.first_unstable.load(Ordering::Acquire);
        self.log_end_offset().min(Offset(unstable))
    }

    /// Tells which markers are replicated; costs nothing where there are no transactions.
    pub fn note_high_watermark(&self, high_watermark: Offset) {
        if self.published.first_unstable.load(Ordering::Acquire) == i64::MAX {
            return;
        }
        let mut writer = self.writer.lock();
        writer.producers.note_high_watermark(high_watermark);
        self.publish_unstable(&writer);
    }

    pub(crate) fn publish_unstable(&self, writer: &Writer) {
        let unstable = writer.producers.first_unstable_offset();
        let unstable = unstable.map_or(i64::MAX, |offset| offset.0);
        self.published.first_unstable.store(unstable, Ordering::Release);
    }

    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        self.published.size.load(Ordering::Relaxed)
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.segments.read().len()
    }

    /// An error where a client must not append `bytes` more, because its directory has too little
    /// room left.
    pub fn check_space(&self, bytes: u64) -> Result<(), StorageError> {
        self.health.space().check(self.health.path(), bytes)
    }

    /// Its settings.
    pub fn config(&self) -> Arc<TopicConfig> {
        Arc::clone(&self.config.read())
    }

    /// Changes its settings from here on.
    pub fn set_config(&self, config: Arc<TopicConfig>) {
        *self.config.write() = config;
    }

    /// Its folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its topic's id.
    pub fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    /// Its name.
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The last epoch at or before `epoch`, and where it ends (KIP-101, KIP-279); (-1, -1) when
    /// the log does not know.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        self.epochs.read().end_of(epoch, self.log_end_offset())
    }

    /// The newest epoch, or -1.
    pub fn latest_epoch(&self) -> LeaderEpoch {
        self.epochs.read().latest()
    }

    /// The epoch in which the record at `offset` was written, or -1.
    pub fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        self.epochs.read().epoch_of(offset)
    }

    /// Notes that `epoch` starts at `start`.
    pub fn assign_epoch(&self, epoch: LeaderEpoch, start: Offset) {
        self.epochs.write().assign(epoch, start);
    }

    /// Forgets producers that were silent for longer than `expiration_ms`.
    pub fn expire_producers(&self, now: TimestampMs, expiration_ms: i64) {
        self.writer.lock().producers.expire(now, expiration_ms);
    }

    /// How many producers the log knows.
    pub fn producer_count(&self) -> usize {
        self.writer.lock().producers.len()
    }

    /// Every producer that the log knows.
    pub fn active_producers(&self) -> Vec<ProducerStatus> {
        self.writer.lock().producers.describe()
    }

    /// An error when the log is closed or its directory offline.
    pub(crate) fn check_usable(&self) -> Result<(), StorageError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StorageError::Closed);
        }
        self.health.check()
    }

    /// Refuses everything from here on, without writing anything.
    pub(crate) fn refuse(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Closes every file of a log that refuses everything.
    pub(crate) fn close_files(&self) {
        for segment in self.segments.read().iter() {
            segment.slots().iter().for_each(|slot| slot.close());
        }
    }

    /// Whether the log begins after the first offset that its files hold.
    pub(crate) fn start_is_inside_a_segment(&self) -> bool {
        let first = self.segments.read().first().map_or(Offset::ZERO, |segment| segment.base);
        self.log_start_offset() > first
    }

    /// Whether it may have holes that compaction left, whatever it is set to now.
    pub(crate) fn was_compacted(&self) -> bool {
        self.published.compacted.load(Ordering::Acquire)
    }

    pub(crate) fn note_compacted(&self) {
        self.published.compacted.store(true, Ordering::Release);
    }

    pub(crate) fn set_first_dirty(&self, offset: Offset) {
        if offset <= self.log_end_offset() {
            self.published.first_dirty.fetch_max(offset.0, Ordering::AcqRel);
        }
    }

    /// Writes the producers' state as of `offset`, the log's end.
    pub(crate) fn snapshot_producers(
        &self,
        writer: &mut Writer,
        offset: Offset,
    ) -> Result<(), StorageError> {
        if writer.last_snapshot == Some(offset) {
            return Ok(());
        }
        let path = self.dir.join(names::file(offset, names::SNAPSHOT));
        let disk = self.health.disk();
        disk.replace(&path, &writer.producers.to_snapshot(), false)?;
        writer.note_dirty(&FileSlot::new(disk, path));
        writer.new_entries = true;
        writer.last_snapshot = Some(offset);
        Ok(())
    }
}

/// Tells each segment where its offsets end: where the next one begins, or the log ends.
pub(crate) fn note_ends(segments: &[Arc<Segment>], end: Offset) {
    for (at, segment) in segments.iter().enumerate() {
        segment.ends_before(segments.get(at + 1).map_or(end, |next| next.base));
    }
}

impl Writer {
    /// Remembers that a file has to be synced.
    pub(crate) fn note_dirty(&mut self, slot: &Arc<FileSlot>) {
        slot.pin();
        self.dirty.push(Arc::clone(slot));
    }
}
