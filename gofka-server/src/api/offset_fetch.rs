//! OffsetFetch (9), versions 1-9: how far groups have read.
//!
//! Behaviour: a partition without an offset answers -1; so does a group that is not there. Offsets
//! are shown once they are committed, whether or not the client asks for stable ones. Groups beyond
//! what one answer may hold are refused one by one. Version 10 (topic ids) is beyond the codec.
//!
//! Version notes: 2 brings null for all topics, and an error for all; 5 the leader epoch (KIP-320);
//! 7 the wish for stable offsets (KIP-447); 8 several groups (KIP-709); 9 members (KIP-848).

use gofka_core::error::ErrorCode;
use gofka_core::group::command::{ByTopic, Fetch};
use gofka_core::group::reply::FetchedOffset;
use gofka_core::group::{Command, Reply as GroupReply};
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};
use gofka_raft::MetadataImage;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{GroupId, OffsetFetchRequest, OffsetFetchResponse};
use kafka_protocol::protocol::StrBytes;

use super::budget::AnswerBudget;
use super::group_wire::{group_id, text, unavailable, wire_topic};
use super::{Api, Outcome, RequestContext};
use crate::coordinator::Pending;

/// The row of the table.
pub const API: Api = Api::new::<OffsetFetchRequest>(1, 9);

const GROUP_ERROR_FROM: i16 = 2;
const EPOCH_FROM: i16 = 5;
const BATCHED_FROM: i16 = 8;

type Fetched = Result<ByTopic<FetchedOffset>, ErrorCode>;

/// Reads in stage one; the answer waits for what it shows to be committed.
pub async fn handle(context: &RequestContext, request: OffsetFetchRequest) -> Outcome {
    let stable = request.require_stable;
    if context.api_version >= BATCHED_FROM {
        let mut budget = AnswerBudget::default();
        let mut groups = Vec::with_capacity(request.groups.len());
        for group in request.groups {
            budget.turn().await;
            let topics = group.topics.map(|topics| {
                let topics = topics.iter();
                topics.map(|topic| named(topic.name.as_str(), &topic.partition_indexes)).collect()
            });
            let pending = submit_within(&mut budget, context, &group.group_id, topics, stable);
            groups.push((pending, group.group_id));
        }
        return answer_groups(context.clone(), groups);
    }
    let topics: Option<ByTopic<()>> = request.topics.map(|topics| {
        topics.iter().map(|topic| named(topic.name.as_str(), &topic.partition_indexes)).collect()
    });
    let pending = submit(context, &request.group_id, topics.clone(), stable);
    answer_one(context.clone(), pending, topics.unwrap_or_default())
}

fn named(topic: &str, partitions: &[i32]) -> (TopicName, Vec<(PartitionIndex, ())>) {
    let partitions = partitions.iter().map(|partition| (PartitionIndex(*partition), ()));
    (TopicName::new(topic), partitions.collect())
}

fn submit(
    context: &RequestContext,
    id: &GroupId,
    topics: Option<ByTopic<()>>,
    require_stable: bool,
) -> Pending {
    let group = group_id(id);
    let fetch = Fetch { group: group.clone(), topics, require_stable };
    context.broker.groups.submit(&group, context.now, Command::Fetch(fetch))
}

/// Asks for a group's offsets if the answer has room for them.
fn submit_within(
    budget: &mut AnswerBudget,
    context: &RequestContext,
    id: &GroupId,
    topics: Option<ByTopic<()>>,
    require_stable: bool,
) -> Result<Pending, ErrorCode> {
    if budget.is_spent() {
        return Err(ErrorCode::InvalidRequest);
    }
    let mut pending = submit(context, id, topics, require_stable);
    if let Some(GroupReply::Fetch(topics)) = pending.decided() {
        let partitions = topics.iter().flat_map(|(_, partitions)| partitions);
        let (mut structures, mut bytes) = (1 + topics.len(), 0);
        for (_, fetched) in partitions {
            structures += 1;
            if let FetchedOffset::Committed(committed) = fetched {
                bytes += committed.metadata.len();
            }
        }
        if !budget.take(structures, bytes) {
            return Err(ErrorCode::InvalidRequest);
        }
    }
    Ok(pending)
}

async fn fetched(image: &MetadataImage, pending: Pending) -> Fetched {
    match pending.reply().await {
        GroupReply::Fetch(mut topics) => {
            for (topic, partitions) in &mut topics {
                let id = image.topic(topic.as_str()).map(|topic| topic.id);
                for (_, fetched) in partitions {
                    forget_former(id, fetched);
                }
            }
            Ok(topics)
        }
        other => Err(unavailable(&other)),
    }
}

/// An offset of a deleted topic says nothing about one that was made anew under its name.
fn forget_former(current: Option<TopicId>, fetched: &mut FetchedOffset) {
    let FetchedOffset::Committed(committed) = fetched else { return };
    let former = committed.topic_id;
    if former != TopicId::NONE && current.is_some_and(|current| current != former) {
        *fetched = FetchedOffset::None;
    }
}

fn answer_groups(
    context: RequestContext,
    groups: Vec<(Result<Pending, ErrorCode>, GroupId)>,
) -> Outcome {
    Outcome::later(async move {
        let image = context.broker.controller.image();
        let mut answered = Vec::with_capacity(groups.len());
        let mut errors = Vec::new();
        for (pending, group) in groups {
            let response = OffsetFetchResponseGroup::default().with_group_id(group);
            let fetched = match pending {
                Ok(pending) => fetched(&image, pending).await,
                Err(error) => Err(error),
            };
            answered.push(match fetched {
                Ok(topics) => response.with_topics(group_topics(topics)),
                Err(error) => {
                    errors.push(error);
                    response.with_error_code(error.code())
                }
            });
        }
        let response = OffsetFetchResponse::default().with_groups(answered);
        context.reply(&response).with_errors(errors)
    })
}

fn answer_one(context: RequestContext, pending: Pending, requested: ByTopic<()>) -> Outcome {
    Outcome::later(async move {
        let version = context.api_version;
        let mut response = OffsetFetchResponse::default();
        let mut errors = None;
        let image = context.broker.controller.image();
        match fetched(&image, pending).await {
            Ok(topics) => response.topics = single_topics(version, topics, ErrorCode::None),
            Err(error) => {
                errors = Some(error);
                if version >= GROUP_ERROR_FROM {
                    response.error_code = error.code();
                } else {
                    let none = |(partition, ())| (partition, FetchedOffset::None);
                    let topics = requested.into_iter().map(|(topic, partitions)| {
                        (topic, partitions.into_iter().map(none).collect())
                    });
                    response.topics = single_topics(version, topics.collect(), error);
                }
            }
        }
        context.reply(&response).with_errors(errors)
    })
}

/// Offset, epoch, text and error as the answer has them.
fn fields(fetched: FetchedOffset) -> (Offset, LeaderEpoch, StrBytes, ErrorCode) {
    match fetched {
        FetchedOffset::Committed(committed) => {
            let metadata = text(&committed.metadata);
            (committed.offset, committed.leader_epoch, metadata, ErrorCode::None)
        }
        FetchedOffset::None => {
            (Offset::NONE, LeaderEpoch::NONE, StrBytes::default(), ErrorCode::None)
        }
        FetchedOffset::Unstable => {
            let error = ErrorCode::UnstableOffsetCommit;
            (Offset::NONE, LeaderEpoch::NONE, StrBytes::default(), error)
        }
    }
}

fn group_topics(topics: ByTopic<FetchedOffset>) -> Vec<OffsetFetchResponseTopics> {
    let topic = |name, partitions| {
        OffsetFetchResponseTopics::default().with_name(name).with_partitions(partitions)
    };
    answered(topics, topic, |partition, fetched| {
        let (offset, epoch, metadata, error) = fields(fetched);
        OffsetFetchResponsePartitions::default()
            .with_partition_index(partition.0)
            .with_committed_offset(offset.0)
            .with_committed_leader_epoch(epoch.0)
            .with_metadata(Some(metadata))
            .with_error_code(error.code())
    })
}

/// As [`group_topics`], in the older form; `otherwise` is the error of partitions without one.
fn single_topics(
    version: i16,
    topics: ByTopic<FetchedOffset>,
    otherwise: ErrorCode,
) -> Vec<OffsetFetchResponseTopic> {
    let topic = |name, partitions| {
        OffsetFetchResponseTopic::default().with_name(name).with_partitions(partitions)
    };
    answered(topics, topic, |partition, fetched| {
        let (offset, epoch, metadata, error) = fields(fetched);
        let error = if error == ErrorCode::None { otherwise } else { error };
        let epoch = if version >= EPOCH_FROM { epoch } else { LeaderEpoch::NONE };
        OffsetFetchResponsePartition::default()
            .with_partition_index(partition.0)
            .with_committed_offset(offset.0)
            .with_committed_leader_epoch(epoch.0)
            .with_metadata(Some(metadata))
            .with_error_code(error.code())
    })
}

/// The topics of an answer in either form.
fn answered<Topic, Partition>(
    topics: ByTopic<FetchedOffset>,
    topic: impl Fn(kafka_protocol::messages::TopicName, Vec<Partition>) -> Topic,
    partition: impl Fn(PartitionIndex, FetchedOffset) -> Partition,
) -> Vec<Topic> {
    let mut answered = Vec::with_capacity(topics.len());
    for (name, partitions) in topics {
        let partitions = partitions.into_iter().map(|(index, fetched)| partition(index, fetched));
        answered.push(topic(wire_topic(&name), partitions.collect()));
    }
    answered
}

#[cfg(test)]
mod tests {
    use gofka_core::group::record::CommittedOffset;
    use gofka_core::ids::Uuid;
    use gofka_core::time::TimestampMs;

    use super::*;
    use crate::api::group_wire::assert_encodes;

    fn topics() -> ByTopic<FetchedOffset> {
        let committed = CommittedOffset {
            offset: Offset(5),
            leader_epoch: LeaderEpoch(2),
            metadata: "note".to_owned(),
            committed_at: TimestampMs(0),
            expires_at: None,
            topic_id: TopicId::NONE,
        };
        let committed = FetchedOffset::Committed(committed);
        let all = [committed, FetchedOffset::None, FetchedOffset::Unstable];
        let partitions = (0..).map(PartitionIndex).zip(all).collect();
        vec![(TopicName::new("t"), partitions)]
    }

    #[test]
    fn answers_encode_in_every_version() {
        for error in [ErrorCode::None, ErrorCode::NotCoordinator] {
            assert_encodes(&API, |version| {
                let response = OffsetFetchResponse::default();
                if version < BATCHED_FROM {
                    return response.with_topics(single_topics(version, topics(), error));
                }
                let group = OffsetFetchResponseGroup::default()
                    .with_topics(group_topics(topics()))
                    .with_error_code(error.code());
                response.with_groups(vec![group])
            });
        }
    }

    #[test]
    fn an_offset_of_a_former_topic_is_not_shown() {
        let (own, other) = (TopicId(Uuid::from_bytes([1; 16])), TopicId(Uuid::from_bytes([2; 16])));
        for (stored, current, shown) in [
            (own, Some(own), true),
            (own, Some(other), false),
            (own, None, true),
            (TopicId::NONE, Some(own), true),
        ] {
            let (_, mut partitions) = topics().remove(0);
            let (_, mut fetched) = partitions.remove(0);
            if let FetchedOffset::Committed(committed) = &mut fetched {
                committed.topic_id = stored;
            }
            forget_former(current, &mut fetched);
            assert_eq!(fetched != FetchedOffset::None, shown, "{stored} {current:?}");
        }
    }

    #[test]
    fn a_partition_without_an_offset_is_no_error() {
        let answered = single_topics(7, topics(), ErrorCode::None);
        let partition = &answered[0].partitions[1];
        assert_eq!((partition.committed_offset, partition.error_code), (-1, 0));
        assert_eq!(partition.metadata, Some(StrBytes::default()));
    }
}
