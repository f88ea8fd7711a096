//! What of a broker's settings can change while it runs, as Kafka's brokers check it.

use gofka_core::config::{BrokerName, ConfigLayers, Dynamic, broker_name};
use gofka_core::error::ApiError;

use super::{Change, invalid_request};

/// The settings of keys and certificates, which belong to one listener each.
const PER_LISTENER: &[&str] = &["ssl.key.password", "ssl.keystore.", "ssl.truststore."];

/// Numbers of threads, which may at most double or halve in one step.
const THREADS: &[&str] = &[
    "background.threads",
    "log.cleaner.threads",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.fetchers",
];

/// Checks what becomes different.
pub(super) fn check(change: &Change<'_>) -> Result<(), ApiError> {
    let Change { present, wanted, .. } = *change;
    let changing = || wanted.iter().filter(|(name, value)| present.get(*name) != Some(*value));
    let refuse = |why: &str, concerns: &dyn Fn(&str) -> bool| {
        let names: Vec<&str> =
            changing().map(|(name, _)| name.as_str()).filter(|name| concerns(name)).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(invalid_request(format!("{why}: [{}]", names.join(", "))))
    };
    refuse("Cannot update these configs dynamically", &|name| {
        dynamic(name) == Some(Dynamic::ReadOnly)
    })?;
    refuse(
        "These security configs can be dynamically updated only per-listener using the listener \
         prefix",
        &|name| PER_LISTENER.iter().any(|prefix| name.starts_with(prefix)),
    )?;
    for (name, value) in changing() {
        if let BrokerName::Known(key) | BrokerName::Unused(key) = broker_name(name) {
            key.parse(value).map_err(invalid_request)?;
        }
    }
    if change.resource.name.is_empty() {
        refuse(
            "Cannot update these configs at default cluster level, broker id must be specified",
            &|name| dynamic(name) == Some(Dynamic::PerBroker),
        )?;
    }
    for (name, value) in changing() {
        check_value(change, name, value.trim())?;
    }
    check_addresses(change)
}

/// A limit of 0 for every address would let nobody in, not even to take it back.
fn check_addresses(change: &Change<'_>) -> Result<(), ApiError> {
    let wanted = change.wanted;
    let layers = layers_now(change);
    let layers = if change.resource.name.is_empty() {
        ConfigLayers { cluster: wanted, ..layers }
    } else {
        ConfigLayers { broker: wanted, ..layers }
    };
    let is =
        |name: &str, text: &str| layers.broker_value(name).is_none_or(|value| value.trim() == text);
    if is("max.connections.per.ip", "0") && is("max.connections.per.ip.overrides", "") {
        return Err(invalid_request(
            "requirement failed: max.connections.per.ip can be set to zero only if \
             max.connections.per.ip.overrides property is set.",
        ));
    }
    Ok(())
}

/// What is in force before the change.
fn layers_now<'a>(change: &Change<'a>) -> ConfigLayers<'a> {
    change.image.broker_layers(change.environment.node, change.environment.fixed)
}

/// How a setting changes; `None` for one that is not known: as in Kafka it may belong to something
/// that is plugged in, and is kept for it.
fn dynamic(name: &str) -> Option<Dynamic> {
    match broker_name(name) {
        BrokerName::Known(key) | BrokerName::Unused(key) => Some(key.dynamic),
        BrokerName::Listener(dynamic) => Some(dynamic),
        BrokerName::Unknown(_) => None,
    }
}

/// What a setting's type does not say.
fn check_value(change: &Change<'_>, name: &str, value: &str) -> Result<(), ApiError> {
    match name {
        "log.retention.ms" if value == "0" => Err(invalid_request(
            "requirement failed: log.retention.ms must be unlimited (-1) or, greater than or \
             equal to 1",
        )),
        _ if THREADS.contains(&name) => check_threads(change, name, value),
        _ => Ok(()),
    }
}

fn check_threads(change: &Change<'_>, name: &str, value: &str) -> Result<(), ApiError> {
    let layers = layers_now(change);
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let current = layers.broker_value(name).as_deref().and_then(number);
    let (Some(wanted), Some(current)) = (number(value), current) else { return Ok(()) };
    let why = match wanted {
        ..1 => "value should be at least 1".to_owned(),
        _ if wanted < current / 2 => {
            format!("value should be at least half the current value {current}")
        }
        _ if wanted > current * 2 => {
            format!("value should not be greater than double the current value {current}")
        }
        _ => return Ok(()),
    };
    Err(invalid_request(format!(
        "Invalid value org.apache.kafka.common.config.ConfigException: Dynamic thread count \
         update validation failed for {name}={value}, {why} for configuration Invalid dynamic \
         configuration"
    )))
}
