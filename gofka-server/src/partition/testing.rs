//! What tests of partitions and of their handlers share: real logs in a folder of their own.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use gofka_core::config::StaticConfig;
use gofka_core::ids::{
    LeaderEpoch, NodeId, Offset, ProducerEpoch, ProducerId, Sequence, TopicId, TopicName,
    TopicPartition, Uuid,
};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType};
use gofka_core::time::TimestampMs;
use gofka_raft::{ConfigResource, MetadataImage, PartitionImage, TopicImage};
use gofka_storage::{DirOptions, LogDirs};
use tempfile::TempDir;

use super::{Partition, PartitionSettings, Partitions, PartitionsOptions};
use crate::clock::Clock;
use crate::metrics::Metrics;

pub(crate) const NOW: TimestampMs = TimestampMs(1_700_000_000_000);
pub(crate) const NODE: NodeId = NodeId(1);
pub(crate) const EPOCH: LeaderEpoch = LeaderEpoch(4);

/// Partitions over folders that go with it.
pub(crate) struct Fixture {
    pub(crate) partitions: Partitions,
    pub(crate) image: MetadataImage,
    durability: &'static str,
    dirs: Vec<TempDir>,
}

impl Fixture {
    /// No topics yet.
    pub(crate) async fn start(durability: &'static str) -> Self {
        Self::start_in(durability, 1).await
    }

    /// No topics yet, and so many log directories.
    pub(crate) async fn start_in(durability: &'static str, count: usize) -> Self {
        let dirs: Vec<_> = (0..count).map(|_| TempDir::new().unwrap()).collect();
        let image = MetadataImage::default();
        let partitions = open(&dirs, durability, &image).await;
        Self { partitions, image, durability, dirs }
    }

    /// In page-cache mode, with the topic `t` of `count` partitions.
    pub(crate) async fn with_topic(count: usize) -> Self {
        let mut fixture = Self::start("page-cache").await;
        fixture.create("t", 1, count).await;
        fixture
    }

    /// Makes or enlarges a topic.
    pub(crate) async fn create(&mut self, name: &str, id: u128, count: usize) {
        let partition = PartitionImage {
            replicas: vec![NODE],
            isr: vec![NODE],
            leader: Some(NODE),
            leader_epoch: EPOCH,
            ..PartitionImage::default()
        };
        let name = TopicName::new(name);
        let id = TopicId(Uuid::from_u128(id));
        let topic = TopicImage { id, name: name.clone(), partitions: vec![partition; count] };
        Arc::make_mut(&mut self.image.topics).insert(name.clone(), Arc::new(topic));
        Arc::make_mut(&mut self.image.topic_names).insert(id, name);
        self.apply().await;
    }

    /// Removes a topic.
    pub(crate) async fn remove(&mut self, name: &str) {
        let topic = Arc::make_mut(&mut self.image.topics).remove(name).unwrap();
        Arc::make_mut(&mut self.image.topic_names).remove(&topic.id);
        self.apply().await;
    }

    /// Sets one of a topic's settings.
    pub(crate) async fn configure(&mut self, topic: &str, name: &str, value: &str) {
        self.configure_resource(ConfigResource::topic(topic), name, value).await;
    }

    /// Sets one of the cluster's settings.
    pub(crate) async fn configure_cluster(&mut self, name: &str, value: &str) {
        self.configure_resource(ConfigResource::all_brokers(), name, value).await;
    }

    async fn configure_resource(&mut self, resource: ConfigResource, name: &str, value: &str) {
        let mut configs = self.image.configs_of(&resource).clone();
        configs.insert(name.to_owned(), value.to_owned());
        Arc::make_mut(&mut self.image.configs).insert(resource, Arc::new(configs));
        self.apply().await;
    }

    async fn apply(&mut self) {
        self.image.offset = self.image.offset.plus(1);
        self.partitions.apply(Arc::new(self.image.clone())).await;
    }

    /// Stops cleanly and opens everything again.
    pub(crate) async fn restart(self) -> Self {
        self.restart_after(|_| {}).await
    }

    /// The same, after something has changed in the first log directory.
    pub(crate) async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        self.partitions.stop().await.unwrap();
        let Self { partitions, image, durability, dirs } = self;
        drop(partitions);
        change(dirs[0].path());
        let partitions = open(&dirs, durability, &image).await;
        Self { partitions, image, durability, dirs }
    }

    /// A partition of topic `t`.
    pub(crate) fn partition(&self, index: i32) -> Arc<Partition> {
        self.partitions.get(&TopicPartition::new("t", index)).unwrap()
    }
}

async fn open(dirs: &[TempDir], durability: &str, image: &MetadataImage) -> Partitions {
    let options = DirOptions {
        node_id: NODE,
        cluster_id: None,
        max_open_files: 100,
        recovery_threads: 1,
        min_free_bytes: 0,
    };
    let paths: Vec<_> = dirs.iter().map(|dir| dir.path().to_owned()).collect();
    let dirs = LogDirs::open(&paths, &options).unwrap();
    let fixed = BTreeMap::from([("durability".to_owned(), durability.to_owned())]);
    let options = PartitionsOptions {
        node: NODE,
        dirs: Arc::new(dirs),
        fixed: Arc::new(StaticConfig(fixed)),
        settings: PartitionSettings::default(),
        clock: Clock::start(),
        metrics: Arc::new(Metrics::new()),
        removed: gofka_raft::RemovedTopics::default(),
    };
    Partitions::start(options, Arc::new(image.clone())).await.unwrap()
}

/// A batch of `count` records.
pub(crate) fn batch(count: usize) -> Bytes {
    batch_with(Compression::None, count)
}

/// A batch of `count` records under `codec`.
pub(crate) fn batch_with(codec: Compression, count: usize) -> Bytes {
    fill(BatchBuilder::new(Offset::ZERO, codec, TimestampType::CreateTime), count)
}

/// A batch of an idempotent producer.
pub(crate) fn idempotent(id: i64, sequence: i32, count: usize) -> Bytes {
    let builder = BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime)
        .producer(ProducerId(id), ProducerEpoch(0), Sequence(sequence));
    fill(builder, count)
}

fn fill(mut builder: BatchBuilder, count: usize) -> Bytes {
    for index in 0..count {
        builder.push(&NewRecord {
            timestamp: TimestampMs(NOW.0 + index as i64),
            key: Some(b"key"),
            value: Some(&[7; 100]),
            headers: &[],
        });
    }
    builder.build()
}
