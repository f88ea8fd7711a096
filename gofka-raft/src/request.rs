//! What the controller can be asked, and what it answers.

use std::collections::BTreeMap;

use gofka_core::ids::{NodeId, PartitionIndex, ProducerId, TopicId, TopicName, Uuid};

use crate::image::{ConfigResource, Endpoint};

/// A topic to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name.
    pub name: String,
    /// How many partitions; `None` takes `num.partitions`.
    pub partitions: Option<i32>,
    /// Copies of each; `None` takes `default.replication.factor`.
    pub replication_factor: Option<i16>,
    /// Replicas by partition, where the caller chooses; then the two above are `None`.
    pub assignments: Vec<(PartitionIndex, Vec<NodeId>)>,
    /// Its settings.
    pub configs: Vec<(String, Option<String>)>,
}

/// A topic that was made, or would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Its name.
    pub name: TopicName,
    /// Its id; one that is never used where nothing was made.
    pub id: TopicId,
    /// How many partitions.
    pub partitions: i32,
    /// Copies of each.
    pub replication_factor: i16,
}

/// A topic named in either way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicRef {
    /// By name.
    Name(String),
    /// By id.
    Id(TopicId),
}

/// More partitions for a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartitions {
    /// The topic.
    pub topic: String,
    /// How many there shall be in all.
    pub count: i32,
    /// Replicas of each new one, where the caller chooses.
    pub assignments: Option<Vec<Vec<NodeId>>>,
}

/// How one setting changes (KIP-339).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterOp {
    /// Give it this value.
    Set,
    /// Take it away, so that the default holds.
    Delete,
    /// Add to a list.
    Append,
    /// Remove from a list.
    Subtract,
}

/// Changes to the settings of one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigAlteration {
    /// Single settings change, others stay.
    Incremental {
        /// Whose.
        resource: ConfigResource,
        /// Which, how, and to what.
        changes: Vec<(String, AlterOp, Option<String>)>,
    },
    /// These and no others are set from now on.
    Replace {
        /// Whose.
        resource: ConfigResource,
        /// All of them.
        configs: Vec<(String, Option<String>)>,
    },
}

impl ConfigAlteration {
    /// What it changes.
    pub fn resource(&self) -> &ConfigResource {
        match self {
            Self::Incremental { resource, .. } | Self::Replace { resource, .. } => resource,
        }
    }
}

/// Levels of a feature that a broker supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    /// Lowest.
    pub min: i16,
    /// Highest.
    pub max: i16,
}

/// What a broker says of itself when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// Its id.
    pub id: NodeId,
    /// A random id of this process.
    pub incarnation: Uuid,
    /// Where it can be reached.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`
    pub rack: Option<String>,
    /// What it supports.
    pub features: BTreeMap<String, FeatureRange>,
    /// Ids of its log directories.
    pub log_dirs: Vec<Uuid>,
}

/// The number of a broker's registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrokerEpoch(pub i64);

/// Producer ids given to one broker, never given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// The first.
    pub first: ProducerId,
    /// How many.
    pub count: i32,
}
