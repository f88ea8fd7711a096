//! Broker settings about listeners, connections and requests.
//!
//! Facts as Apache Kafka 4.3.1 has them; a default that differs says so in its text.

use super::key::{ConfigKey, Dynamic, Kind, Unit};

/// Listeners, connections, requests.
pub(super) const NET: &[ConfigKey] = &[
    ConfigKey::new(
        "listeners",
        Kind::List,
        Some("PLAINTEXT://localhost:9092"),
        "Where the broker listens, as `NAME://host:port` separated by commas.",
    ),
    ConfigKey::new(
        "advertised.listeners",
        Kind::List,
        None,
        "Where clients shall connect, when that is not `listeners` itself.",
    ),
    ConfigKey::new(
        "listener.security.protocol.map",
        Kind::Text,
        Some("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"),
        "Security protocol of each listener name, as `NAME:PROTOCOL` pairs.",
    ),
    ConfigKey::new(
        "connections.max.idle.ms",
        Kind::Long(i64::MIN, i64::MAX),
        Some("600000"),
        "How long a connection may be idle before it is closed.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "max.connection.creation.rate",
        Kind::Int(0, i32::MAX),
        Some("2147483647"),
        "New connections a second that are accepted at most.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "max.connections",
        Kind::Int(0, i32::MAX),
        Some("2147483647"),
        "Connections open at once at most.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "max.connections.per.ip",
        Kind::Int(0, i32::MAX),
        Some("2147483647"),
        "Connections open at once from one address at most.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "max.connections.per.ip.overrides",
        Kind::AddressLimits,
        Some(""),
        "Other limits than `max.connections.per.ip` for some addresses, as `address:limit` \
         pairs.",
    )
    .dynamic(Dynamic::ClusterWide),
    ConfigKey::new(
        "queued.max.request.bytes",
        Kind::Long(i64::MIN, i64::MAX),
        Some("-1"),
        "Bytes of requests in work at most; -1 lets the broker choose.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "request.timeout.ms",
        Kind::Int(i32::MIN, i32::MAX),
        Some("30000"),
        "How long the broker waits for another node's answer.",
    )
    .unit(Unit::Milliseconds),
    ConfigKey::new(
        "socket.listen.backlog.size",
        Kind::Int(1, i32::MAX),
        Some("1024"),
        "Connections that may wait to be accepted. Kafka's default is 50.",
    ),
    ConfigKey::new(
        "socket.receive.buffer.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("-1"),
        "Receive buffer of a client socket; -1 leaves it to the operating system, which fits it to \
         the connection. Kafka's default is 102400.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "socket.request.max.bytes",
        Kind::Int(1, i32::MAX),
        Some("104857600"),
        "The largest request. Raised where `message.max.bytes` is larger.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "socket.send.buffer.bytes",
        Kind::Int(i32::MIN, i32::MAX),
        Some("-1"),
        "Send buffer of a client socket; -1 leaves it to the operating system, which fits it to \
         the connection, and gives a client on the same machine 102400, Kafka's default.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "fetch.max.bytes",
        Kind::Int(1024, i32::MAX),
        Some("57671680"),
        "The most that one fetch answer holds.",
    )
    .unit(Unit::Bytes),
    ConfigKey::new(
        "max.incremental.fetch.session.cache.slots",
        Kind::Int(0, i32::MAX),
        Some("1000"),
        "Fetch sessions kept at once at most.",
    ),
    ConfigKey::new(
        "max.request.partition.size.limit",
        Kind::Int(1, i32::MAX),
        Some("2000"),
        "Partitions that one DescribeTopicPartitions answer holds at most.",
    ),
];
