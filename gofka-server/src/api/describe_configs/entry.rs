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
        let asked = keys.iter().filter(|key| self.asks_for(key));
        let entries = asked.map(|key| {
            let (value, source) = layers.own_value_and_source(key, own);
            self.entry(key, value, source, &layers.own_settings(key, own), false)
        });
        entries.collect()
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
