//! Broker settings about the node, the controller, topics and groups.
//!
//! Facts as Apache Kafka 4.3.1 has them; a default that differs says so in its text.

use super::key::{ConfigKey, Kind, Unit};

/// The node, the controller, topics, groups.
pub(super) const CLUSTER: &[ConfigKey] = &[
    ConfigKey::new(
        "node.id",
        Kind::NonEmptyText,
        Some("0"),
        "Number of this node. Words are mapped to numbers from 1,000,000 up.",
    ),
    ConfigKey::new(
        "broker.id",
        Kind::Int(i32::MIN, i32::MAX),
        Some("-1"),
        "Older name of `node.id`.",
    ),
    ConfigKey::new(
        "broker.rack",
        Kind::Text,
        None,
        "Where this node stands; replicas are spread over racks.",
    ),
    ConfigKey::new(
        "process.roles",
        Kind::ListOf(&["broker", "controller"]),
        Some("broker,controller"),
        "What this process is: `broker`, `controller` or both.",
    ),
    ConfigKey::new(
        "auto.create.topics.enable",
        Kind::Bool,
        Some("true"),
        "Makes a topic when a client first asks for it.",
    ),
    ConfigKey::new(
        "default.replication.factor",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1"),
        "Copies of a new topic where nobody says.",
    ),
    ConfigKey::new(
        "delete.topic.enable",
        Kind::Bool,
        Some("true"),
        "Whether topics can be deleted.",
    ),
    ConfigKey::new(
        "num.partitions",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Partitions of a new topic where nobody says.",
    ),
    ConfigKey::new(
        "metadata.log.dir",
        Kind::Text,
        None,
        "Folder of the metadata log, when it is not inside the first log directory.",
    ),
    ConfigKey::new(
        "metadata.log.max.record.bytes.between.snapshots",
        Kind::Long(1, i64::MAX),
        Some("20971520"),
        "Bytes of metadata log after which a snapshot is written.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "group.initial.rebalance.delay.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("0"),
        "How long a new group waits for more members before its first assignment. Kafka waits 3 \
         s; a single node has no need to.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.max.session.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1800000"),
        "The longest session timeout a member may ask for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.max.size",
        Kind::Int(1, i32::MAX),
        Some("2147483647"),
        "Members of a group at most.",
    ),
    ConfigKey::new(
        "group.min.session.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("6000"),
        "The shortest session timeout a member may ask for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "offset.metadata.max.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("4096"),
        "The longest text that may go with a committed offset.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "offsets.commit.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How long an offset commit may wait for its replicas.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "offsets.retention.check.interval.ms",
        Kind::Long(1, i64::MAX),
        Some("600000"),
        "How often old offsets are looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "offsets.retention.minutes",
        Kind::Int(1, i32::MAX),
        Some("10080"),
        "How long the offsets of a group without members are kept.",
    )
    .unit(Unit::Minutes),
    ConfigKey::new(
        "offsets.topic.compression.codec",
        Kind::Int(i32::MIN, i32::MAX),
        Some("0"),
        "Codec of what is written to `__consumer_offsets`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 \
         zstd.",
    ),
    ConfigKey::new(
        "offsets.topic.num.partitions",
        Kind::Int(1, i32::MAX),
        Some("50"),
        "Partitions of `__consumer_offsets`.",
    ),
    ConfigKey::new(
        "offsets.topic.replication.factor",
        Kind::Short(1, i16::MAX),
        Some("3"),
        "Copies of `__consumer_offsets`; fewer where there are fewer brokers.",
    ),
    ConfigKey::new(
        "offsets.topic.segment.bytes",
        Kind::Int(1, i32::MAX),
        Some("104857600"),
        "`segment.bytes` of `__consumer_offsets`.",
    )
    .unit(Unit::Bytes),
];
