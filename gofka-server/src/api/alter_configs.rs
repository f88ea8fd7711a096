//! AlterConfigs (33), versions 0-2: these settings of a resource and no others.
//!
//! Behaviour: what is not named goes back to its default, which is why KIP-339 brought
//! IncrementalAlterConfigs. Each resource is changed as a whole or not at all.

use gofka_raft::{ConfigAlteration, ConfigResource};
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::config_changes::{self, Change};
use super::wire::{error_parts, resource_kind};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<AlterConfigsRequest>(0, 2);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: AlterConfigsRequest) -> Outcome {
    let changes = request.resources.iter().map(change).collect();
    let answers = config_changes::apply(context, changes, request.validate_only).await;
    let mut codes = Vec::new();
    let responses = answers.into_iter().map(|((kind, name), answer)| {
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(kind)
            .with_resource_name(StrBytes::from_string(name));
        let Err(error) = answer else { return response };
        codes.push(error.code);
        let (code, message) = error_parts(error);
        response.with_error_code(code).with_error_message(message)
    });
    let response = AlterConfigsResponse::default().with_responses(responses.collect());
    Outcome::Now(context.reply(&response).with_errors(codes))
}

fn change(resource: &AlterConfigsResource) -> Change {
    let name = resource.resource_name.to_string();
    let configs = resource.configs.iter().map(|config| {
        (config.name.to_string(), config.value.as_ref().map(ToString::to_string))
    });
    let alteration = resource_kind(resource.resource_type).map(|kind| ConfigAlteration::Replace {
        resource: ConfigResource { kind, name: name.clone() },
        configs: configs.collect(),
    });
    Change { resource: (resource.resource_type, name), alteration }
}
