//! ListOffsets (2), versions 1-10: the offset at a point in time, or at either end.
//!
//! Behaviour: -1 is the end (high watermark, or last stable offset for `read_committed`), -2 the
//! log start, -3 the record with the largest timestamp, -4 the start of what is held locally,
//! -5 the end of what is in tiered storage (nothing here); any other number is searched for
//! through the time index, on a blocking thread. -1 as the answer's offset means that there is
//! none. A partition named twice is an error, as in Kafka.
//!
//! Version notes: 2 isolation, 4 leader epochs (KIP-320), 6 flexible, 7 largest timestamp
//! (KIP-734), 8 local start (KIP-405), 9 tiered end (KIP-1005), 10 timeout.

use std::collections::HashSet;
use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex};
use gofka_core::time::TimestampMs;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};

use super::{Api, Outcome, RequestContext};
use crate::partition::{Isolation, Partition, PartitionMap, blocking};

/// The row of the table.
pub const API: Api = Api::new::<ListOffsetsRequest>(1, 10);

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

const LEADER_EPOCH_SINCE: i16 = 4;
const READ_COMMITTED: i8 = 1;

/// Answers on a blocking thread, where an index has to be searched.
#[allow(clippy::unused_async, reason = "every handler has this signature")]
pub async fn handle(context: &RequestContext, request: ListOffsetsRequest) -> Outcome {
    let query = Query {
        map: context.broker.partitions.snapshot(),
        version: context.api_version,
        isolation: if request.isolation_level == READ_COMMITTED {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        },
    };
    let mut asked = request.topics.iter().flat_map(|topic| &topic.partitions);
    if !asked.any(|partition| reads_the_disk(partition.timestamp)) {
        return context.now(&query.answer(request.topics));
    }
    let context = context.clone();
    Outcome::later(async move {
        let response = blocking(move || query.answer(request.topics)).await;
        context.reply(&response)
    })
}

const fn reads_the_disk(timestamp: i64) -> bool {
    !matches!(timestamp, LATEST | EARLIEST | EARLIEST_LOCAL | LATEST_TIERED)
}

struct Query {
    map: Arc<PartitionMap>,
    version: i16,
    isolation: Isolation,
}

/// An offset that was found, with the record's timestamp and epoch.
struct Found {
    offset: Offset,
    timestamp: TimestampMs,
    epoch: LeaderEpoch,
}

impl Query {
    fn answer(&self, topics: Vec<ListOffsetsTopic>) -> ListOffsetsResponse {
        let mut once = HashSet::new();
        let mut twice = HashSet::new();
        for topic in &topics {
            for partition in &topic.partitions {
                let key = (topic.name.clone(), partition.partition_index);
                if !once.insert(key.clone()) {
                    twice.insert(key);
                }
            }
        }
        let topics = topics.into_iter().filter(|topic| !topic.partitions.is_empty()).map(|topic| {
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for partition in &topic.partitions {
                let key = (topic.name.clone(), partition.partition_index);
                let found = if twice.contains(&key) {
                    // One answer for all of them.
                    if !once.remove(&key) {
                        continue;
                    }
                    Err(ErrorCode::InvalidRequest)
                } else {
                    self.find(topic.name.as_str(), partition)
                };
                partitions.push(self.partition(partition.partition_index, found));
            }
            ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(partitions)
        });
        let topics = topics.collect();
        ListOffsetsResponse::default().with_topics(topics)
    }

    fn partition(
        &self,
        index: i32,
        found: Result<Option<Found>, ErrorCode>,
    ) -> ListOffsetsPartitionResponse {
        let mut answer = ListOffsetsPartitionResponse::default()
            .with_partition_index(index)
            .with_offset(-1)
            .with_timestamp(-1);
        match found {
            Err(code) => answer.error_code = code.code(),
            Ok(None) => {}
            Ok(Some(found)) => {
                answer.offset = found.offset.0;
                answer.timestamp = found.timestamp.0;
                if self.version >= LEADER_EPOCH_SINCE {
                    answer.leader_epoch = found.epoch.0;
                }
            }
        }
        answer
    }

    fn find(
        &self,
        topic: &str,
        asked: &ListOffsetsPartition,
    ) -> Result<Option<Found>, ErrorCode> {
        let partition = self.map.topic(topic)?.get(PartitionIndex(asked.partition_index))?;
        if self.version < lowest_version(asked.timestamp) {
            return Err(ErrorCode::UnsupportedVersion);
        }
        partition.check_leader(LeaderEpoch(asked.current_leader_epoch))?;
        match asked.timestamp {
            LATEST => {
                let offset = partition.readable_end(self.isolation);
                let (_, epoch) = partition.leader();
                Ok(Some(Found { offset, timestamp: TimestampMs::NONE, epoch }))
            }
            EARLIEST | EARLIEST_LOCAL => {
                let offset = partition.log().log_start_offset();
                let epoch = partition.epoch_of(offset);
                Ok(Some(Found { offset, timestamp: TimestampMs::NONE, epoch }))
            }
            LATEST_TIERED => Ok(None),
            MAX_TIMESTAMP => {
                let up_to = partition.readable_end(self.isolation);
                search(partition, partition.log().max_timestamp_offset(up_to))
            }
            timestamp => {
                let up_to = partition.readable_end(self.isolation);
                let found = partition.log().offset_for_timestamp(TimestampMs(timestamp), up_to);
                search(partition, found)
            }
        }
    }
}

fn search(
    partition: &Partition,
    found: Result<Option<(Offset, TimestampMs)>, gofka_storage::StorageError>,
) -> Result<Option<Found>, ErrorCode> {
    let found = found.map_err(|error| partition.storage_failure(&error, "search"))?;
    Ok(found.map(|(offset, timestamp)| {
        let epoch = partition.log().epoch_of(offset);
        Found { offset, timestamp, epoch }
    }))
}

/// The version in which this special timestamp came.
const fn lowest_version(timestamp: i64) -> i16 {
    match timestamp {
        MAX_TIMESTAMP => 7,
        EARLIEST_LOCAL => 8,
        LATEST_TIERED => 9,
        // Kafka has two more, which no version that is served here knows.
        i64::MIN..LATEST_TIERED => i16::MAX,
        _ => 1,
    }
}

#[cfg(test)]
#[path = "list_offsets_tests.rs"]
mod tests;
