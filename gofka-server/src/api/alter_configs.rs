//! AlterConfigs (33), versions 0-2: these settings of a resource and no others.
//!
//! Behaviour: what is not named goes back to its default, which is why KIP-339 brought
//! IncrementalAlterConfigs. Each resource is changed as a whole or not at all.

use gofka_raft::{ConfigAlteration, ConfigResource};
use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};

use super::config_changes::{self, Change};
use super::wire::resource_kind;
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<AlterConfigsRequest>(0, 2);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: AlterConfigsRequest) -> Outcome {
    let changes = request.resources.iter().map(change).collect();
    let (codes, answers) =
        config_changes::apply(context, changes, request.validate_only).await;
    let responses = answers.into_iter().map(|answer| {
        AlterConfigsResourceResponse::default()
            .with_error_code(answer.code)
            .with_error_message(answer.message)
            .with_resource_type(answer.kind)
            .with_resource_name(answer.name)
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
