//! Settings of groups, and of client telemetry.
//!
//! Facts as Apache Kafka 4.3.1 has them; a default that differs says so in its text.

use super::key::{ConfigKey, Kind, Unit};

/// In the order of their names.
pub(super) const GROUP: &[ConfigKey] = &[
    ConfigKey::new(
        "consumer.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a consumer group.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.consumer.assignment.interval.ms", 1)]),
    ConfigKey::new(
        "consumer.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of a consumer group report.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.consumer.heartbeat.interval.ms", 1)]),
    ConfigKey::new(
        "consumer.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a consumer group may be silent.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.consumer.session.timeout.ms", 1)]),
    ConfigKey::new(
        "share.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a share group.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.share.assignment.interval.ms", 1)]),
    ConfigKey::new(
        "share.auto.offset.reset",
        Kind::OffsetReset,
        Some("latest"),
        "Where a share group begins: `latest`, `earliest`, or `by_duration:` with an ISO 8601 \
         duration.",
    ),
    ConfigKey::new(
        "share.delivery.count.limit",
        Kind::Int(2, i32::MAX),
        Some("5"),
        "How often a share group delivers a record at most.",
    )
    .synonyms(&[("group.share.delivery.count.limit", 1)]),
    ConfigKey::new(
        "share.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of a share group report.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.share.heartbeat.interval.ms", 1)]),
    ConfigKey::new(
        "share.isolation.level",
        Kind::OneOf(&["read_committed", "read_uncommitted"]),
        Some("read_uncommitted"),
        "Whether a share group sees records of open and aborted transactions.",
    ),
    ConfigKey::new(
        "share.partition.max.record.locks",
        Kind::Int(100, i32::MAX),
        Some("2000"),
        "Records a share group may have in hand for one partition.",
    )
    .synonyms(&[("group.share.partition.max.record.locks", 1)]),
    ConfigKey::new(
        "share.record.lock.duration.ms",
        Kind::Int(1000, i32::MAX),
        Some("30000"),
        "How long a share group's member may keep a record before it goes to another.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.share.record.lock.duration.ms", 1)]),
    ConfigKey::new(
        "share.renew.acknowledge.enable",
        Kind::Bool,
        Some("true"),
        "Lets a share group's member keep a record for longer.",
    ),
    ConfigKey::new(
        "share.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a share group may be silent.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.share.session.timeout.ms", 1)]),
    ConfigKey::new(
        "streams.assignment.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Shortest time between two assignments of a streams group.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.streams.assignment.interval.ms", 1)]),
    ConfigKey::new(
        "streams.heartbeat.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How often members of a streams group report.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.streams.heartbeat.interval.ms", 1)]),
    ConfigKey::new(
        "streams.initial.rebalance.delay.ms",
        Kind::Int(0, i32::MAX),
        Some("3000"),
        "How long a new streams group waits for more members.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.streams.initial.rebalance.delay.ms", 1)]),
    ConfigKey::new(
        "streams.num.standby.replicas",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "Standby copies of each task.",
    )
    .synonyms(&[("group.streams.num.standby.replicas", 1)]),
    ConfigKey::new(
        "streams.session.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("45000"),
        "How long a member of a streams group may be silent.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("group.streams.session.timeout.ms", 1)]),
];

/// What a client telemetry subscription holds.
pub(super) const CLIENT_METRICS: &[ConfigKey] = &[
    ConfigKey::new(
        "interval.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("300000"),
        "How often clients send their metrics.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new("match", Kind::List, Some(""), "Which clients, as `name=pattern` pairs."),
    ConfigKey::new("metrics", Kind::List, Some(""), "Prefixes of the metrics to send."),
];
