//! Broker settings about the process: addresses in short form, the metadata quorum, logs. But
//! for `controller.listener.names` only Gofka has them.

use super::key::{ConfigKey, Kind};

/// The process.
pub(super) const OWN: &[ConfigKey] = &[
    ConfigKey::new(
        "addr",
        Kind::NonEmptyText,
        None,
        "Where the broker listens, as `host:port` or `:port` for all addresses: short for \
         `listeners` with one plaintext listener.",
    ),
    ConfigKey::new(
        "bootstrap",
        Kind::Bool,
        Some("false"),
        "Whether this node may form a new cluster. A node without peers always may.",
    ),
    ConfigKey::new(
        "controller.listener.names",
        Kind::List,
        None,
        "Names in `listeners` that are for other nodes, not for clients: the first gives \
         `raft.addr` where that is not set.",
    ),
    ConfigKey::new(
        "http.addr",
        Kind::Text,
        Some("127.0.0.1:8080"),
        "Where metrics and health are served, as `host:port`; nowhere when it is empty or `none`. \
         A controller on its own takes port 8081. When the default is taken, the next free port \
         is used.",
    ),
    ConfigKey::new(
        "log.encoding",
        Kind::OneOf(&["text", "json"]),
        Some("text"),
        "How log lines are written.",
    ),
    ConfigKey::new(
        "log.level",
        Kind::OneOf(&["trace", "debug", "info", "warn", "error", "off"]),
        Some("info"),
        "How much is logged. Can be changed per logger while the broker runs.",
    ),
    ConfigKey::new(
        "peers",
        Kind::List,
        None,
        "Internal addresses of the other nodes of the metadata quorum, as `host:port` separated \
         by commas.",
    ),
    ConfigKey::new(
        "raft.addr",
        Kind::NonEmptyText,
        Some("127.0.0.1:19093"),
        "Where this node listens for other nodes, as `host:port`. When the default is taken, the \
         next free port is used.",
    ),
    ConfigKey::new(
        "raft.dir",
        Kind::NonEmptyText,
        None,
        "Folder of the metadata log; unless it is set, inside the first log directory.",
    ),
];
