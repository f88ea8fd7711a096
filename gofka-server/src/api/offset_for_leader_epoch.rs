//! OffsetForLeaderEpoch (23), versions 2-4: where an epoch ended in this log (KIP-101, KIP-279).
//!
//! Behaviour: for the current epoch, the log end offset; for an older one, the last epoch not
//! above it and where that ended; -1 and -1 where the log does not reach back so far. The client's
//! own idea of the current epoch is checked first.
//!
//! Version notes: 3 replica id, 4 flexible.

use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex};
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::{Api, Outcome, RequestContext};
use crate::partition::PartitionMap;

/// The row of the table.
pub const API: Api = Api::new::<OffsetForLeaderEpochRequest>(2, 4);

/// Answers at once.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: OffsetForLeaderEpochRequest) -> Outcome {
    context.now(&answer(&context.broker.partitions.snapshot(), request))
}

fn answer(
    map: &PartitionMap,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let answer = EpochEndOffset::default().with_partition(asked.partition);
            match find(map, topic.topic.as_str(), asked) {
                Ok((epoch, end)) => answer.with_leader_epoch(epoch.0).with_end_offset(end.0),
                Err(code) => answer.with_error_code(code.code()),
            }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

fn find(
    map: &PartitionMap,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<(LeaderEpoch, Offset), ErrorCode> {
    let partition = map.topic(topic)?.get(PartitionIndex(asked.partition))?;
    partition.check_leader(LeaderEpoch(asked.current_leader_epoch))?;
    Ok(partition.end_offset_for_epoch(LeaderEpoch(asked.leader_epoch)))
}

#[cfg(test)]
#[path = "offset_for_leader_epoch_tests.rs"]
mod tests;
