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
    CLIENT_METRICS_CONFIGS, ConfigLayers, ConfigSource, GROUP_CONFIGS, TOPIC_CONFIGS, broker_keys,
};
use gofka_core::error::{ApiError, ErrorCode};
use gofka_raft::{ConfigResource, MetadataImage, ResourceKind};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::budget::{AnswerBudget, TOO_MUCH};
use super::wire::{error_parts, resource_kind};
use super::{Api, Outcome, RequestContext};
use crate::cluster::topics;
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
            names: resource.configuration_keys.as_deref(),
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
    let kind = resource_kind(resource.resource_type)?;
    let own = |kind| image.configs_of(&ConfigResource { kind, name: name.to_owned() });
    let not_empty = |what: &str| match name {
        "" => Err(invalid(format!("{what} name must not be empty"))),
        _ => Ok(()),
    };
    match kind {
        ResourceKind::Topic => {
            if image.topic(name).is_none() {
                return Err(topics::unknown_topic(name).into());
            }
            let replicas = image.replicas_of(name);
            let layers = ConfigLayers { own: own(kind), replicas, ..layers };
            Ok(entries.own(TOPIC_CONFIGS, &layers, ConfigSource::Topic))
        }
        ResourceKind::Broker if name.is_empty() => {
            Ok(entries.of_all_brokers(image.configs_of(&ConfigResource::all_brokers())))
        }
        ResourceKind::Broker => {
            check_broker(context, name, "expected")?;
            Ok(entries.broker(broker_keys(), &layers))
        }
        ResourceKind::BrokerLogger => {
            not_empty("Broker id")?;
            check_broker(context, name, "expected")?;
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

/// Only this broker knows its own settings.
pub(super) fn check_broker(
    context: &RequestContext,
    name: &str,
    verb: &str,
) -> Result<(), ApiError> {
    let node = context.broker.node;
    match name.parse::<i32>() {
        Ok(id) if id == node.0 => Ok(()),
        Ok(id) => {
            Err(invalid(format!("Unexpected broker id, {verb} {node}, but received {id}")))
        }
        Err(_) => Err(invalid(format!("Broker id must be an integer, but it is: {name}"))),
    }
}

fn invalid(text: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, text)
}
