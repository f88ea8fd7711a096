//! Which value of a setting is in force, and where it comes from.
//!
//! Used by `DescribeConfigs` and by the typed structs, so that what is shown is what is done.

use std::collections::BTreeMap;

use super::key::ConfigKey;
use super::lookup::broker_key;

/// Broker settings as the process was started with them: Kafka's names, values as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StaticConfig(pub BTreeMap<String, String>);

/// Where settings come from, the strongest first.
#[derive(Clone, Copy, Debug)]
pub struct ConfigLayers<'a> {
    /// Set on the topic or group itself.
    pub own: &'a BTreeMap<String, String>,
    /// Set on this broker while it runs.
    pub broker: &'a BTreeMap<String, String>,
    /// Set for all brokers while they run.
    pub cluster: &'a BTreeMap<String, String>,
    /// Given at start.
    pub fixed: &'a StaticConfig,
    /// Copies of each partition, for settings whose default depends on them; 1 for a broker's own.
    pub replicas: usize,
}

/// Where a value comes from; the numbers are those of `DescribeConfigs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum ConfigSource {
    /// The topic.
    Topic = 1,
    /// This broker, while it runs.
    DynamicBroker = 2,
    /// All brokers, while they run.
    DynamicDefaultBroker = 3,
    /// This broker's start.
    StaticBroker = 4,
    /// Nobody: the default.
    Default = 5,
    /// This broker's log levels.
    DynamicBrokerLogger = 6,
    /// The client telemetry subscription.
    ClientMetrics = 7,
    /// The group.
    Group = 8,
}

/// One value on the way from the strongest source to the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Under which name it was set.
    pub name: &'static str,
    /// The value as it was given; `None` is null.
    pub value: Option<String>,
    /// Where.
    pub source: ConfigSource,
}

const REPLICATED_MIN_INSYNC: &str = "2";
const REPLICATED_FROM: usize = 3;

impl ConfigLayers<'_> {
    /// Where a broker setting has values, the strongest first, the default at the end.
    #[must_use]
    pub fn broker_settings(&self, key: &'static ConfigKey) -> Vec<Setting> {
        let mut found = Vec::new();
        self.push_broker_settings(key, &mut found);
        found
    }

    /// The value of a broker setting in force; `None` is null.
    #[must_use]
    pub fn broker_value(&self, name: &str) -> Option<String> {
        let key = broker_key(name)?;
        self.broker_settings(key).into_iter().next().and_then(|setting| setting.value)
    }

    /// Where a topic or group setting has values, the strongest first, the default at the end.
    /// The first is in the setting's own unit; the others as they were given.
    #[must_use]
    pub fn own_settings(&self, key: &'static ConfigKey, own: ConfigSource) -> Vec<Setting> {
        let mut found = Vec::new();
        if let Some(value) = self.own.get(key.name) {
            found.push(Setting { name: key.name, value: Some(value.clone()), source: own });
        }
        for (synonym, _) in key.synonyms {
            if let Some(broker) = broker_key(synonym) {
                self.push_broker_settings(broker, &mut found);
            }
        }
        found
    }

    /// The value of a topic or group setting in force, in its own unit; `None` is null.
    #[must_use]
    pub fn own_value(&self, key: &'static ConfigKey) -> Option<String> {
        self.own_value_and_source(key, ConfigSource::Topic).0
    }

    /// The value in force, and where it comes from, `own` standing for the topic or group itself.
    #[must_use]
    pub fn own_value_and_source(
        &self,
        key: &'static ConfigKey,
        own: ConfigSource,
    ) -> (Option<String>, ConfigSource) {
        if let Some(value) = self.own.get(key.name) {
            return (Some(value.clone()), own);
        }
        for &(synonym, scale) in key.synonyms {
            let set = [
                (self.broker, ConfigSource::DynamicBroker),
                (self.cluster, ConfigSource::DynamicDefaultBroker),
                (&self.fixed.0, ConfigSource::StaticBroker),
            ];
            for (layer, source) in set {
                if let Some(value) = layer.get(synonym) {
                    return (Some(scaled(value, scale)), source);
                }
            }
        }
        (self.default_of(key), ConfigSource::Default)
    }

    fn default_of(&self, key: &ConfigKey) -> Option<String> {
        if key.name == "min.insync.replicas" && self.replicas >= REPLICATED_FROM {
            return Some(REPLICATED_MIN_INSYNC.to_owned());
        }
        key.default.map(str::to_owned)
    }

    fn push_broker_settings(&self, key: &'static ConfigKey, found: &mut Vec<Setting>) {
        let layers = [
            (self.broker, ConfigSource::DynamicBroker),
            (self.cluster, ConfigSource::DynamicDefaultBroker),
            (&self.fixed.0, ConfigSource::StaticBroker),
        ];
        for (layer, source) in layers {
            if let Some(value) = layer.get(key.name) {
                found.push(Setting { name: key.name, value: Some(value.clone()), source });
            }
        }
        if let Some(value) = self.default_of(key) {
            let source = ConfigSource::Default;
            found.push(Setting { name: key.name, value: Some(value), source });
        }
    }
}

/// `value` in the unit of the topic's setting. A value below zero means "no limit" in any unit.
fn scaled(value: &str, scale: i64) -> String {
    match value.trim().parse::<i64>() {
        Ok(number) if scale != 1 && number >= 0 => number.saturating_mul(scale).to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::lookup::topic_key;
    use super::*;

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    struct Case {
        own: BTreeMap<String, String>,
        broker: BTreeMap<String, String>,
        cluster: BTreeMap<String, String>,
        fixed: StaticConfig,
    }

    impl Case {
        fn layers(&self) -> ConfigLayers<'_> {
            ConfigLayers {
                own: &self.own,
                broker: &self.broker,
                cluster: &self.cluster,
                fixed: &self.fixed,
                replicas: 1,
            }
        }
    }

    #[test]
    fn the_strongest_layer_wins() {
        let key = topic_key("retention.ms").unwrap();
        let mut case = Case {
            own: map(&[("retention.ms", "1")]),
            broker: map(&[("log.retention.ms", "2")]),
            cluster: map(&[("log.retention.ms", "3")]),
            fixed: StaticConfig(map(&[
                ("log.retention.minutes", "4"),
                ("log.retention.hours", "5"),
            ])),
        };
        let value = |case: &Case| {
            let (value, source) = case.layers().own_value_and_source(key, ConfigSource::Topic);
            (value.unwrap(), source)
        };
        assert_eq!(value(&case), ("1".to_owned(), ConfigSource::Topic));
        case.own.clear();
        assert_eq!(value(&case), ("2".to_owned(), ConfigSource::DynamicBroker));
        case.broker.clear();
        assert_eq!(value(&case), ("3".to_owned(), ConfigSource::DynamicDefaultBroker));
        case.cluster.clear();
        assert_eq!(value(&case), ("240000".to_owned(), ConfigSource::StaticBroker));
        case.fixed.0.remove("log.retention.minutes");
        assert_eq!(value(&case), ("18000000".to_owned(), ConfigSource::StaticBroker));
        case.fixed.0.clear();
        assert_eq!(value(&case), ("604800000".to_owned(), ConfigSource::Default));
    }

    #[test]
    fn no_limit_stays_no_limit_in_any_unit() {
        assert_eq!(scaled("-1", 3_600_000), "-1");
        assert_eq!(
            scaled("2562047788015", 3_600_000),
            (2_562_047_788_015_i64 * 3_600_000).to_string()
        );
    }
}
