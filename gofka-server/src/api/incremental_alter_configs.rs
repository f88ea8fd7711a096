//! IncrementalAlterConfigs (44), versions 0-1: single settings change, others stay (KIP-339).
//!
//! Behaviour: SET and DELETE for every setting, APPEND and SUBTRACT for lists. Each resource is
//! changed as a whole or not at all.

use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::{AlterOp, ConfigAlteration, ConfigResource, ResourceKind};
use kafka_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
};

use super::config_changes::{self, Change};
use super::wire::resource_kind;
use super::{Api, Outcome, RequestContext};

/// The row of the table.
pub const API: Api = Api::new::<IncrementalAlterConfigsRequest>(0, 1);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: IncrementalAlterConfigsRequest) -> Outcome {
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
    let response = IncrementalAlterConfigsResponse::default().with_responses(responses.collect());
    Outcome::Now(context.reply(&response).with_errors(codes))
}

fn change(resource: &AlterConfigsResource) -> Change {
    let name = resource.resource_name.to_string();
    let alteration = resource_kind(resource.resource_type).and_then(|kind| {
        let changes = resource.configs.iter().map(|config| operation(kind, config));
        let changes = changes.collect::<Result<Vec<_>, ApiError>>()?;
        let resource = ConfigResource { kind, name: name.clone() };
        Ok(ConfigAlteration::Incremental { resource, changes })
    });
    Change { resource: (resource.resource_type, name), alteration }
}

/// `AlterConfigOp.OpType` of one setting.
fn operation(
    kind: ResourceKind,
    config: &AlterableConfig,
) -> Result<(String, AlterOp, Option<String>), ApiError> {
    let op = match config.config_operation {
        0 => AlterOp::Set,
        1 => AlterOp::Delete,
        2 => AlterOp::Append,
        3 => AlterOp::Subtract,
        other => {
            // Kafka's controller, which looks at what is no broker's, has no words for it.
            if !matches!(kind, ResourceKind::Broker | ResourceKind::BrokerLogger) {
                return Err(ErrorCode::UnknownServerError.into());
            }
            let text = format!("Unknown operations type {other}");
            return Err(ApiError::new(ErrorCode::InvalidRequest, text));
        }
    };
    Ok((config.name.to_string(), op, config.value.as_ref().map(ToString::to_string)))
}
