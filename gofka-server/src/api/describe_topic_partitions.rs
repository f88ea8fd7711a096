//! DescribeTopicPartitions (75), version 0: topics page by page (KIP-966).
//!
//! Behaviour: topics in the order of their names, all of them when none is named; at most
//! `max.request.partition.size.limit` partitions an answer, then a cursor that says where to go
//! on. A cursor on a topic that was deleted meanwhile goes on with the next one.

use gofka_core::error::ErrorCode;
use gofka_raft::{MetadataImage, PartitionImage};
use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};

use super::wire::{broker_id, broker_ids, topic_name};
use super::{Api, Outcome, RequestContext, operations};
use crate::cluster::topics;

/// The row of the table.
pub const API: Api = Api::new::<DescribeTopicPartitionsRequest>(0, 0);

/// Answers from the image.
pub async fn handle(context: &RequestContext, request: DescribeTopicPartitionsRequest) -> Outcome {
    let image = context.broker.controller.image();
    let cursor = request.cursor.as_ref();
    if cursor.is_some_and(|cursor| cursor.partition_index < 0) {
        return Outcome::Close;
    }
    let (first_topic, first_partition) = cursor.map_or((String::new(), 0), |cursor| {
        (cursor.topic_name.to_string(), cursor.partition_index as usize)
    });
    let mut names: Vec<String> = if request.topics.is_empty() {
        image.topics.keys().map(ToString::to_string).collect()
    } else {
        request.topics.iter().map(|topic| topic.name.to_string()).collect()
    };
    names.retain(|name| *name >= first_topic);
    names.sort_unstable();
    names.dedup();

    let asked = usize::try_from(request.response_partition_limit).unwrap_or(0);
    let most = context.broker.config.integer("max.request.partition.size.limit");
    let most = usize::try_from(most).unwrap_or(1);
    let mut page = Page { left: asked.clamp(1, most), ..Page::default() };
    for name in &names {
        let from = if *name == first_topic { first_partition } else { 0 };
        if !page.add(&image, name, from) {
            break;
        }
    }
    let response = DescribeTopicPartitionsResponse::default()
        .with_topics(page.topics)
        .with_next_cursor(page.next);
    context.now(&response)
}

/// One answer while it fills.
#[derive(Default)]
struct Page {
    topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// Partitions that still fit.
    left: usize,
    next: Option<Cursor>,
}

impl Page {
    /// Adds a topic from its partition `from` on; false once the page is full.
    fn add(&mut self, image: &MetadataImage, name: &str, from: usize) -> bool {
        let described = DescribeTopicPartitionsResponseTopic::default()
            .with_name(Some(topic_name(name)))
            .with_is_internal(topics::is_internal(name));
        let Some(topic) = image.topic(name) else {
            let described = described
                .with_error_code(topics::unknown_topic(name).code())
                .with_topic_authorized_operations(operations::NOT_ASKED);
            self.topics.push(described);
            return true;
        };
        if self.left == 0 {
            self.stop_at(name, from);
            return false;
        }
        let rest = topic.partitions.iter().enumerate().skip(from);
        let fitting: Vec<_> = rest.take(self.left).map(|(i, it)| partition(i, it)).collect();
        self.left -= fitting.len();
        let end = from + fitting.len();
        self.topics.push(
            described
                .with_topic_id(topic.id.0)
                .with_topic_authorized_operations(operations::of_topic(true))
                .with_partitions(fitting),
        );
        if end < topic.partitions.len() {
            self.stop_at(name, end);
        }
        end >= topic.partitions.len()
    }

    fn stop_at(&mut self, topic: &str, partition: usize) {
        let cursor = Cursor::default()
            .with_topic_name(topic_name(topic))
            .with_partition_index(i32::try_from(partition).unwrap_or(i32::MAX));
        self.next = Some(cursor);
    }
}

fn partition(index: usize, it: &PartitionImage) -> DescribeTopicPartitionsResponsePartition {
    let code =
        if it.leader.is_some() { ErrorCode::None } else { ErrorCode::LeaderNotAvailable };
    DescribeTopicPartitionsResponsePartition::default()
        .with_error_code(code.code())
        .with_partition_index(i32::try_from(index).unwrap_or(i32::MAX))
        .with_leader_id(broker_id(it.leader))
        .with_leader_epoch(it.leader_epoch.0)
        .with_replica_nodes(broker_ids(&it.replicas))
        .with_isr_nodes(broker_ids(&it.isr))
        .with_eligible_leader_replicas(Some(broker_ids(&it.elr)))
        .with_last_known_elr(Some(broker_ids(&it.last_known_elr)))
}
