//! CreateTopics (19), versions 2-7: makes topics.
//!
//! Behaviour: the controller decides each topic by itself. The answer leaves when this broker
//! serves the new partitions. A name that stands twice in one request is refused. Settings beyond
//! what one answer may hold are left out, with an error in their place.
//!
//! Version notes: 4 defaults for partitions and replication by -1 (KIP-464); 5 the settings in
//! force in the answer (KIP-525); 7 topic ids.

use std::collections::HashSet;

use gofka_core::config::{ConfigLayers, ConfigSource, TOPIC_CONFIGS};
use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::ids::PartitionIndex;
use gofka_raft::{CreatedTopic, MetadataImage, NewTopic};
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use kafka_protocol::protocol::StrBytes;

use super::budget::AnswerBudget;
use super::wire::{error_parts, node_ids, topic_name};
use super::{Api, Outcome, RequestContext, change_lines, duplicates};
use crate::cluster::topics;

/// The row of the table.
pub const API: Api = Api::new::<CreateTopicsRequest>(2, 7);

const SETTINGS_SINCE: i16 = 5;

/// Asks the controller and waits until this broker has followed.
pub async fn handle(context: &RequestContext, request: CreateTopicsRequest) -> Outcome {
    let (once, twice) = duplicates::split(&request.topics, |topic| topic.name.as_str());
    let new: Vec<NewTopic> = once.into_iter().map(new_topic).collect();
    let answers = topics::create(&context.broker, new.clone(), request.validate_only).await;

    let image = context.broker.controller.image();
    let mut codes = HashSet::new();
    let mut budget = AnswerBudget::default();
    let mut results: Vec<CreatableTopicResult> = Vec::with_capacity(new.len());
    for (topic, answer) in new.iter().zip(answers) {
        budget.turn().await;
        results.push(match answer {
            Ok(created) => {
                if !request.validate_only {
                    change_lines::created(context, &created, "as asked");
                }
                let result = succeeded(topic, &created);
                with_settings(context, &image, topic, result, &mut budget)
            }
            Err(error) => {
                codes.insert(error.code);
                failed(&topic.name, error)
            }
        });
    }
    for name in &twice {
        codes.insert(ErrorCode::InvalidRequest);
        results.push(failed(name, duplicates::error()));
    }
    let response = CreateTopicsResponse::default().with_topics(results);
    Outcome::Now(context.reply(&response).with_errors(codes))
}

fn new_topic(topic: &CreatableTopic) -> NewTopic {
    let assignments = topic.assignments.iter().map(|assignment| {
        (PartitionIndex(assignment.partition_index), node_ids(&assignment.broker_ids))
    });
    let configs = topic.configs.iter().map(|config| {
        (config.name.to_string(), config.value.as_ref().map(ToString::to_string))
    });
    NewTopic {
        name: topic.name.to_string(),
        partitions: Some(topic.num_partitions).filter(|count| *count != -1),
        replication_factor: Some(topic.replication_factor).filter(|factor| *factor != -1),
        assignments: assignments.collect(),
        configs: configs.collect(),
    }
}

fn succeeded(topic: &NewTopic, created: &CreatedTopic) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(topic_name(&topic.name))
        .with_topic_id(created.id.0)
        .with_error_message(None)
        .with_num_partitions(created.partitions)
        .with_replication_factor(created.replication_factor)
        .with_configs(Some(Vec::new()))
}

/// Adds the settings in force, where the version has room for them.
fn with_settings(
    context: &RequestContext,
    image: &MetadataImage,
    topic: &NewTopic,
    result: CreatableTopicResult,
    budget: &mut AnswerBudget,
) -> CreatableTopicResult {
    if context.api_version < SETTINGS_SINCE {
        return result;
    }
    if !budget.take(TOPIC_CONFIGS.len(), 0) {
        return result.with_topic_config_error_code(ErrorCode::InvalidRequest.code());
    }
    // A topic that was only validated has no settings in the image.
    let own = topic.configs.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let own = own.collect();
    let layers = ConfigLayers {
        own: &own,
        replicas: usize::try_from(result.replication_factor).unwrap_or(1),
        ..image.broker_layers(context.broker.node, &context.broker.config.fixed)
    };
    result.with_configs(Some(settings(&layers)))
}

/// The settings in force. Those that only tests know are shown where they were set.
fn settings(layers: &ConfigLayers<'_>) -> Vec<CreatableTopicConfigs> {
    let shown = TOPIC_CONFIGS.iter().filter(|key| !key.hidden || layers.own.contains_key(key.name));
    let settings = shown.map(|key| {
        let (value, source) = layers.own_value_and_source(key, ConfigSource::Topic);
        CreatableTopicConfigs::default()
            .with_name(StrBytes::from_static_str(key.name))
            .with_value(value.map(StrBytes::from_string))
            .with_config_source(source as i8)
    });
    settings.collect()
}

fn failed(name: &str, error: ApiError) -> CreatableTopicResult {
    let (code, message) = error_parts(error);
    CreatableTopicResult::default()
        .with_name(topic_name(name))
        .with_error_code(code)
        .with_error_message(message)
        .with_configs(Some(Vec::new()))
}
