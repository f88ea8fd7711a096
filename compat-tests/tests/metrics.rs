//! What a dashboard sees while a client works: every promised family moves, and the series of a
//! topic and of a group go with them.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use compat_tests::broker::{Broker, Kind};
use compat_tests::driver::{Outcome, driver};
use compat_tests::process::eventually;
use compat_tests::wire;

const LIMIT: Duration = Duration::from_secs(30);

/// Every family that dashboards may rely on. A lone node has no raft peers.
const FAMILIES: &[&str] = &[
    "gofka_messages_produced_total",
    "gofka_messages_consumed_total",
    "gofka_message_size_bytes_count",
    "gofka_consumer_group_members",
    "gofka_consumer_group_rebalances_total",
    "gofka_consumer_lag",
    "gofka_log_segments",
    "gofka_log_size_bytes",
    "gofka_offset_commits_total",
    "gofka_requests_received_total",
    "gofka_request_duration_seconds_count",
    "gofka_request_errors_total",
    "gofka_bytes_received_total",
    "gofka_bytes_sent_total",
    "gofka_raft_state",
    "gofka_raft_term",
    "gofka_raft_commit_index",
    "gofka_raft_applied_index",
    "gofka_broker_up",
    "gofka_topics_total",
    "gofka_partitions_total",
    "gofka_active_connections",
    "gofka_connections_accepted_total",
    "gofka_connections_closed_total",
];

fn page(http: SocketAddr) -> String {
    let mut stream = wire::connect(http, LIMIT).expect("a connection");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// The names of the samples that are not zero.
fn moved(page: &str) -> BTreeSet<&str> {
    let samples = page.lines().filter_map(|line| line.rsplit_once(' '));
    let not_zero = samples.filter(|(_, value)| value.parse::<f64>().is_ok_and(|v| v != 0.0));
    not_zero.map(|(series, _)| series.split('{').next().unwrap_or(series)).collect()
}

#[test]
fn every_promised_family_moves_and_series_go_with_their_topic_and_group() {
    let client = driver("confluent-kafka");
    client.tool.ensure();
    let broker = Broker::start(Kind::Gofka, &[]);
    let scenarios = ["topic-admin", "group-three", "commit", "errors"];
    let done = AtomicBool::new(false);
    let (outcomes, seen) = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            eventually(LIMIT * 8, || {
                let ended = done.load(Ordering::Acquire);
                seen.extend(moved(&page(broker.http_address())).into_iter().map(str::to_owned));
                ended
            });
            seen
        });
        let outcomes = client.run(&broker.bootstrap(), "metrics", &scenarios);
        done.store(true, Ordering::Release);
        (outcomes, watcher.join().expect("the watcher does not panic"))
    });
    for (scenario, outcome) in &outcomes {
        assert!(matches!(outcome, Outcome::Observed(_)), "{scenario}: {outcome:?}");
    }
    let still: Vec<_> = FAMILIES.iter().filter(|family| !seen.contains(**family)).collect();
    assert!(still.is_empty(), "never moved: {still:?}");

    // These scenarios end by deleting their topic and their group.
    for gone in ["topic=\"metrics-topic-admin\"", "group=\"metrics-commit-group\""] {
        let mut last = String::new();
        let is_gone = eventually(LIMIT, || {
            last = page(broker.http_address());
            !last.contains(gone)
        });
        let left: Vec<_> = last.lines().filter(|line| line.contains(gone)).collect();
        assert!(is_gone, "series that should be gone: {left:?}");
    }
    assert!(page(broker.http_address()).contains("topic=\"metrics-commit\""), "the topic is there");
}
