//! One partition that this broker leads: its one writer, its high watermark, and who waits for it.
//!
//! Called by the produce, fetch and offset handlers and by coordinators, on any thread. Appends
//! (`append`) and reads (`read`) go to the page cache and are done by the caller; syncing is the
//! flusher's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI16, AtomicI32, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use gofka_core::config::{Durability, TopicConfig};
use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, NodeId, Offset, TopicId, TopicPartition};
use gofka_raft::PartitionImage;
use gofka_storage::{Log, StorageError};

use crate::metrics::PartitionMetrics;

use super::delayed::{Delayed, DelayedGuard, Waiters};
use super::flusher::{FlushState, Flusher};
use super::read::Isolation;
use super::unsynced::Unsynced;

/// The wait after a sync that could not begin, for want of open files.
const RETRY: Duration = Duration::from_secs(1);

/// What the partitions of a log directory share.
#[derive(Clone, Debug)]
pub(super) struct PartitionShared {
    /// This broker.
    pub(super) node: NodeId,
    /// Syncs the logs of the directory.
    pub(super) flusher: Flusher,
    /// Partitions that are to be synced later, of all directories.
    pub(super) unsynced: Unsynced,
}

/// One partition.
#[derive(Debug)]
pub struct Partition {
    pub(super) log: Arc<Log>,
    pub(super) shared: PartitionShared,
    pub(super) config: ArcSwap<TopicConfig>,
    leader: AtomicI32,
    leader_epoch: AtomicI32,
    high_watermark: AtomicI64,
    pub(super) appended_bytes: AtomicU64,
    announced_bytes: AtomicU64,
    flush_state: FlushState,
    queued_for_background_flush: AtomicBool,
    /// Why it is not served any more, as a protocol code; 0 while it is.
    closed: AtomicI16,
    waiters: Waiters,
    pub(super) metrics: PartitionMetrics,
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
        // The next append waits for as long as is set now.
        self.queued_for_background_flush.store(false, Ordering::Release);
        self.raise_high_watermark();
    }

    /// Has the partition synced in the background once `flush.ms` is over.
    pub(super) fn flush_later(self: &Arc<Self>, config: &TopicConfig) {
        let Some(wait) = self.shared.unsynced.wait(config.flush_ms) else { return };
        if !self.queued_for_background_flush.swap(true, Ordering::AcqRel) {
            self.shared.unsynced.add(self, wait);
        }
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

    /// Hands the partition, taken out of the list of unsynced ones, to the flusher.
    pub(super) fn background_flush(self: &Arc<Self>) {
        self.queued_for_background_flush.store(false, Ordering::Release);
        self.shared.flusher.request(self);
    }

    pub(super) fn flush_state(&self) -> &FlushState {
        &self.flush_state
    }

    /// Takes over how a sync of the log has ended; on the flusher's thread.
    pub(super) fn note_sync(self: &Arc<Self>, synced: Result<Offset, StorageError>) {
        match synced {
            Ok(_) => self.raise_high_watermark(),
            Err(StorageError::Closed) => self.close(ErrorCode::NotLeaderOrFollower),
            Err(error) => {
                self.note_failure(&error, "sync");
                if error.is_transient() {
                    self.shared.unsynced.add(self, RETRY);
                }
            }
        }
    }

    /// Logs a failure and gives the protocol's code for it.
    pub fn storage_failure(&self, error: &StorageError, doing: &str) -> ErrorCode {
        if !matches!(error, StorageError::Closed) {
            self.note_failure(error, doing);
        }
        error.code()
    }

    pub(super) fn note_failure(&self, error: &StorageError, doing: &str) {
        // A full disk is logged once, not for every produce that it refuses.
        if !matches!(error, StorageError::Full { .. } | StorageError::LowSpace { .. }) {
            tracing::error!(partition = %self.name(), %error, "storage failed during {doing}");
        }
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

    pub(super) fn check_open(&self) -> Result<(), ErrorCode> {
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
        let end = self.log.log_end_offset();
        if epoch == current {
            return (epoch, end);
        }
        // Nothing was written in the epochs between: the last one of the log, if there is one,
        // ends where the current one will begin. Read after the end, so that an append in
        // between is found.
        let latest = self.log.latest_epoch();
        let nothing_before = latest == LeaderEpoch::NONE && epoch != LeaderEpoch::NONE;
        if (latest < epoch || nothing_before) && epoch < current {
            return (if nothing_before { epoch } else { latest }, end);
        }
        self.log.end_offset_for_epoch(epoch)
    }

    /// The epoch of the record at `offset`; that of now, where the next record will be.
    pub fn epoch_of(&self, offset: Offset) -> LeaderEpoch {
        if offset >= self.log.log_end_offset() {
            return self.leader().1;
        }
        self.log.epoch_of(offset)
    }

    /// Whether `flush.messages` records or more are only in memory, and their number is bounded.
    pub(super) fn has_too_many_unsynced(&self, config: &TopicConfig) -> bool {
        let safe = self.log.safe_offset();
        let unsynced = self.log.log_end_offset().0.saturating_sub(safe.0);
        u64::try_from(unsynced).is_ok_and(|unsynced| unsynced >= config.flush_messages)
    }

    pub(super) fn raise_high_watermark(&self) {
        let config = self.config.load();
        let end = self.log.log_end_offset();
        // As in Kafka, an append that makes `flush.messages` full is answered after the sync.
        let in_memory =
            config.durability == Durability::PageCache && !self.has_too_many_unsynced(&config);
        let safe = if in_memory { end } else { self.log.safe_offset() };
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
}
