//! DescribeTopicPartitions (75), version 0: topics page by page (KIP-966).
//!
//! Behaviour: topics in the order of their names, all of them when none is named; at most
//! `max.request.partition.size.limit` partitions an answer, then a cursor that says where to go
//! on. A cursor on a topic that was deleted meanwhile goes on with the next one. Where topics are
//! named, the cursor's is one of them.

use gofka_core::error::ErrorCode;
use gofka_raft::{MetadataImage, PartitionImage};
use kafka_protocol::messages::describe_topic_partitions_request::{self as request, TopicRequest};
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
    if cursor.is_some_and(|cursor| !is_possible(cursor, &request.topics)) {
        let refused = request.topics.iter().map(|topic| {
            DescribeTopicPartitionsResponseTopic::default()
                .with_name(Some(topic.name.clone()))
                .with_error_code(ErrorCode::InvalidRequest.code())
        });
        let topics = refused.collect();
        return context.now(&DescribeTopicPartitionsResponse::default().with_topics(topics));
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

fn is_possible(from: &request::Cursor, topics: &[TopicRequest]) -> bool {
    let named = topics.is_empty() || topics.iter().any(|topic| topic.name == from.topic_name);
    named && from.partition_index >= 0
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
            .with_is_internal(topics::is_internal(name))
            .with_topic_authorized_operations(operations::of_topic(true));
        if self.left == 0 {
            self.stop_at(name, from);
            return false;
        }
        let Some(topic) = image.topic(name) else {
            let code = topics::unknown_topic(name).code();
            self.topics.push(described.with_error_code(code));
            return true;
        };
        let rest = topic.partitions.iter().enumerate().skip(from);
        let fitting: Vec<_> = rest.take(self.left).map(|(i, it)| partition(i, it)).collect();
        self.left -= fitting.len();
        let end = from + fitting.len();
        self.topics.push(
            described
                .with_topic_id(topic.id.0)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gofka_core::ids::{TopicId, TopicName};
    use gofka_raft::TopicImage;
    use kafka_protocol::protocol::StrBytes;

    use super::*;

    #[test]
    fn a_full_page_ends_before_a_topic_that_is_not_there() {
        let mut image = MetadataImage::default();
        let topic = TopicImage {
            id: TopicId::NONE,
            name: TopicName::new("a"),
            partitions: vec![PartitionImage::default(); 2],
        };
        Arc::make_mut(&mut image.topics).insert(topic.name.clone(), Arc::new(topic));
        let mut page = Page { left: 2, ..Page::default() };
        assert!(page.add(&image, "a", 0));
        assert!(!page.add(&image, "none", 0));
        let cursor = page.next.expect("there is more");
        assert_eq!((cursor.topic_name.as_str(), cursor.partition_index), ("none", 0));
        assert_eq!(page.topics.len(), 1);
    }

    #[test]
    fn a_cursor_is_at_a_partition_of_a_topic_that_was_named() {
        let topic = |name| TopicRequest::default().with_name(topic_name(name));
        let from = |name, partition| {
            let name = StrBytes::from_static_str(name).into();
            request::Cursor::default().with_topic_name(name).with_partition_index(partition)
        };
        let named = [topic("a"), topic("b")];
        assert!(is_possible(&from("b", 0), &named));
        assert!(is_possible(&from("c", 7), &[]));
        assert!(!is_possible(&from("b", -1), &named));
        assert!(!is_possible(&from("c", 0), &named));
        assert!(!is_possible(&from("", -1), &[]));
    }
}
