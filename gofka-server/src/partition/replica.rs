//! One partition that this broker leads: its one writer, its high watermark, and who waits for it.
//!
//! Called by the produce, fetch and offset handlers and by coordinators, on any thread. Appends
//! and reads go to the page cache and are done by the caller; syncing is the flusher's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI16, AtomicI32, AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use gofka_core::config::{Durability, TopicConfig};
use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, NodeId, Offset, TopicId, TopicPartition};
use gofka_core::record::{Batch, BatchRejection, Compression, Origin, split, validate};
use gofka_core::time::TimestampMs;
use gofka_raft::PartitionImage;
use gofka_storage::{AbortedTransaction, AppendError, Log, ReadError, StorageError};

use crate::metrics::PartitionMetrics;

use super::delayed::{Delayed, DelayedGuard, Waiters};
use super::flusher::{FlushState, Flusher};
use super::rules::rules;
use super::unsynced::Unsynced;

/// What the partitions of a broker share.
#[derive(Clone, Debug)]
pub(super) struct PartitionShared {
    /// This broker.
    pub(super) node: NodeId,
    /// Syncs.
    pub(super) flusher: Flusher,
    /// Partitions in page-cache mode that the next background flush takes.
    pub(super) unsynced: Unsynced,
}

/// One partition.
#[derive(Debug)]
pub struct Partition {
    log: Arc<Log>,
    shared: PartitionShared,
    config: ArcSwap<TopicConfig>,
    leader: AtomicI32,
    leader_epoch: AtomicI32,
    high_watermark: AtomicI64,
    appended_bytes: AtomicU64,
    announced_bytes: AtomicU64,
    unsynced_records: AtomicI64,
    flush_state: FlushState,
    queued_for_background_flush: AtomicBool,
    /// Why it is not served any more, as a protocol code; 0 while it is.
    closed: AtomicI16,
    waiters: Waiters,
    metrics: PartitionMetrics,
}

/// Who appends, and when.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions {
    origin: Origin,
    now: TimestampMs,
    zstd_known: bool,
    names_transactional_id: bool,
}

impl AppendOptions {
    /// A client's produce; versions before 7 know nothing of zstd (KIP-110).
    pub fn client(now: TimestampMs, zstd_known: bool) -> Self {
        Self { origin: Origin::Client, now, zstd_known, names_transactional_id: false }
    }

    /// A coordinator of this broker.
    pub fn internal(now: TimestampMs) -> Self {
        Self { origin: Origin::Internal, ..Self::client(now, true) }
    }

    /// Notes that the request names a transactional id.
    #[must_use]
    pub fn with_transactional_id(mut self) -> Self {
        self.names_transactional_id = true;
        self
    }

    fn check(&self, batches: &[Batch]) -> Result<(), BatchRejection> {
        let zstd = Some(Compression::Zstd);
        if !self.zstd_known && batches.iter().any(|b| b.header.attributes.compression() == zstd) {
            return Err(BatchRejection::new(
                ErrorCode::UnsupportedCompressionType,
                "zstd needs Produce version 7 or later",
            ));
        }
        let transactional = batches.iter().any(|b| b.header.attributes.is_transactional());
        if self.origin == Origin::Client && transactional {
            // No transactional id has ever been given out here, so none can own a producer id.
            return Err(if self.names_transactional_id {
                let message = "the producer id belongs to no transactional id";
                BatchRejection::new(ErrorCode::InvalidProducerIdMapping, message)
            } else {
                let message = "transactional records without a transactional id";
                BatchRejection::new(ErrorCode::TransactionalIdAuthorizationFailed, message)
            });
        }
        Ok(())
    }
}

/// A successful append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The broker's timestamp, where the topic has `LogAppendTime`.
    pub log_append_time: Option<TimestampMs>,
    /// Log start offset at that moment.
    pub log_start_offset: Offset,
}

impl Appended {
    /// What the high watermark must reach for all of it to be committed.
    pub fn commit_offset(&self) -> Offset {
        self.last_offset.plus(1)
    }
}

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
    pub records: Bytes,
    /// When it was read.
    pub high_watermark: Offset,
    /// When it was read; never above the high watermark.
    pub last_stable_offset: Offset,
    /// When it was read.
    pub log_start_offset: Offset,
    /// Aborted transactions among the records, for `ReadCommitted`.
    pub aborted: Vec<AbortedTransaction>,
}

impl Partition {
    /// The partition over `log`, which has been recovered. Nothing of it is in doubt any more, so
    /// that the high watermark starts at its end; in `fsync` mode at the end of what is synced.
    pub(super) fn new(
        log: Arc<Log>,
        config: Arc<TopicConfig>,
        image: &PartitionImage,
        shared: PartitionShared,
        metrics: PartitionMetrics,
    ) -> Arc<Self> {
        log.set_config(config.clone());
        let partition = Arc::new(Self {
            log,
            shared,
            config: ArcSwap::new(config),
            leader: AtomicI32::new(-1),
            leader_epoch: AtomicI32::new(-1),
            high_watermark: AtomicI64::new(0),
            appended_bytes: AtomicU64::new(0),
            announced_bytes: AtomicU64::new(0),
            unsynced_records: AtomicI64::new(0),
            flush_state: FlushState::default(),
            queued_for_background_flush: AtomicBool::new(false),
            closed: AtomicI16::new(0),
            waiters: Waiters::default(),
            metrics,
        });
        partition.set_leadership(image);
        partition.raise_high_watermark();
        if partition.log.safe_offset() < partition.log.log_end_offset() {
            partition.shared.flusher.request(&partition);
        }
        partition
    }

    /// Its name.
    pub fn name(&self) -> &TopicPartition {
        self.log.partition()
    }

    /// Its topic's id.
    pub fn topic_id(&self) -> TopicId {
        self.log.topic_id()
    }

    /// Its log.
    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    /// Its topic's settings.
    pub fn config(&self) -> Arc<TopicConfig> {
        self.config.load_full()
    }

    /// Its counters.
    pub fn metrics(&self) -> &PartitionMetrics {
        &self.metrics
    }

    /// Changes the settings; they hold from the next append on.
    pub fn set_config(self: &Arc<Self>, config: Arc<TopicConfig>) {
        self.log.set_config(config.clone());
        self.config.store(config);
        // From `page-cache` to `fsync`: what is not synced yet becomes part of the promise.
        if self.log.safe_offset() < self.log.log_end_offset() {
            self.shared.flusher.request(self);
        }
        self.raise_high_watermark();
    }

    /// Takes over who leads, and in which epoch.
    pub fn set_leadership(&self, image: &PartitionImage) {
        self.leader.store(image.leader.map_or(-1, |node| node.0), Ordering::Release);
        self.leader_epoch.store(image.leader_epoch.0, Ordering::Release);
    }

    /// The node that leads, if any, and its epoch.
    pub fn leader(&self) -> (Option<NodeId>, LeaderEpoch) {
        let leader = self.leader.load(Ordering::Acquire);
        (
            (leader >= 0).then_some(NodeId(leader)),
            LeaderEpoch(self.leader_epoch.load(Ordering::Acquire)),
        )
    }

    /// Whether requests are served here, at the epoch that the client believes in (-1: any).
    pub fn check_leader(&self, believed: LeaderEpoch) -> Result<(), ErrorCode> {
        self.check_open()?;
        let (leader, epoch) = self.leader();
        if believed != LeaderEpoch::NONE && believed < epoch {
            return Err(ErrorCode::FencedLeaderEpoch);
        }
        if believed > epoch {
            return Err(ErrorCode::UnknownLeaderEpoch);
        }
        if leader != Some(self.shared.node) {
            return Err(ErrorCode::NotLeaderOrFollower);
        }
        Ok(())
    }

    /// Validates and appends `records` as they came from the wire. On return their order is
    /// fixed; [`Partition::committed`] tells when they are safe.
    pub fn append(
        self: &Arc<Self>,
        records: Bytes,
        options: AppendOptions,
    ) -> Result<Appended, BatchRejection> {
        self.check_leader(LeaderEpoch::NONE).map_err(|code| BatchRejection::new(code, ""))?;
        let config = self.config.load();
        let batches = split(records)?;
        options.check(&batches)?;
        let batches = validate(batches, &rules(&config, options.origin, options.now))?;
        let (_, epoch) = self.leader();
        let appended = self.log.append_as_leader(&batches, epoch, options.now);
        let info = appended.map_err(|error| self.refusal(&error))?;
        if !info.duplicate {
            let bytes = batches.iter().map(|batch| batch.header.size() as u64).sum();
            let records = batches.iter().map(|batch| i64::from(batch.header.record_count)).sum();
            self.appended(&config, bytes, records);
        }
        Ok(Appended {
            first_offset: info.first_offset,
            last_offset: info.last_offset,
            log_append_time: info.log_append_time,
            log_start_offset: info.log_start_offset,
        })
    }

    fn appended(self: &Arc<Self>, config: &TopicConfig, bytes: u64, records: i64) {
        self.metrics.produced(records.unsigned_abs(), bytes);
        self.appended_bytes.fetch_add(bytes, Ordering::AcqRel);
        if config.durability == Durability::Fsync {
            self.shared.flusher.request(self);
            return;
        }
        self.raise_high_watermark();
        let unsynced = self.unsynced_records.fetch_add(records, Ordering::AcqRel) + records;
        if u64::try_from(unsynced).is_ok_and(|count| count >= config.flush_messages) {
            self.shared.flusher.request(self);
        } else if !self.queued_for_background_flush.swap(true, Ordering::AcqRel) {
            self.shared.unsynced.add(self.clone());
        }
    }

    fn refusal(&self, error: &AppendError) -> BatchRejection {
        if let AppendError::Storage(storage) = error {
            self.note_failure(storage, "append");
        }
        BatchRejection::new(error.code(), error.to_string())
    }

    /// Hands the partition, taken out of the list of unsynced ones, to the flusher.
    pub(super) fn background_flush(self: &Arc<Self>) {
        self.queued_for_background_flush.store(false, Ordering::Release);
        self.shared.flusher.request(self);
    }

    pub(super) fn flush_state(&self) -> &FlushState {
        &self.flush_state
    }

    /// Syncs the log; on the flusher's thread.
    pub(super) fn sync(&self) {
        let unsynced = self.unsynced_records.load(Ordering::Acquire);
        match self.log.sync() {
            Ok(_) => {
                self.unsynced_records.fetch_sub(unsynced, Ordering::AcqRel);
                self.raise_high_watermark();
            }
            Err(StorageError::Closed) => self.close(ErrorCode::NotLeaderOrFollower),
            Err(error) => self.note_failure(&error, "sync"),
        }
    }

    /// Logs a failure and gives the protocol's code for it.
    pub fn storage_failure(&self, error: &StorageError, doing: &str) -> ErrorCode {
        if !matches!(error, StorageError::Closed) {
            self.note_failure(error, doing);
        }
        error.code()
    }

    fn note_failure(&self, error: &StorageError, doing: &str) {
        tracing::error!(partition = %self.name(), %error, "storage failed during {doing}");
        // What passes by itself, a full disk above all, leaves the partition in service.
        if matches!(error, StorageError::Offline { .. }) {
            self.close(error.code());
        }
    }

    /// Stops serving; those who wait are told `code`.
    pub fn close(&self, code: ErrorCode) {
        let first =
            self.closed.compare_exchange(0, code.code(), Ordering::SeqCst, Ordering::SeqCst);
        if first.is_ok() {
            self.waiters.release_all();
        }
    }

    fn check_open(&self) -> Result<(), ErrorCode> {
        let code = self.closed.load(Ordering::SeqCst);
        if code == 0 {
            return Ok(());
        }
        Err(ErrorCode::from_code(code).unwrap_or(ErrorCode::UnknownServerError))
    }

    /// Offset after the last record that every in-sync replica holds safely.
    pub fn high_watermark(&self) -> Offset {
        Offset(self.high_watermark.load(Ordering::SeqCst))
    }

    /// Offset below which no transaction is open; never above the high watermark.
    pub fn last_stable_offset(&self) -> Offset {
        self.log.last_stable_offset().min(self.high_watermark())
    }

    /// The end of what a reader may see.
    pub fn readable_end(&self, isolation: Isolation) -> Offset {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark(),
            Isolation::ReadCommitted => self.last_stable_offset(),
        }
    }

    /// The last epoch at or before `epoch`, and where it ends; (-1, -1) where that is unknown.
    pub fn end_offset_for_epoch(&self, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
        let (_, current) = self.leader();
        if epoch == current {
            return (epoch, self.log.log_end_offset());
        }
        self.log.end_offset_for_epoch(epoch)
    }

    fn raise_high_watermark(&self) {
        let safe = match self.config.load().durability {
            Durability::Fsync => self.log.safe_offset(),
            Durability::PageCache => self.log.log_end_offset(),
        };
        let before = self.high_watermark.fetch_max(safe.0, Ordering::SeqCst);
        if before >= safe.0 {
            return;
        }
        self.log.note_high_watermark(safe);
        let bytes = self.appended_bytes.load(Ordering::Acquire);
        let announced = self.announced_bytes.fetch_max(bytes, Ordering::AcqRel);
        self.waiters.raised(safe, bytes.saturating_sub(announced));
    }

    /// Returns when everything below `up_to` is committed, or cannot be any more.
    pub async fn committed(&self, up_to: Offset) -> Result<(), ErrorCode> {
        while self.high_watermark() < up_to {
            self.check_open()?;
            let operation = DelayedGuard(Delayed::new(0));
            self.waiters.watch_offset(up_to, &operation.0);
            // It may have risen, or the partition closed, before the registration.
            if self.high_watermark() < up_to && self.check_open().is_ok() {
                operation.0.completed().await;
            }
        }
        Ok(())
    }

    /// Tells `operation` of everything that becomes readable from here on; `false` where there is
    /// more than `seen` already, or nothing will come any more.
    pub fn watch(&self, operation: &Arc<Delayed>, isolation: Isolation, seen: Offset) -> bool {
        self.waiters.watch_bytes(operation);
        self.readable_end(isolation) == seen && self.check_open().is_ok()
    }

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
                records: Bytes::new(),
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
            high_watermark,
            last_stable_offset,
            log_start_offset,
            aborted,
        })
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
