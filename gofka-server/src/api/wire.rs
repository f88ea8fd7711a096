//! From Gofka's values to the codec's, for answers about topics and brokers.
//!
//! Called by the handlers of metadata and of topics.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::NodeId;
use gofka_raft::{BrokerImage, Endpoint, ResourceKind};
use kafka_protocol::messages::{BrokerId, TopicName};
use kafka_protocol::protocol::StrBytes;

/// A topic's name.
pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A node's id; none is -1.
pub(super) fn broker_id(node: Option<NodeId>) -> BrokerId {
    BrokerId(node.map_or(-1, |node| node.0))
}

/// Nodes' ids, in order.
pub(super) fn broker_ids(nodes: &[NodeId]) -> Vec<BrokerId> {
    nodes.iter().map(|node| BrokerId(node.0)).collect()
}

/// Codec's ids as ours.
pub(super) fn node_ids(brokers: &[BrokerId]) -> Vec<NodeId> {
    brokers.iter().map(|broker| NodeId(broker.0)).collect()
}

/// An error's code and sentence.
pub(super) fn error_parts(error: ApiError) -> (i16, Option<StrBytes>) {
    (error.code.code(), error.message.map(StrBytes::from_string))
}

/// Where `broker` is reached by clients that use `listener`.
pub(super) fn endpoint_of<'a>(broker: &'a BrokerImage, listener: &str) -> Option<&'a Endpoint> {
    broker.endpoints.iter().find(|endpoint| endpoint.listener == listener)
}

/// What a resource's number stands for (`ConfigResource.Type`).
pub(super) fn resource_kind(number: i8) -> Result<ResourceKind, ApiError> {
    let kinds = [
        ResourceKind::Topic,
        ResourceKind::Broker,
        ResourceKind::BrokerLogger,
        ResourceKind::ClientMetrics,
        ResourceKind::Group,
    ];
    kinds.into_iter().find(|kind| *kind as i8 == number).ok_or_else(|| {
        let text = format!("Unknown resource type {number}");
        ApiError::new(ErrorCode::InvalidRequest, text)
    })
}
