//! What the committed metadata adds up to at one point: an immutable value that everyone shares.
//!
//! Made by `replay` alone. Parts that did not change are shared between one image and the next.

mod replay;

use std::collections::BTreeMap;
use std::sync::Arc;

use gofka_core::config::{ConfigLayers, StaticConfig, TopicConfig};
use gofka_core::ids::{
    LeaderEpoch, NodeId, Offset, PartitionEpoch, PartitionIndex, ProducerId, TopicId, TopicName,
    Uuid,
};

pub use replay::ReplayError;

/// Settings of one resource: Kafka's names, values as text.
pub type ConfigMap = BTreeMap<String, String>;

/// The cluster's metadata after everything up to [`MetadataImage::offset`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataImage {
    /// The cluster's id, as clients see it.
    pub cluster_id: Arc<str>,
    /// End offset of the metadata log that this image covers.
    pub offset: Offset,
    /// Registered brokers.
    pub brokers: Arc<BTreeMap<NodeId, Arc<BrokerImage>>>,
    /// Topics by name.
    pub topics: Arc<BTreeMap<TopicName, Arc<TopicImage>>>,
    /// Names by topic id.
    pub topic_names: Arc<BTreeMap<TopicId, TopicName>>,
    /// Settings made while the cluster runs.
    pub configs: Arc<BTreeMap<ConfigResource, Arc<ConfigMap>>>,
    /// Finalized feature levels.
    pub features: Arc<BTreeMap<String, i16>>,
    /// The first producer id that was never given out.
    pub next_producer_id: ProducerId,
}

/// What a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i8)]
pub enum ResourceKind {
    /// A topic.
    Topic = 2,
    /// A broker; the empty name stands for all of them.
    Broker = 4,
    /// The log levels of a broker.
    BrokerLogger = 8,
    /// Client telemetry.
    ClientMetrics = 16,
    /// A group.
    Group = 32,
}

/// One thing that has settings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    /// What it is.
    pub kind: ResourceKind,
    /// Its name; empty for the default of all brokers.
    pub name: String,
}

/// A registered broker.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerImage {
    /// Its id.
    pub id: NodeId,
    /// The registration's number; a later registration has a higher one.
    pub epoch: i64,
    /// The process behind it.
    pub incarnation: Uuid,
    /// Where it can be reached.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`
    pub rack: Option<String>,
    /// Feature levels it supports.
    pub features: BTreeMap<String, (i16, i16)>,
    /// Its log directories.
    pub log_dirs: Vec<Uuid>,
    /// Registered, but not allowed to lead yet.
    pub fenced: bool,
    /// On its way down.
    pub in_controlled_shutdown: bool,
}

/// One address of a broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name.
    pub listener: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Kafka's number of the security protocol; 0 is plaintext.
    pub security_protocol: i16,
}

/// A topic.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicImage {
    /// Its id.
    pub id: TopicId,
    /// Its name.
    pub name: TopicName,
    /// Its partitions, the index being the position.
    pub partitions: Vec<PartitionImage>,
}

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionImage {
    /// Brokers that should hold it, the preferred leader first.
    pub replicas: Vec<NodeId>,
    /// Those that hold everything committed.
    pub isr: Vec<NodeId>,
    /// Eligible leaders outside the ISR (KIP-966).
    pub elr: Vec<NodeId>,
    /// The leader before there was none (KIP-966).
    pub last_known_elr: Vec<NodeId>,
    /// Replicas on their way in.
    pub adding: Vec<NodeId>,
    /// Replicas on their way out.
    pub removing: Vec<NodeId>,
    /// The directory of each replica, in the order of `replicas`.
    pub directories: Vec<Uuid>,
    /// Who leads, if anyone.
    pub leader: Option<NodeId>,
    /// Raised at each election.
    pub leader_epoch: LeaderEpoch,
    /// Raised at each change.
    pub partition_epoch: PartitionEpoch,
}

impl ConfigResource {
    /// A topic's settings.
    pub fn topic(name: &str) -> Self {
        Self { kind: ResourceKind::Topic, name: name.to_owned() }
    }

    /// One broker's settings.
    pub fn broker(id: NodeId) -> Self {
        Self { kind: ResourceKind::Broker, name: id.to_string() }
    }

    /// The settings of all brokers.
    pub fn all_brokers() -> Self {
        Self { kind: ResourceKind::Broker, name: String::new() }
    }

    /// A group's settings.
    pub fn group(name: &str) -> Self {
        Self { kind: ResourceKind::Group, name: name.to_owned() }
    }
}

static NO_CONFIGS: ConfigMap = ConfigMap::new();

impl MetadataImage {
    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&Arc<TopicImage>> {
        self.topics.get(name)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: TopicId) -> Option<&Arc<TopicImage>> {
        self.topics.get(self.topic_names.get(&id)?)
    }

    /// The partition of this name and index.
    pub fn partition(&self, topic: &str, index: PartitionIndex) -> Option<&PartitionImage> {
        self.topic(topic)?.partitions.get(usize::try_from(index.0).ok()?)
    }

    /// What was set on `resource`; empty when nothing was.
    pub fn configs_of(&self, resource: &ConfigResource) -> &ConfigMap {
        self.configs.get(resource).map_or(&NO_CONFIGS, |map| map)
    }

    /// The settings in force for `topic` on the broker `node`, which was started with `fixed`.
    pub fn topic_config(&self, topic: &str, node: NodeId, fixed: &StaticConfig) -> TopicConfig {
        TopicConfig::resolve(&ConfigLayers {
            own: self.configs_of(&ConfigResource::topic(topic)),
            replicas: self.replicas_of(topic),
            ..self.broker_layers(node, fixed)
        })
    }

    /// The settings in force for the broker `node`, which was started with `fixed`.
    pub fn broker_layers<'a>(&'a self, node: NodeId, fixed: &'a StaticConfig) -> ConfigLayers<'a> {
        ConfigLayers {
            own: &NO_CONFIGS,
            broker: self.configs_of(&ConfigResource::broker(node)),
            cluster: self.configs_of(&ConfigResource::all_brokers()),
            fixed,
            replicas: 1,
        }
    }

    /// Copies of each partition of `topic`; 1 when there is no such topic.
    pub fn replicas_of(&self, topic: &str) -> usize {
        let first = self.topic(topic).and_then(|topic| topic.partitions.first());
        first.map_or(1, |partition| partition.replicas.len())
    }

    /// Partitions of all topics.
    pub fn partition_count(&self) -> usize {
        self.topics.values().map(|topic| topic.partitions.len()).sum()
    }
}
