//! Kafka's broker, topic and group settings as tables, and the typed form that code reads.
//!
//! The tables say what exists: name, type, default, range, unit, meaning, and how a change takes
//! effect. The server's loader, the controller's checks, `DescribeConfigs` and the configuration
//! reference are all made from them; there is no second list. Values travel as Kafka's texts until
//! a typed struct such as [`TopicConfig`] is resolved from the layers they were set in.

mod broker_cluster;
mod broker_log;
mod broker_net;
mod broker_own;
mod effective;
mod group_keys;
mod key;
mod lookup;
mod parse;
mod topic;
mod topic_keys;
mod unused;

pub use effective::{ConfigLayers, ConfigSource, Setting, StaticConfig};
pub use key::{ConfigKey, ConfigValue, Dynamic, Kind, Unit};
pub use lookup::{
    BROKER_CONFIGS, BrokerName, CLIENT_METRICS_CONFIGS, GROUP_CONFIGS, TOPIC_CONFIGS,
    all_broker_keys, any_broker_key, broker_key, broker_keys, broker_name, client_metrics_key,
    group_key, nearest, topic_key, unused_broker_names,
};
pub use topic::{CleanupPolicy, Durability, TimestampType, TopicCompression, TopicConfig};
