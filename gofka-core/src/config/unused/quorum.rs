//! Settings without effect here: the metadata quorum and policies.
//!
//! Facts as Apache Kafka 4.3.1 has them, in the order of the names.

use crate::config::key::{ConfigKey, Kind, Unit};

/// The table.
pub(super) const QUORUM: &[ConfigKey] = &[
    ConfigKey::new(
        "alter.config.policy.class.name",
        Kind::Class,
        None,
        "Class that judges changes of settings.",
    ),
    ConfigKey::new(
        "auto.leader.rebalance.enable",
        Kind::Bool,
        Some("true"),
        "Whether preferred replicas are made leaders again by themselves.",
    ),
    ConfigKey::new(
        "broker.heartbeat.interval.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("2000"),
        "How often a broker reports to the controller.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "broker.session.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("9000"),
        "How long a broker may be silent before the controller takes it for gone.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controlled.shutdown.enable",
        Kind::Bool,
        Some("true"),
        "Whether a broker that stops hands over its leaderships first.",
    ),
    ConfigKey::new(
        "controller.performance.always.log.threshold.ms",
        Kind::Long(0, i64::MAX),
        Some("2000"),
        "From this duration on each slow event of the controller is logged.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "controller.performance.sample.period.ms",
        Kind::Long(100, i64::MAX),
        Some("60000"),
        "How often the controller's performance is logged.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "controller.quorum.append.linger.ms",
        Kind::Int(0, i32::MAX),
        Some("25"),
        "How long the leader of the quorum gathers writes before it flushes them.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.auto.join.enable",
        Kind::Bool,
        Some("false"),
        "Whether a controller joins the quorum's voters by itself.",
    ),
    ConfigKey::new(
        "controller.quorum.bootstrap.servers",
        Kind::List,
        Some(""),
        "Addresses at which the quorum is found.",
    ),
    ConfigKey::new(
        "controller.quorum.election.backoff.max.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "The longest pause before a controller stands for election again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.election.timeout.ms",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "How long a controller waits for a leader before it stands for election.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.fetch.max.bytes",
        Kind::Int(1, i32::MAX),
        Some("1048576"),
        "The most that one fetch of the metadata log brings.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "controller.quorum.fetch.snapshot.max.bytes",
        Kind::Int(1, i32::MAX),
        Some("1048576"),
        "The most that one fetch of a metadata snapshot brings.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "controller.quorum.fetch.timeout.ms",
        Kind::Int(0, i32::MAX),
        Some("2000"),
        "How long a member may go without a successful fetch before it stands for election.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.request.timeout.ms",
        Kind::Int(0, i32::MAX),
        Some("2000"),
        "How long a member of the quorum waits for an answer.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.retry.backoff.ms",
        Kind::Int(0, i32::MAX),
        Some("20"),
        "Pause before a request to the quorum is sent again.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "controller.quorum.voters",
        Kind::List,
        Some(""),
        "The quorum's voters, as `id@host:port` separated by commas.",
    ),
    ConfigKey::new(
        "controller.quota.window.num",
        Kind::Int(1, i32::MAX),
        Some("11"),
        "Samples kept for the quota of topic changes.",
    ),
    ConfigKey::new(
        "controller.quota.window.size.seconds",
        Kind::Int(1, i32::MAX),
        Some("1"),
        "Length of a sample for the quota of topic changes.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "controller.socket.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("30000"),
        "How long a request to a controller may take.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "create.topic.policy.class.name",
        Kind::Class,
        None,
        "Class that judges new topics.",
    ),
    ConfigKey::new(
        "early.start.listeners",
        Kind::List,
        None,
        "Listeners that open before the broker has caught up.",
    ),
    ConfigKey::new(
        "initial.broker.registration.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("60000"),
        "How long a starting broker tries to register.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "inter.broker.listener.name",
        Kind::Text,
        None,
        "Listener over which brokers speak to each other.",
    ),
    ConfigKey::new(
        "internal.metadata.delete.delay.millis",
        Kind::Long(i64::MIN, i64::MAX),
        Some("60000"),
        "How long deleted files of the metadata log are kept.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "internal.metadata.log.segment.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        None,
        "Size of a segment of the metadata log, for tests.",
    )
    .unit(Unit::Bytes)
    .hidden(),
    ConfigKey::new(
        "internal.metadata.max.batch.size.in.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("8388608"),
        "The largest batch of the metadata log.",
    )
    .unit(Unit::Bytes)
    .hidden(),
    ConfigKey::new(
        "leader.imbalance.check.interval.seconds",
        Kind::Long(1, i64::MAX),
        Some("300"),
        "How often it is checked whether preferred replicas lead.",
    )
    .unit(Unit::Seconds),
    ConfigKey::new(
        "metadata.log.max.snapshot.interval.ms",
        Kind::Long(0, i64::MAX),
        Some("3600000"),
        "The longest time between two snapshots of the metadata.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "metadata.log.segment.bytes",
        Kind::Int(8_388_608, i32::MAX),
        Some("1073741824"),
        "Size of a segment of the metadata log.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "metadata.log.segment.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("604800000"),
        "Age at which a new segment of the metadata log begins.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "metadata.max.idle.interval.ms",
        Kind::Int(0, i32::MAX),
        Some("500"),
        "How often the controller writes a record when nothing happens.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "metadata.max.retention.bytes",
        Kind::Long(i64::MIN, i64::MAX),
        Some("104857600"),
        "Size of metadata log and snapshots above which the oldest go.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "metadata.max.retention.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("604800000"),
        "Age of metadata segments and snapshots at which they go.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "server.max.startup.time.ms",
        Kind::Long(0, i64::MAX),
        Some("9223372036854775807"),
        "How long a start may take.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "unclean.leader.election.interval.ms",
        Kind::Long(1, i64::MAX),
        Some("300000"),
        "How often unclean elections are looked for where they are allowed.",
    )
    .unit(Unit::Milliseconds)
    .hidden(),
    ConfigKey::new(
        "unstable.api.versions.enable",
        Kind::Bool,
        Some("false"),
        "Whether API versions in development are announced.",
    )
    .hidden(),
    ConfigKey::new(
        "unstable.feature.versions.enable",
        Kind::Bool,
        Some("false"),
        "Whether feature versions in development may be used.",
    )
    .hidden(),
];
