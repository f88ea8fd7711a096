//! ListConfigResources (74), versions 0-1: what can have settings (KIP-1142).
//!
//! Behaviour: every topic, broker and its loggers; groups and telemetry subscriptions that have
//! settings of their own.
//!
//! Version notes: 0 lists telemetry subscriptions only (KIP-1000); 1 lists the kinds asked for,
//! all of them when none is named.

use std::collections::BTreeSet;

use gofka_core::error::ErrorCode;
use gofka_raft::{MetadataImage, ResourceKind};
use kafka_protocol::messages::list_config_resources_response::ConfigResource;
use kafka_protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use kafka_protocol::protocol::StrBytes;

use super::wire::resource_kind;
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<ListConfigResourcesRequest>(0, 1);

const ALL: [ResourceKind; 5] = [
    ResourceKind::Topic,
    ResourceKind::Broker,
    ResourceKind::BrokerLogger,
    ResourceKind::ClientMetrics,
    ResourceKind::Group,
];

/// Answers from the image.
pub async fn handle(context: &RequestContext, request: ListConfigResourcesRequest) -> Outcome {
    let asked: Result<Vec<ResourceKind>, _> =
        request.resource_types.iter().map(|number| resource_kind(*number)).collect();
    let mut kinds = match asked {
        _ if context.api_version == 0 => vec![ResourceKind::ClientMetrics],
        Ok(kinds) if kinds.is_empty() => ALL.to_vec(),
        Ok(kinds) => kinds,
        Err(_) => {
            let code = ErrorCode::UnsupportedVersion;
            let response = ListConfigResourcesResponse::default().with_error_code(code.code());
            return Outcome::Now(context.reply(&response).with_error(code));
        }
    };
    let image = context.broker.controller.image();
    let mut resources = Vec::new();
    kinds.sort_unstable_by_key(|kind| *kind as i8);
    kinds.dedup();
    for kind in kinds {
        // Version 0 has no field for the kind; there it is what the field defaults to.
        let resource = |name| {
            ConfigResource::default()
                .with_resource_name(StrBytes::from_string(name))
                .with_resource_type(kind as i8)
        };
        resources.extend(names(&image, kind).into_iter().map(resource));
    }
    context.now(&ListConfigResourcesResponse::default().with_config_resources(resources))
}

fn names(image: &MetadataImage, kind: ResourceKind) -> BTreeSet<String> {
    match kind {
        ResourceKind::Topic => image.topics.keys().map(ToString::to_string).collect(),
        ResourceKind::Broker | ResourceKind::BrokerLogger => {
            image.brokers.keys().map(ToString::to_string).collect()
        }
        ResourceKind::ClientMetrics | ResourceKind::Group => {
            let set = image.configs.keys().filter(|resource| resource.kind == kind);
            set.map(|resource| resource.name.clone()).collect()
        }
    }
}
