//! CreatePartitions (37), versions 0-3: gives topics more partitions.
//!
//! Behaviour: the controller decides each topic by itself; the answer leaves when this broker
//! serves the new partitions. A name that stands twice in one request is refused.
//!
//! Version notes: 3 may answer THROTTLING_QUOTA_EXCEEDED (KIP-599).

use std::collections::HashSet;

use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::NewPartitions;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::wire::{error_parts, node_ids, topic_name};
use super::{Api, Outcome, RequestContext, change_lines, duplicates};
use crate::cluster::topics;

/// The row of the table.
pub const API: Api = Api::new::<CreatePartitionsRequest>(0, 3);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: CreatePartitionsRequest) -> Outcome {
    let (once, twice) = duplicates::split(&request.topics, |topic| topic.name.as_str());
    let new: Vec<NewPartitions> = once.into_iter().map(new_partitions).collect();
    let names: Vec<(String, i32)> =
        new.iter().map(|topic| (topic.topic.clone(), topic.count)).collect();
    let answers = topics::create_partitions(&context.broker, new, request.validate_only).await;

    for ((name, count), answer) in names.iter().zip(&answers) {
        if answer.is_ok() && !request.validate_only {
            change_lines::grown(context, name, *count);
        }
    }
    let refused = twice.iter().map(|name| result(name, Some(duplicates::error())));
    let answered = names.iter().zip(answers).map(|((name, _), answer)| result(name, answer.err()));
    let (results, codes): (Vec<_>, HashSet<_>) = answered.chain(refused).unzip();
    let response = CreatePartitionsResponse::default().with_results(results);
    Outcome::Now(context.reply(&response).with_errors(codes))
}

fn new_partitions(topic: &CreatePartitionsTopic) -> NewPartitions {
    let assignments = topic.assignments.as_ref().map(|assignments| {
        assignments.iter().map(|assignment| node_ids(&assignment.broker_ids)).collect()
    });
    NewPartitions { topic: topic.name.to_string(), count: topic.count, assignments }
}

fn result(name: &str, error: Option<ApiError>) -> (CreatePartitionsTopicResult, ErrorCode) {
    let error = error.unwrap_or_else(|| ErrorCode::None.into());
    let code = error.code;
    let (number, message) = error_parts(error);
    let result = CreatePartitionsTopicResult::default()
        .with_name(topic_name(name))
        .with_error_code(number)
        .with_error_message(message);
    (result, code)
}
