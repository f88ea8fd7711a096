//! Follows the metadata: which shards this broker has, and which topics are gone.
//!
//! One task. It sees an image once its partitions can be used.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gofka_core::group::Shard;
use gofka_core::ids::{LeaderEpoch, PartitionIndex, TopicName, TopicPartition};
use gofka_raft::MetadataImage;
use tokio::sync::watch;

use super::cell::{CellShared, ShardCell};
use super::{CONSUMER_OFFSETS, Inner, load};

/// Before a shard that failed is loaded again, so that a lasting failure costs little.
const RELOAD_PAUSE: Duration = Duration::from_millis(200);

/// Follows until the coordinator stops.
pub(super) async fn run(inner: Arc<Inner>, mut images: watch::Receiver<Arc<MetadataImage>>) {
    let mut last: Option<Arc<MetadataImage>> = None;
    loop {
        let image = images.borrow_and_update().clone();
        reconcile(&inner, &image);
        if let Some(last) = last.replace(image.clone()) {
            forget_deleted_topics(&inner, &last, &image);
        }
        tokio::select! {
            () = inner.stop.cancelled() => return,
            changed = images.changed() => if changed.is_err() {
                return;
            },
            () = inner.reload.notified() => tokio::time::sleep(RELOAD_PAUSE).await,
        }
    }
}

/// Brings the shards into line with `image`. Also called where a topic was just made.
pub(super) fn reconcile(inner: &Arc<Inner>, image: &MetadataImage) {
    let mut shards = inner.shards.write();
    // The image that made the topic may have been here before the one that the task saw last.
    if inner.stop.is_cancelled() || image.offset < shards.image {
        return;
    }
    shards.image = image.offset;
    let shards = &mut shards.by_partition;
    let topic = image.topic(CONSUMER_OFFSETS);
    let partitions = topic.map(|topic| topic.partitions.as_slice()).unwrap_or_default();
    let count = i32::try_from(partitions.len()).unwrap_or(i32::MAX);
    inner.partition_count.store(count, Ordering::Release);
    let mut led = Vec::new();
    for (index, partition) in (0..).map(PartitionIndex).zip(partitions) {
        if partition.leader == Some(inner.options.node) {
            led.push((index, partition.leader_epoch));
        }
    }
    shards.retain(|index, shard| {
        let stays = led.contains(&(*index, shard.epoch())) && !shard.is_stopped();
        if !stays {
            shard.stop();
        }
        stays
    });
    for (index, epoch) in led {
        if !shards.contains_key(&index)
            && let Some(shard) = begin(inner, index, epoch)
        {
            shards.insert(index, shard);
        }
    }
}

/// Begins to load a shard; one without records is in service at once.
fn begin(inner: &Arc<Inner>, index: PartitionIndex, epoch: LeaderEpoch) -> Option<Arc<ShardCell>> {
    let name = TopicPartition { topic: TopicName::new(CONSUMER_OFFSETS), partition: index };
    let partition = inner.options.partitions.get(&name).ok()?;
    let cell_shared = CellShared {
        settings: inner.settings,
        alarm: inner.alarm.clone(),
        reload: inner.reload.clone(),
        metrics: inner.options.metrics.clone(),
        consumers: inner.consumers.clone(),
    };
    let mut group_settings = (*inner.group_settings).clone();
    // With room for the batch's header and the record's key.
    let message_max = partition.config().max_message_bytes as usize;
    group_settings.record_bytes_max = message_max.saturating_sub(RECORD_ROOM);
    let group_settings = Arc::new(group_settings);
    let log = partition.log();
    let is_blank = log.log_end_offset() == log.log_start_offset();
    let shard = ShardCell::new(partition.clone(), epoch, cell_shared);
    if is_blank {
        shard.activate(Shard::new(group_settings), inner.options.clock.now());
        return Some(shard);
    }
    let (cell, inner) = (shard.clone(), inner.clone());
    let tasks = inner.tasks.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = inner.stop.cancelled() => {}
            loaded = load::load(partition, group_settings) => match loaded {
                Ok(loaded) => {
                    let groups = loaded.durable().groups().count();
                    cell.activate(loaded, inner.options.clock.now());
                    tracing::debug!(partition = %name, groups, "groups loaded");
                }
                Err(error) => {
                    tracing::error!(partition = %name, %error, "groups could not be loaded");
                    cell.stop();
                }
            }
        }
    });
    Some(shard)
}

const RECORD_ROOM: usize = 1024;

/// Offsets go with their topic. A topic made anew under the same name has another id.
fn forget_deleted_topics(inner: &Inner, old: &MetadataImage, new: &MetadataImage) {
    if Arc::ptr_eq(&old.topics, &new.topics) {
        return;
    }
    let is_gone = |id| new.topic_by_id(id).is_none();
    let gone: Vec<TopicName> = old
        .topics
        .values()
        .filter(|topic| is_gone(topic.id))
        .map(|topic| topic.name.clone())
        .collect();
    if gone.is_empty() {
        return;
    }
    let now = inner.options.clock.now();
    for shard in inner.all_shards() {
        shard.forget_topics(now, gone.clone());
    }
}
