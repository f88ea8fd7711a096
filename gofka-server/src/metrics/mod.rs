//! Every metric family of the broker, and their text form.
//!
//! Owned by `broker.rs`, which hands an `Arc<Metrics>` to all parts; shown by `http/`. Counters
//! are atomics behind handles that hot paths keep (`PartitionMetrics`, the request table);
//! gauges that mirror state are read from it at each scrape (`state`).

mod histogram;
mod labels;
mod process;
mod requests;
mod series;
mod state;

use std::fmt::Write;
use std::sync::Arc;

use gofka_core::ids::{TopicName, TopicPartition};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use histogram::AtomicHistogram;
use labels::{ConsumedLabels, PartitionLabels, RebalanceLabels, TopicLabel};
pub use process::ProcessFigures;
pub use requests::RequestMetrics;
use series::Series;
use state::StateCollector;
pub use state::{Lag, RaftFigures, RaftRole, StateFigures};

/// Groups that one partition's consumption is split by; what others fetch counts as no group's.
const GROUPS_PER_PARTITION_MAX: usize = 256;

/// Series of rebalances, a few for each group; groups beyond count together, under no name.
const REBALANCE_SERIES_MAX: usize = 4_096;
/// Groups that a page names; it still counts all.
pub const GROUPS_SHOWN_MAX: usize = 1_000;
/// Lags that a page shows.
pub const LAGS_SHOWN_MAX: usize = 10_000;

const MESSAGE_SIZE_BOUNDS: &[u64] = &[
    16,
    64,
    256,
    1 << 10,
    4 << 10,
    16 << 10,
    64 << 10,
    256 << 10,
    1 << 20,
    4 << 20,
    16 << 20,
    64 << 20,
];

/// All families.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests by API.
    pub requests: RequestMetrics,
    /// Bytes read from client connections, frames' length fields included.
    pub bytes_received: Counter,
    /// Bytes written to client connections.
    pub bytes_sent: Counter,
    /// Connections open now.
    pub active_connections: Gauge,
    /// Connections accepted.
    pub connections_accepted: Counter,
    /// Connections closed, by either side.
    pub connections_closed: Counter,
    /// Offsets committed, one per partition.
    pub offset_commits: Counter,
    /// 1 while the broker serves.
    pub broker_up: Gauge,
    message_size: AtomicHistogram,
    produced: Series<PartitionLabels, Counter>,
    consumed: Series<ConsumedLabels, Counter>,
    rebalances: Series<RebalanceLabels, Counter>,
    state: StateCollector,
}

impl Metrics {
    /// All families, empty.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::ProcessCollector));
        let gofka = registry.sub_registry_with_prefix("gofka");
        let requests = RequestMetrics::register(gofka);
        let counter = |gofka: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            gofka.register(name, help, counter.clone());
            counter
        };
        let bytes_received = counter(gofka, "bytes_received", "Bytes read from clients");
        let bytes_sent = counter(gofka, "bytes_sent", "Bytes written to clients");
        let connections_accepted = counter(gofka, "connections_accepted", "Connections accepted");
        let connections_closed = counter(gofka, "connections_closed", "Connections closed");
        let offset_commits = counter(gofka, "offset_commits", "Offsets committed, by partition");
        let active_connections = Gauge::default();
        gofka.register("active_connections", "Connections open", active_connections.clone());
        let broker_up = Gauge::default();
        gofka.register("broker_up", "1 while the broker serves", broker_up.clone());
        let message_size = AtomicHistogram::new(MESSAGE_SIZE_BOUNDS, 1.0);
        let help = "Stored bytes per record, averaged within its batch";
        gofka.register("message_size_bytes", help, message_size.clone());
        let new_counter: fn() -> Counter = Counter::default;
        let produced = Series::new(new_counter);
        gofka.register("messages_produced", "Records appended", produced.clone());
        let consumed = Series::new(new_counter);
        let help = "Records fetched, by their offsets; the group is that of the client";
        gofka.register("messages_consumed", help, consumed.clone());
        let rebalances = Series::new(new_counter);
        let help = "Rebalances begun, by group and reason";
        gofka.register("consumer_group_rebalances", help, rebalances.clone());
        let state = StateCollector::default();
        gofka.register_collector(Box::new(state.clone()));
        Self {
            registry,
            requests,
            bytes_received,
            bytes_sent,
            active_connections,
            connections_accepted,
            connections_closed,
            offset_commits,
            broker_up,
            message_size,
            produced,
            consumed,
            rebalances,
            state,
        }
    }

    /// Where the families that mirror state read it, at each scrape.
    pub fn observe_state(&self, source: impl Fn() -> StateFigures + Send + Sync + 'static) {
        self.state.set_source(Some(Box::new(source)));
    }

    /// The handles of one partition; its owner keeps them.
    pub fn partition(&self, partition: &TopicPartition) -> PartitionMetrics {
        let labels = PartitionLabels {
            topic: TopicLabel(partition.topic.clone()),
            partition: partition.partition.0,
        };
        PartitionMetrics {
            produced: self.produced.with(labels.clone()),
            message_size: self.message_size.clone(),
            consumed: self.consumed.clone(),
            by_group: parking_lot::RwLock::default(),
            labels,
        }
    }

    /// Counts a rebalance; `reason` is one of a fixed set, such as `member joined`.
    pub fn rebalanced(&self, group: &str, reason: &'static str) {
        let labels = |group: &str| RebalanceLabels { group: group.into(), reason };
        self.rebalances.with_at_most(REBALANCE_SERIES_MAX, labels(group), || labels("")).inc();
    }

    /// Drops the series of a deleted topic.
    pub fn remove_topic(&self, topic: &TopicName) {
        self.produced.retain(|labels| labels.topic.0 != *topic);
        self.consumed.retain(|labels| labels.topic.0 != *topic);
    }

    /// Drops the series of a group that is gone.
    pub fn remove_group(&self, group: &str) {
        self.rebalances.retain(|labels| *labels.group != *group);
        self.consumed.retain(|labels| *labels.group != *group);
    }

    /// The families as OpenMetrics text.
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string does not fail");
        text
    }

    /// The families as Prometheus text (0.0.4), where a counter's family has its full name.
    pub fn prometheus_text(&self) -> String {
        let open_metrics = self.open_metrics();
        let mut text = String::with_capacity(open_metrics.len());
        let mut counter = None;
        for line in open_metrics.lines().filter(|line| *line != "# EOF") {
            // HELP comes before TYPE: held back until the type is known.
            if line.starts_with("# HELP ") {
                counter = Some(line);
                continue;
            }
            let described = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '));
            if let (Some(help), Some((name, kind))) = (counter.take(), described) {
                let suffix = if kind == "counter" { "_total" } else { "" };
                let help = help.trim_start_matches("# HELP ").trim_start_matches(name);
                writeln!(text, "# HELP {name}{suffix}{help}").expect("strings take all");
                writeln!(text, "# TYPE {name}{suffix} {kind}").expect("strings take all");
                continue;
            }
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// The handles of one partition.
#[derive(Debug)]
pub struct PartitionMetrics {
    labels: PartitionLabels,
    produced: Arc<Counter>,
    message_size: AtomicHistogram,
    consumed: Series<ConsumedLabels, Counter>,
    /// The few groups that read this partition, in the order they were first seen.
    by_group: parking_lot::RwLock<Vec<(Arc<str>, Arc<Counter>)>>,
}

impl PartitionMetrics {
    /// Counts a batch of `records` in `bytes` as appended.
    pub fn produced(&self, records: u64, bytes: u64) {
        if records > 0 {
            self.produced.inc_by(records);
            self.message_size.observe_many(bytes / records, records);
        }
    }

    /// Counts `records` as fetched by a member of `group`; empty when none is known.
    pub fn consumed(&self, group: &str, records: u64) {
        if records > 0 {
            self.consumed_by(group).inc_by(records);
        }
    }

    fn consumed_by(&self, group: &str) -> Arc<Counter> {
        if let Some((_, counter)) = self.by_group.read().iter().find(|(name, _)| **name == *group) {
            return counter.clone();
        }
        let mut by_group = self.by_group.write();
        let group = if by_group.len() < GROUPS_PER_PARTITION_MAX { group } else { "" };
        let name: Arc<str> = group.into();
        let counter = self.consumed.with(ConsumedLabels {
            topic: self.labels.topic.clone(),
            partition: self.labels.partition,
            group: name.clone(),
        });
        if !by_group.iter().any(|(known, _)| *known == name) {
            by_group.push((name, counter.clone()));
        }
        counter
    }
}

#[cfg(test)]
mod tests;
