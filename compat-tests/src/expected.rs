//! What must be observed, where one answer holds for every client. It binds Apache Kafka as well
//! as Gofka, so that a driver that sees nothing on both does not pass.

use serde_json::{Value, json};

/// The expectation of a scenario. Fields that a client does not observe are not asked for.
pub fn expected(scenario: &str) -> Option<Value> {
    let group = [
        "group-three",
        "static-members",
        "cooperative",
        "commit",
        "resume.1",
        "resume.2",
        "resume.3",
        "idempotent.1",
        "idempotent.2",
    ];
    if group.contains(&scenario) {
        groups(scenario)
    } else {
        data(scenario).or_else(|| wider(scenario)).or_else(|| tools(scenario))
    }
}

/// Of what the tools print, only what shows that they had something to print.
fn tools(scenario: &str) -> Option<Value> {
    let printed = match scenario {
        "cluster-tools" => json!({"api_lines": 79, "compatible": ["SUCCESS."]}),
        "offset-tools" => json!({"default": ["TOPIC:0:20", "TOPIC:1:5", "TOPIC:2:0"]}),
        "reset-offsets" => json!({"export": ["TOPIC,0,2", "TOPIC,1,2", "TOPIC,2,0"]}),
        "delete-offsets" => {
            json!({"after_all": ["Consumer group 'TOPIC-group' has no active members."]})
        }
        "group-tools" => json!({
            "active_list--state": ["GROUP STATE", "TOPIC-group Stable", "TOPIC-group-2 Stable"],
            "empty_list--state": ["GROUP STATE", "TOPIC-group Empty"],
        }),
        "performance-tools" => json!({"from_file": 100, "latency_end": ["TOPIC-latency:0:410"]}),
        "verifiable-tools" => json!({"half": {"records": 60}, "rest": {"records": 30}}),
        _ => return None,
    };
    Some(json!({"tools": printed}))
}

fn wider(scenario: &str) -> Option<Value> {
    Some(match scenario {
        "thousand-partitions" => json!({"read": 1000, "partitions": 1000}),
        "read-committed" => json!({"read": 50, "end": 50}),
        "out-of-range" => json!({
            "below": 20,
            "beyond": 20,
            "latest": 50,
            "none": "OFFSET_OUT_OF_RANGE",
        }),
        "acks" => json!({"ends": [100, 100], "read": 200}),
        "recreate" => json!({"before": 10, "after": [0, 1, 2], "same_id": false}),
        "large-records" => json!({"read": 40}),
        "pattern" => json!({"before": 3, "after": 4}),
        "pause" => json!({"paused": [0, 50], "resumed": [50, 0]}),
        "cluster" => json!({"nodes": 1, "controller": true, "address": true, "metadata": "note"}),
        _ => return None,
    })
}

fn data(scenario: &str) -> Option<Value> {
    Some(match scenario {
        "topic-admin" => json!({
            "create": "NONE",
            "create_again": "TOPIC_ALREADY_EXISTS",
            "partitions": 3,
            "listed": true,
            "create_partitions": "NONE",
            "partitions_after": 5,
            "shrink": "INVALID_PARTITIONS",
            "alter": "NONE",
            "configs": {
                "max.message.bytes": ["123456", "DYNAMIC_TOPIC_CONFIG"],
                "retention.ms": ["7200000", "DYNAMIC_TOPIC_CONFIG"],
            },
            "default": {"cleanup.policy": ["delete", "DEFAULT_CONFIG"]},
            "delete": "NONE",
            "describe_deleted": "UNKNOWN_TOPIC_OR_PARTITION",
        }),
        "codec-none" | "codec-gzip" | "codec-snappy" | "codec-lz4" | "codec-zstd" => json!({
            "count": 200,
            "ordered": true,
            "sha256": "13aebc2292b8e339e515c59535bc6eb860260b47b7cd127fb388d4d363d99756",
        }),
        "record-shapes" => json!({"same": true}),
        "timestamps" => json!({
            "earliest": 0,
            "latest": 5,
            "before_all": 0,
            "at_exact": 2,
            "between": 3,
            "after_all": -1,
            "max_timestamp": 4,
            "timestamps": [0, 1000, 2000, 3000, 4000],
            "skewed_max": 3,
            "skewed_between": 3,
            "skewed_after_all": -1,
        }),
        "delete-records" => json!({
            "low_watermark": 20,
            "earliest": 20,
            "latest": 50,
            "read": 30,
            "first": 20,
            "beyond": "OFFSET_OUT_OF_RANGE",
        }),
        "errors" => json!({
            "too_large": "MESSAGE_TOO_LARGE",
            "bad_name": "INVALID_TOPIC_EXCEPTION",
            "bad_config_name": "INVALID_CONFIG",
            "bad_config_value": "INVALID_CONFIG",
            "replication": "INVALID_REPLICATION_FACTOR",
            "partitions_zero": "INVALID_PARTITIONS",
        }),
        "auto-create" => json!({"partitions": 1, "count": 10}),
        "segments" => json!({"count": 5000, "ordered": true}),
        "empty-poll" => json!({"empty_records": 0, "end_records": 0}),
        "list-many" => json!({"created": 100, "listed": 100, "read": 100}),
        "compression-type" => json!({"zstd": 50, "uncompressed": 50}),
        "log-append-time" => json!({"within": true, "type": "LogAppendTime"}),
        _ => return None,
    })
}

fn groups(scenario: &str) -> Option<Value> {
    Some(match scenario {
        "group-three" => json!({
            "assigned_three": [2, 2, 2],
            "after_leave": [3, 3],
            "after_kill": [6],
            "records_seen": 60,
            "committed_total": 60,
        }),
        "static-members" => json!({
            "assigned": [3, 3],
            "same_assignment": true,
            "other_disturbed": false,
        }),
        "cooperative" => json!({
            "first_alone": 6,
            "first_after": 3,
            "second_after": 3,
            "revoked_from_first": 3,
        }),
        "commit" => json!({
            "listed": true,
            "state_active": "Stable",
            "delete_active": "NON_EMPTY_GROUP",
            "state_empty": "Empty",
            "delete_offsets": "NONE",
            "after_delete_offsets": -1,
            "delete_group": "NONE",
            "listed_after": false,
        }),
        "resume.1" => json!({"consumed": 40, "committed": 40}),
        "resume.2" => json!({"first_offset": 40, "consumed": 30, "committed": 70}),
        "resume.3" => json!({"first_offset": 70, "consumed": 30, "log_end": 100}),
        "idempotent.1" => json!({"acked": 1000}),
        "idempotent.2" => json!({"count": 1000, "distinct": 1000, "in_order": true}),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{IDEMPOTENT, RESUME, SCENARIOS, TOOLS};

    #[test]
    fn every_scenario_has_an_expectation() {
        let phases = RESUME.iter().chain(&IDEMPOTENT);
        for scenario in SCENARIOS.iter().chain(&TOOLS).chain(phases) {
            assert!(expected(scenario).is_some(), "{scenario}");
        }
    }
}
