//! Each family that the project promises is there, under its name and labels, and moves.

use super::*;
use gofka_core::error::ErrorCode;
use std::time::Duration;

fn moved() -> Metrics {
    let metrics = Metrics::new();
    let orders = metrics.partition(&TopicPartition::new("orders", 3));
    orders.produced(4, 400);
    orders.consumed("readers", 3);
    orders.consumed("", 1);
    metrics.rebalanced("readers", "member joined");
    metrics.requests.received(0, 9);
    metrics.requests.finished(0, Duration::from_micros(70));
    metrics.requests.failed(0, ErrorCode::NotLeaderOrFollower);
    metrics.bytes_received.inc_by(11);
    metrics.bytes_sent.inc_by(12);
    metrics.offset_commits.inc();
    metrics.active_connections.inc();
    metrics.connections_accepted.inc_by(2);
    metrics.connections_closed.inc();
    metrics.broker_up.set(1);
    metrics.observe_state(|| StateFigures {
        raft: Some(RaftFigures {
            role: RaftRole::Leader,
            term: 5,
            commit_index: 6,
            applied_index: 7,
            peers: 1,
        }),
        topics: vec![("orders".into(), 4)],
        log_segments: 8,
        log_size_bytes: 9,
        groups: 1,
        group_members: vec![("readers".into(), 2)],
        lags: vec![Lag {
            group: "readers".into(),
            topic: "orders".into(),
            partition: 3,
            records: 10,
        }],
    });
    metrics
}

/// Every family of the promise, as one line of the text that must be there.
const PROMISED: &[&str] = &[
    "gofka_messages_produced_total{topic=\"orders\",partition=\"3\"} 4",
    "gofka_messages_consumed_total{topic=\"orders\",partition=\"3\",group=\"readers\"} 3",
    "gofka_messages_consumed_total{topic=\"orders\",partition=\"3\",group=\"\"} 1",
    "gofka_message_size_bytes_count 4",
    "gofka_message_size_bytes_sum 400.0",
    "gofka_consumer_group_members{group=\"readers\"} 2",
    "gofka_consumer_group_rebalances_total{group=\"readers\",reason=\"member joined\"} 1",
    "gofka_consumer_lag{group=\"readers\",topic=\"orders\",partition=\"3\"} 10",
    "gofka_log_segments 8",
    "gofka_log_size_bytes 9",
    "gofka_offset_commits_total 1",
    "gofka_requests_received_total{api_key=\"Produce\",api_version=\"9\"} 1",
    "gofka_request_duration_seconds_count{api_key=\"Produce\"} 1",
    "gofka_request_errors_total{api_key=\"Produce\",error_code=\"NOT_LEADER_OR_FOLLOWER\"} 1",
    "gofka_bytes_received_total 11",
    "gofka_bytes_sent_total 12",
    "gofka_raft_state 2",
    "gofka_raft_term 5",
    "gofka_raft_commit_index 6",
    "gofka_raft_applied_index 7",
    "gofka_raft_peers 1",
    "gofka_broker_up 1",
    "gofka_topics_total 1",
    "gofka_partitions_total{topic=\"orders\"} 4",
    "gofka_active_connections 1",
    "gofka_connections_accepted_total 2",
    "gofka_connections_closed_total 1",
];

#[test]
fn every_promised_family_moves() {
    let metrics = moved();
    for text in [metrics.open_metrics(), metrics.prometheus_text()] {
        for line in PROMISED {
            assert!(text.lines().any(|found| found == *line), "{line} is not in\n{text}");
        }
    }
}

#[test]
fn a_family_without_series_still_shows_its_type() {
    let text = Metrics::new().prometheus_text();
    for line in PROMISED {
        let name = line.split(['{', ' ']).next().unwrap();
        let family = name.trim_end_matches("_count").trim_end_matches("_sum");
        let kind = format!("# TYPE {family} ");
        assert!(text.contains(&kind), "{kind} is not in\n{text}");
    }
}

#[test]
fn prometheus_text_names_counters_in_full_and_has_no_end_mark() {
    let text = moved().prometheus_text();
    assert!(text.contains("# TYPE gofka_bytes_sent_total counter\n"), "{text}");
    assert!(text.contains("# HELP gofka_bytes_sent_total Bytes written to clients.\n"), "{text}");
    assert!(!text.contains("# EOF"));
}

#[test]
fn series_go_with_their_topic_and_group() {
    let metrics = moved();
    metrics.remove_group("readers");
    let text = metrics.open_metrics();
    assert!(!text.contains("rebalances_total{"), "{text}");
    assert!(!text.contains("partition=\"3\",group=\"readers\"} 3"), "{text}");
    metrics.remove_topic(&"orders".into());
    let text = metrics.open_metrics();
    assert!(!text.contains("messages_produced_total{"), "{text}");
    assert!(!text.contains("messages_consumed_total{"), "{text}");
}

#[test]
fn label_values_are_escaped() {
    let metrics = Metrics::new();
    metrics.rebalanced("a\"b\nc\\", "expired");
    let text = metrics.open_metrics();
    assert!(text.contains("group=\"a\\\"b\\nc\\\\\""), "{text}");
}

#[test]
fn what_names_no_api_or_version_is_counted_together() {
    let metrics = Metrics::new();
    metrics.requests.received(9999, 1);
    metrics.requests.received(-1, 1);
    metrics.requests.received(3, 500);
    metrics.requests.failed(9999, ErrorCode::UnsupportedVersion);
    let text = metrics.open_metrics();
    let unknown = "gofka_requests_received_total{api_key=\"unknown\",api_version=\"-1\"} 2";
    assert!(text.contains(unknown), "{text}");
    assert!(text.contains("{api_key=\"Metadata\",api_version=\"-1\"} 1"), "{text}");
}

#[test]
fn rebalances_of_very_many_groups_share_a_series() {
    let metrics = Metrics::new();
    for group in 0..REBALANCE_SERIES_MAX + 10 {
        metrics.rebalanced(&format!("g{group}"), "expired");
    }
    metrics.rebalanced("g0", "expired");
    let text = metrics.open_metrics();
    assert_eq!(text.matches("rebalances_total{").count(), REBALANCE_SERIES_MAX + 1);
    assert!(text.contains("rebalances_total{group=\"\",reason=\"expired\"} 10"));
    assert!(text.contains("rebalances_total{group=\"g0\",reason=\"expired\"} 2"));
}

#[test]
fn groups_beyond_the_limit_count_as_none() {
    let metrics = Metrics::new();
    let partition = metrics.partition(&TopicPartition::new("t", 0));
    for group in 0..GROUPS_PER_PARTITION_MAX + 10 {
        partition.consumed(&format!("g{group}"), 1);
    }
    let series = metrics.open_metrics().matches("messages_consumed_total{").count();
    assert_eq!(series, GROUPS_PER_PARTITION_MAX + 1);
}
