//! IncrementalAlterConfigs (44), versions 0-1: single settings change, others stay (KIP-339).
//!
//! Behaviour: SET and DELETE for every setting, APPEND and SUBTRACT for lists. Each resource is
//! changed as a whole or not at all.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::{AlterOp, ConfigAlteration, ConfigResource};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::config_changes::{self, Change};
use super::wire::{error_parts, resource_kind};
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<IncrementalAlterConfigsRequest>(0, 1);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: IncrementalAlterConfigsRequest) -> Outcome {
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
    let response = IncrementalAlterConfigsResponse::default().with_responses(responses.collect());
    Outcome::Now(context.reply(&response).with_errors(codes))
}

fn change(resource: &AlterConfigsResource) -> Change {
    let name = resource.resource_name.to_string();
    let alteration = resource_kind(resource.resource_type).and_then(|kind| {
        let changes: Result<Vec<_>, ApiError> = resource.configs.iter().map(operation).collect();
        let resource = ConfigResource { kind, name: name.clone() };
        Ok(ConfigAlteration::Incremental { resource, changes: changes? })
    });
    Change { resource: (resource.resource_type, name), alteration }
}

/// `AlterConfigOp.OpType` of one setting.
fn operation(config: &AlterableConfig) -> Result<(String, AlterOp, Option<String>), ApiError> {
    let op = match config.config_operation {
        0 => AlterOp::Set,
        1 => AlterOp::Delete,
        2 => AlterOp::Append,
        3 => AlterOp::Subtract,
        other => {
            let text = format!("Unknown operation {other} on {}", config.name.as_str());
            return Err(ApiError::new(ErrorCode::InvalidRequest, text));
        }
    };
    Ok((config.name.to_string(), op, config.value.as_ref().map(ToString::to_string)))
}
