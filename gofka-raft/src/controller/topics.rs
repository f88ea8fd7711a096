//! Topics: made and deleted.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::{NodeId, PartitionIndex, TopicId, TopicName};

use super::{Decision, Draft, Environment, configs, placement, topic_name};
use crate::image::{ConfigResource, MetadataImage};
use crate::record::MetadataRecord;
use crate::request::{CreatedTopic, NewTopic, TopicRef};

/// Kafka's bound on what one request may make (`MAX_PARTITIONS_PER_BATCH`).
const PARTITIONS_MAX: usize = 10_000;

type Created = Result<CreatedTopic, ApiError>;
type Deleted = Result<(TopicName, TopicId), ApiError>;

/// Makes each of `topics` that can be made; those before it count.
pub(crate) fn create_topics(
    image: &MetadataImage,
    environment: Environment<'_>,
    topics: &[NewTopic],
    validate_only: bool,
) -> Decision<Vec<Created>> {
    let mut draft = Draft::of(image);
    if let Err(error) = within(partitions_of(image, environment, topics)) {
        return draft.decide(true, topics.iter().map(|_| Err(error.clone())).collect());
    }
    let mut answer = Vec::with_capacity(topics.len());
    for topic in topics {
        let made = create_topic(&draft.image, environment, topic);
        answer.push(made.map(|(records, created)| {
            draft.add(records);
            created
        }));
    }
    draft.decide(validate_only, answer)
}

fn create_topic(
    image: &MetadataImage,
    environment: Environment<'_>,
    topic: &NewTopic,
) -> Result<(Vec<MetadataRecord>, CreatedTopic), ApiError> {
    topic_name::check(image, &topic.name)?;
    let resource = ConfigResource::topic(&topic.name);
    let settings = configs::of_new_topic(image, environment, &topic.configs)?;
    let replicas = replicas_of(image, environment, topic)?;
    let id = TopicId((environment.new_id)());
    let name = TopicName::new(&topic.name);
    let created = CreatedTopic {
        name: name.clone(),
        id,
        partitions: i32::try_from(replicas.len()).unwrap_or(i32::MAX),
        replication_factor: replicas.first().map_or(1, |first| first.len() as i16),
    };
    let mut records = vec![MetadataRecord::Topic { name, id }];
    for (name, value) in settings {
        let resource = resource.clone();
        records.push(MetadataRecord::Config { resource, name, value: Some(value) });
    }
    for (index, replicas) in (0..).zip(replicas) {
        records.push(MetadataRecord::Partition {
            topic: id,
            index: PartitionIndex(index),
            partition: placement::partition(image, replicas)?,
        });
    }
    Ok((records, created))
}

/// Replicas of each partition, as asked for or by default.
fn replicas_of(
    image: &MetadataImage,
    environment: Environment<'_>,
    topic: &NewTopic,
) -> Result<Vec<Vec<NodeId>>, ApiError> {
    if !topic.assignments.is_empty() {
        return assigned(image, topic);
    }
    let layers = image.broker_layers(environment.node, environment.fixed);
    let number = |name: &str| layers.broker_value(name).and_then(|text| text.parse::<i32>().ok());
    let factor = topic.replication_factor.unwrap_or_else(|| {
        number("default.replication.factor").and_then(|f| i16::try_from(f).ok()).unwrap_or(1)
    });
    let partitions = topic.partitions.unwrap_or_else(|| default_partitions(image, environment));
    if factor <= 0 {
        let text = "Replication factor must be larger than 0, or -1 to use the default value.";
        return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, text));
    }
    if partitions <= 0 {
        let text = "Number of partitions was set to an invalid non-positive value.";
        return Err(ApiError::new(ErrorCode::InvalidPartitions, text));
    }
    placement::choose(image, partitions, factor)
}

/// `num.partitions`
fn default_partitions(image: &MetadataImage, environment: Environment<'_>) -> i32 {
    let layers = image.broker_layers(environment.node, environment.fixed);
    let value = layers.broker_value("num.partitions");
    value.and_then(|text| text.trim().parse().ok()).unwrap_or(1)
}

/// Partitions that a request asks for in all.
fn partitions_of(
    image: &MetadataImage,
    environment: Environment<'_>,
    topics: &[NewTopic],
) -> usize {
    let default = default_partitions(image, environment);
    let each = topics.iter().map(|topic| match topic.assignments.len() {
        0 => usize::try_from(topic.partitions.unwrap_or(default)).unwrap_or(0),
        assigned => assigned,
    });
    each.fold(0, usize::saturating_add)
}

/// Refuses more partitions than one request may make.
pub(super) fn within(partitions: usize) -> Result<(), ApiError> {
    if partitions <= PARTITIONS_MAX {
        return Ok(());
    }
    let text = "Excessively large number of partitions per request.";
    Err(ApiError::new(ErrorCode::PolicyViolation, text))
}

/// What the caller chose, checked: partitions from 0 without a gap, equally many copies.
fn assigned(image: &MetadataImage, topic: &NewTopic) -> Result<Vec<Vec<NodeId>>, ApiError> {
    let both = |what: &str| {
        let text =
            format!("A manual partition assignment was specified, but {what} was not set to -1.");
        Err(ApiError::new(ErrorCode::InvalidRequest, text))
    };
    if topic.replication_factor.is_some() {
        return both("replication factor");
    }
    if topic.partitions.is_some() {
        return both("numPartitions");
    }
    let mut assignments = topic.assignments.clone();
    assignments.sort_by_key(|(index, _)| *index);
    if let Some(pair) = assignments.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let index = pair[0].0;
        let text = format!("Found multiple manual partition assignments for partition {index}");
        return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, text));
    }
    let mut replicas: Vec<Vec<NodeId>> = Vec::with_capacity(assignments.len());
    for (position, (index, nodes)) in (0..).zip(assignments) {
        if index.0 != position {
            let text = "partitions should be a consecutive 0-based integer sequence";
            return Err(ApiError::new(ErrorCode::InvalidReplicaAssignment, text));
        }
        placement::check(image, &nodes, replicas.first().map(Vec::len))?;
        replicas.push(nodes);
    }
    Ok(replicas)
}

/// Deletes each of `topics` that is there.
pub(crate) fn delete_topics(image: &MetadataImage, topics: &[TopicRef]) -> Decision<Vec<Deleted>> {
    let mut draft = Draft::of(image);
    let mut answer = Vec::with_capacity(topics.len());
    for topic in topics {
        let found = match topic {
            TopicRef::Name(name) => {
                let missing = "This server does not host this topic-partition.";
                let missing = ApiError::new(ErrorCode::UnknownTopicOrPartition, missing);
                draft.image.topic(name).ok_or(missing)
            }
            TopicRef::Id(id) => {
                let missing = "This server does not host this topic ID.";
                let missing = ApiError::new(ErrorCode::UnknownTopicId, missing);
                draft.image.topic_by_id(*id).ok_or(missing)
            }
        };
        let deleted = found.map(|topic| (topic.name.clone(), topic.id));
        if let Ok((_, id)) = &deleted {
            draft.add(vec![MetadataRecord::RemoveTopic { id: *id }]);
        }
        answer.push(deleted);
    }
    draft.decide(false, answer)
}
