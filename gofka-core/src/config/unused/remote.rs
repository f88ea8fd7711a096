//! Settings without effect here: remote storage.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const REMOTE: &[ConfigKey] = &[
    ConfigKey::new(
        "follower.fetch.last.tiered.offset.enable",
        Kind::Bool,
        Some("false"),
        "Whether a new follower of a tiered topic begins after what is in remote storage.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.fetch.max.wait.ms",
        Kind::Int(1, i32::MAX),
        Some("500"),
        "How long a fetch waits for remote storage.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.list.offsets.request.timeout.ms",
        Kind::Long(1, i64::MAX),
        Some("30000"),
        "How long a search for an offset waits for remote storage.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.index.file.cache.total.size.bytes",
        Kind::Long(1, i64::MAX),
        Some("1073741824"),
        "Disk space for index files from remote storage.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.index.file.cache.ttl.ms",
        Kind::Long(-1, i64::MAX),
        Some("900000"),
        "How long an unused index file from remote storage is kept.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "remote.log.manager.copier.thread.pool.size",
        Kind::Int(1, i32::MAX),
        Some("10"),
        "Threads that copy segments to remote storage.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.manager.copy.max.bytes.per.second",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "The most that is copied to remote storage in a second.",
    )
    .unit(Unit::BytesPerSecond)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.manager.copy.quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quota of copies to remote storage.",
    ),
    ConfigKey::new(
        "remote.log.manager.copy.quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quota of copies to remote storage.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "remote.log.manager.expiration.thread.pool.size",
        Kind::Int(1, i32::MAX),
        Some("10"),
        "Threads that delete old segments from remote storage.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.manager.fetch.max.bytes.per.second",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "The most that is fetched from remote storage in a second.",
    )
    .unit(Unit::BytesPerSecond)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.manager.fetch.quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quota of fetches from remote storage.",
    ),
    ConfigKey::new(
        "remote.log.manager.fetch.quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quota of fetches from remote storage.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "remote.log.manager.follower.thread.pool.size",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "Threads that follow remote storage for partitions led elsewhere.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.manager.task.interval.ms",
        Kind::Long(1, i64::MAX),
        Some("30000"),
        "How often work on remote storage is looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "remote.log.manager.task.retry.backoff.max.ms",
        Kind::Long(1, i64::MAX),
        Some("30000"),
        "The longest pause before work on remote storage is tried again.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "remote.log.manager.task.retry.backoff.ms",
        Kind::Long(1, i64::MAX),
        Some("500"),
        "The first pause before work on remote storage is tried again.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "remote.log.manager.task.retry.jitter",
        Kind::Double(0.0, 0.5),
        Some("0.2"),
        "How much the pause before a new try varies.",
    )
    .hidden(),
    ConfigKey::new(
        "remote.log.manager.thread.pool.size",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "Threads for remote storage in all.",
    ),
    ConfigKey::new(
        "remote.log.metadata.custom.metadata.max.bytes",
        Kind::Int(0, i32::MAX),
        Some("128"),
        "The longest text that a storage plug-in may keep with a segment.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "remote.log.metadata.manager.class.name",
        Kind::NonEmptyText,
        Some(
            "org.apache.kafka.server.log.remote.metadata.storage.\
             TopicBasedRemoteLogMetadataManager",
        ),
        "Class that keeps the metadata of remote segments.",
    ),
    ConfigKey::new(
        "remote.log.metadata.manager.class.path",
        Kind::Text,
        None,
        "Where that class is found.",
    ),
    ConfigKey::new(
        "remote.log.metadata.manager.impl.prefix",
        Kind::NonEmptyText,
        Some("rlmm.config."),
        "Prefix of the settings that are handed to that class.",
    ),
    ConfigKey::new(
        "remote.log.metadata.manager.listener.name",
        Kind::NonEmptyText,
        None,
        "Listener over which that class connects to brokers.",
    ),
    ConfigKey::new(
        "remote.log.reader.max.pending.tasks",
        Kind::Int(1, i32::MAX),
        Some("100"),
        "Reads from remote storage that may wait.",
    ),
    ConfigKey::new(
        "remote.log.reader.threads",
        Kind::Int(1, i32::MAX),
        Some("10"),
        "Threads that read from remote storage.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "remote.log.storage.manager.class.name",
        Kind::NonEmptyText,
        None,
        "Class that stores segments remotely.",
    ),
    ConfigKey::new(
        "remote.log.storage.manager.class.path",
        Kind::Text,
        None,
        "Where that class is found.",
    ),
    ConfigKey::new(
        "remote.log.storage.manager.impl.prefix",
        Kind::NonEmptyText,
        Some("rsm.config."),
        "Prefix of the settings that are handed to that class.",
    ),
    ConfigKey::new(
        "remote.log.storage.system.enable",
        Kind::Bool,
        Some("false"),
        "Whether topics may keep old segments in remote storage.",
    ),
];
