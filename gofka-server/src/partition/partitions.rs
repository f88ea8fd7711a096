//! The partitions of this broker: opened at start, then following the metadata image.
//!
//! Owned by `broker.rs`. Look-ups read a snapshot and never wait. [`Partitions::apply`] makes and
//! removes logs on a blocking thread, one image after the other; what creates a topic awaits it,
//! so that the topic can be used when the answer leaves.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gofka_core::config::StaticConfig;
use gofka_core::error::ErrorCode;
use gofka_core::ids::{NodeId, Offset, PartitionIndex, TopicId, TopicPartition};
use gofka_core::time::Now;
use gofka_raft::{MetadataImage, RemovedTopics, TopicImage};
use gofka_storage::{Claim, Log, LogDirs, StorageError};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::flusher::Flusher;
use super::follow::Follow;
use super::housekeeping;
use super::map::PartitionMap;
use super::replica::{Partition, PartitionShared};
use super::settings::PartitionSettings;
use super::throttle::Throttle;
use super::unsynced::Unsynced;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// What the partitions are started with.
#[derive(Clone, Debug)]
pub struct PartitionsOptions {
    /// This broker.
    pub node: NodeId,
    /// Where the logs lie.
    pub dirs: Arc<LogDirs>,
    /// The settings the process was started with.
    pub fixed: Arc<StaticConfig>,
    /// Intervals and limits.
    pub settings: PartitionSettings,
    /// Reads both clocks.
    pub clock: Clock,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Topics whose logs a crash may have left behind.
    pub removed: RemovedTopics,
}

/// A cheap handle; clones share the partitions.
#[derive(Clone, Debug)]
pub struct Partitions {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) options: PartitionsOptions,
    /// One for each log directory: whoever waits for a disk waits for no other one.
    flushers: Vec<Flusher>,
    unsynced: Unsynced,
    map: ArcSwap<PartitionMap>,
    /// The image that the map was made from; held while the next one is applied.
    applied: Mutex<Arc<MetadataImage>>,
    applied_images: watch::Sender<Arc<MetadataImage>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    cleaner_throttle: Throttle,
}

impl Partitions {
    /// Opens the logs of every partition that `image` places here and recovers those that were
    /// not closed. Then follows nothing yet; see [`Partitions::follow`].
    pub async fn start(
        options: PartitionsOptions,
        image: Arc<MetadataImage>,
    ) -> Result<Self, StorageError> {
        let look = options.fixed.0.get("log.flush.scheduler.interval.ms");
        let look_ms = look.and_then(|look| look.trim().parse().ok()).unwrap_or(-1);
        let threads = options.settings.sync_threads;
        let flusher = |in_rounds| Flusher::new(threads, in_rounds, options.clock);
        let flushers = options.dirs.can_sync_together().into_iter().map(flusher).collect();
        let unsynced = Unsynced::new(look_ms);
        let empty = Arc::new(MetadataImage::default());
        let inner = Arc::new(Inner {
            options,
            flushers,
            unsynced,
            map: ArcSwap::default(),
            applied: Mutex::new(empty.clone()),
            applied_images: watch::Sender::new(empty),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            cleaner_throttle: Throttle::default(),
        });
        let partitions = Self { inner };
        let loaded = partitions.load(image.clone()).await?;
        partitions.apply_with(image, loaded).await;
        housekeeping::spawn(&partitions);
        Ok(partitions)
    }

    async fn load(
        &self,
        image: Arc<MetadataImage>,
    ) -> Result<Vec<(TopicPartition, Arc<Log>)>, StorageError> {
        let inner = self.inner.clone();
        blocking(move || {
            let options = &inner.options;
            let now = options.clock.now().wall;
            options.dirs.load(|name, id| inner.claim(&image, name, id), now)
        })
        .await
    }

    /// Brings the partitions into line with `image`: on return its topics can be used and deleted
    /// ones are gone. An image older than the last one changes nothing.
    pub async fn apply(&self, image: Arc<MetadataImage>) {
        self.apply_with(image, Vec::new()).await;
    }

    async fn apply_with(&self, image: Arc<MetadataImage>, loaded: Vec<(TopicPartition, Arc<Log>)>) {
        let mut applied = self.inner.applied.lock().await;
        if image.offset < applied.offset {
            return;
        }
        let inner = self.inner.clone();
        let (old, new) = (applied.clone(), image.clone());
        blocking(move || {
            let current = inner.map.load_full();
            let follow = Follow {
                inner: &inner,
                old: &old,
                new: &new,
                loaded: loaded.into_iter().collect(),
            };
            let map = follow.next_map(&current, |map| inner.map.store(Arc::new(map)));
            inner.map.store(Arc::new(map));
        })
        .await;
        *applied = image.clone();
        self.inner.applied_images.send_replace(image);
    }

    /// Applies each image that `images` brings, until [`Partitions::stop`].
    pub fn follow(&self, mut images: watch::Receiver<Arc<MetadataImage>>) {
        let partitions = self.clone();
        let stop = self.inner.stop.clone();
        self.inner.tasks.spawn(async move {
            loop {
                let image = images.borrow_and_update().clone();
                partitions.apply(image).await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    changed = images.changed() => if changed.is_err() {
                        return;
                    },
                }
            }
        });
    }

    /// The images that have been applied; a partition of one can be used.
    pub fn applied(&self) -> watch::Receiver<Arc<MetadataImage>> {
        self.inner.applied_images.subscribe()
    }

    /// Every topic and partition at this moment.
    pub fn snapshot(&self) -> Arc<PartitionMap> {
        self.inner.map.load_full()
    }

    /// The partition of this name.
    pub fn get(&self, partition: &TopicPartition) -> Result<Arc<Partition>, ErrorCode> {
        let map = self.inner.map.load();
        map.topic(partition.topic.as_str())?.get(partition.partition).cloned()
    }

    /// The partition `index` of the topic with this id.
    pub fn get_by_id(
        &self,
        id: TopicId,
        index: PartitionIndex,
    ) -> Result<Arc<Partition>, ErrorCode> {
        self.inner.map.load().topic_by_id(id)?.get(index).cloned()
    }

    /// Where the logs lie.
    pub fn dirs(&self) -> &Arc<LogDirs> {
        &self.inner.options.dirs
    }

    /// Intervals and limits.
    pub fn settings(&self) -> &PartitionSettings {
        &self.inner.options.settings
    }

    /// A number as it is set at this moment; `None` where it has no value.
    pub(super) fn number_now<T: FromStr>(&self, name: &str) -> Option<T> {
        let image = self.inner.applied_images.borrow().clone();
        let layers = image.broker_layers(self.inner.options.node, &self.inner.options.fixed);
        layers.broker_value(name).and_then(|text| text.trim().parse().ok())
    }

    /// A number of milliseconds as it is set at this moment; a negative one is none.
    pub(super) fn millis_now(&self, name: &str) -> Duration {
        Duration::from_millis(self.number_now(name).unwrap_or(0))
    }

    pub(super) fn cleaner_throttle(&self) -> &Throttle {
        &self.inner.cleaner_throttle
    }

    /// This broker.
    pub fn node(&self) -> NodeId {
        self.inner.options.node
    }

    pub(super) fn now(&self) -> Now {
        self.inner.options.clock.now()
    }

    /// The partitions that are to be synced later.
    pub(super) fn unsynced(&self) -> &Unsynced {
        &self.inner.unsynced
    }

    pub(super) fn tasks(&self) -> (&TaskTracker, &CancellationToken) {
        (&self.inner.tasks, &self.inner.stop)
    }

    /// A partition's high watermark, for the checkpoint.
    pub(super) fn high_watermark_of(&self, name: &TopicPartition) -> Option<Offset> {
        self.get(name).ok().map(|partition| partition.high_watermark())
    }

    /// Ends the background tasks, syncs everything, closes the logs and marks the shutdown as a
    /// clean one. Requests that still come are refused with `NOT_LEADER_OR_FOLLOWER`.
    pub async fn stop(&self) -> Result<(), StorageError> {
        self.inner.stop.cancel();
        self.inner.cleaner_throttle.stop();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        let partitions = self.clone();
        blocking(move || {
            partitions.unsynced().flush();
            partitions.inner.flushers.iter().for_each(Flusher::stop);
            let dirs = &partitions.inner.options.dirs;
            let closed = dirs.close(|name| partitions.high_watermark_of(name));
            for partition in partitions.snapshot().here() {
                partition.close(ErrorCode::NotLeaderOrFollower);
            }
            closed
        })
        .await
    }
}

impl Inner {
    /// What a partition with this log shares with others.
    pub(super) fn shared_by(&self, log: &Log) -> PartitionShared {
        let flusher = self.flushers[self.options.dirs.number_of(log)].clone();
        PartitionShared { node: self.options.node, flusher, unsynced: self.unsynced.clone() }
    }

    pub(super) fn places_here(&self, topic: &TopicImage, index: PartitionIndex) -> bool {
        usize::try_from(index.0)
            .ok()
            .and_then(|index| topic.partitions.get(index))
            .is_some_and(|partition| partition.replicas.contains(&self.options.node))
    }

    /// What is to be done with a log that is found at start.
    fn claim(&self, image: &MetadataImage, name: &TopicPartition, id: TopicId) -> Claim {
        // A log that does not know its topic can only be told by its name.
        let is_its = |topic: &&Arc<TopicImage>| topic.id == id || id == TopicId::NONE;
        match image.topic(name.topic.as_str()).filter(is_its) {
            Some(topic) if self.places_here(topic, name.partition) => {
                // All of the metadata log has been applied before a log is opened.
                let partition = image.partition(topic.name.as_str(), name.partition);
                Claim::Wanted {
                    topic_id: topic.id,
                    config: self.config_of(image, topic),
                    leader_epoch: partition.map(|partition| partition.leader_epoch),
                }
            }
            _ if self.options.removed.contains(id) => Claim::Deleted,
            _ => Claim::Unknown,
        }
    }

    pub(super) fn config_of(
        &self,
        image: &MetadataImage,
        topic: &TopicImage,
    ) -> Arc<gofka_core::config::TopicConfig> {
        let options = &self.options;
        Arc::new(image.topic_config(topic.name.as_str(), options.node, &options.fixed))
    }
}

/// Runs `work`, which blocks, on a thread for such work.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
