//! Authorized operations, as bit fields (KIP-430): what this client may do with a resource.
//!
//! Without an authorizer a client may do everything that the kind of resource knows. Called by
//! the handlers of Metadata, DescribeCluster, DescribeTopicPartitions and DescribeGroups.

/// The field's value where the client did not ask.
pub(super) const NOT_ASKED: i32 = i32::MIN;

// `org.apache.kafka.common.acl.AclOperation`
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// On a topic.
pub(super) fn of_topic(asked: bool) -> i32 {
    let all = READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
    if asked { all } else { NOT_ASKED }
}

/// On a group.
pub(super) fn of_group(asked: bool) -> i32 {
    let all = READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
    if asked { all } else { NOT_ASKED }
}

/// On the cluster.
pub(super) fn of_cluster(asked: bool) -> i32 {
    let all = CREATE
        | CLUSTER_ACTION
        | DESCRIBE_CONFIGS
        | ALTER_CONFIGS
        | IDEMPOTENT_WRITE
        | ALTER
        | DESCRIBE;
    if asked { all } else { NOT_ASKED }
}
