//! OffsetCommit (8), versions 2-9: a group keeps how far it has read.
//!
//! Behaviour: partitions that do not exist are refused alone. The answer waits until the offsets
//! are committed to `__consumer_offsets`. Version 10 (topic ids) is beyond the codec.
//!
//! Version notes: 2-4 may name a retention time; 6 brings the leader epoch (KIP-320); 7 static
//! members (KIP-345); 9 GROUP_ID_NOT_FOUND and STALE_MEMBER_EPOCH (KIP-848).

use gofka_core::error::ErrorCode;
use gofka_core::group::command::{ByTopic, Commit, MemberOf, OffsetToCommit};
use gofka_core::group::{Command, Generation, Reply as GroupReply};
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};
use gofka_raft::MetadataImage;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};

use super::group_wire::{
    CheckedTopics, group_id, instance_id, member_id, unavailable, wire_topic,
};
use super::{Api, Outcome, Reply, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<OffsetCommitRequest>(2, 9);

/// Appends in stage one.
pub async fn handle(context: &RequestContext, request: OffsetCommitRequest) -> Outcome {
    let image = context.broker.controller.image();
    let mut checked = CheckedTopics::new(&image, requested(&image, &request));
    let topics = std::mem::take(&mut checked.known);
    if topics.is_empty() {
        return Outcome::Now(answer(context, checked.outcomes(Ok(Vec::new()))));
    }
    let commit = Commit {
        member: MemberOf {
            group: group_id(&request.group_id),
            member: member_id(&request.member_id),
            instance: instance_id(request.group_instance_id.as_ref()),
            generation: Generation(request.generation_id_or_member_epoch),
        },
        knows_group_id_not_found: context.api_version >= 9,
        retention_ms: Some(request.retention_time_ms).filter(|retention| *retention != -1),
        topics,
    };
    let group = commit.member.group.clone();
    let pending = context.broker.groups.submit(&group, context.now, Command::Commit(commit));
    let context = context.clone();
    Outcome::later(async move {
        let answered = match pending.reply().await {
            GroupReply::Commit(answered) => answered,
            other => Err(unavailable(&other)),
        };
        answer(&context, checked.outcomes(answered))
    })
}

fn requested(image: &MetadataImage, request: &OffsetCommitRequest) -> ByTopic<OffsetToCommit> {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let topic_id = image.topic(topic.name.as_str()).map_or(TopicId::NONE, |topic| topic.id);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in &topic.partitions {
            let metadata = partition.committed_metadata.as_ref();
            let offset = OffsetToCommit {
                offset: Offset(partition.committed_offset),
                leader_epoch: LeaderEpoch(partition.committed_leader_epoch),
                metadata: metadata.map(|text| text.as_str().to_owned()),
                committed_at: None,
                topic_id,
            };
            partitions.push((PartitionIndex(partition.partition_index), offset));
        }
        topics.push((TopicName::new(topic.name.as_str()), partitions));
    }
    topics
}

fn answer(context: &RequestContext, outcomes: ByTopic<ErrorCode>) -> Reply {
    let all = outcomes.iter().flat_map(|(_, partitions)| partitions);
    let errors: Vec<ErrorCode> =
        all.map(|(_, error)| *error).filter(|error| *error != ErrorCode::None).collect();
    context.reply(&response(outcomes)).with_errors(errors)
}

fn response(outcomes: ByTopic<ErrorCode>) -> OffsetCommitResponse {
    let mut topics = Vec::with_capacity(outcomes.len());
    for (topic, partitions) in outcomes {
        let partitions = partitions.into_iter().map(|(partition, error)| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.0)
                .with_error_code(error.code())
        });
        topics.push(
            OffsetCommitResponseTopic::default()
                .with_name(wire_topic(&topic))
                .with_partitions(partitions.collect()),
        );
    }
    OffsetCommitResponse::default().with_topics(topics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let outcomes = vec![(TopicName::new("t"), vec![(PartitionIndex(0), ErrorCode::None)])];
        assert_encodes(&API, |_| response(outcomes.clone()));
    }
}
