//! Changes of settings: which are allowed, and what they come to.

use gofka_core::config::{
    BrokerName, ConfigKey, ConfigLayers, ConfigValue, Dynamic, broker_name, client_metrics_key,
    group_key, topic_key,
};
use gofka_core::error::{ApiError, ErrorCode};

use super::{Decision, Draft, Environment, NODE_NAME_CONFIG};
use crate::image::{ConfigMap, ConfigResource, MetadataImage, ResourceKind};
use crate::record::MetadataRecord;
use crate::request::{AlterOp, ConfigAlteration};

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
    check_topic_configs(image, &wanted, environment)?;
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
    check_resource(image, resource)?;
    let present = image.configs_of(resource);
    let wanted = match alteration {
        ConfigAlteration::Incremental { changes, .. } => changed(present, resource.kind, changes)?,
        ConfigAlteration::Replace { configs, .. } => replaced(present, resource.kind, configs)?,
    };
    check(image, resource, present, &wanted, environment)?;

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

fn check_resource(image: &MetadataImage, resource: &ConfigResource) -> Result<(), ApiError> {
    let name = resource.name.as_str();
    match resource.kind {
        ResourceKind::Topic if name.is_empty() => {
            Err(invalid_request("Default topic resources are not allowed."))
        }
        ResourceKind::Topic if image.topic(name).is_none() => {
            let text = format!("The topic '{name}' does not exist.");
            Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, text))
        }
        ResourceKind::Broker if !name.is_empty() && name.parse::<u32>().is_err() => {
            Err(invalid_request(format!("Broker id must be an integer, but it is: {name}")))
        }
        ResourceKind::Group if name.is_empty() => {
            Err(invalid_request("Default group resources are not allowed."))
        }
        ResourceKind::ClientMetrics if name.is_empty() => {
            Err(invalid_request("Default client metrics resources are not allowed."))
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
        ResourceKind::ClientMetrics => client_metrics_key(name),
        ResourceKind::Broker => match broker_name(name) {
            BrokerName::Known(key) => Some(key),
            _ => None,
        },
        ResourceKind::BrokerLogger => None,
    }
}

fn changed(
    present: &ConfigMap,
    kind: ResourceKind,
    changes: &[(String, AlterOp, Option<String>)],
) -> Result<ConfigMap, ApiError> {
    let mut wanted = present.clone();
    for (position, (name, op, value)) in changes.iter().enumerate() {
        if changes[..position].iter().any(|(other, ..)| other == name) {
            return Err(invalid_request("Error due to duplicate config keys"));
        }
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
    let key = key_of(kind, name).filter(|key| key.kind.is_list()).ok_or_else(|| {
        let op = if op == AlterOp::Append { "APPEND" } else { "SUBTRACT" };
        invalid_config(format!("Can't {op} to key {name} because its type is not LIST."))
    })?;
    let start = present.get(name).map(String::as_str).or(key.default).unwrap_or("");
    let entries = |text: &str| -> Vec<String> {
        let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(str::to_owned).collect()
    };
    let mut list = entries(start);
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

fn check(
    image: &MetadataImage,
    resource: &ConfigResource,
    present: &ConfigMap,
    wanted: &ConfigMap,
    environment: Environment<'_>,
) -> Result<(), ApiError> {
    match resource.kind {
        ResourceKind::Topic => check_topic_configs(image, wanted, environment),
        ResourceKind::Group => {
            check_known(wanted, "group", group_key)?;
            check_group_bounds(wanted, environment)
        }
        ResourceKind::ClientMetrics => check_known(wanted, "client metrics", client_metrics_key),
        ResourceKind::Broker => check_broker_configs(present, wanted, resource.name.is_empty()),
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

/// Group settings that must keep to bounds that the broker sets: the setting, the bound's name and
/// its default, and whether it is the lower one.
const GROUP_BOUNDS: &[(&str, &str, i64, bool)] = &[
    ("consumer.heartbeat.interval.ms", "group.consumer.min.heartbeat.interval.ms", 5_000, true),
    ("consumer.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms", 15_000, false),
    ("consumer.session.timeout.ms", "group.consumer.min.session.timeout.ms", 45_000, true),
    ("consumer.session.timeout.ms", "group.consumer.max.session.timeout.ms", 60_000, false),
    ("share.delivery.count.limit", "group.share.min.delivery.count.limit", 2, true),
    ("share.delivery.count.limit", "group.share.max.delivery.count.limit", 10, false),
    ("share.heartbeat.interval.ms", "group.share.min.heartbeat.interval.ms", 5_000, true),
    ("share.heartbeat.interval.ms", "group.share.max.heartbeat.interval.ms", 15_000, false),
    ("share.partition.max.record.locks", "group.share.min.partition.max.record.locks", 100, true),
    (
        "share.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
        4_000,
        false,
    ),
    ("share.record.lock.duration.ms", "group.share.min.record.lock.duration.ms", 15_000, true),
    ("share.record.lock.duration.ms", "group.share.max.record.lock.duration.ms", 60_000, false),
    ("share.session.timeout.ms", "group.share.min.session.timeout.ms", 45_000, true),
    ("share.session.timeout.ms", "group.share.max.session.timeout.ms", 60_000, false),
    ("streams.heartbeat.interval.ms", "group.streams.min.heartbeat.interval.ms", 5_000, true),
    ("streams.heartbeat.interval.ms", "group.streams.max.heartbeat.interval.ms", 15_000, false),
    ("streams.num.standby.replicas", "group.streams.max.standby.replicas", 2, false),
    ("streams.session.timeout.ms", "group.streams.min.session.timeout.ms", 45_000, true),
    ("streams.session.timeout.ms", "group.streams.max.session.timeout.ms", 60_000, false),
];

fn check_group_bounds(wanted: &ConfigMap, environment: Environment<'_>) -> Result<(), ApiError> {
    for &(name, bound, default, is_lower) in GROUP_BOUNDS {
        let Some(Ok(value)) = wanted.get(name).map(|value| value.trim().parse::<i64>()) else {
            continue;
        };
        let limit = environment.fixed.0.get(bound).and_then(|limit| limit.trim().parse().ok());
        let limit = limit.unwrap_or(default);
        if is_lower && value < limit {
            let text = format!("{name} must be greater than or equal to {bound}");
            return Err(invalid_config(text));
        }
        if !is_lower && value > limit {
            return Err(invalid_config(format!("{name} must be less than or equal to {bound}")));
        }
    }
    Ok(())
}

/// Checks all that is set on a topic, each for itself and together.
fn check_topic_configs(
    image: &MetadataImage,
    wanted: &ConfigMap,
    environment: Environment<'_>,
) -> Result<(), ApiError> {
    check_known(wanted, "topic", topic_key)?;
    let layers =
        ConfigLayers { own: wanted, ..image.broker_layers(environment.node, environment.fixed) };
    let number = |name: &str| {
        let key = topic_key(name).expect("a topic setting of the table");
        match layers.own_value(key).map(|text| key.parse(&text)) {
            Some(Ok(ConfigValue::Integer(number))) => number,
            _ => 0,
        }
    };
    let (min, max) = (number("min.compaction.lag.ms"), number("max.compaction.lag.ms"));
    if min > max {
        return Err(invalid_config(format!(
            "conflict topic config setting min.compaction.lag.ms ({min}) > \
             max.compaction.lag.ms ({max})"
        )));
    }
    if wanted.get("remote.storage.enable").is_some_and(|value| value.trim() == "true") {
        return Err(invalid_config(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured \
             with remote log storage.",
        ));
    }
    Ok(())
}

fn check_broker_configs(
    present: &ConfigMap,
    wanted: &ConfigMap,
    for_all: bool,
) -> Result<(), ApiError> {
    let changing = wanted.iter().filter(|(name, value)| present.get(*name) != Some(*value));
    for (name, value) in changing {
        let (dynamic, key) = match broker_name(name) {
            BrokerName::Known(key) => (key.dynamic, Some(key)),
            BrokerName::Unused(dynamic) => (dynamic, None),
            // As in Kafka it may belong to something that is plugged in, and is kept for it.
            BrokerName::Unknown(_) => continue,
        };
        match dynamic {
            Dynamic::ReadOnly => {
                let text = format!("Cannot update these configs dynamically: [{name}]");
                return Err(invalid_request(text));
            }
            Dynamic::PerBroker if for_all => {
                return Err(invalid_request(format!(
                    "Cannot update these configs at default cluster level, broker id must be \
                     specified: [{name}]"
                )));
            }
            _ => {}
        }
        if let Some(key) = key {
            key.parse(value).map_err(invalid_request)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use gofka_core::ids::NodeId;

    use super::super::testing::{Cluster, topic};
    use super::*;

    fn with(op: AlterOp, name: &str, value: &str) -> (String, AlterOp, Option<String>) {
        (name.to_owned(), op, Some(value.to_owned()))
    }

    fn set(name: &str, value: &str) -> (String, AlterOp, Option<String>) {
        with(AlterOp::Set, name, value)
    }

    fn cluster() -> Cluster {
        let mut cluster = Cluster::of_brokers(1);
        cluster.create(&[topic("a")])[0].as_ref().unwrap();
        cluster
    }

    type Change = (String, AlterOp, Option<String>);

    fn alter_one(
        cluster: &mut Cluster,
        resource: &ConfigResource,
        changes: Vec<Change>,
    ) -> Result<(), ErrorCode> {
        let alteration = ConfigAlteration::Incremental { resource: resource.clone(), changes };
        let answer = cluster.alter(&[alteration]).remove(0);
        answer.map_err(|error| error.code)
    }

    #[test]
    fn topic_settings_are_set_and_taken_away() {
        let mut cluster = cluster();
        let topic = ConfigResource::topic("a");
        alter_one(&mut cluster, &topic, vec![set("retention.ms", "5")]).unwrap();
        assert_eq!(cluster.image.configs_of(&topic)["retention.ms"], "5");
        let delete = ("retention.ms".to_owned(), AlterOp::Delete, None);
        alter_one(&mut cluster, &topic, vec![delete]).unwrap();
        assert!(cluster.image.configs_of(&topic).is_empty());
    }

    #[test]
    fn lists_grow_from_their_default_and_shrink() {
        let mut cluster = cluster();
        let topic = ConfigResource::topic("a");
        let policy = "cleanup.policy";
        let steps = [
            (AlterOp::Append, "compact", "delete,compact"),
            (AlterOp::Append, "compact", "delete,compact"),
            (AlterOp::Subtract, "delete", "compact"),
        ];
        for (op, value, expected) in steps {
            alter_one(&mut cluster, &topic, vec![with(op, policy, value)]).unwrap();
            assert_eq!(cluster.image.configs_of(&topic)[policy], expected);
        }
    }

    #[test]
    fn what_kafka_refuses_is_refused_with_its_code() {
        let topic = ConfigResource::topic("a");
        let on_topic = |changes: Vec<Change>, code| (topic.clone(), changes, code);
        let long_lag = vec![set("min.compaction.lag.ms", "9"), set("max.compaction.lag.ms", "8")];
        let no_value = vec![("retention.ms".to_owned(), AlterOp::Set, None)];
        let twice = vec![set("retention.ms", "1"), set("retention.ms", "2")];
        let no_list = vec![with(AlterOp::Append, "retention.ms", "1")];
        let one = |name: &str, value: &str| vec![set(name, value)];
        let broker = ConfigResource::broker(NodeId(0));
        let cases = [
            on_topic(one("nope", "1"), ErrorCode::InvalidConfig),
            on_topic(one("retention.ms", "x"), ErrorCode::InvalidConfig),
            on_topic(one("retention.ms", "-2"), ErrorCode::InvalidConfig),
            on_topic(no_list, ErrorCode::InvalidConfig),
            on_topic(long_lag, ErrorCode::InvalidConfig),
            on_topic(no_value, ErrorCode::InvalidRequest),
            on_topic(twice, ErrorCode::InvalidRequest),
            (
                ConfigResource::topic("b"),
                one("retention.ms", "1"),
                ErrorCode::UnknownTopicOrPartition,
            ),
            (broker, one("num.partitions", "2"), ErrorCode::InvalidRequest),
            (
                ConfigResource::all_brokers(),
                one("log.retention.ms", "x"),
                ErrorCode::InvalidRequest,
            ),
            (ConfigResource::group(""), vec![], ErrorCode::InvalidRequest),
            (ConfigResource::group("g"), one("nope", "1"), ErrorCode::InvalidConfig),
            (
                ConfigResource::group("g"),
                one("consumer.session.timeout.ms", "1"),
                ErrorCode::InvalidConfig,
            ),
        ];
        for (resource, changes, expected) in cases {
            let answer = alter_one(&mut cluster(), &resource, changes.clone());
            assert_eq!(answer, Err(expected), "{resource:?} {changes:?}");
        }
    }

    #[test]
    fn the_older_request_replaces_everything() {
        let mut cluster = cluster();
        let topic = ConfigResource::topic("a");
        alter_one(&mut cluster, &topic, vec![set("retention.ms", "5")]).unwrap();
        let configs = vec![("segment.bytes".to_owned(), Some("2097152".to_owned()))];
        let replace = ConfigAlteration::Replace { resource: topic.clone(), configs };
        cluster.alter(&[replace])[0].as_ref().unwrap();
        let names: Vec<_> = cluster.image.configs_of(&topic).keys().cloned().collect();
        assert_eq!(names, ["segment.bytes"]);
    }

    #[test]
    fn a_refused_change_leaves_no_trace() {
        let mut cluster = cluster();
        let changes = vec![set("retention.ms", "5"), set("nope", "1")];
        alter_one(&mut cluster, &ConfigResource::topic("a"), changes).unwrap_err();
        assert!(cluster.image.configs.is_empty());
    }
}
