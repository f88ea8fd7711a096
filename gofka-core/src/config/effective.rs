//! Which value of a setting is in force, and where it comes from.
//!
//! Used by `DescribeConfigs` and by the typed structs, so that what is shown is what is done.

use std::collections::BTreeMap;

use super::key::ConfigKey;
use super::lookup::any_broker_key;

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
    /// Where a broker setting has values, the strongest first, the default at the end; weaker
    /// settings that mean the same, such as hours instead of milliseconds, come after it.
    #[must_use]
    pub fn broker_settings(&self, key: &'static ConfigKey) -> Vec<Setting> {
        let mut names: Vec<&'static str> = key.synonyms.iter().map(|(name, _)| *name).collect();
        if names.is_empty() {
            names.push(key.name);
        }
        self.settings_of(key.name, &names)
    }

    /// The value of a broker setting in force; `None` is null.
    #[must_use]
    pub fn broker_value(&self, name: &str) -> Option<String> {
        let key = any_broker_key(name)?;
        let set = self.set_layers().into_iter().find_map(|(layer, _)| layer.get(key.name));
        set.cloned().or_else(|| self.default_of(key))
    }

    /// Where a topic or group setting has values, the strongest first, the default at the end.
    /// The first is in the setting's own unit; the others as they were given.
    #[must_use]
    pub fn own_settings(&self, key: &'static ConfigKey, own: ConfigSource) -> Vec<Setting> {
        let mut found = Vec::new();
        if let Some(value) = self.own.get(key.name) {
            found.push(Setting { name: key.name, value: Some(value.clone()), source: own });
        }
        let synonyms: Vec<&'static str> = key.synonyms.iter().map(|(name, _)| *name).collect();
        match synonyms.first() {
            Some(first) => found.extend(self.settings_of(first, &synonyms)),
            None if own == ConfigSource::Group => {
                found.extend(default_setting(key.name, key.default));
            }
            None => {}
        }
        found
    }

    /// The value of a topic or group setting in force, in its own unit; `None` is null.
    #[must_use]
    pub fn own_value(&self, key: &'static ConfigKey) -> Option<String> {
        if let Some(value) = self.own.get(key.name) {
            return Some(value.clone());
        }
        for &(synonym, scale) in key.synonyms {
            for (layer, _) in self.set_layers() {
                if let Some(value) = layer.get(synonym) {
                    return Some(scaled(value, scale));
                }
            }
        }
        self.default_of(key)
    }

    /// The value in force, and where it comes from, `own` standing for the topic or group itself.
    /// As in Kafka, the start's setting counts as a source only under its strongest name.
    #[must_use]
    pub fn own_value_and_source(
        &self,
        key: &'static ConfigKey,
        own: ConfigSource,
    ) -> (Option<String>, ConfigSource) {
        let first = self.own_settings(key, own).into_iter().next();
        (self.own_value(key), first.map_or(ConfigSource::Default, |setting| setting.source))
    }

    fn set_layers(&self) -> [(&BTreeMap<String, String>, ConfigSource); 3] {
        [
            (self.broker, ConfigSource::DynamicBroker),
            (self.cluster, ConfigSource::DynamicDefaultBroker),
            (&self.fixed.0, ConfigSource::StaticBroker),
        ]
    }

    /// Values of the broker settings `names` by layer, from the first value of `strongest` on.
    fn settings_of(&self, strongest: &str, names: &[&'static str]) -> Vec<Setting> {
        let mut found = Vec::new();
        for (layer, source) in self.set_layers() {
            for &name in names {
                if let Some(value) = layer.get(name) {
                    found.push(Setting { name, value: Some(value.clone()), source });
                }
            }
        }
        for &name in names {
            if let Some(key) = any_broker_key(name) {
                found.extend(default_setting(name, self.default_of(key).as_deref()));
            }
        }
        let first = found.iter().position(|setting| setting.name == strongest);
        found.split_off(first.unwrap_or(found.len()))
    }

    fn default_of(&self, key: &ConfigKey) -> Option<String> {
        if key.name == "min.insync.replicas" && self.replicas >= REPLICATED_FROM {
            return Some(REPLICATED_MIN_INSYNC.to_owned());
        }
        key.default.map(str::to_owned)
    }
}

fn default_setting(name: &'static str, value: Option<&str>) -> Option<Setting> {
    let value = value?.to_owned();
    Some(Setting { name, value: Some(value), source: ConfigSource::Default })
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
    use super::super::lookup::{broker_key, topic_key};
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
        assert_eq!(value(&case), ("240000".to_owned(), ConfigSource::Default));
        case.fixed.0.remove("log.retention.minutes");
        assert_eq!(value(&case), ("18000000".to_owned(), ConfigSource::Default));
        case.fixed.0.clear();
        assert_eq!(value(&case), ("604800000".to_owned(), ConfigSource::Default));
    }

    #[test]
    fn weaker_names_are_shown_after_the_strongest() {
        let case = Case {
            own: map(&[]),
            broker: map(&[]),
            cluster: map(&[("log.retention.ms", "3")]),
            fixed: StaticConfig(map(&[("log.retention.hours", "5")])),
        };
        let shown = |settings: Vec<Setting>| {
            let each = settings.into_iter().map(|s| (s.name, s.value.unwrap(), s.source));
            each.collect::<Vec<_>>()
        };
        let expected = [
            ("log.retention.ms", "3".to_owned(), ConfigSource::DynamicDefaultBroker),
            ("log.retention.hours", "5".to_owned(), ConfigSource::StaticBroker),
            ("log.retention.hours", "168".to_owned(), ConfigSource::Default),
        ];
        let topic = topic_key("retention.ms").unwrap();
        assert_eq!(shown(case.layers().own_settings(topic, ConfigSource::Topic)), expected);
        let broker = broker_key("log.retention.ms").unwrap();
        assert_eq!(shown(case.layers().broker_settings(broker)), expected);
        assert_eq!(case.layers().broker_value("log.retention.ms").as_deref(), Some("3"));
        let hours = broker_key("log.retention.hours").unwrap();
        assert_eq!(case.layers().broker_settings(hours).len(), 2);
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
