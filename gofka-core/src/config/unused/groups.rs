//! Settings without effect here: consumer, share and streams groups.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const GROUPS: &[ConfigKey] = &[
    ConfigKey::new(
        "group.consumer.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a consumer group.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "group.consumer.assignors",
        Kind::List,
        Some("uniform,range"),
        "Assignors that the server offers to consumer groups.",
    ),
    ConfigKey::new(
        "group.consumer.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of consumer groups report.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.max.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("15000"),
        "The largest value of `consumer.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.max.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("15000"),
        "The largest value of `consumer.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.max.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("60000"),
        "The largest value of `consumer.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.max.size",
        Kind::Int(1, i32::MAX),
        Some("2147483647"),
        "Members of a consumer group at most.",
    ),
    ConfigKey::new(
        "group.consumer.migration.policy",
        Kind::Text,
        Some("bidirectional"),
        "Which groups may change between the classic and the consumer protocol.",
    ),
    ConfigKey::new(
        "group.consumer.min.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "The smallest value of `consumer.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.min.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "The smallest value of `consumer.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.min.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "The smallest value of `consumer.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.consumer.regex.refresh.interval.ms",
        Kind::Int(10_000, i32::MAX),
        Some("600000"),
        "How often regular expressions of subscriptions are resolved anew.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "group.consumer.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a consumer group may be silent.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.coordinator.append.linger.ms",
        Kind::Int(-1, i32::MAX),
        Some("-1"),
        "How long the group coordinator gathers writes; -1 adapts to the load.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.coordinator.background.threads",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "Threads for the group coordinator's background work.",
    ),
    ConfigKey::new(
        "group.coordinator.cached.buffer.max.bytes",
        Kind::Int(524_288, i32::MAX),
        Some("1048588"),
        "The largest write buffer that the group coordinator keeps.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "group.coordinator.rebalance.protocols",
        Kind::ListOf(&["consumer", "classic", "share", "streams"]),
        Some("classic,consumer,streams"),
        "Protocols that the group coordinator speaks.",
    ),
    ConfigKey::new(
        "group.coordinator.threads",
        Kind::Int(1, i32::MAX),
        Some("4"),
        "Threads of the group coordinator.",
    ),
    ConfigKey::new(
        "group.share.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a share group.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "group.share.assignors",
        Kind::List,
        Some("simple"),
        "Assignors that the server offers to share groups.",
    ),
    ConfigKey::new(
        "group.share.delivery.count.limit",
        Kind::Int(2, 10),
        Some("5"),
        "How often a share group delivers a record at most.",
    ),
    ConfigKey::new(
        "group.share.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of share groups report.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.initialize.retry.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("30000"),
        "Pause before the state of a share partition is set up again.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "group.share.max.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("15000"),
        "The largest value of `share.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.max.delivery.count.limit",
        Kind::Int(5, 25),
        Some("10"),
        "The largest value of `share.delivery.count.limit`.",
    ),
    ConfigKey::new(
        "group.share.max.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("15000"),
        "The largest value of `share.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.max.partition.max.record.locks",
        Kind::Int(2000, 10_000),
        Some("4000"),
        "The largest value of `share.partition.max.record.locks`.",
    ),
    ConfigKey::new(
        "group.share.max.record.lock.duration.ms",
        Kind::Int(30_000, 3_600_000),
        Some("60000"),
        "The largest value of `share.record.lock.duration.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.max.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("60000"),
        "The largest value of `share.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.max.share.sessions",
        Kind::Int(1, i32::MAX),
        Some("2000"),
        "Share sessions of a broker at most.",
    ),
    ConfigKey::new(
        "group.share.max.size",
        Kind::Int(1, 1000),
        Some("200"),
        "Members of a share group at most.",
    ),
    ConfigKey::new(
        "group.share.min.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "The smallest value of `share.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.min.delivery.count.limit",
        Kind::Int(2, 5),
        Some("2"),
        "The smallest value of `share.delivery.count.limit`.",
    ),
    ConfigKey::new(
        "group.share.min.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "The smallest value of `share.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.min.partition.max.record.locks",
        Kind::Int(100, 2000),
        Some("100"),
        "The smallest value of `share.partition.max.record.locks`.",
    ),
    ConfigKey::new(
        "group.share.min.record.lock.duration.ms",
        Kind::Int(1000, 30_000),
        Some("15000"),
        "The smallest value of `share.record.lock.duration.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.min.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "The smallest value of `share.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.partition.max.record.locks",
        Kind::Int(100, 10_000),
        Some("2000"),
        "Records that a share group may have in hand for one partition.",
    ),
    ConfigKey::new(
        "group.share.persister.class.name",
        Kind::Text,
        Some("org.apache.kafka.server.share.persister.DefaultStatePersister"),
        "Class that keeps the state of share groups.",
    )
    .hidden(),
    ConfigKey::new(
        "group.share.record.lock.duration.ms",
        Kind::Int(1000, 3_600_000),
        Some("30000"),
        "How long a share group's member may keep a record before it goes to another.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.share.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a share group may be silent.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a streams group.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "group.streams.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of streams groups report.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.initial.rebalance.delay.ms",
        Kind::Int(0, i32::MAX),
        Some("3000"),
        "How long a new streams group waits for more members.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.max.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("15000"),
        "The largest value of `streams.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.max.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("15000"),
        "The largest value of `streams.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.max.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("60000"),
        "The largest value of `streams.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.max.size",
        Kind::Int(1, i32::MAX),
        Some("2147483647"),
        "Members of a streams group at most.",
    ),
    ConfigKey::new(
        "group.streams.max.standby.replicas",
        Kind::Int(0, i32::MAX),
        Some("2"),
        "The largest value of `streams.num.standby.replicas`.",
    ),
    ConfigKey::new(
        "group.streams.min.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "The smallest value of `streams.assignment.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.min.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "The smallest value of `streams.heartbeat.interval.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.min.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "The smallest value of `streams.session.timeout.ms`.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "group.streams.num.standby.replicas",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "Standby copies of each task of a streams group.",
    ),
    ConfigKey::new(
        "group.streams.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a streams group may be silent.",
    )
    .unit(Unit::Milliseconds),
];
