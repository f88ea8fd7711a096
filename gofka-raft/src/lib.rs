//! The metadata quorum: which brokers, topics, partitions and settings there are.
//!
//! [`Controller`] is the handle the server holds. A request is decided by a pure function over the
//! latest image, its records go through raft, and what is committed makes the next
//! [`MetadataImage`], which brokers follow. The node on its own runs exactly this, as a quorum of
//! one; there is no second path for metadata.

mod controller;
mod controller_handle;
pub mod image;
mod options;
mod raft;
pub mod record;
mod request;
mod start;

pub use controller_handle::Controller;
pub use image::{
    BrokerImage, ConfigResource, Endpoint, MetadataImage, PartitionImage, ResourceKind, TopicImage,
};
pub use options::{ControllerOptions, RaftState, RaftStatus, StartError};
pub use raft::RemovedTopics;
pub use request::{
    AlterOp, BrokerEpoch, BrokerRegistration, ConfigAlteration, CreatedTopic, FeatureRange,
    NewPartitions, NewTopic, ProducerIdBlock, TopicRef,
};
pub use start::node_number;
