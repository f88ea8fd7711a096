//! Kafka's broker, topic and group settings as tables, and the typed form that code reads.
//!
//! The tables say what exists: name, type, default, range, unit, meaning, and how a change takes
//! effect. The server's loader, the controller's checks, `DescribeConfigs` and the configuration
//! reference are all made from them; there is no second list. Values travel as Kafka's texts until
//! a typed struct such as [`TopicConfig`] is resolved from the layers they were set in.

mod key;
mod topic;

pub use key::{ConfigKey, ConfigValue, Dynamic, Kind, Unit};
pub use topic::{
    CleanupPolicy, ConfigLayers, Durability, StaticConfig, TimestampType, TopicCompression,
    TopicConfig,
};
