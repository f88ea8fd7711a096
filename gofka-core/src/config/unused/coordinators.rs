//! Settings without effect here: share state and transactions.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const COORDINATORS: &[ConfigKey] = &[
    ConfigKey::new(
        "add.partitions.to.txn.retry.backoff.max.ms",
        Kind::Int(0, i32::MAX),
        Some("100"),
        "The longest pause before a partition is added to a transaction again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "add.partitions.to.txn.retry.backoff.ms",
        Kind::Int(1, i32::MAX),
        Some("20"),
        "The first pause before a partition is added to a transaction again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "share.coordinator.append.linger.ms",
        Kind::Int(-1, i32::MAX),
        Some("-1"),
        "How long the share coordinator gathers writes; -1 adapts to the load.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "share.coordinator.cached.buffer.max.bytes",
        Kind::Int(524_288, i32::MAX),
        Some("1048588"),
        "The largest write buffer that the share coordinator keeps.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "share.coordinator.cold.partition.snapshot.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("300000"),
        "How often share partitions without traffic are written in full.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "share.coordinator.load.buffer.size",
        Kind::Int(1, i32::MAX),
        Some("5242880"),
        "Memory for reading when share state is loaded.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "share.coordinator.snapshot.update.records.per.snapshot",
        Kind::Int(0, 500),
        Some("500"),
        "Updates of a share partition after which it is written in full.",
    ),
    ConfigKey::new(
        "share.coordinator.state.topic.compression.codec",
        Kind::Int(i32::MIN, i32::MAX),
        Some("0"),
        "Codec of what is written to the share state topic.",
    ),
    ConfigKey::new(
        "share.coordinator.state.topic.min.isr",
        Kind::Short(1, i16::MAX),
        Some("2"),
        "`min.insync.replicas` of the share state topic.",
    ),
    ConfigKey::new(
        "share.coordinator.state.topic.num.partitions",
        Kind::Int(1, i32::MAX),
        Some("50"),
        "Partitions of the share state topic.",
    ),
    ConfigKey::new(
        "share.coordinator.state.topic.prune.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("300000"),
        "How often old records of the share state topic are deleted.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "share.coordinator.state.topic.replication.factor",
        Kind::Short(1, i16::MAX),
        Some("3"),
        "Copies of the share state topic.",
    ),
    ConfigKey::new(
        "share.coordinator.state.topic.segment.bytes",
        Kind::Int(1, i32::MAX),
        Some("104857600"),
        "`segment.bytes` of the share state topic.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "share.coordinator.threads",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Threads of the share coordinator.",
    ),
    ConfigKey::new(
        "share.coordinator.write.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("5000"),
        "How long a write of share state may wait for its replicas.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "share.fetch.purgatory.purge.interval.requests",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1000"),
        "After how many requests finished share fetch waits are cleared away.",
    ),
    ConfigKey::new(
        "telemetry.max.bytes",
        Kind::Int(1, i32::MAX),
        Some("1048576"),
        "The most that one push of client telemetry holds.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("10000"),
        "How often transactions that took too long are looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "transaction.max.timeout.ms",
        Kind::Int(1, i32::MAX),
        Some("900000"),
        "The longest timeout that a transaction may ask for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "transaction.partition.verification.enable",
        Kind::Bool,
        Some("true"),
        "Whether it is checked that a partition is part of its transaction.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "transaction.remove.expired.transaction.cleanup.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("3600000"),
        "How often expired transactional ids are looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "transaction.state.log.load.buffer.size",
        Kind::Int(1, i32::MAX),
        Some("5242880"),
        "Memory for reading when transactions are loaded.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "transaction.state.log.min.isr",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "`min.insync.replicas` of `__transaction_state`.",
    ),
    ConfigKey::new(
        "transaction.state.log.num.partitions",
        Kind::Int(1, i32::MAX),
        Some("50"),
        "Partitions of `__transaction_state`.",
    ),
    ConfigKey::new(
        "transaction.state.log.replication.factor",
        Kind::Short(1, i16::MAX),
        Some("3"),
        "Copies of `__transaction_state`.",
    ),
    ConfigKey::new(
        "transaction.state.log.segment.bytes",
        Kind::Int(1, i32::MAX),
        Some("104857600"),
        "`segment.bytes` of `__transaction_state`.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "transaction.two.phase.commit.enable",
        Kind::Bool,
        Some("false"),
        "Whether outside coordinators may commit transactions.",
    ),
    ConfigKey::new(
        "transactional.id.expiration.ms",
        Kind::Int(1, i32::MAX),
        Some("604800000"),
        "How long an unused transactional id is remembered.",
    )
    .unit(Unit::Milliseconds),
];
