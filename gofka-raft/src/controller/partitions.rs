//! Partitions added to topics that are there.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{NodeId, PartitionIndex};

use super::{Decision, Draft, placement, topics};
use crate::image::{MetadataImage, TopicImage};
use crate::record::MetadataRecord;
use crate::request::NewPartitions;

/// Grows each of `wanted` that can grow.
pub(crate) fn create_partitions(
    image: &MetadataImage,
    wanted: &[NewPartitions],
    validate_only: bool,
) -> Decision<Vec<Result<(), ApiError>>> {
    let mut draft = Draft::of(image);
    let mut answer = Vec::with_capacity(wanted.len());
    let mut made = 0;
    for topic in wanted {
        let grown = grow(&draft.image, topic, made);
        answer.push(grown.map(|records| {
            made += records.len();
            draft.add(records);
        }));
    }
    draft.decide(validate_only, answer)
}

/// The records that grow one topic, where the same request has `made` partitions already.
fn grow(
    image: &MetadataImage,
    wanted: &NewPartitions,
    made: usize,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let topic = image.topic(&wanted.topic).ok_or(ErrorCode::UnknownTopicOrPartition)?;
    let current = topic.partitions.len();
    let invalid = |text: String| Err(ApiError::new(ErrorCode::InvalidPartitions, text));
    let more = match usize::try_from(wanted.count) {
        Ok(count) if count == current => {
            return invalid(format!("Topic already has {current} partition(s)."));
        }
        Ok(count) if count > current => count - current,
        _ => {
            return invalid(format!(
                "The topic {} currently has {current} partition(s); {} would not be an increase.",
                wanted.topic, wanted.count
            ));
        }
    };
    topics::within(made.saturating_add(more))?;
    let replicas = replicas_of(image, topic, wanted, more)?;
    let mut records = Vec::with_capacity(more);
    for (index, replicas) in (current..).zip(replicas) {
        records.push(MetadataRecord::Partition {
            topic: topic.id,
            index: PartitionIndex(i32::try_from(index).unwrap_or(i32::MAX)),
            partition: placement::partition(image, replicas)?,
        });
    }
    Ok(records)
}

fn replicas_of(
    image: &MetadataImage,
    topic: &TopicImage,
    wanted: &NewPartitions,
    more: usize,
) -> Result<Vec<Vec<NodeId>>, ApiError> {
    let copies = topic.partitions.first().map_or(1, |partition| partition.replicas.len());
    let Some(assignments) = &wanted.assignments else {
        return placement::choose(image, more as i32, copies as i16);
    };
    if assignments.len() != more {
        let text = format!(
            "Attempted to add {more} additional partition(s), but only {} assignment(s) were \
             specified.",
            assignments.len()
        );
        return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, text));
    }
    for replicas in assignments {
        placement::check(image, replicas, Some(copies))?;
    }
    Ok(assignments.clone())
}
