//! Settings of topics.
//!
//! Facts as Apache Kafka 4.3.1 has them; a default that differs says so in its text.

use super::key::{ConfigKey, Kind, Unit};
use super::topic::DURABILITY;

/// In the order of their names.
pub(super) const TOPIC: &[ConfigKey] = &[
    ConfigKey::new(
        "cleanup.policy",
        Kind::ListOf(&["compact", "delete"]),
        Some("delete"),
        "What happens to old records: `delete` drops whole segments by age and size, `compact` \
         keeps the newest record of each key, both do both, and an empty list keeps everything.",
    )
    .synonyms(&[("log.cleanup.policy", 1)]),
    ConfigKey::new(
        "compression.gzip.level",
        Kind::LevelOrDefault(1, 9),
        Some("-1"),
        "Gzip level used where `compression.type` is `gzip`; -1 is the library's own.",
    )
    .synonyms(&[("compression.gzip.level", 1)]),
    ConfigKey::new(
        "compression.lz4.level",
        Kind::Int(1, 17),
        Some("9"),
        "Lz4 level where `compression.type` is `lz4`. There is one level here, whatever is set.",
    )
    .synonyms(&[("compression.lz4.level", 1)]),
    ConfigKey::new(
        "compression.type",
        Kind::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]),
        Some("producer"),
        "How batches are stored: `producer` keeps what was sent; a codec's name or \
         `uncompressed` makes the broker recompress.",
    )
    .synonyms(&[("compression.type", 1)]),
    ConfigKey::new(
        "compression.zstd.level",
        Kind::Int(-131_072, 22),
        Some("3"),
        "Zstd level used where `compression.type` is `zstd`.",
    )
    .synonyms(&[("compression.zstd.level", 1)]),
    ConfigKey::new(
        "delete.retention.ms",
        Kind::Long(0, i64::MAX),
        Some("86400000"),
        "How long a compacted topic keeps a deletion marker, so that a reader which began \
         earlier still sees it.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.cleaner.delete.retention.ms", 1)]),
    ConfigKey::new(
        "durability",
        Kind::OneOf(DURABILITY),
        Some("auto"),
        "When a replica counts a record as kept: `fsync` after it is synced to disk, \
         `page-cache` once the operating system has it, as Kafka does; `auto` means `page-cache` \
         where two replicas or more have to be in sync, else `fsync`.",
    )
    .synonyms(&[("durability", 1)]),
    ConfigKey::new(
        "file.delete.delay.ms",
        Kind::Long(0, i64::MAX),
        Some("60000"),
        "How long a removed segment's files stay on disk under a `.deleted` name.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.segment.delete.delay.ms", 1)]),
    ConfigKey::new(
        "flush.messages",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "Syncs the log after this many records, whatever the durability mode.",
    )
    .synonyms(&[("log.flush.interval.messages", 1)]),
    ConfigKey::new(
        "flush.ms",
        Kind::Long(0, i64::MAX),
        Some("1000"),
        "Syncs the log when a record has waited this long, whatever the durability mode. Kafka \
         leaves this to the operating system.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.flush.interval.ms", 1)]),
    ConfigKey::new(
        "follower.replication.throttled.replicas",
        Kind::ThrottledReplicas,
        Some(""),
        "Replicas whose copying is limited at the follower, as `partition:broker` pairs, or `*` \
         for all.",
    ),
    ConfigKey::new(
        "index.interval.bytes",
        Kind::Int(0, i32::MAX),
        Some("4096"),
        "Bytes of log between two entries of its indexes.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("log.index.interval.bytes", 1)]),
    ConfigKey::new(
        "internal.segment.bytes",
        Kind::Int(1024, i32::MAX),
        None,
        "Overrides `segment.bytes` without its lower bound, for tests.",
    )
    .unit(Unit::Bytes)
    .hidden(),
    ConfigKey::new(
        "leader.replication.throttled.replicas",
        Kind::ThrottledReplicas,
        Some(""),
        "Replicas whose copying is limited at the leader, as `partition:broker` pairs, or `*` \
         for all.",
    ),
    ConfigKey::new(
        "local.retention.bytes",
        Kind::Long(-2, i64::MAX),
        Some("-2"),
        "With tiered storage, bytes kept on the local disk; -2 follows `retention.bytes`.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("log.local.retention.bytes", 1)]),
    ConfigKey::new(
        "local.retention.ms",
        Kind::Long(-2, i64::MAX),
        Some("-2"),
        "With tiered storage, how long records stay on the local disk; -2 follows \
         `retention.ms`.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.local.retention.ms", 1)]),
    ConfigKey::new(
        "max.compaction.lag.ms",
        Kind::Long(1, i64::MAX),
        Some("9223372036854775807"),
        "The longest a record may wait before it is compacted.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.cleaner.max.compaction.lag.ms", 1)]),
    ConfigKey::new(
        "max.message.bytes",
        Kind::Int(0, i32::MAX),
        Some("1048588"),
        "The largest record batch that is accepted, as sent.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("message.max.bytes", 1)]),
    ConfigKey::new(
        "message.timestamp.after.max.ms",
        Kind::Long(0, i64::MAX),
        Some("3600000"),
        "How far ahead of the broker's clock a record's timestamp may be.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.message.timestamp.after.max.ms", 1)]),
    ConfigKey::new(
        "message.timestamp.before.max.ms",
        Kind::Long(0, i64::MAX),
        Some("9223372036854775807"),
        "How far behind the broker's clock a record's timestamp may be.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.message.timestamp.before.max.ms", 1)]),
    ConfigKey::new(
        "message.timestamp.type",
        Kind::OneOf(&["CreateTime", "LogAppendTime"]),
        Some("CreateTime"),
        "Whose time a record carries: the producer's (`CreateTime`) or the broker's at append \
         (`LogAppendTime`).",
    )
    .synonyms(&[("log.message.timestamp.type", 1)]),
    ConfigKey::new(
        "min.cleanable.dirty.ratio",
        Kind::Double(0.0, 1.0),
        Some("0.5"),
        "Share of a compacted log that must be new before it is compacted again.",
    )
    .unit(Unit::Ratio)
    .synonyms(&[("log.cleaner.min.cleanable.ratio", 1)]),
    ConfigKey::new(
        "min.compaction.lag.ms",
        Kind::Long(0, i64::MAX),
        Some("0"),
        "The shortest time a record stays before it may be compacted away.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.cleaner.min.compaction.lag.ms", 1)]),
    ConfigKey::new(
        "min.insync.replicas",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Replicas that must have a record before `acks=all` is answered; with fewer in sync the \
         write is refused. The default is 2 for topics with three or more replicas, else 1.",
    )
    .synonyms(&[("min.insync.replicas", 1)]),
    ConfigKey::new(
        "preallocate",
        Kind::Bool,
        Some("false"),
        "Reserves a segment's full size on disk when it is begun.",
    )
    .synonyms(&[("log.preallocate", 1)]),
    ConfigKey::new(
        "remote.log.copy.disable",
        Kind::Bool,
        Some("false"),
        "With tiered storage, stops copying to it.",
    ),
    ConfigKey::new(
        "remote.log.delete.on.disable",
        Kind::Bool,
        Some("false"),
        "Deletes what tiered storage holds when it is switched off.",
    ),
    ConfigKey::new(
        "remote.storage.enable",
        Kind::Bool,
        Some("false"),
        "Moves old segments to tiered storage.",
    ),
    ConfigKey::new(
        "retention.bytes",
        Kind::Long(i64::MIN, i64::MAX),
        Some("-1"),
        "Bytes a partition may hold before its oldest segments go; -1 sets no limit.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("log.retention.bytes", 1)]),
    ConfigKey::new(
        "retention.ms",
        Kind::Long(-1, i64::MAX),
        Some("604800000"),
        "How long a partition keeps records; -1 keeps them for ever.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[
        ("log.retention.ms", 1),
        ("log.retention.minutes", 60000),
        ("log.retention.hours", 3_600_000),
    ]),
    ConfigKey::new(
        "segment.bytes",
        Kind::Int(1_048_576, i32::MAX),
        Some("1073741824"),
        "Size at which a segment is closed and the next one begun.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("log.segment.bytes", 1)]),
    ConfigKey::new(
        "segment.index.bytes",
        Kind::Int(4, i32::MAX),
        Some("10485760"),
        "The largest an index file may become.",
    )
    .unit(Unit::Bytes)
    .synonyms(&[("log.index.size.max.bytes", 1)]),
    ConfigKey::new(
        "segment.jitter.ms",
        Kind::Long(0, i64::MAX),
        Some("0"),
        "The most that is randomly taken off `segment.ms`, so that segments do not all roll at \
         once.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.roll.jitter.ms", 1), ("log.roll.jitter.hours", 3_600_000)]),
    ConfigKey::new(
        "segment.ms",
        Kind::Long(1, i64::MAX),
        Some("604800000"),
        "Age at which a segment is closed even when it is not full.",
    )
    .unit(Unit::Milliseconds)
    .synonyms(&[("log.roll.ms", 1), ("log.roll.hours", 3_600_000)]),
    ConfigKey::new(
        "unclean.leader.election.enable",
        Kind::Bool,
        Some("false"),
        "Lets a replica that may miss records lead when no other is left.",
    )
    .synonyms(&[("unclean.leader.election.enable", 1)]),
];
