//! DeleteRecords (21), versions 0-2: raises the log start offset (KIP-107).
//!
//! Behaviour: -1 stands for the high watermark; beyond it is OFFSET_OUT_OF_RANGE; below the log
//! start nothing changes. Refused for internal topics, and where the topic's policy is not to
//! delete. Segments that are wholly below go at once, so the work runs on a blocking thread.
//!
//! Version notes: 2 is flexible.

use std::collections::BTreeMap;

use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use super::{Api, Outcome, RequestContext, produce};
use crate::partition::{PartitionMap, Partitions, blocking};

/// The row of the table.
pub const API: Api = Api::new::<DeleteRecordsRequest>(0, 2);

const TO_THE_END: i64 = -1;

/// Deletes on a blocking thread.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: DeleteRecordsRequest) -> Outcome {
    let partitions = context.broker.partitions.clone();
    let context = context.clone();
    Outcome::later(async move {
        let response = blocking(move || delete(&partitions, request)).await;
        context.reply(&response)
    })
}

fn delete(partitions: &Partitions, request: DeleteRecordsRequest) -> DeleteRecordsResponse {
    let map = partitions.snapshot();
    let topics = request.topics.into_iter().map(|topic| {
        // Of one that is named twice, the last counts.
        let asked: BTreeMap<i32, i64> =
            topic.partitions.iter().map(|asked| (asked.partition_index, asked.offset)).collect();
        let partitions = asked.into_iter().map(|(partition, offset)| {
            let answer = DeleteRecordsPartitionResult::default()
                .with_partition_index(partition)
                .with_low_watermark(-1);
            match delete_one(&map, topic.name.as_str(), partition, offset) {
                Ok(start) => answer.with_low_watermark(start.0),
                Err(code) => answer.with_error_code(code.code()),
            }
        });
        let partitions = partitions.collect();
        DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions)
    });
    let mut topics: Vec<_> = topics.collect();
    make_sure(partitions, &map, &mut topics);
    DeleteRecordsResponse::default().with_topics(topics)
}

/// What was deleted stays deleted, also when the process dies before the next checkpoint: else it
/// counts as refused. Only the log directories of what was asked for are waited for.
fn make_sure(partitions: &Partitions, map: &PartitionMap, topics: &mut [DeleteRecordsTopicResult]) {
    let dirs = partitions.dirs();
    let mut checkpointed: BTreeMap<usize, ErrorCode> = BTreeMap::new();
    for topic in topics {
        let Ok(found) = map.topic(topic.name.as_str()) else { continue };
        for answer in topic.partitions.iter_mut().filter(|answer| answer.error_code == 0) {
            let Ok(partition) = found.get(PartitionIndex(answer.partition_index)) else { continue };
            let dir = dirs.number_of(partition.log());
            let code = *checkpointed.entry(dir).or_insert_with(|| {
                dirs.checkpoint_log_starts(dir).map_or_else(
                    |error| {
                        tracing::error!(%error, "log start offsets were not written");
                        error.code()
                    },
                    |()| ErrorCode::None,
                )
            });
            if code != ErrorCode::None {
                answer.error_code = code.code();
                answer.low_watermark = -1;
            }
        }
    }
}

fn delete_one(
    map: &PartitionMap,
    topic: &str,
    index: i32,
    offset: i64,
) -> Result<Offset, ErrorCode> {
    if produce::is_internal(topic) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = map.topic(topic)?.get(PartitionIndex(index))?;
    partition.check_leader(LeaderEpoch::NONE)?;
    if !partition.config().cleanup_policy.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    let end = partition.high_watermark();
    let offset = if offset == TO_THE_END { end } else { Offset(offset) };
    if offset < Offset::ZERO || offset > end {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let log = partition.log();
    if offset > log.log_start_offset() {
        log.set_log_start_offset(offset)
            .map_err(|error| partition.storage_failure(&error, "deletion of records"))?;
    }
    Ok(log.log_start_offset())
}

#[cfg(test)]
#[path = "delete_records_tests.rs"]
mod tests;
