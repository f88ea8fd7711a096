//! DescribeProducers (61), version 0: which producers a partition remembers (KIP-664).
//!
//! Behaviour: from the log's producer state, in memory; -1 where a field has no value. Partitions
//! beyond what one answer may hold are refused one by one.

use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, PartitionIndex};
use gofka_storage::ProducerStatus;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse};
use kafka_protocol::protocol::StrBytes;

use super::budget::{AnswerBudget, TOO_MUCH};
use super::{Api, Outcome, RequestContext};
use crate::partition::{Partition, PartitionMap};

/// The row of the table.
pub const API: Api = Api::new::<DescribeProducersRequest>(0, 0);

/// Answers at once.
pub async fn handle(context: &RequestContext, request: DescribeProducersRequest) -> Outcome {
    context.now(&answer(&context.broker.partitions.snapshot(), request).await)
}

async fn answer(
    map: &PartitionMap,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let mut budget = AnswerBudget::default();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for index in topic.partition_indexes {
            budget.turn().await;
            partitions.push(describe(&mut budget, map, topic.name.as_str(), index));
        }
        topics.push(TopicResponse::default().with_name(topic.name).with_partitions(partitions));
    }
    DescribeProducersResponse::default().with_topics(topics)
}

fn describe(
    budget: &mut AnswerBudget,
    map: &PartitionMap,
    topic: &str,
    index: i32,
) -> PartitionResponse {
    let answer = PartitionResponse::default().with_partition_index(index);
    let partition = match leader_of(map, topic, index) {
        _ if budget.is_spent() => return too_much(answer),
        Ok(partition) => partition,
        Err(code) => return answer.with_error_code(code.code()),
    };
    if !budget.take(1 + partition.log().producer_count(), 0) {
        return too_much(answer);
    }
    let producers = partition.log().active_producers();
    answer.with_active_producers(producers.iter().map(state).collect())
}

fn too_much(answer: PartitionResponse) -> PartitionResponse {
    answer
        .with_error_code(ErrorCode::InvalidRequest.code())
        .with_error_message(Some(StrBytes::from_static_str(TOO_MUCH)))
}

fn leader_of<'a>(
    map: &'a PartitionMap,
    topic: &str,
    index: i32,
) -> Result<&'a Partition, ErrorCode> {
    let partition = map.topic(topic)?.get(PartitionIndex(index))?;
    partition.check_leader(LeaderEpoch::NONE)?;
    Ok(partition)
}

fn state(producer: &ProducerStatus) -> ProducerState {
    ProducerState::default()
        .with_producer_id(producer.producer_id.0.into())
        .with_producer_epoch(i32::from(producer.epoch.0))
        .with_last_sequence(producer.last_sequence.0)
        .with_last_timestamp(producer.last_timestamp.0)
        .with_coordinator_epoch(producer.coordinator_epoch)
        .with_current_txn_start_offset(producer.current_txn_start.map_or(-1, |offset| offset.0))
}

#[cfg(test)]
#[path = "describe_producers_tests.rs"]
mod tests;
