//! Settings of a topic that must fit each other.

use gofka_core::config::{ConfigLayers, ConfigValue, topic_key};
use gofka_core::error::ApiError;

use super::super::Environment;
use super::{check_known, invalid_config};
use crate::image::{ConfigMap, MetadataImage};

/// Checks all that is set on a topic, each for itself and together.
pub(super) fn check(
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
