//! The scenarios: what every client is asked to do, and which client cannot do which of them.
//! The drivers know the same names.

/// Scenarios that run against one broker from start to end, in this order.
pub const SCENARIOS: [&str; 29] = [
    "topic-admin",
    "codec-none",
    "codec-gzip",
    "codec-snappy",
    "codec-lz4",
    "codec-zstd",
    "record-shapes",
    "timestamps",
    "group-three",
    "static-members",
    "cooperative",
    "commit",
    "delete-records",
    "errors",
    "auto-create",
    "segments",
    "empty-poll",
    "list-many",
    "compression-type",
    "log-append-time",
    // What users meet later.
    "thousand-partitions",
    "read-committed",
    "out-of-range",
    "acks",
    "recreate",
    "large-records",
    "pattern",
    "pause",
    "cluster",
];

/// Scenarios of Apache Kafka's command-line tools that no other client has anything like.
pub const TOOLS: [&str; 7] = [
    "cluster-tools",
    "offset-tools",
    "reset-offsets",
    "delete-offsets",
    "group-tools",
    "performance-tools",
    "verifiable-tools",
];

/// The scenarios that `client` runs against one broker from start to end, in this order.
pub fn of_client(client: &str) -> Vec<&'static str> {
    let tools = if client == "java-tools" { &TOOLS[..] } else { &[] };
    SCENARIOS.iter().chain(tools).copied().collect()
}

/// Phases with a restart of the broker between them: after `.1` a clean one, after `.2` kill -9.
pub const RESUME: [&str; 3] = ["resume.1", "resume.2", "resume.3"];

/// The broker is killed and restarted while `.1` runs.
pub const IDEMPOTENT: [&str; 2] = ["idempotent.1", "idempotent.2"];

/// A scenario that a client cannot run, and why. Tested to be exact: the driver must refuse it.
#[derive(Clone, Copy, Debug)]
pub struct Unsupported {
    pub client: &'static str,
    pub scenario: &'static str,
    pub reason: &'static str,
}

const fn cannot(client: &'static str, scenario: &'static str, reason: &'static str) -> Unsupported {
    Unsupported { client, scenario, reason }
}

pub const UNSUPPORTED: &[Unsupported] = &[
    cannot("aiokafka", "cooperative", "no cooperative assignor"),
    cannot("aiokafka", "recreate", "its consumer itself makes a topic that is gone"),
    cannot("kafka-python", "recreate", "its consumer itself makes a topic that is gone"),
    cannot("kcat", "topic-admin", "no CreateTopics"),
    cannot("kcat", "commit", "no commit with metadata outside of a group"),
    cannot("kcat", "delete-records", "no DeleteRecords"),
    cannot("kcat", "pause", "no pause"),
    cannot("kafka-go", "delete-records", "no DeleteRecords"),
    cannot("kafka-go", "static-members", "no static members"),
    cannot("kafka-go", "cooperative", "no cooperative rebalancing"),
    cannot("kafka-go", "log-append-time", "does not look at the batch's timestamp type"),
    cannot("kafka-go", "thousand-partitions", "one connection and one fetch for each partition"),
    cannot("kafka-go", "recreate", "its reader itself makes a topic that is gone"),
    cannot("kafka-go", "pattern", "subscribes to names only"),
    cannot("kafka-go", "pause", "no pause"),
    cannot("kafka-go", "idempotent.1", "no idempotent producer"),
    cannot("kafka-go", "idempotent.2", "no idempotent producer"),
    cannot("sarama", "pattern", "subscribes to names only"),
    cannot("kafkajs", "static-members", "no static members"),
    cannot("kafkajs", "cooperative", "no cooperative rebalancing"),
    cannot("java-tools", "timestamps", "the console producer sets no timestamps"),
    cannot("java-tools", "static-members", "no tool shows a member's callbacks"),
    cannot("java-tools", "cooperative", "no tool shows a member's callbacks"),
    cannot("java-tools", "list-many", "one command for each topic"),
    cannot("java-tools", "thousand-partitions", "the console producer chooses no partitions"),
    cannot("java-tools", "recreate", "a tool does not show what it reads while it runs"),
    cannot("java-tools", "pause", "no pause"),
];

/// Why `client` cannot run `scenario`, if it is known not to.
pub fn unsupported(client: &str, scenario: &str) -> Option<&'static str> {
    let found = UNSUPPORTED.iter().find(|u| u.client == client && u.scenario == scenario);
    found.map(|u| u.reason)
}
