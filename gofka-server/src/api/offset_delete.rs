//! OffsetDelete (47), version 0: a group forgets offsets of topics that it does not read (KIP-496).

use gofka_core::error::ErrorCode;
use gofka_core::group::command::ByTopic;
use gofka_core::group::{Command, Reply as GroupReply};
use gofka_core::ids::{PartitionIndex, TopicName};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};

use super::group_wire::{CheckedTopics, group_id, unavailable, wire_topic};
use super::{Api, Outcome, Reply, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<OffsetDeleteRequest>(0, 0);

/// Appends in stage one.
pub async fn handle(context: &RequestContext, request: OffsetDeleteRequest) -> Outcome {
    let image = context.broker.controller.image();
    let mut checked = CheckedTopics::new(&image, requested(&request));
    let topics = std::mem::take(&mut checked.known);
    let group = group_id(&request.group_id);
    let command = Command::DeleteOffsets { group: group.clone(), topics };
    let pending = context.broker.groups.submit(&group, context.now, command);
    let context = context.clone();
    Outcome::later(async move {
        let answered = match pending.reply().await {
            GroupReply::DeleteOffsets(answered) => answered,
            other => Err(unavailable(&other)),
        };
        match answered {
            Ok(topics) => answer(&context, checked.outcomes(Ok(topics))),
            Err(error) => {
                let response = OffsetDeleteResponse::default().with_error_code(error.code());
                context.reply(&response).with_error(error)
            }
        }
    })
}

fn requested(request: &OffsetDeleteRequest) -> ByTopic<()> {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|it| (PartitionIndex(it.partition_index), ()));
        (TopicName::new(topic.name.as_str()), partitions.collect())
    });
    topics.collect()
}

fn answer(context: &RequestContext, outcomes: ByTopic<ErrorCode>) -> Reply {
    let all = outcomes.iter().flat_map(|(_, partitions)| partitions);
    let errors: Vec<ErrorCode> = all.map(|(_, error)| *error).collect();
    context.reply(&response(outcomes)).with_errors(errors)
}

fn response(outcomes: ByTopic<ErrorCode>) -> OffsetDeleteResponse {
    let mut topics = Vec::with_capacity(outcomes.len());
    for (topic, partitions) in outcomes {
        let partitions = partitions.into_iter().map(|(partition, error)| {
            OffsetDeleteResponsePartition::default()
                .with_partition_index(partition.0)
                .with_error_code(error.code())
        });
        topics.push(
            OffsetDeleteResponseTopic::default()
                .with_name(wire_topic(&topic))
                .with_partitions(partitions.collect()),
        );
    }
    OffsetDeleteResponse::default().with_topics(topics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode() {
        let outcomes = vec![(TopicName::new("t"), vec![(PartitionIndex(0), ErrorCode::None)])];
        assert_encodes(&API, |_| response(outcomes.clone()));
    }
}
