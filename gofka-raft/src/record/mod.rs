//! The records of the metadata log, as KRaft's schemas define them.
//!
//! A record's value is a frame version (1), the record's type and version, then a flexible
//! message. Written at the newest version below, read at every version up to it.

mod codec;
pub(crate) mod control;
pub(crate) mod wire;

use gofka_core::ids::{NodeId, PartitionIndex, ProducerId, TopicId, TopicName};

use crate::image::{BrokerImage, ConfigResource, PartitionImage};

pub use wire::DecodeError;

/// One change of the cluster's metadata.
#[derive(Clone, Debug, PartialEq)]
pub enum MetadataRecord {
    /// Type 0: a broker registered.
    RegisterBroker(BrokerImage),
    /// Type 1: a broker is gone for good.
    UnregisterBroker {
        /// Which.
        id: NodeId,
        /// Its registration.
        epoch: i64,
    },
    /// Type 2: a topic; its partitions follow.
    Topic {
        /// Its name.
        name: TopicName,
        /// Its id.
        id: TopicId,
    },
    /// Type 3: a partition, whole.
    Partition {
        /// Of which topic.
        topic: TopicId,
        /// Which.
        index: PartitionIndex,
        /// Everything about it.
        partition: PartitionImage,
    },
    /// Type 4: a setting; `None` takes it away.
    Config {
        /// Whose.
        resource: ConfigResource,
        /// Which.
        name: String,
        /// What.
        value: Option<String>,
    },
    /// Type 5: parts of a partition change.
    PartitionChange {
        /// Of which topic.
        topic: TopicId,
        /// Which.
        index: PartitionIndex,
        /// What changes.
        change: PartitionChange,
    },
    /// Type 9: a topic and all its partitions and settings go.
    RemoveTopic {
        /// Which.
        id: TopicId,
    },
    /// Type 12: a feature is finalized at a level; 0 takes it away.
    FeatureLevel {
        /// Which.
        name: String,
        /// The level.
        level: i16,
    },
    /// Type 15: producer ids below this one are given out.
    ProducerIds {
        /// To whom.
        broker: NodeId,
        /// Its registration.
        broker_epoch: i64,
        /// The first that is not.
        next: ProducerId,
    },
    /// Type 17: a broker's state changes.
    BrokerRegistrationChange {
        /// Which.
        id: NodeId,
        /// Its registration.
        epoch: i64,
        /// Fenced or no longer fenced.
        fenced: Option<bool>,
        /// On its way down.
        in_controlled_shutdown: bool,
        /// Its log directories, if they change.
        log_dirs: Vec<gofka_core::ids::Uuid>,
    },
    /// Type 20: nothing.
    NoOp,
}

/// The parts of a partition that change; `None` leaves one as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionChange {
    /// In-sync replicas.
    pub isr: Option<Vec<NodeId>>,
    /// The leader, `Some(None)` being none.
    pub leader: Option<Option<NodeId>>,
    /// All replicas.
    pub replicas: Option<Vec<NodeId>>,
    /// Replicas on their way out.
    pub removing: Option<Vec<NodeId>>,
    /// Replicas on their way in.
    pub adding: Option<Vec<NodeId>>,
    /// Eligible leaders outside the ISR.
    pub elr: Option<Vec<NodeId>>,
    /// The leader before there was none.
    pub last_known_elr: Option<Vec<NodeId>>,
    /// Directory of each replica.
    pub directories: Option<Vec<gofka_core::ids::Uuid>>,
}

impl MetadataRecord {
    /// The record's value in the log.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads a record's value.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        codec::decode(bytes)
    }
}
