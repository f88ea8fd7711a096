//! Changes of settings: which are allowed, and what they come to.

mod brokers;
mod client_metrics;
mod groups;
#[cfg(test)]
mod tests;
mod topics;

use std::collections::BTreeSet;

use gofka_core::config::{ConfigKey, any_broker_key, group_key, topic_key};
use gofka_core::error::{ApiError, ErrorCode};
use gofka_core::topic_name;

use super::{Decision, Draft, Environment, NODE_NAME_CONFIG};
use crate::image::{ConfigMap, ConfigResource, MetadataImage, ResourceKind};
use crate::record::MetadataRecord;
use crate::request::{AlterOp, ConfigAlteration};

/// The settings that one resource has and shall have, and what they are judged by.
struct Change<'a> {
    image: &'a MetadataImage,
    environment: Environment<'a>,
    resource: &'a ConfigResource,
    present: &'a ConfigMap,
    wanted: &'a ConfigMap,
}

/// Makes each of `alterations` that can be made.
pub(crate) fn alter_configs(
    image: &MetadataImage,
    environment: Environment<'_>,
    alterations: &[ConfigAlteration],
    validate_only: bool,
) -> Decision<Vec<Result<(), ApiError>>> {
    let mut draft = Draft::of(image);
    let mut answer = Vec::with_capacity(alterations.len());
    for alteration in alterations {
        let altered = alter(&draft.image, alteration, environment);
        answer.push(altered.map(|records| draft.add(records)));
    }
    draft.decide(validate_only, answer)
}

/// The settings of a new topic, checked.
pub(super) fn of_new_topic(
    image: &MetadataImage,
    environment: Environment<'_>,
    configs: &[(String, Option<String>)],
) -> Result<ConfigMap, ApiError> {
    let mut wanted = ConfigMap::new();
    for (name, value) in configs {
        let Some(value) = value else {
            let text = format!("Null value not supported for topic configs: {name}");
            return Err(invalid_config(text));
        };
        wanted.insert(name.clone(), value.clone());
    }
    topics::check(image, &wanted, environment)?;
    Ok(wanted)
}

fn invalid_request(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, text)
}

fn invalid_config(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidConfig, text)
}

fn alter(
    image: &MetadataImage,
    alteration: &ConfigAlteration,
    environment: Environment<'_>,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let resource = alteration.resource();
    check_names(alteration)?;
    check_resource(resource)?;
    let present = image.configs_of(resource);
    let wanted = match alteration {
        ConfigAlteration::Incremental { changes, .. } => changed(present, resource.kind, changes)?,
        ConfigAlteration::Replace { configs, .. } => replaced(present, resource.kind, configs)?,
    };
    check(&Change { image, environment, resource, present, wanted: &wanted })?;
    // What cannot be set on any topic is said of one that does not exist, too.
    if resource.kind == ResourceKind::Topic && image.topic(&resource.name).is_none() {
        let text = format!("The topic '{}' does not exist.", resource.name);
        return Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, text));
    }

    let mut records = Vec::new();
    let mut record = |name: &str, value: Option<&String>| {
        records.push(MetadataRecord::Config {
            resource: resource.clone(),
            name: name.to_owned(),
            value: value.cloned(),
        });
    };
    for (name, value) in &wanted {
        if present.get(name) != Some(value) {
            record(name, Some(value));
        }
    }
    for name in present.keys().filter(|name| !wanted.contains_key(*name)) {
        record(name, None);
    }
    Ok(records)
}

/// Each setting at most once, and with a value where it needs one.
fn check_names(alteration: &ConfigAlteration) -> Result<(), ApiError> {
    let (names, without_value): (Vec<&str>, Vec<&str>) = match alteration {
        ConfigAlteration::Incremental { changes, .. } => {
            let nulls =
                changes.iter().filter(|(_, op, value)| *op != AlterOp::Delete && value.is_none());
            let nulls = nulls.map(|(name, ..)| name.as_str()).collect();
            (changes.iter().map(|(name, ..)| name.as_str()).collect(), nulls)
        }
        ConfigAlteration::Replace { configs, .. } => {
            let nulls = configs.iter().filter(|(_, value)| value.is_none());
            let nulls = nulls.map(|(name, _)| name.as_str()).collect();
            (configs.iter().map(|(name, _)| name.as_str()).collect(), nulls)
        }
    };
    if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
        return Err(invalid_request("Error due to duplicate config keys"));
    }
    if without_value.is_empty() {
        return Ok(());
    }
    let names = without_value.join(", ");
    Err(invalid_request(format!("Null value not supported for : {names}")))
}

fn check_resource(resource: &ConfigResource) -> Result<(), ApiError> {
    let name = resource.name.as_str();
    match resource.kind {
        ResourceKind::Topic if name.is_empty() => {
            Err(invalid_request("Default topic resources are not allowed."))
        }
        ResourceKind::Topic => topic_name::check(name)
            .map_err(|why| ApiError::new(ErrorCode::InvalidTopicException, why)),
        ResourceKind::Broker if !name.is_empty() && name.parse::<u32>().is_err() => {
            Err(invalid_request(format!("Node id must be an integer, but it is: {name}")))
        }
        ResourceKind::Group if name.is_empty() => {
            Err(invalid_request("Default group resources are not allowed."))
        }
        ResourceKind::ClientMetrics if name.is_empty() => {
            Err(invalid_request("Subscription name can't be empty"))
        }
        ResourceKind::BrokerLogger => {
            Err(invalid_request("Log levels are no part of the cluster's metadata."))
        }
        _ => Ok(()),
    }
}

/// The setting's definition, where its type matters; `None` for one that is not known here.
fn key_of(kind: ResourceKind, name: &str) -> Option<&'static ConfigKey> {
    match kind {
        ResourceKind::Topic => topic_key(name),
        ResourceKind::Group => group_key(name),
        ResourceKind::Broker => any_broker_key(name),
        // Kafka's controller does not know their types.
        ResourceKind::ClientMetrics | ResourceKind::BrokerLogger => None,
    }
}

fn changed(
    present: &ConfigMap,
    kind: ResourceKind,
    changes: &[(String, AlterOp, Option<String>)],
) -> Result<ConfigMap, ApiError> {
    let mut wanted = present.clone();
    for (name, op, value) in changes {
        match op {
            AlterOp::Delete => {
                wanted.remove(name);
            }
            AlterOp::Set => {
                wanted.insert(name.clone(), given(name, value.as_ref())?.clone());
            }
            AlterOp::Append | AlterOp::Subtract => {
                let value = given(name, value.as_ref())?;
                let list = changed_list(present, kind, name, *op, value)?;
                wanted.insert(name.clone(), list);
            }
        }
    }
    Ok(wanted)
}

fn given<'a>(name: &str, value: Option<&'a String>) -> Result<&'a String, ApiError> {
    value.ok_or_else(|| invalid_request(format!("Null value not supported for : {name}")))
}

fn changed_list(
    present: &ConfigMap,
    kind: ResourceKind,
    name: &str,
    op: AlterOp,
    value: &str,
) -> Result<String, ApiError> {
    let appends = op == AlterOp::Append;
    let key = match (key_of(kind, name), kind) {
        (Some(key), _) if key.kind.is_list() => key,
        // A broker finds these before it asks the controller.
        (None, ResourceKind::Broker) => {
            return Err(invalid_config(format!("Unknown config name: {name}")));
        }
        (Some(_), ResourceKind::Broker) => {
            let op = if appends { "append" } else { "subtract" };
            let text = format!("Config value {op} is not allowed for config key: {name}");
            return Err(invalid_config(text));
        }
        _ => {
            let op = if appends { "APPEND" } else { "SUBTRACT" };
            let text = format!("Can't {op} to key {name} because its type is not LIST.");
            return Err(invalid_config(text));
        }
    };
    let start = present.get(name).map(String::as_str).or(key.default).unwrap_or("");
    let entries = |text: &str| -> Vec<String> {
        text.split(',').map(|entry| entry.trim().to_owned()).collect()
    };
    let mut list = if start.trim().is_empty() { Vec::new() } else { entries(start) };
    for entry in entries(value) {
        if op == AlterOp::Subtract {
            list.retain(|present| *present != entry);
        } else if !list.contains(&entry) {
            list.push(entry);
        }
    }
    Ok(list.join(","))
}

/// All that shall be set; what the controller itself remembers of a broker stays.
fn replaced(
    present: &ConfigMap,
    kind: ResourceKind,
    configs: &[(String, Option<String>)],
) -> Result<ConfigMap, ApiError> {
    let mut wanted = ConfigMap::new();
    if let (ResourceKind::Broker, Some(name)) = (kind, present.get(NODE_NAME_CONFIG)) {
        wanted.insert(NODE_NAME_CONFIG.to_owned(), name.clone());
    }
    for (name, value) in configs {
        wanted.insert(name.clone(), given(name, value.as_ref())?.clone());
    }
    Ok(wanted)
}

fn check(change: &Change<'_>) -> Result<(), ApiError> {
    let Change { image, environment, resource, wanted, .. } = *change;
    match resource.kind {
        ResourceKind::Topic => topics::check(image, wanted, environment),
        ResourceKind::Group => {
            check_known(wanted, "group", group_key)?;
            groups::check_bounds(wanted, environment)
        }
        ResourceKind::ClientMetrics => client_metrics::check(wanted),
        ResourceKind::Broker => brokers::check(change),
        ResourceKind::BrokerLogger => Ok(()),
    }
}

fn check_known(
    wanted: &ConfigMap,
    what: &str,
    key: impl Fn(&str) -> Option<&'static ConfigKey>,
) -> Result<(), ApiError> {
    for (name, value) in wanted {
        let key = key(name)
            .ok_or_else(|| invalid_config(format!("Unknown {what} config name: {name}")))?;
        key.parse(value).map_err(invalid_config)?;
    }
    Ok(())
}
