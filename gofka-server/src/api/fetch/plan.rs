//! From a Fetch request to what is read, and from where.

use std::sync::Arc;
use std::time::Duration;

use gofka_core::error::ErrorCode;
use gofka_core::fetch_session::{
    FetchTarget, PartitionKey, SessionRequest, TopicKey,
};
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, TopicPartition};
use kafka_protocol::messages::FetchRequest;

use super::wait_of;
use crate::partition::{Isolation, Partition, PartitionMap};

const TOPIC_ID_SINCE: i16 = 13;
const REPLICA_STATE_SINCE: i16 = 15;
const READ_COMMITTED: i8 = 1;

/// Most that one answer holds, whatever is asked for: what comes from the disk is in memory until
/// it has left.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// How much, and how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) max_bytes: usize,
    pub(super) min_bytes: usize,
    pub(super) max_wait: Duration,
    pub(super) isolation: Isolation,
}

impl Limits {
    pub(super) fn of(request: &FetchRequest, fetch_max_bytes: usize) -> Self {
        let asked = usize::try_from(request.max_bytes).unwrap_or(0);
        let max_bytes = asked.min(fetch_max_bytes).min(ANSWER_BYTES_MAX);
        Self {
            max_bytes,
            min_bytes: usize::try_from(request.min_bytes).unwrap_or(0).min(max_bytes),
            max_wait: wait_of(request.max_wait_ms),
            isolation: if request.isolation_level == READ_COMMITTED {
                Isolation::ReadCommitted
            } else {
                Isolation::ReadUncommitted
            },
        }
    }
}

/// Whether the request claims to come from a replica.
pub(super) fn is_follower(request: &FetchRequest, version: i16) -> bool {
    if version >= REPLICA_STATE_SINCE {
        request.replica_state.replica_id.0 >= 0
    } else {
        request.replica_id.0 >= 0
    }
}

/// The part of the request that its session needs. Names are copied out of the frame.
pub(super) fn session_request(request: FetchRequest, version: i16) -> SessionRequest {
    let uses_topic_ids = version >= TOPIC_ID_SINCE;
    let topic_key = |name: &str, id| {
        if uses_topic_ids {
            TopicKey::Id(TopicId(id))
        } else {
            TopicKey::Name(TopicName::new(name))
        }
    };
    let mut targets = Vec::new();
    for topic in request.topics {
        let key = topic_key(topic.topic.as_str(), topic.topic_id);
        targets.extend(topic.partitions.into_iter().map(|partition| {
            let key =
                PartitionKey { topic: key.clone(), partition: PartitionIndex(partition.partition) };
            let target = FetchTarget {
                offset: Offset(partition.fetch_offset),
                max_bytes: partition.partition_max_bytes,
                current_leader_epoch: any_epoch(partition.current_leader_epoch),
                last_fetched_epoch: any_epoch(partition.last_fetched_epoch),
            };
            (key, target)
        }));
    }
    let mut forgotten = Vec::new();
    for topic in request.forgotten_topics_data {
        let key = topic_key(topic.topic.as_str(), topic.topic_id);
        forgotten.extend(topic.partitions.into_iter().map(|partition| PartitionKey {
            topic: key.clone(),
            partition: PartitionIndex(partition),
        }));
    }
    SessionRequest {
        id: request.session_id,
        epoch: request.session_epoch,
        uses_topic_ids,
        targets,
        forgotten,
    }
}

/// Every negative epoch stands for none here, as in Kafka.
fn any_epoch(epoch: i32) -> LeaderEpoch {
    LeaderEpoch(epoch).max(LeaderEpoch::NONE)
}

/// Where a partition's records come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// From here.
    Here(Arc<Partition>),
    /// From another broker.
    Elsewhere(TopicPartition),
    /// From nowhere.
    Refused(ErrorCode),
}

impl Source {
    /// Whether a read from `offset` on begins without waiting for the disk.
    pub(super) fn is_hot(&self, offset: Offset, limits: &Limits) -> bool {
        match self {
            Self::Here(partition) => partition.is_hot(offset, limits.isolation),
            Self::Elsewhere(_) | Self::Refused(_) => true,
        }
    }
}

/// Looks each partition up; neighbours are mostly of one topic.
pub(super) fn resolve(map: &PartitionMap, targets: &[(PartitionKey, FetchTarget)]) -> Vec<Source> {
    let mut last: Option<(&TopicKey, Result<_, ErrorCode>)> = None;
    let mut sources = Vec::with_capacity(targets.len());
    for (key, _) in targets {
        let found = match last {
            Some((topic, found)) if *topic == key.topic => found,
            _ => match &key.topic {
                TopicKey::Name(name) => map.topic(name.as_str()),
                TopicKey::Id(id) => map.topic_by_id(*id),
            },
        };
        last = Some((&key.topic, found));
        sources.push(match found {
            Err(code) => Source::Refused(code),
            Ok(entry) => match entry.get(key.partition) {
                Ok(partition) => Source::Here(partition.clone()),
                Err(ErrorCode::NotLeaderOrFollower) => Source::Elsewhere(TopicPartition {
                    topic: entry.name.clone(),
                    partition: key.partition,
                }),
                Err(code) => Source::Refused(code),
            },
        });
    }
    sources
}
