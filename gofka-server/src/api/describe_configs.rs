//! DescribeConfigs (32), versions 1-4: the settings of topics, brokers, loggers, groups and
//! telemetry subscriptions, with where each value comes from.
//!
//! Behaviour: each resource is answered by itself. A broker tells only its own settings, or with
//! the empty name those set for all brokers. A group need not exist. Resources beyond what one
//! answer may hold are refused one by one.
//!
//! Version notes: 1 sources and synonyms (KIP-226); 3 types and documentation (KIP-569).

mod entry;

use std::collections::HashSet;

use gofka_core::config::{
    CLIENT_METRICS_CONFIGS, ConfigLayers, ConfigSource, GROUP_CONFIGS, StaticConfig,
    TOPIC_CONFIGS, all_broker_keys,
};
use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::topic_name;
use gofka_raft::{ConfigResource, Endpoint, MetadataImage, ResourceKind};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::budget::{AnswerBudget, TOO_MUCH};
use super::wire::{error_parts, resource_kind};
use super::{Api, Outcome, RequestContext};
use entry::Entries;

/// The row of the table.
pub const API: Api = Api::new::<DescribeConfigsRequest>(1, 4);

/// Answers from the image and the settings of this process.
pub async fn handle(context: &RequestContext, request: DescribeConfigsRequest) -> Outcome {
    let image = context.broker.controller.image();
    let mut codes = HashSet::new();
    let mut results = Vec::with_capacity(request.resources.len());
    let mut budget = AnswerBudget::default();
    for resource in &request.resources {
        let entries = Entries {
            names: resource.configuration_keys.as_deref().filter(|names| !names.is_empty()),
            synonyms: request.include_synonyms,
            documentation: request.include_documentation,
        };
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        budget.turn().await;
        let described = if budget.is_spent() {
            Err(invalid(TOO_MUCH.to_owned()))
        } else {
            describe(context, &image, resource, &entries)
        };
        results.push(match described.and_then(|configs| within(&mut budget, configs)) {
            Ok(configs) => result.with_configs(configs),
            Err(error) => {
                codes.insert(error.code);
                let (code, message) = error_parts(error);
                result.with_error_code(code).with_error_message(message)
            }
        });
    }
    let response = DescribeConfigsResponse::default().with_results(results);
    Outcome::Now(context.reply(&response).with_errors(codes))
}

/// `configs` if the answer has room for them.
fn within(
    budget: &mut AnswerBudget,
    configs: Vec<DescribeConfigsResourceResult>,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let length = |text: &Option<StrBytes>| text.as_ref().map_or(0, |text| text.len());
    let bytes = |config: &DescribeConfigsResourceResult| {
        let synonyms = config.synonyms.iter().map(|it| it.name.len() + length(&it.value));
        config.name.len()
            + length(&config.value)
            + length(&config.documentation)
            + synonyms.sum::<usize>()
    };
    let structures = configs.iter().map(|config| 1 + config.synonyms.len()).sum();
    let fits = budget.take(structures, configs.iter().map(bytes).sum());
    if fits { Ok(configs) } else { Err(invalid(TOO_MUCH.to_owned())) }
}

fn describe(
    context: &RequestContext,
    image: &MetadataImage,
    resource: &DescribeConfigsResource,
    entries: &Entries<'_>,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let name = resource.resource_name.as_str();
    let layers = image.broker_layers(context.broker.node, &context.broker.config.fixed);
    let kind = resource_kind(resource.resource_type).map_err(|_| invalid(UNKNOWN_TYPE))?;
    let own = |kind| image.configs_of(&ConfigResource { kind, name: name.to_owned() });
    let not_empty = |what: &str| match name {
        "" => Err(invalid(format!("{what} name must not be empty"))),
        _ => Ok(()),
    };
    match kind {
        ResourceKind::Topic => {
            if image.topic(name).is_none() {
                topic_name::check(name)
                    .map_err(|why| ApiError::new(ErrorCode::InvalidTopicException, why))?;
                return Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, ""));
            }
            let replicas = image.replicas_of(name);
            let layers = ConfigLayers { own: own(kind), replicas, ..layers };
            Ok(entries.own(TOPIC_CONFIGS, &layers, ConfigSource::Topic))
        }
        ResourceKind::Broker if name.is_empty() => {
            Ok(entries.of_all_brokers(image.configs_of(&ConfigResource::all_brokers())))
        }
        ResourceKind::Broker => {
            check_broker(context, name, "expected {} or empty string, but")?;
            let fixed = started_with(context, image);
            let layers = ConfigLayers { fixed: &fixed, ..layers };
            Ok(entries.broker(all_broker_keys().iter().copied(), &layers))
        }
        ResourceKind::BrokerLogger => {
            if name.is_empty() {
                return Err(invalid("Broker id must not be empty"));
            }
            check_broker(context, name, "expected {} but")?;
            Ok(entries.loggers(&context.broker.logging.levels()))
        }
        ResourceKind::Group => {
            not_empty("Group")?;
            let layers = ConfigLayers { own: own(kind), ..layers };
            Ok(entries.own(GROUP_CONFIGS, &layers, ConfigSource::Group))
        }
        ResourceKind::ClientMetrics => {
            not_empty("Client metrics subscription")?;
            let layers = ConfigLayers { own: own(kind), ..layers };
            Ok(entries.own(CLIENT_METRICS_CONFIGS, &layers, ConfigSource::ClientMetrics))
        }
    }
}

/// The settings of the start, with what the broker has found out about itself.
fn started_with(context: &RequestContext, image: &MetadataImage) -> StaticConfig {
    let broker = &context.broker;
    let mut fixed = broker.config.fixed.0.clone();
    let mut tell = |name: &str, value: String| fixed.insert(name.to_owned(), value);
    tell("node.id", broker.node.to_string());
    tell("broker.id", broker.node.to_string());
    if let Some(registered) = image.brokers.get(&broker.node) {
        let advertised = registered.endpoints.iter().map(|endpoint| {
            let Endpoint { listener, host, port, .. } = endpoint;
            format!("{listener}://{host}:{port}")
        });
        tell("advertised.listeners", advertised.collect::<Vec<_>>().join(","));
    }
    let dirs = broker.config.log_dirs.iter().map(|dir| dir.display().to_string());
    tell("log.dirs", dirs.collect::<Vec<_>>().join(","));
    StaticConfig(fixed)
}

/// Only this broker knows its own settings.
fn check_broker(context: &RequestContext, name: &str, expected: &str) -> Result<(), ApiError> {
    let node = context.broker.node;
    match name.parse::<i32>() {
        Ok(id) if id == node.0 => Ok(()),
        Ok(id) => {
            let expected = expected.replace("{}", &node.to_string());
            Err(invalid(format!("Unexpected broker id, {expected} received {id}")))
        }
        Err(_) => Err(invalid(format!("Broker id must be an integer, but it is: {name}"))),
    }
}

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, text)
}

/// Kafka says no more about a resource of a type that it does not know.
const UNKNOWN_TYPE: &str = "This most likely occurs because of a request being malformed by the \
                            client library or the message was sent to an incompatible broker. \
                            See the broker logs for more details.";
