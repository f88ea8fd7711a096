//! What the group APIs share: owned copies of a request's texts, and answers to what went wrong.
//!
//! Called by the handlers of groups and offsets beside it. Texts and bytes are copied out of the
//! request, which would otherwise keep its whole frame alive.

use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::group::command::ByTopic;
use gofka_core::group::{GroupId, InstanceId, MemberId, Reply};
use gofka_core::ids::{PartitionIndex, TopicName};
use gofka_raft::MetadataImage;
use kafka_protocol::messages;
use kafka_protocol::protocol::StrBytes;

/// A text of an answer.
pub(super) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// A text of a request that is kept.
pub(super) fn shared(value: &StrBytes) -> Arc<str> {
    Arc::from(value.as_str())
}

pub(super) fn group_id(id: &messages::GroupId) -> GroupId {
    GroupId::new(id.as_str())
}

pub(super) fn wire_group_id(id: &GroupId) -> messages::GroupId {
    messages::GroupId(text(id.as_str()))
}

pub(super) fn member_id(id: &StrBytes) -> MemberId {
    MemberId::new(id.as_str())
}

pub(super) fn instance_id(id: Option<&StrBytes>) -> Option<InstanceId> {
    id.map(|id| InstanceId::new(id.as_str()))
}

pub(super) fn wire_topic(name: &TopicName) -> messages::TopicName {
    messages::TopicName(text(name.as_str()))
}

/// The error of a reply that is not what the command is answered with: the shard was not there.
pub(super) fn unavailable(reply: &Reply) -> ErrorCode {
    match reply {
        Reply::Unavailable(error) => *error,
        other => {
            tracing::error!(reply = ?other, "a group command got another command's reply");
            ErrorCode::UnknownServerError
        }
    }
}

/// A request's partitions, each with an error if it does not exist, in the order of the request.
pub(super) struct CheckedTopics<T> {
    all: ByTopic<Option<ErrorCode>>,
    /// Those that exist, for the coordinator.
    pub(super) known: ByTopic<T>,
}

impl<T> CheckedTopics<T> {
    pub(super) fn new(image: &MetadataImage, requested: ByTopic<T>) -> Self {
        let mut all = Vec::with_capacity(requested.len());
        let mut known = Vec::with_capacity(requested.len());
        for (topic, partitions) in requested {
            let mut outcomes = Vec::with_capacity(partitions.len());
            let mut kept = Vec::with_capacity(partitions.len());
            for (partition, value) in partitions {
                if image.partition(topic.as_str(), partition).is_some() {
                    outcomes.push((partition, None));
                    kept.push((partition, value));
                } else {
                    outcomes.push((partition, Some(ErrorCode::UnknownTopicOrPartition)));
                }
            }
            if !kept.is_empty() {
                known.push((topic.clone(), kept));
            }
            // A topic without partitions is not answered.
            if !outcomes.is_empty() {
                all.push((topic, outcomes));
            }
        }
        Self { all, known }
    }

    /// The outcome of every partition: what the coordinator said of those that it was asked about,
    /// in the same order, or the error it had for all.
    pub(super) fn outcomes(
        self,
        answered: Result<ByTopic<ErrorCode>, ErrorCode>,
    ) -> ByTopic<ErrorCode> {
        let (mut answers, otherwise) = match answered {
            Ok(topics) => {
                let flat = topics.into_iter().flat_map(|(_, partitions)| partitions);
                (flat.map(|(_, error)| error).collect::<Vec<_>>(), ErrorCode::UnknownServerError)
            }
            Err(error) => (Vec::new(), error),
        };
        answers.reverse();
        let outcome = |(partition, error): (PartitionIndex, Option<ErrorCode>)| {
            let error = error.unwrap_or_else(|| answers.pop().unwrap_or(otherwise));
            (partition, error)
        };
        let mut outcome = outcome;
        self.all
            .into_iter()
            .map(|(topic, partitions)| (topic, partitions.into_iter().map(&mut outcome).collect()))
            .collect()
    }
}

/// Whether every version of `api` can carry what `response` makes for it.
#[cfg(test)]
pub(super) fn assert_encodes<R: kafka_protocol::protocol::Encodable>(
    api: &super::Api,
    response: impl Fn(i16) -> R,
) {
    for version in api.lowest()..=api.highest() {
        let encoded = response(version).encode(&mut bytes::BytesMut::new(), version);
        assert!(encoded.is_ok(), "{api:?} version {version}: {encoded:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_find_their_partitions_between_unknown_ones() {
        let checked = CheckedTopics::<()> {
            all: vec![(
                TopicName::new("t"),
                vec![
                    (PartitionIndex(9), Some(ErrorCode::UnknownTopicOrPartition)),
                    (PartitionIndex(0), None),
                    (PartitionIndex(1), None),
                ],
            )],
            known: Vec::new(),
        };
        let answered = vec![(
            TopicName::new("t"),
            vec![
                (PartitionIndex(0), ErrorCode::None),
                (PartitionIndex(1), ErrorCode::OffsetMetadataTooLarge),
            ],
        )];
        let outcomes = checked.outcomes(Ok(answered));
        let errors: Vec<_> = outcomes[0].1.iter().map(|(_, error)| *error).collect();
        let expected = [
            ErrorCode::UnknownTopicOrPartition,
            ErrorCode::None,
            ErrorCode::OffsetMetadataTooLarge,
        ];
        assert_eq!(errors, expected);
    }
}
