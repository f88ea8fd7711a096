//! DeleteTopics (20), versions 1-6: removes topics, by name or by id.
//!
//! Behaviour: the answer leaves when the metadata no longer has the topic and this broker serves
//! it no more; files go later. With `delete.topic.enable=false` nothing is deleted.
//!
//! Version notes: 3 TOPIC_DELETION_DISABLED where earlier versions say INVALID_REQUEST; 5 error
//! messages; 6 topic ids (KIP-516).

use std::collections::HashSet;

use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::TopicId;
use gofka_raft::{MetadataImage, TopicRef};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse};

use super::wire::{error_parts, topic_name};
use super::{Api, Outcome, RequestContext, change_lines, duplicates};
use crate::cluster::topics;

/// The row of the table.
pub const API: Api = Api::new::<DeleteTopicsRequest>(1, 6);

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: DeleteTopicsRequest) -> Outcome {
    let asked = states(request);
    if let Some(code) = disabled(context) {
        let results = asked.iter().map(|state| failed(state, code.into()));
        let response = DeleteTopicsResponse::default().with_responses(results.collect());
        return Outcome::Now(context.reply(&response).with_error(code));
    }
    let (good, mut results) = sort_out(&asked, &context.broker.controller.image());
    let wanted = good.iter().map(|(_, topic)| topic.clone()).collect();
    let answers = topics::delete(&context.broker, wanted).await;
    let refused = results.iter().filter_map(|result| ErrorCode::from_code(result.error_code));
    let mut codes: HashSet<ErrorCode> = refused.collect();
    for ((state, _), answer) in good.iter().zip(answers) {
        results.push(match answer {
            Ok((name, id)) => {
                change_lines::deleted(context, &name, id);
                DeletableTopicResult::default()
                    .with_name(Some(topic_name(name.as_str())))
                    .with_topic_id(id.0)
            }
            Err(error) => {
                codes.insert(error.code);
                failed(state, error)
            }
        });
    }
    let response = DeleteTopicsResponse::default().with_responses(results);
    Outcome::Now(context.reply(&response).with_errors(codes))
}

/// Which topics are to be deleted, and the answers to what cannot be. A topic that is named more
/// than once, in whatever way, is not deleted and is answered once.
fn sort_out<'a>(
    asked: &'a [DeleteTopicState],
    image: &MetadataImage,
) -> (Vec<(&'a DeleteTopicState, TopicRef)>, Vec<DeletableTopicResult>) {
    let twice = duplicates::of(asked.iter().map(key_of));
    let ids: HashSet<TopicId> = asked.iter().map(|state| TopicId(state.topic_id)).collect();
    let mut answered = HashSet::new();
    let mut named_too = HashSet::new();
    let mut good = Vec::new();
    let mut results = Vec::new();
    let refusal = |text: &str| ApiError::new(ErrorCode::InvalidRequest, text);
    for state in asked {
        let topic = match topic_ref(state) {
            Ok(topic) => topic,
            Err(error) => {
                results.push(failed(state, error));
                continue;
            }
        };
        if twice.contains(&key_of(state)) {
            if answered.insert(key_of(state)) {
                results.push(failed(state, match topic {
                    TopicRef::Name(_) => duplicates::error(),
                    TopicRef::Id(_) => refusal("Duplicate topic id."),
                }));
            }
            continue;
        }
        if let TopicRef::Name(name) = &topic
            && let Some(id) = image.topic(name).map(|topic| topic.id)
            && ids.contains(&id)
        {
            let text = "The provided topic name maps to an ID that was already supplied.";
            results.push(failed(state, refusal(text)).with_topic_id(id.0));
            named_too.insert(id);
            continue;
        }
        good.push((state, topic));
    }
    good.retain(|(_, topic)| !matches!(topic, TopicRef::Id(id) if named_too.contains(id)));
    (good, results)
}

/// What is asked for, in the form of version 6.
fn states(request: DeleteTopicsRequest) -> Vec<DeleteTopicState> {
    let named = request.topic_names.into_iter();
    let named = named.map(|name| DeleteTopicState::default().with_name(Some(name)));
    named.chain(request.topics).collect()
}

fn disabled(context: &RequestContext) -> Option<ErrorCode> {
    let image = context.broker.controller.image();
    let layers = image.broker_layers(context.broker.node, &context.broker.config.fixed);
    let enabled = layers.broker_value("delete.topic.enable").is_none_or(|value| value == "true");
    let code = if context.api_version < 3 {
        ErrorCode::InvalidRequest
    } else {
        ErrorCode::TopicDeletionDisabled
    };
    (!enabled).then_some(code)
}

fn key_of(state: &DeleteTopicState) -> (Option<&str>, TopicId) {
    (state.name.as_ref().map(|name| name.as_str()), TopicId(state.topic_id))
}

fn topic_ref(state: &DeleteTopicState) -> Result<TopicRef, ApiError> {
    let refuse = |text: &str| Err(ApiError::new(ErrorCode::InvalidRequest, text));
    match key_of(state) {
        (Some(name), TopicId::NONE) => Ok(TopicRef::Name(name.to_owned())),
        (None, TopicId::NONE) => refuse("Neither topic name nor id were specified."),
        (None, id) => Ok(TopicRef::Id(id)),
        (Some(_), _) => refuse("You may not specify both topic name and topic id."),
    }
}

fn failed(state: &DeleteTopicState, error: ApiError) -> DeletableTopicResult {
    let (code, message) = error_parts(error);
    DeletableTopicResult::default()
        .with_name(state.name.clone())
        .with_topic_id(state.topic_id)
        .with_error_code(code)
        .with_error_message(message)
}
