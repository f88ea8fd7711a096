//! One line of the answer: a setting with its value, source, type and synonyms.

use std::collections::BTreeMap;

use gofka_core::config::{
    ConfigKey, ConfigLayers, ConfigSource, Dynamic, Kind, Setting, any_broker_key,
};
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsSynonym,
};
use kafka_protocol::protocol::StrBytes;

/// Which settings were asked for, and how much about each.
pub(super) struct Entries<'a> {
    /// By name; all when absent.
    pub(super) names: Option<&'a [StrBytes]>,
    pub(super) synonyms: bool,
    pub(super) documentation: bool,
}

impl Entries<'_> {
    /// The settings of a topic, group or subscription.
    pub(super) fn own(
        &self,
        keys: &'static [ConfigKey],
        layers: &ConfigLayers<'_>,
        own: ConfigSource,
    ) -> Vec<DescribeConfigsResourceResult> {
        let mut entries = Vec::new();
        for key in keys.iter().filter(|key| self.asks_for_name(key.name)) {
            let (value, source) = layers.own_value_and_source(key, own);
            if key.hidden && source != own {
                continue;
            }
            let mut settings = layers.own_settings(key, own);
            for setting in settings.iter_mut().filter(|setting| setting.source == own) {
                setting.value = setting.value.take().map(|text| key.normal(text));
            }
            let value = value.map(|text| key.normal(text));
            entries.push(self.entry(key, value, source, &settings, false));
        }
        entries
    }

    /// The settings of this broker.
    pub(super) fn broker(
        &self,
        keys: impl Iterator<Item = &'static ConfigKey>,
        layers: &ConfigLayers<'_>,
    ) -> Vec<DescribeConfigsResourceResult> {
        let asked = keys.filter(|key| self.asks_for(key));
        let entries = asked.map(|key| {
            let settings = layers.broker_settings(key);
            let first = settings.first();
            let value = first.and_then(|setting| setting.value.clone());
            let value = value.map(|text| key.normal(text));
            let source = first.map_or(ConfigSource::Default, |setting| setting.source);
            self.entry(key, value, source, &settings, key.dynamic == Dynamic::ReadOnly)
        });
        entries.collect()
    }

    /// What was set for all brokers while they run, and nothing else.
    pub(super) fn of_all_brokers(
        &self,
        set: &BTreeMap<String, String>,
    ) -> Vec<DescribeConfigsResourceResult> {
        let known = set.iter().filter_map(|(name, value)| Some((any_broker_key(name)?, value)));
        let asked = known.filter(|(key, _)| self.asks_for(key));
        let entries = asked.map(|(key, value)| {
            let source = ConfigSource::DynamicDefaultBroker;
            let setting = Setting { name: key.name, value: Some(value.clone()), source };
            self.entry(key, Some(value.clone()), source, &[setting], false)
        });
        entries.collect()
    }

    /// The log levels of this broker.
    pub(super) fn loggers(
        &self,
        levels: &BTreeMap<&'static str, String>,
    ) -> Vec<DescribeConfigsResourceResult> {
        let asked = levels.iter().filter(|(name, _)| self.asks_for_name(name));
        let entries = asked.map(|(name, level)| {
            DescribeConfigsResourceResult::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(Some(StrBytes::from_string(level.clone())))
                .with_config_source(ConfigSource::DynamicBrokerLogger as i8)
                .with_config_type(TYPE_STRING)
        });
        entries.collect()
    }

    fn asks_for(&self, key: &ConfigKey) -> bool {
        self.asks_for_name(key.name) && !key.hidden
    }

    fn asks_for_name(&self, name: &str) -> bool {
        self.names.is_none_or(|names| names.iter().any(|asked| asked.as_str() == name))
    }

    fn entry(
        &self,
        key: &ConfigKey,
        value: Option<String>,
        source: ConfigSource,
        settings: &[Setting],
        read_only: bool,
    ) -> DescribeConfigsResourceResult {
        let shown = |value: Option<String>| {
            value.filter(|_| !key.is_sensitive()).map(StrBytes::from_string)
        };
        let synonym = |setting: &Setting| {
            DescribeConfigsSynonym::default()
                .with_name(StrBytes::from_static_str(setting.name))
                .with_value(shown(setting.value.clone()))
                .with_source(setting.source as i8)
        };
        let mut entry = DescribeConfigsResourceResult::default()
            .with_name(StrBytes::from_static_str(key.name))
            .with_value(shown(value))
            .with_read_only(read_only)
            .with_config_source(source as i8)
            .with_is_sensitive(key.is_sensitive())
            .with_config_type(type_of(key.kind));
        if self.synonyms {
            entry.synonyms = settings.iter().map(synonym).collect();
        }
        entry.documentation = self.documentation.then(|| StrBytes::from_static_str(key.doc));
        entry
    }
}

// `DescribeConfigsResponse.ConfigType`
const TYPE_BOOLEAN: i8 = 1;
const TYPE_STRING: i8 = 2;
const TYPE_INT: i8 = 3;
const TYPE_SHORT: i8 = 4;
const TYPE_LONG: i8 = 5;
const TYPE_DOUBLE: i8 = 6;
const TYPE_LIST: i8 = 7;
const TYPE_CLASS: i8 = 8;
const TYPE_PASSWORD: i8 = 9;

const fn type_of(kind: Kind) -> i8 {
    match kind {
        Kind::Bool => TYPE_BOOLEAN,
        Kind::Text
        | Kind::NonEmptyText
        | Kind::OneOf(_)
        | Kind::OffsetReset
        | Kind::AddressLimits => TYPE_STRING,
        Kind::Int(..) | Kind::LevelOrDefault(..) => TYPE_INT,
        Kind::Short(..) => TYPE_SHORT,
        Kind::Long(..) => TYPE_LONG,
        Kind::Double(..) => TYPE_DOUBLE,
        Kind::List | Kind::ListOf(_) | Kind::ThrottledReplicas => TYPE_LIST,
        Kind::Class => TYPE_CLASS,
        Kind::Password => TYPE_PASSWORD,
    }
}

#[cfg(test)]
mod tests {
    use gofka_core::config::{StaticConfig, TOPIC_CONFIGS};

    use super::*;

    #[test]
    fn what_a_topic_has_set_is_shown_as_it_is_read() {
        let own = BTreeMap::from(
            [("retention.ms", " 07"), ("internal.segment.bytes", "2000")]
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let (nothing, fixed) = (BTreeMap::new(), StaticConfig::default());
        let entries = Entries { names: None, synonyms: true, documentation: false };
        let shown = |own: &BTreeMap<String, String>| {
            let layers = ConfigLayers {
                own,
                broker: &nothing,
                cluster: &nothing,
                fixed: &fixed,
                replicas: 1,
            };
            entries.own(TOPIC_CONFIGS, &layers, ConfigSource::Topic)
        };
        let with = shown(&own);
        let find = |name: &str| with.iter().find(|entry| entry.name.as_str() == name);
        let retention = find("retention.ms").expect("it is set");
        assert_eq!(retention.value.as_deref(), Some("7"));
        assert_eq!(retention.synonyms[0].value.as_deref(), Some("7"));
        assert!(find("internal.segment.bytes").is_some());
        assert_eq!(shown(&nothing).len(), with.len() - 1, "hidden where it is not set");
    }
}
