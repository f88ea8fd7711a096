//! Families that mirror state: read from the broker at each scrape, so that they cost nothing
//! in between, are never stale, and go with the topic or group that they describe.

use std::fmt;
use std::sync::Arc;

use gofka_core::ids::TopicName;
use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use super::labels::{GroupLabels, LagLabels, TopicLabel, TopicLabels};

/// The part that a node plays in the metadata quorum, as `gofka_raft_state` numbers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RaftRole {
    /// Follows a leader, or does not vote.
    #[default]
    Follower = 0,
    /// Asks for votes.
    Candidate = 1,
    /// Leads.
    Leader = 2,
    /// Has stopped.
    Shutdown = 3,
}

/// The metadata quorum, as this node sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RaftFigures {
    /// This node's part.
    pub role: RaftRole,
    /// The current term.
    pub term: u64,
    /// The last committed index.
    pub commit_index: u64,
    /// The last applied index.
    pub applied_index: u64,
    /// The voters, this node included.
    pub peers: u64,
}

/// How far a group is behind in one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The group.
    pub group: Arc<str>,
    /// The topic.
    pub topic: TopicName,
    /// The partition of it.
    pub partition: i32,
    /// High watermark minus the committed offset, in records; never below 0.
    pub records: i64,
}

/// Everything that mirrors state, at one moment.
#[derive(Clone, Debug, Default)]
pub struct StateFigures {
    /// The quorum; none on a node that has no part in it.
    pub raft: Option<RaftFigures>,
    /// Each topic with its number of partitions.
    pub topics: Vec<(TopicName, u64)>,
    /// Segments of all logs here.
    pub log_segments: u64,
    /// Bytes of all logs here.
    pub log_size_bytes: u64,
    /// How many groups there are.
    pub groups: u64,
    /// Groups with their number of members; not all of them where there are very many.
    pub group_members: Vec<(Arc<str>, u64)>,
    /// Each partition that a group has committed an offset for.
    pub lags: Vec<Lag>,
}

type Source = dyn Fn() -> StateFigures + Send + Sync;

/// Asks the broker at each scrape; empty until it has started.
#[derive(Clone, Default)]
pub(super) struct StateCollector {
    source: Arc<RwLock<Option<Box<Source>>>>,
}

impl StateCollector {
    pub(super) fn set_source(&self, source: Option<Box<Source>>) {
        *self.source.write() = source;
    }

    fn figures(&self) -> StateFigures {
        self.source.read().as_ref().map(|source| source()).unwrap_or_default()
    }
}

impl fmt::Debug for StateCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateCollector")
    }
}

impl Collector for StateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let state = self.figures();
        let raft = state.raft.unwrap_or_default();
        let partitions: u64 = state.topics.iter().map(|(_, partitions)| partitions).sum();
        let singles = [
            ("raft_state", "0 follower, 1 candidate, 2 leader, 3 stopped", raft.role as u64),
            ("raft_term", "Term of the metadata quorum", raft.term),
            ("raft_commit_index", "Last committed index of the metadata log", raft.commit_index),
            ("raft_applied_index", "Last applied index of the metadata log", raft.applied_index),
            ("raft_peers", "Voters of the metadata quorum, this node included", raft.peers),
            ("topics_total", "Topics in the cluster", state.topics.len() as u64),
            ("log_segments", "Segments of the logs of this broker", state.log_segments),
            ("log_size_bytes", "Bytes of the logs of this broker", state.log_size_bytes),
            ("groups", "Groups that this broker coordinates", state.groups),
            ("partitions", "Partitions in the cluster", partitions),
        ];
        for (name, help, value) in singles {
            gauges(&mut encoder, name, help, [(None::<GroupLabels>, value as i64)])?;
        }
        let topics = state.topics.into_iter().map(|(topic, partitions)| {
            (Some(TopicLabels { topic: TopicLabel(topic) }), partitions as i64)
        });
        gauges(&mut encoder, "partitions_total", "Partitions, by topic", topics)?;
        let members = state
            .group_members
            .into_iter()
            .map(|(group, members)| (Some(GroupLabels { group }), members as i64));
        gauges(&mut encoder, "consumer_group_members", "Members, by group", members)?;
        let lags = state.lags.into_iter().map(|lag| {
            let topic = TopicLabel(lag.topic);
            (Some(LagLabels { group: lag.group, topic, partition: lag.partition }), lag.records)
        });
        let help = "Records between a group's committed offset and the high watermark";
        gauges(&mut encoder, "consumer_lag", help, lags)
    }
}

/// One gauge family with a value for each label set, or a single value without labels.
fn gauges<L: EncodeLabelSet>(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    values: impl IntoIterator<Item = (Option<L>, i64)>,
) -> fmt::Result {
    let kind = prometheus_client::metrics::MetricType::Gauge;
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for (labels, value) in values {
        let gauge = ConstGauge::new(value);
        match labels {
            Some(labels) => gauge.encode(metric.encode_family(&labels)?)?,
            None => metric.encode_gauge(&value)?,
        }
    }
    Ok(())
}
