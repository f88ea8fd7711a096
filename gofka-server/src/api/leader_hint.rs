//! Who leads a partition, told to a client that asked the wrong broker (KIP-951).
//!
//! Called by Produce and Fetch for `NOT_LEADER_OR_FOLLOWER` and `FENCED_LEADER_EPOCH`.

use gofka_core::ids::{LeaderEpoch, NodeId, PartitionIndex};
use gofka_raft::Endpoint;
use kafka_protocol::messages::produce_response;
use kafka_protocol::protocol::StrBytes;

use super::RequestContext;

/// Leader and epoch; both -1 where nobody leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaderHint {
    /// The leader.
    pub(super) leader: NodeId,
    /// Its epoch.
    pub(super) epoch: LeaderEpoch,
}

/// Where a leader can be reached, on the listener that the client uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LeaderEndpoint {
    /// The node.
    pub(super) node: NodeId,
    /// Its host.
    pub(super) host: String,
    /// Its port.
    pub(super) port: u16,
    /// Its rack.
    pub(super) rack: Option<String>,
}

impl LeaderHint {
    /// Who leads the partition, by the latest metadata.
    pub(super) fn find(
        context: &RequestContext,
        topic: &str,
        index: PartitionIndex,
    ) -> Option<Self> {
        let image = context.broker.controller.image();
        let partition = image.partition(topic, index)?;
        Some(Self { leader: partition.leader.unwrap_or(NodeId(-1)), epoch: partition.leader_epoch })
    }
}

/// The endpoints of `leaders`, each once.
pub(super) fn endpoints(context: &RequestContext, leaders: &[i32]) -> Vec<LeaderEndpoint> {
    let image = context.broker.controller.image();
    let mut nodes: Vec<i32> = leaders.to_vec();
    nodes.sort_unstable();
    nodes.dedup();
    let listener = &context.listener().name;
    let mut found = Vec::new();
    for node in nodes {
        let Some(broker) = image.brokers.get(&NodeId(node)) else {
            continue;
        };
        let same = |endpoint: &&Endpoint| endpoint.listener == *listener;
        if let Some(endpoint) = broker.endpoints.iter().find(same) {
            found.push(LeaderEndpoint {
                node: NodeId(node),
                host: endpoint.host.clone(),
                port: endpoint.port,
                rack: broker.rack.clone(),
            });
        }
    }
    found
}

/// The endpoints of `leaders` as Produce writes them.
pub(super) fn produce_endpoints(
    context: &RequestContext,
    leaders: &[i32],
) -> Vec<produce_response::NodeEndpoint> {
    endpoints(context, leaders)
        .into_iter()
        .map(|endpoint| {
            produce_response::NodeEndpoint::default()
                .with_node_id(endpoint.node.0.into())
                .with_host(StrBytes::from_string(endpoint.host))
                .with_port(i32::from(endpoint.port))
                .with_rack(endpoint.rack.map(StrBytes::from_string))
        })
        .collect()
}
