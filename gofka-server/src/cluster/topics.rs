//! Changes to topics, from the request to partitions that can be used.
//!
//! Called by the handlers of topics and by whoever makes a topic on demand. The controller
//! decides; the broker has applied the decision before an answer leaves, so that a client may
//! produce at once.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{TopicId, TopicName};
use gofka_core::topic_name;
use gofka_raft::{CreatedTopic, NewPartitions, NewTopic, TopicRef};

use crate::broker::Broker;

/// The topic that holds groups and their committed offsets.
pub const CONSUMER_OFFSETS: &str = "__consumer_offsets";
/// The topic that holds the state of transactions.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The topic that holds the state of share groups.
pub const SHARE_GROUP_STATE: &str = "__share_group_state";

/// Whether clients see `topic` as the broker's own.
pub fn is_internal(topic: &str) -> bool {
    [CONSUMER_OFFSETS, TRANSACTION_STATE, SHARE_GROUP_STATE].contains(&topic)
}

/// The code for a topic that is not there: a name that cannot be a topic's says so.
pub fn unknown_topic(name: &str) -> ErrorCode {
    if topic_name::is_valid(name) {
        ErrorCode::UnknownTopicOrPartition
    } else {
        ErrorCode::InvalidTopicException
    }
}

/// Makes `topics`, one answer for each.
pub async fn create(
    broker: &Broker,
    topics: Vec<NewTopic>,
    validate_only: bool,
) -> Vec<Result<CreatedTopic, ApiError>> {
    let created = broker.controller.create_topics(topics, validate_only).await;
    super::apply_latest(broker, validate_only).await;
    created
}

/// Deletes `topics`, one answer for each.
pub async fn delete(
    broker: &Broker,
    topics: Vec<TopicRef>,
) -> Vec<Result<(TopicName, TopicId), ApiError>> {
    let deleted = broker.controller.delete_topics(topics).await;
    super::apply_latest(broker, false).await;
    deleted
}

/// Gives topics more partitions, one answer for each.
pub async fn create_partitions(
    broker: &Broker,
    topics: Vec<NewPartitions>,
    validate_only: bool,
) -> Vec<Result<(), ApiError>> {
    let grown = broker.controller.create_partitions(topics, validate_only).await;
    super::apply_latest(broker, validate_only).await;
    grown
}
