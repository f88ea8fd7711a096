//! Where a group's coordinator is, and the topic that decides it, made on first use.

use std::sync::atomic::Ordering;

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::NodeId;
use gofka_raft::NewTopic;

use super::{CONSUMER_OFFSETS, GroupCoordinator, follow, routing};

impl GroupCoordinator {
    /// The broker that coordinates `group`. The first call of a cluster's life makes the topic.
    pub async fn find(&self, group: &str) -> Result<NodeId, ErrorCode> {
        if self.inner.options.controller.image().topic(CONSUMER_OFFSETS).is_none() {
            self.create_topic().await?;
        }
        let image = self.inner.options.controller.image();
        let topic = image.topic(CONSUMER_OFFSETS).ok_or(ErrorCode::CoordinatorNotAvailable)?;
        let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let index = routing::partition_of(group, count);
        let partition = index.and_then(|index| image.partition(CONSUMER_OFFSETS, index));
        partition.and_then(|p| p.leader).ok_or(ErrorCode::CoordinatorNotAvailable)
    }

    async fn create_topic(&self) -> Result<(), ErrorCode> {
        let inner = &self.inner;
        let _one_at_a_time = inner.creating_topic.lock().await;
        if inner.partition_count.load(Ordering::Acquire) > 0 {
            return Ok(());
        }
        let controller = &inner.options.controller;
        let created = controller.create_topics(vec![self.offsets_topic()], false).await;
        for result in created {
            match result {
                Ok(topic) => {
                    let partitions = topic.partitions;
                    tracing::info!(topic = CONSUMER_OFFSETS, partitions, "topic created on demand");
                }
                Err(ApiError { code: ErrorCode::TopicAlreadyExists, .. }) => {}
                Err(error) => {
                    tracing::warn!(%error, "{CONSUMER_OFFSETS} could not be created");
                    return Err(ErrorCode::CoordinatorNotAvailable);
                }
            }
        }
        // The client that asked can use its coordinator when the answer arrives.
        let image = controller.image();
        inner.options.partitions.apply(image.clone()).await;
        follow::reconcile(inner, &image);
        Ok(())
    }

    fn offsets_topic(&self) -> NewTopic {
        let inner = &self.inner;
        let brokers = inner.options.controller.image().brokers.len().max(1);
        let brokers = i16::try_from(brokers).unwrap_or(i16::MAX);
        let config = |name: &str, value: String| (name.to_owned(), Some(value));
        NewTopic {
            name: CONSUMER_OFFSETS.to_owned(),
            partitions: Some(inner.settings.partitions),
            replication_factor: Some(inner.settings.replication_max.min(brokers)),
            assignments: Vec::new(),
            configs: vec![
                config("cleanup.policy", "compact".to_owned()),
                config("compression.type", "producer".to_owned()),
                config("segment.bytes", inner.settings.segment_bytes.to_string()),
            ],
        }
    }
}
