//! From one image to the next: the only place where metadata changes, live and at load.

use std::cmp::Ordering;
use std::sync::Arc;

use gofka_core::ids::{PartitionIndex, TopicId};

use super::{BrokerImage, ConfigResource, MetadataImage, PartitionImage, ResourceKind, TopicImage};
use crate::record::{MetadataRecord, PartitionChange};

/// A record that does not fit what is there. The decision that wrote it was wrong, or the log is
/// not this cluster's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("metadata record does not fit the metadata before it: {0}")]
pub struct ReplayError(String);

type Result = std::result::Result<(), ReplayError>;

impl MetadataImage {
    /// Takes in one record. Does not move [`MetadataImage::offset`].
    pub fn replay(&mut self, record: &MetadataRecord) -> Result {
        match record {
            MetadataRecord::RegisterBroker(broker) => {
                Arc::make_mut(&mut self.brokers).insert(broker.id, Arc::new(broker.clone()));
            }
            MetadataRecord::UnregisterBroker { id, .. } => {
                Arc::make_mut(&mut self.brokers).remove(id);
            }
            MetadataRecord::Topic { name, id } => {
                Arc::make_mut(&mut self.topic_names).insert(*id, name.clone());
                let topic = TopicImage { id: *id, name: name.clone(), partitions: Vec::new() };
                Arc::make_mut(&mut self.topics).insert(name.clone(), Arc::new(topic));
            }
            MetadataRecord::Partition { topic, index, partition } => {
                self.replay_partition(*topic, *index, partition)?;
            }
            MetadataRecord::PartitionChange { topic, index, change } => {
                self.replay_partition_change(*topic, *index, change)?;
            }
            MetadataRecord::RemoveTopic { id } => self.replay_remove_topic(*id)?,
            MetadataRecord::Config { resource, name, value } => {
                self.replay_config(resource, name, value.as_deref());
            }
            MetadataRecord::FeatureLevel { name, level } => {
                let features = Arc::make_mut(&mut self.features);
                if *level == 0 {
                    features.remove(name);
                } else {
                    features.insert(name.clone(), *level);
                }
            }
            MetadataRecord::ProducerIds { next, .. } => self.next_producer_id = *next,
            MetadataRecord::BrokerRegistrationChange {
                id,
                epoch,
                fenced,
                in_controlled_shutdown,
                log_dirs,
            } => {
                let change = |broker: &mut BrokerImage| {
                    broker.fenced = fenced.unwrap_or(broker.fenced);
                    broker.in_controlled_shutdown |= in_controlled_shutdown;
                    if !log_dirs.is_empty() {
                        broker.log_dirs.clone_from(log_dirs);
                    }
                };
                let broker = Arc::make_mut(&mut self.brokers)
                    .get_mut(id)
                    .filter(|broker| broker.epoch == *epoch)
                    .ok_or_else(|| ReplayError(format!("broker {id} of epoch {epoch}")))?;
                change(Arc::make_mut(broker));
            }
            MetadataRecord::NoOp => {}
        }
        Ok(())
    }

    fn topic_to_change(
        &mut self,
        id: TopicId,
    ) -> std::result::Result<&mut TopicImage, ReplayError> {
        let missing = || ReplayError(format!("topic id {id}"));
        let name = self.topic_names.get(&id).ok_or_else(missing)?;
        let topic = Arc::make_mut(&mut self.topics).get_mut(name).ok_or_else(missing)?;
        Ok(Arc::make_mut(topic))
    }

    fn replay_partition(
        &mut self,
        topic: TopicId,
        index: PartitionIndex,
        partition: &PartitionImage,
    ) -> Result {
        let partitions = &mut self.topic_to_change(topic)?.partitions;
        let position = usize::try_from(index.0).unwrap_or(usize::MAX);
        match position.cmp(&partitions.len()) {
            Ordering::Less => partitions[position] = partition.clone(),
            Ordering::Equal => partitions.push(partition.clone()),
            Ordering::Greater => {
                return Err(ReplayError(format!("partition {index} of topic id {topic}")));
            }
        }
        Ok(())
    }

    fn replay_partition_change(
        &mut self,
        topic: TopicId,
        index: PartitionIndex,
        change: &PartitionChange,
    ) -> Result {
        let position = usize::try_from(index.0).unwrap_or(usize::MAX);
        let partition = self
            .topic_to_change(topic)?
            .partitions
            .get_mut(position)
            .ok_or_else(|| ReplayError(format!("partition {index} of topic id {topic}")))?;
        let set = |target: &mut Vec<_>, source: &Option<Vec<_>>| {
            if let Some(source) = source {
                target.clone_from(source);
            }
        };
        set(&mut partition.isr, &change.isr);
        set(&mut partition.replicas, &change.replicas);
        set(&mut partition.removing, &change.removing);
        set(&mut partition.adding, &change.adding);
        set(&mut partition.elr, &change.elr);
        set(&mut partition.last_known_elr, &change.last_known_elr);
        if let Some(directories) = &change.directories {
            partition.directories.clone_from(directories);
        }
        if let Some(leader) = change.leader {
            partition.leader = leader;
            partition.leader_epoch.0 += 1;
        }
        partition.partition_epoch.0 += 1;
        Ok(())
    }

    fn replay_remove_topic(&mut self, id: TopicId) -> Result {
        let name = Arc::make_mut(&mut self.topic_names)
            .remove(&id)
            .ok_or_else(|| ReplayError(format!("topic id {id}")))?;
        Arc::make_mut(&mut self.topics).remove(&name);
        let resource = ConfigResource::topic(name.as_str());
        if self.configs.contains_key(&resource) {
            Arc::make_mut(&mut self.configs).remove(&resource);
        }
        Ok(())
    }

    fn replay_config(&mut self, resource: &ConfigResource, name: &str, value: Option<&str>) {
        let configs = Arc::make_mut(&mut self.configs);
        let map = Arc::make_mut(configs.entry(resource.clone()).or_default());
        match value {
            Some(value) => {
                map.insert(name.to_owned(), value.to_owned());
            }
            None => {
                map.remove(name);
            }
        }
        if map.is_empty() {
            configs.remove(resource);
        }
    }

    /// Records that make this image out of an empty one, for a snapshot.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        for (name, level) in self.features.iter() {
            records.push(MetadataRecord::FeatureLevel { name: name.clone(), level: *level });
        }
        for broker in self.brokers.values() {
            records.push(MetadataRecord::RegisterBroker(BrokerImage::clone(broker)));
        }
        for topic in self.topics.values() {
            records.push(MetadataRecord::Topic { name: topic.name.clone(), id: topic.id });
            for (index, partition) in (0..).zip(&topic.partitions) {
                records.push(MetadataRecord::Partition {
                    topic: topic.id,
                    index: PartitionIndex(index),
                    partition: partition.clone(),
                });
            }
        }
        for (resource, map) in self.configs.iter() {
            for (name, value) in map.iter() {
                records.push(MetadataRecord::Config {
                    resource: resource.clone(),
                    name: name.clone(),
                    value: Some(value.clone()),
                });
            }
        }
        if self.next_producer_id.0 > 0 {
            records.push(MetadataRecord::ProducerIds {
                broker: gofka_core::ids::NodeId(-1),
                broker_epoch: -1,
                next: self.next_producer_id,
            });
        }
        records
    }
}

impl ResourceKind {
    /// The kind with Kafka's number `number`, if it is one that has settings.
    pub fn from_number(number: i8) -> Option<Self> {
        [Self::Topic, Self::Broker, Self::BrokerLogger, Self::ClientMetrics, Self::Group]
            .into_iter()
            .find(|kind| *kind as i8 == number)
    }
}

#[cfg(test)]
mod tests {
    use gofka_core::ids::{LeaderEpoch, NodeId, ProducerId, TopicName, Uuid};

    use super::*;

    fn topic_id(number: u128) -> TopicId {
        TopicId(Uuid::from_u128(number))
    }

    fn partition(leader: i32) -> PartitionImage {
        let replicas = vec![NodeId(leader)];
        PartitionImage {
            isr: replicas.clone(),
            replicas,
            leader: Some(NodeId(leader)),
            ..PartitionImage::default()
        }
    }

    fn image() -> MetadataImage {
        let mut image = MetadataImage::default();
        let records = [
            MetadataRecord::Topic { name: TopicName::new("a"), id: topic_id(1) },
            MetadataRecord::Partition {
                topic: topic_id(1),
                index: PartitionIndex(0),
                partition: partition(1),
            },
            MetadataRecord::Config {
                resource: ConfigResource::topic("a"),
                name: "retention.ms".to_owned(),
                value: Some("5".to_owned()),
            },
            MetadataRecord::FeatureLevel { name: "metadata.version".to_owned(), level: 29 },
            MetadataRecord::ProducerIds {
                broker: NodeId(-1),
                broker_epoch: -1,
                next: ProducerId(1000),
            },
        ];
        for record in &records {
            image.replay(record).unwrap();
        }
        image
    }

    #[test]
    fn an_image_is_the_sum_of_its_records() {
        let image = image();
        let mut copy = MetadataImage::default();
        for record in image.to_records() {
            copy.replay(&record).unwrap();
        }
        assert_eq!(copy, image);
        assert_eq!(image.topic_by_id(topic_id(1)).unwrap().name.as_str(), "a");
    }

    #[test]
    fn a_new_leader_raises_both_epochs() {
        let mut image = image();
        let change = PartitionChange { leader: Some(None), ..PartitionChange::default() };
        let record = MetadataRecord::PartitionChange {
            topic: topic_id(1),
            index: PartitionIndex(0),
            change,
        };
        image.replay(&record).unwrap();
        let partition = image.partition("a", PartitionIndex(0)).unwrap();
        assert_eq!(partition.leader, None);
        assert_eq!((partition.leader_epoch, partition.partition_epoch.0), (LeaderEpoch(1), 1));
    }

    #[test]
    fn a_removed_topic_takes_its_settings_along() {
        let mut image = image();
        image.replay(&MetadataRecord::RemoveTopic { id: topic_id(1) }).unwrap();
        assert!(image.topics.is_empty() && image.topic_names.is_empty());
        assert!(image.configs.is_empty());
    }

    #[test]
    fn a_record_without_its_topic_does_not_fit() {
        let record = MetadataRecord::Partition {
            topic: topic_id(9),
            index: PartitionIndex(0),
            partition: partition(1),
        };
        assert!(MetadataImage::default().replay(&record).is_err());
        assert!(image().replay(&MetadataRecord::RemoveTopic { id: topic_id(9) }).is_err());
    }

    #[test]
    fn the_last_setting_taken_away_leaves_no_resource() {
        let mut image = image();
        let resource = ConfigResource::topic("a");
        let name = "retention.ms".to_owned();
        image.replay(&MetadataRecord::Config { resource, name, value: None }).unwrap();
        assert!(image.configs.is_empty());
    }
}
