//! Settings without effect here: threads, replication, compaction, quotas and metrics.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Dynamic, Kind, Unit};

/// The table.
pub(super) const BROKER: &[ConfigKey] = &[
    ConfigKey::new(
        "alter.log.dirs.replication.quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quota of moves between log directories.",
    ),
    ConfigKey::new(
        "alter.log.dirs.replication.quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quota of moves between log directories.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "background.threads",
        Kind::Int(1, i32::MAX),
        Some("10"),
        "Threads for background work.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "client.quota.callback.class",
        Kind::Class,
        None,
        "Class that decides the quotas of clients.",
    ),
    ConfigKey::new(
        "config.providers",
        Kind::List,
        Some(""),
        "Names of the providers that values of other settings may refer to.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "cordoned.log.dirs",
        Kind::List,
        Some(""),
        "Log directories that take no new partitions.",
    )
    .dynamic(Dynamic::PerBroker),
    ConfigKey::new(
        "delete.records.purgatory.purge.interval.requests",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1"),
        "After how many requests finished waits for deleted records are cleared away.",
    ),
    ConfigKey::new(
        "fetch.purgatory.purge.interval.requests",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1000"),
        "After how many requests finished fetch waits are cleared away.",
    ),
    ConfigKey::new(
        "kafka.metrics.polling.interval.secs",
        Kind::Int(1, i32::MAX),
        Some("10"),
        "How often metrics reporters are polled.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new("kafka.metrics.reporters", Kind::List, Some(""), "Classes that report metrics."),
    ConfigKey::new(
        "log.cleaner.io.buffer.load.factor",
        Kind::Double(f64::MIN, f64::MAX),
        Some("0.9"),
        "How full the memory for keys may become.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.io.buffer.size",
        Kind::Int(0, i32::MAX),
        Some("524288"),
        "Memory for reading and writing while logs are compacted.",
    )
    .unit(Unit::Bytes)
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.cleaner.threads",
        Kind::Int(0, i32::MAX),
        Some("1"),
        "Threads that compact logs.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "log.dir.failure.timeout.ms",
        Kind::Long(1, i64::MAX),
        Some("30000"),
        "How long a broker tries to tell of a failed log directory before it stops.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "log.initial.task.delay.ms",
        Kind::Long(0, i64::MAX),
        Some("30000"),
        "Pause after the start before background work on logs begins.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "metric.reporters",
        Kind::List,
        Some("org.apache.kafka.common.metrics.JmxReporter"),
        "Classes that are told of metrics.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "metrics.num.samples",
        Kind::Int(1, i32::MAX),
        Some("2"),
        "Samples kept for each metric.",
    ),
    ConfigKey::new(
        "metrics.recording.level",
        Kind::Text,
        Some("INFO"),
        "Which metrics are recorded.",
    ),
    ConfigKey::new(
        "metrics.sample.window.ms",
        Kind::Long(1, i64::MAX),
        Some("30000"),
        "Length of a metric's sample.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "num.io.threads",
        Kind::Int(1, i32::MAX),
        Some("8"),
        "Threads that handle requests. Gofka has as many as there are processors.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "num.network.threads",
        Kind::Int(1, i32::MAX),
        Some("3"),
        "Threads that read and write sockets. Gofka has as many as there are processors.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "num.replica.alter.log.dirs.threads",
        Kind::Int(i32::MIN, i32::MAX),
        None,
        "Threads that move replicas between log directories.",
    ),
    ConfigKey::new(
        "num.replica.fetchers",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Threads that fetch from each other broker.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "offsets.load.buffer.size",
        Kind::Int(1, i32::MAX),
        Some("5242880"),
        "Memory for reading when groups are loaded.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "producer.purgatory.purge.interval.requests",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1000"),
        "After how many requests finished produce waits are cleared away.",
    ),
    ConfigKey::new(
        "queued.max.requests",
        Kind::Int(1, i32::MAX),
        Some("500"),
        "Requests that may wait for a thread.",
    ),
    ConfigKey::new(
        "quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quotas of clients.",
    ),
    ConfigKey::new(
        "quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quotas of clients.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "replica.fetch.backoff.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Pause of a follower after a failed fetch.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "replica.fetch.max.bytes",
        Kind::Int(0, i32::MAX),
        Some("1048576"),
        "The most that a follower asks for of one partition.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "replica.fetch.min.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("1"),
        "What a follower's fetch waits for.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "replica.fetch.response.max.bytes",
        Kind::Int(0, i32::MAX),
        Some("10485760"),
        "The most that one answer to a follower holds.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "replica.fetch.wait.max.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("500"),
        "How long a follower's fetch waits.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "replica.lag.time.max.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("30000"),
        "How long a follower may lag before it leaves the in-sync replicas.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "replica.selector.class",
        Kind::Text,
        None,
        "Class that chooses the replica a consumer reads from.",
    ),
    ConfigKey::new(
        "replica.socket.receive.buffer.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("65536"),
        "Receive buffer of a follower's socket.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "replica.socket.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("30000"),
        "How long a follower's request may take.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "replication.quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quota of replication.",
    ),
    ConfigKey::new(
        "replication.quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quota of replication.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "socket.connection.setup.timeout.max.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("30000"),
        "The longest time that a connection to another node may take to open.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "socket.connection.setup.timeout.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("10000"),
        "How long a connection to another node may take to open at first.",
    )
    .unit(Unit::Milliseconds),
];
