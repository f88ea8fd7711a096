//! Brokers, registered when they start, and what a new cluster's metadata begins with.

use gofka_core::ids::{NodeId, PartitionIndex};

use super::Decision;
use crate::image::{BrokerImage, ConfigResource, MetadataImage};
use crate::record::{MetadataRecord, PartitionChange};
use crate::request::{BrokerEpoch, BrokerRegistration};

/// The first number that a node named by a word gets.
pub(crate) const FIRST_NAMED_NODE: i32 = 1_000_000;
/// Under this setting of its broker the word is remembered.
pub(crate) const NODE_NAME_CONFIG: &str = "node.name";

/// Finalizes `features` where they are not at these levels already.
pub(crate) fn finalize_features(image: &MetadataImage, features: &[(&str, i16)]) -> Decision<()> {
    let missing = features.iter().filter(|(name, level)| image.features.get(*name) != Some(level));
    let records = missing.map(|(name, level)| MetadataRecord::FeatureLevel {
        name: (*name).to_owned(),
        level: *level,
    });
    Decision { records: records.collect(), answer: () }
}

/// Remembers that `node` is the number of the word `name`.
pub(crate) fn name_node(image: &MetadataImage, node: NodeId, name: &str) -> Decision<()> {
    let resource = ConfigResource::broker(node);
    let known = image.configs_of(&resource).get(NODE_NAME_CONFIG);
    let records = if known.is_some_and(|known| known == name) {
        Vec::new()
    } else {
        vec![MetadataRecord::Config {
            resource,
            name: NODE_NAME_CONFIG.to_owned(),
            value: Some(name.to_owned()),
        }]
    };
    Decision { records, answer: () }
}

/// Registers a broker, unfenced: its controller is in the same process, so nothing is left to
/// catch up with. The epoch is the place that the record will have in the log.
pub(crate) fn register_broker(
    image: &MetadataImage,
    registration: &BrokerRegistration,
) -> Decision<BrokerEpoch> {
    let earlier = image.brokers.get(&registration.id).map_or(-1, |broker| broker.epoch);
    let epoch = image.offset.0.max(earlier + 1);
    let features = registration.features.iter();
    let broker = BrokerImage {
        id: registration.id,
        epoch,
        incarnation: registration.incarnation,
        endpoints: registration.endpoints.clone(),
        rack: registration.rack.clone(),
        features: features.map(|(name, range)| (name.clone(), (range.min, range.max))).collect(),
        log_dirs: registration.log_dirs.clone(),
        fenced: false,
        in_controlled_shutdown: false,
    };
    let mut records = vec![MetadataRecord::RegisterBroker(broker)];
    let earlier = image.brokers.get(&registration.id);
    if earlier.is_some_and(|earlier| earlier.incarnation != registration.incarnation) {
        elect_again(image, registration.id, &mut records);
    }
    Decision { records, answer: BrokerEpoch(epoch) }
}

/// What the end of one process and the start of the next mean for the partitions that `node`
/// leads: nobody leads them, then it does again, in a higher epoch. What a crash has cut off the
/// log can then be told from what is written in its place (KIP-320).
fn elect_again(image: &MetadataImage, node: NodeId, records: &mut Vec<MetadataRecord>) {
    for topic in image.topics.values() {
        for (index, partition) in (0..).zip(&topic.partitions) {
            let led = partition.leader == Some(node);
            let leaderless = partition.leader.is_none() && partition.isr.contains(&node);
            let steps: &[Option<NodeId>] = match (led, leaderless) {
                (true, _) => &[None, Some(node)],
                (false, true) => &[Some(node)],
                (false, false) => continue,
            };
            for leader in steps {
                records.push(MetadataRecord::PartitionChange {
                    topic: topic.id,
                    index: PartitionIndex(index),
                    change: PartitionChange { leader: Some(*leader), ..PartitionChange::default() },
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gofka_core::ids::Uuid;

    use super::super::testing::{Cluster, topic};
    use super::*;
    use crate::request::NewTopic;

    fn register(cluster: &mut Cluster, node: i32, incarnation: u128) {
        let registration = BrokerRegistration {
            id: NodeId(node),
            incarnation: Uuid::from_u128(incarnation),
            endpoints: Vec::new(),
            rack: None,
            features: BTreeMap::new(),
            log_dirs: Vec::new(),
        };
        cluster.run(|image, _| register_broker(image, &registration));
    }

    #[test]
    fn a_new_process_leads_in_a_higher_epoch_and_the_same_one_does_not() {
        let mut cluster = Cluster::of_brokers(2);
        let on = |node| vec![(PartitionIndex(0), vec![NodeId(node)])];
        for (name, node) in [("mine", 0), ("other", 1)] {
            let created =
                cluster.create(&[NewTopic { assignments: on(node), ..topic(name) }]).remove(0);
            created.unwrap();
        }
        let epoch = |cluster: &Cluster, name: &str| {
            let partition = cluster.image.partition(name, PartitionIndex(0)).unwrap();
            (partition.leader.unwrap().0, partition.leader_epoch.0)
        };
        register(&mut cluster, 0, 1);
        assert_eq!(epoch(&cluster, "mine"), (0, 0));
        for restart in 1..3 {
            register(&mut cluster, 0, 10 + restart as u128);
            assert_eq!(epoch(&cluster, "mine"), (0, 2 * restart), "as in Apache Kafka");
            assert_eq!(epoch(&cluster, "other"), (1, 0));
        }
    }
}
