//! Broker settings about logs: folders, durability, and the defaults of topics.
//!
//! Facts as Apache Kafka 4.3.1 has them; a default that differs says so in its text.

use super::key::{ConfigKey, Dynamic, Kind, Unit};
use super::topic::DURABILITY;

/// Folders and logs.
pub(super) const LOG: &[ConfigKey] = &[
    ConfigKey::new(
        "log.dir",
        Kind::List,
        Some("./gofka-data"),
        "Folder of the data, where `log.dirs` is not set.",
    ),
    ConfigKey::new("log.dirs", Kind::List, None, "Folders of the data, separated by commas."),
    ConfigKey::new(
        "durability",
        Kind::OneOf(DURABILITY),
        Some("auto"),
        "Default of the topic setting `durability`.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.dir.min.free.bytes",
        Kind::Long(0, i64::MAX),
        Some("67108864"),
        "Below this much free space on a log directory producing is refused, so that deleting \
         still works.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "compression.gzip.level",
        Kind::LevelOrDefault(1, 9),
        Some("-1"),
        "Default of the topic setting of the same name.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "compression.lz4.level",
        Kind::Int(1, 17),
        Some("9"),
        "Default of the topic setting of the same name. There is one level of lz4 here, whatever \
         is set.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "compression.type",
        Kind::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        Some("producer"),
        "Default of the topic setting of the same name.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "compression.zstd.level",
        Kind::Int(-131_072, 22),
        Some("3"),
        "Default of the topic setting of the same name.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.backoff.ms",
        Kind::Long(0, i64::MAX),
        Some("15000"),
        "Pause between two looks for logs to compact.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.dedupe.buffer.size",
        Kind::Long(1_048_576, i64::MAX),
        Some("134217728"),
        "Memory for keys while a log is compacted; keys are held whole, and what does not fit is \
         left to the next run.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.delete.retention.ms",
        Kind::Long(0, i64::MAX),
        Some("86400000"),
        "Default of the topic setting `delete.retention.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.enable",
        Kind::Bool,
        Some("true"),
        "Whether compacted topics are compacted at all.",
    ),
    ConfigKey::new(
        "log.cleaner.io.max.bytes.per.second",
        Kind::Double(0.0, f64::MAX),
        Some("1.7976931348623157E308"),
        "What compaction may read and write in a second, together.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.max.compaction.lag.ms",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "Default of the topic setting `max.compaction.lag.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.min.cleanable.ratio",
        Kind::Double(0.0, 1.0),
        Some("0.5"),
        "Default of the topic setting `min.cleanable.dirty.ratio`.",
    )
    .unit(Unit::Ratio)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.min.compaction.lag.ms",
        Kind::Long(0, i64::MAX),
        Some("0"),
        "Default of the topic setting `min.compaction.lag.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleanup.policy",
        Kind::ListOf(&["compact", "delete"]),
        Some("delete"),
        "Default of the topic setting `cleanup.policy`.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.flush.interval.messages",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "Default of the topic setting `flush.messages`.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.flush.interval.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("1000"),
        "How long a record may be only in memory before the log is synced, in `page-cache` mode; \
         also the default of the topic setting `flush.ms`. A negative one leaves it to \
         `log.flush.scheduler.interval.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.flush.offset.checkpoint.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("60000"),
        "How often it is saved where logs begin, and their high watermarks. From where a recovery \
         starts is saved every five seconds.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "log.flush.scheduler.interval.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("9223372036854775807"),
        "How often logs are synced at least, in `page-cache` mode, where \
         `log.flush.interval.ms` is longer or negative; 0 and less do nothing.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "log.flush.start.offset.checkpoint.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("60000"),
        "Without effect: `log.flush.offset.checkpoint.interval.ms` is for both.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "log.index.interval.bytes",
        Kind::Int(0, i32::MAX),
        Some("4096"),
        "Default of the topic setting `index.interval.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.index.size.max.bytes",
        Kind::Int(4, i32::MAX),
        Some("10485760"),
        "Default of the topic setting `segment.index.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.local.retention.bytes",
        Kind::Long(-2, i64::MAX),
        Some("-2"),
        "Default of the topic setting `local.retention.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.local.retention.ms",
        Kind::Long(-2, i64::MAX),
        Some("-2"),
        "Default of the topic setting `local.retention.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.message.timestamp.after.max.ms",
        Kind::Long(0, i64::MAX),
        Some("3600000"),
        "Default of the topic setting `message.timestamp.after.max.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.message.timestamp.before.max.ms",
        Kind::Long(0, i64::MAX),
        Some("9223372036854775807"),
        "Default of the topic setting `message.timestamp.before.max.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.message.timestamp.type",
        Kind::OneOf(&["CreateTime", "LogAppendTime"]),
        Some("CreateTime"),
        "Default of the topic setting `message.timestamp.type`.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.preallocate",
        Kind::Bool,
        Some("false"),
        "Default of the topic setting `preallocate`.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.retention.bytes",
        Kind::Long(i64::MIN, i64::MAX),
        Some("-1"),
        "Default of the topic setting `retention.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.retention.check.interval.ms",
        Kind::Long(1, i64::MAX),
        Some("300000"),
        "How often old segments are looked for.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "log.retention.hours",
        Kind::Int(i32::MIN, i32::MAX),
        Some("168"),
        "Default of the topic setting `retention.ms`, in hours; minutes and milliseconds go \
         first.",
    )
    .unit(Unit::Hours),
    ConfigKey::new(
        "log.retention.minutes",
        Kind::Int(i32::MIN, i32::MAX),
        None,
        "Default of the topic setting `retention.ms`, in minutes; milliseconds go first.",
    )
    .unit(Unit::Minutes),
    ConfigKey::new(
        "log.retention.ms",
        Kind::Long(i64::MIN, i64::MAX),
        None,
        "Default of the topic setting `retention.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide)
    .synonyms(&[
        ("log.retention.ms", 1),
        ("log.retention.minutes", 60_000),
        ("log.retention.hours", 3_600_000),
    ]),
    ConfigKey::new(
        "log.roll.hours",
        Kind::Int(1, i32::MAX),
        Some("168"),
        "Default of the topic setting `segment.ms`, in hours; milliseconds go first.",
    )
    .unit(Unit::Hours),
    ConfigKey::new(
        "log.roll.jitter.hours",
        Kind::Int(0, i32::MAX),
        Some("0"),
        "Default of the topic setting `segment.jitter.ms`, in hours; milliseconds go first.",
    )
    .unit(Unit::Hours),
    ConfigKey::new(
        "log.roll.jitter.ms",
        Kind::Long(i64::MIN, i64::MAX),
        None,
        "Default of the topic setting `segment.jitter.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide)
    .synonyms(&[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)]),
    ConfigKey::new(
        "log.roll.ms",
        Kind::Long(i64::MIN, i64::MAX),
        None,
        "Default of the topic setting `segment.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide)
    .synonyms(&[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)]),
    ConfigKey::new(
        "log.segment.bytes",
        Kind::Int(1_048_576, i32::MAX),
        Some("1073741824"),
        "Default of the topic setting `segment.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.segment.delete.delay.ms",
        Kind::Long(0, i64::MAX),
        Some("60000"),
        "Default of the topic setting `file.delete.delay.ms`.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "message.max.bytes",
        Kind::Int(0, i32::MAX),
        Some("1048588"),
        "Default of the topic setting `max.message.bytes`.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "min.insync.replicas",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Default of the topic setting of the same name; unless it is set, 2 for topics with \
         three or more replicas.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "num.recovery.threads.per.data.dir",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "Threads that load the logs of one folder at start, when nothing can have been changed at \
         run time yet.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "producer.id.expiration.check.interval.ms",
        Kind::Int(1, i32::MAX),
        Some("600000"),
        "How often producers that went silent are looked for.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "producer.id.expiration.ms",
        Kind::Int(1, i32::MAX),
        Some("86400000"),
        "How long a partition remembers an idempotent producer that went silent.",
    )
    .unit(Unit::Milliseconds)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "replica.high.watermark.checkpoint.interval.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("5000"),
        "Without effect: `log.flush.offset.checkpoint.interval.ms` is for them, too.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "unclean.leader.election.enable",
        Kind::Bool,
        Some("false"),
        "Default of the topic setting of the same name.",
    )
    .dynamic(Dynamic::ClusterWide),
];
