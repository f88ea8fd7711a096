//! Brokers, registered when they start, and what a new cluster's metadata begins with.

use gofka_core::ids::NodeId;

use super::Decision;
use crate::image::{BrokerImage, ConfigResource, MetadataImage};
use crate::record::MetadataRecord;
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
    Decision { records: vec![MetadataRecord::RegisterBroker(broker)], answer: BrokerEpoch(epoch) }
}
