//! FindCoordinator (10), versions 0-6: which broker coordinates a group.
//!
//! Behaviour: the leader of the group's partition of `__consumer_offsets`. The topic is made on
//! first use, and the answer waits for that, so that the first consumer finds its coordinator at
//! once (Kafka answers COORDINATOR_NOT_AVAILABLE first). Transactions are not served yet: whoever
//! looks for their coordinator is refused with the one code that Java's producer and librdkafka's
//! both give up on at once, and the log says so. Share coordinators are refused, as by a Kafka
//! without them.
//!
//! Version notes: 1 brings the type and the message; 4 several keys (KIP-699); 6 share groups
//! (KIP-932).

use gofka_core::error::ErrorCode;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;

use super::group_wire::text;
use super::{Api, Outcome, Reply, RequestContext, no_transactions};

/// The row of the table.
pub const API: Api = Api::new::<FindCoordinatorRequest>(0, 6);

const TYPE_GROUP: i8 = 0;
const TYPE_TRANSACTION: i8 = 1;
/// The first version with several keys.
const BATCHED_FROM: i16 = 4;

/// Where a coordinator can be reached.
struct Address {
    node: i32,
    host: StrBytes,
    port: i32,
}

/// Answers once the offsets topic exists.
pub async fn handle(context: &RequestContext, request: FindCoordinatorRequest) -> Outcome {
    let context = context.clone();
    Outcome::later(async move {
        if context.api_version < BATCHED_FROM {
            return find_one(&context, &request).await;
        }
        let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
        let mut errors = Vec::new();
        for key in request.coordinator_keys {
            let found = find(&context, request.key_type, &key).await;
            errors.extend(found.as_ref().err());
            coordinators.push(batched(key, found));
        }
        let response = FindCoordinatorResponse::default().with_coordinators(coordinators);
        context.reply(&response).with_errors(errors)
    })
}

async fn find_one(context: &RequestContext, request: &FindCoordinatorRequest) -> Reply {
    let found = find(context, request.key_type, &request.key).await;
    let error = found.as_ref().err().copied();
    context.reply(&single(context.api_version, found)).with_errors(error)
}

fn single(version: i16, found: Result<Address, ErrorCode>) -> FindCoordinatorResponse {
    let error = found.as_ref().err().copied().unwrap_or(ErrorCode::None);
    let mut response = FindCoordinatorResponse::default()
        .with_error_code(error.code())
        .with_node_id(BrokerId(-1))
        .with_port(-1);
    if version >= 1 {
        response.error_message = Some(message(error));
    }
    if let Ok(address) = found {
        response.node_id = BrokerId(address.node);
        response.host = address.host;
        response.port = address.port;
    }
    response
}

fn batched(key: StrBytes, found: Result<Address, ErrorCode>) -> Coordinator {
    let coordinator = Coordinator::default().with_key(key);
    match found {
        Ok(address) => coordinator
            .with_node_id(BrokerId(address.node))
            .with_host(address.host)
            .with_port(address.port)
            .with_error_message(Some(StrBytes::default())),
        Err(error) => coordinator
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(error.code())
            .with_error_message(Some(message(error))),
    }
}

fn message(error: ErrorCode) -> StrBytes {
    match error {
        ErrorCode::CoordinatorNotAvailable => {
            StrBytes::from_static_str("The coordinator is not available.")
        }
        no_transactions::CODE => StrBytes::from_static_str(no_transactions::MESSAGE),
        ErrorCode::InvalidRequest => {
            StrBytes::from_static_str("This broker has no coordinators of that type.")
        }
        other => text(other.name()),
    }
}

async fn find(
    context: &RequestContext,
    key_type: i8,
    key: &StrBytes,
) -> Result<Address, ErrorCode> {
    match key_type {
        TYPE_GROUP => {}
        TYPE_TRANSACTION => return Err(no_transactions::refuse(context)),
        // Share groups are not served, so their type is as unknown as any other.
        _ => return Err(ErrorCode::InvalidRequest),
    }
    let node = context.broker.groups.find(key.as_str()).await?;
    let image = context.broker.controller.image();
    let broker = image.brokers.get(&node).ok_or(ErrorCode::CoordinatorNotAvailable)?;
    let listener = &context.listener().name;
    let endpoint = broker.endpoints.iter().find(|endpoint| endpoint.listener == *listener);
    let endpoint = endpoint.ok_or(ErrorCode::CoordinatorNotAvailable)?;
    Ok(Address { node: node.0, host: text(&endpoint.host), port: i32::from(endpoint.port) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::group_wire::assert_encodes;

    #[test]
    fn answers_encode_in_every_version() {
        let address = || Address { node: 1, host: text("h"), port: 9092 };
        let errors = [ErrorCode::CoordinatorNotAvailable, no_transactions::CODE];
        for error in errors.map(Some).into_iter().chain([None]) {
            assert_encodes(&API, |version| {
                let found = error.map_or_else(|| Ok(address()), Err);
                if version < BATCHED_FROM {
                    return single(version, found);
                }
                let coordinators = vec![batched(text("g"), found)];
                FindCoordinatorResponse::default().with_coordinators(coordinators)
            });
        }
    }
}
