//! The group coordinator: runs core's `group::Shard`, one for each partition of
//! `__consumer_offsets` that this broker leads.
//!
//! Owned by `broker.rs`, called by the handlers of the group APIs. A command is decided, appended
//! and replayed at once, under its shard's lock, on the caller's thread; its reply waits outside of
//! the lock until what it shows is committed. Tasks, joined by [`GroupCoordinator::stop`]: one
//! follows the metadata (shards are loaded and stopped, offsets of deleted topics removed), one
//! runs timers and expiry, and one a shard loads.
//!
//! A failed append or commit stops the shard, and it is loaded again from its log.

mod alarm;
mod append;
mod cell;
mod consumers;
mod events;
mod find;
mod follow;
mod load;
mod pending;
mod routing;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use gofka_core::config::StaticConfig;
use gofka_core::error::ErrorCode;
use gofka_core::group::{Command, GroupId, GroupSettings};
use gofka_core::ids::{NodeId, Offset, PartitionIndex, TopicName};
use gofka_core::time::Now;
use gofka_raft::{Controller, MetadataImage};
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use alarm::Alarm;
use cell::ShardCell;
use consumers::Consumers;
pub use pending::Pending;
use settings::CoordinatorSettings;

use crate::clock::Clock;
use crate::cluster::topics::CONSUMER_OFFSETS;
use crate::metrics::Metrics;
use crate::partition::Partitions;

/// What the coordinator is started with.
#[derive(Clone, Debug)]
pub struct CoordinatorOptions {
    /// This broker.
    pub node: NodeId,
    /// The settings the process was started with.
    pub fixed: Arc<StaticConfig>,
    /// Holds the partitions of the offsets topic.
    pub partitions: Partitions,
    /// Creates the offsets topic.
    pub controller: Controller,
    /// Reads both clocks.
    pub clock: Clock,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// A cheap handle; clones share the shards.
#[derive(Clone, Debug)]
pub struct GroupCoordinator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: CoordinatorOptions,
    settings: CoordinatorSettings,
    group_settings: Arc<GroupSettings>,
    shards: RwLock<Shards>,
    /// Partitions of the offsets topic; 0 while it does not exist.
    partition_count: AtomicI32,
    alarm: Arc<Alarm>,
    /// A shard failed and has to be loaded again.
    reload: Arc<Notify>,
    /// Which client is in which group, for metrics.
    consumers: Arc<Consumers>,
    creating_topic: tokio::sync::Mutex<()>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// The shards, and the image that they were last brought into line with.
#[derive(Debug, Default)]
struct Shards {
    image: Offset,
    by_partition: BTreeMap<PartitionIndex, Arc<ShardCell>>,
}

/// A group, for metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupFigures {
    /// The group.
    pub group: GroupId,
    /// Its state's name.
    pub state: &'static str,
    /// How many members it has.
    pub members: usize,
    /// Client id and host of each member.
    pub clients: Vec<(Arc<str>, Arc<str>)>,
    /// Its committed offsets.
    pub offsets: Vec<(TopicName, PartitionIndex, Offset)>,
}

impl GroupCoordinator {
    /// Starts to load the shards of `image`, whose partitions are open, and to follow what comes.
    pub fn start(options: CoordinatorOptions, image: &MetadataImage) -> Self {
        let layers = image.broker_layers(options.node, &options.fixed);
        let coordinator = Self {
            inner: Arc::new(Inner {
                settings: CoordinatorSettings::resolve(&layers),
                group_settings: Arc::new(settings::group_settings(&layers)),
                options,
                shards: RwLock::default(),
                partition_count: AtomicI32::new(0),
                alarm: Arc::default(),
                reload: Arc::default(),
                consumers: Arc::default(),
                creating_topic: tokio::sync::Mutex::default(),
                stop: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        };
        let inner = &coordinator.inner;
        follow::reconcile(inner, image);
        inner.tasks.spawn(follow::run(inner.clone(), inner.options.partitions.applied()));
        inner.tasks.spawn(alarm::run(inner.clone()));
        coordinator
    }

    /// Decides `command`, which is about `group`. The order of calls is the order of decisions;
    /// the reply comes when it may be seen.
    pub fn submit(&self, group: &GroupId, now: Now, command: Command) -> Pending {
        match self.shard_of(group) {
            Ok(shard) => shard.submit(now, command),
            Err(error) => Pending::refused(error),
        }
    }

    /// Decides a command about all groups, once on each shard.
    pub fn submit_all(&self, now: Now, command: &Command) -> Vec<Pending> {
        let shards = self.inner.all_shards();
        shards.iter().map(|shard| shard.submit(now, command.clone())).collect()
    }

    fn shard_of(&self, group: &GroupId) -> Result<Arc<ShardCell>, ErrorCode> {
        if self.inner.stop.is_cancelled() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let count = self.inner.partition_count.load(Ordering::Acquire);
        let index = routing::partition_of(group.as_str(), count);
        let index = index.ok_or(ErrorCode::NotCoordinator)?;
        self.inner.shard(index).ok_or(ErrorCode::NotCoordinator)
    }

    /// The groups coordinated here, for metrics.
    pub fn figures(&self) -> Vec<GroupFigures> {
        let shards = self.inner.all_shards();
        shards.iter().flat_map(|shard| shard.figures()).collect()
    }

    /// The group that the client of this id and address is a member of, when it is exactly one.
    pub fn group_of(&self, client_id: &str, address: IpAddr) -> Option<Arc<str>> {
        self.inner.consumers.group_of(client_id, address, || self.figures())
    }

    /// Sends away everyone who waits, with `NOT_COORDINATOR`, and ends the tasks. Groups keep their
    /// members for the next start. To be called while answers can still leave.
    pub async fn stop(&self) {
        self.inner.stop.cancel();
        let shards = std::mem::take(&mut self.inner.shards.write().by_partition);
        for shard in shards.values() {
            shard.stop();
        }
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Inner {
    fn shard(&self, index: PartitionIndex) -> Option<Arc<ShardCell>> {
        self.shards.read().by_partition.get(&index).cloned()
    }

    fn all_shards(&self) -> Vec<Arc<ShardCell>> {
        self.shards.read().by_partition.values().cloned().collect()
    }
}
