//! DescribeCluster (60), versions 0-2: the cluster's id, its brokers and its controller (KIP-700).
//!
//! Behaviour: brokers are named by the address they advertise on the listener that was asked.
//! Only the endpoint type "brokers" (1) is answered here; controllers have their own listener.
//!
//! Version notes: 1 endpoint type (KIP-919); 2 fenced brokers on request (KIP-1073).

use gofka_core::error::{ApiError, ErrorCode};
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;

use super::wire::{broker_id, endpoint_of, error_parts};
use super::{Api, Outcome, RequestContext, operations};

/// The row of the table.
pub const API: Api = Api::new::<DescribeClusterRequest>(0, 2);

const BROKERS: i8 = 1;

/// Answers from the image.
pub async fn handle(context: &RequestContext, request: DescribeClusterRequest) -> Outcome {
    if context.api_version >= 1 && request.endpoint_type != BROKERS {
        return refuse(context, request.endpoint_type);
    }
    let image = context.broker.controller.image();
    let listener = &context.listener().name;
    let shown = |fenced: bool| !fenced || request.include_fenced_brokers;
    let brokers = image.brokers.values().filter(|broker| shown(broker.fenced));
    let brokers = brokers.filter_map(|broker| {
        let endpoint = endpoint_of(broker, listener)?;
        let found = DescribeClusterBroker::default()
            .with_broker_id(broker_id(Some(broker.id)))
            .with_host(StrBytes::from_string(endpoint.host.clone()))
            .with_port(endpoint.port.into())
            .with_rack(broker.rack.clone().map(StrBytes::from_string))
            .with_is_fenced(broker.fenced);
        Some(found)
    });
    let asked = request.include_cluster_authorized_operations;
    let response = DescribeClusterResponse::default()
        .with_cluster_id(StrBytes::from_string(image.cluster_id.to_string()))
        .with_controller_id(broker_id(Some(context.broker.node)))
        .with_brokers(brokers.collect())
        .with_cluster_authorized_operations(operations::of_cluster(asked));
    context.now(&response)
}

fn refuse(context: &RequestContext, endpoint_type: i8) -> Outcome {
    let error = if endpoint_type == 2 {
        let text = "The request was sent to an endpoint of wrong type: this is a broker.";
        ApiError::new(ErrorCode::MismatchedEndpointType, text)
    } else {
        let text = format!("Unsupported endpoint type {endpoint_type}");
        ApiError::new(ErrorCode::UnsupportedEndpointType, text)
    };
    let code = error.code;
    let (number, message) = error_parts(error);
    let response = DescribeClusterResponse::default()
        .with_error_code(number)
        .with_error_message(message)
        .with_cluster_authorized_operations(operations::NOT_ASKED);
    Outcome::Now(context.reply(&response).with_error(code))
}
