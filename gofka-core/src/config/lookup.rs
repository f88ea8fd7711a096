//! From a name to its setting, and from a wrong name to the one that was probably meant.

use std::sync::LazyLock;

use super::key::{ConfigKey, Dynamic};
use super::{broker_cluster, broker_log, broker_net, broker_own};
use super::{group_keys, topic_keys, unused};

/// How a setting for one listener begins.
const LISTENER_PREFIX: &str = "listener.name.";
/// Settings that can be given for one listener of all brokers.
const CLUSTER_WIDE_OF_LISTENERS: &[&str] =
    &["max.connection.creation.rate", "max.connections", "num.network.threads"];

/// Settings of topics, in the order of their names.
pub const TOPIC_CONFIGS: &[ConfigKey] = topic_keys::TOPIC;
/// Settings of groups, in the order of their names.
pub const GROUP_CONFIGS: &[ConfigKey] = group_keys::GROUP;
/// Settings of client telemetry, in the order of their names.
pub const CLIENT_METRICS_CONFIGS: &[ConfigKey] = group_keys::CLIENT_METRICS;
/// Settings of brokers that Gofka uses, by theme.
pub const BROKER_CONFIGS: &[&[ConfigKey]] =
    &[broker_own::OWN, broker_cluster::CLUSTER, broker_net::NET, broker_log::LOG];

/// What a name is among the broker settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BrokerName {
    /// A setting that is used.
    Known(&'static ConfigKey),
    /// A setting of Kafka's that is accepted and changes nothing here.
    Unused(&'static ConfigKey),
    /// A setting for one listener (`listener.name.NAME.SETTING`), accepted and not used here yet.
    Listener(Dynamic),
    /// No setting; perhaps this one was meant.
    Unknown(Option<&'static str>),
}

/// The topic setting `name`.
pub fn topic_key(name: &str) -> Option<&'static ConfigKey> {
    TOPIC_CONFIGS.iter().find(|key| key.name == name)
}

/// The group setting `name`.
pub fn group_key(name: &str) -> Option<&'static ConfigKey> {
    GROUP_CONFIGS.iter().find(|key| key.name == name)
}

/// The client telemetry setting `name`.
pub fn client_metrics_key(name: &str) -> Option<&'static ConfigKey> {
    CLIENT_METRICS_CONFIGS.iter().find(|key| key.name == name)
}

/// The broker setting `name`, when Gofka uses it.
pub fn broker_key(name: &str) -> Option<&'static ConfigKey> {
    broker_keys().find(|key| key.name == name)
}

/// All broker settings that Gofka uses.
pub fn broker_keys() -> impl Iterator<Item = &'static ConfigKey> {
    BROKER_CONFIGS.iter().flat_map(|table| table.iter())
}

/// Kafka's broker settings that are accepted without effect.
fn unused_broker_keys() -> impl Iterator<Item = &'static ConfigKey> {
    unused::UNUSED.iter().flat_map(|table| table.iter())
}

/// Names of Kafka's broker settings that are accepted without effect.
pub fn unused_broker_names() -> impl Iterator<Item = &'static str> {
    unused_broker_keys().map(|key| key.name)
}

/// The broker setting `name`, used or not.
pub fn any_broker_key(name: &str) -> Option<&'static ConfigKey> {
    broker_key(name).or_else(|| unused_broker_keys().find(|key| key.name == name))
}

/// All broker settings, used or not, in the order of their names.
pub fn all_broker_keys() -> &'static [&'static ConfigKey] {
    static ALL: LazyLock<Vec<&'static ConfigKey>> = LazyLock::new(|| {
        let mut keys: Vec<_> = broker_keys().chain(unused_broker_keys()).collect();
        keys.sort_unstable_by_key(|key| key.name);
        keys
    });
    &ALL
}

/// What `name` is among the broker settings.
pub fn broker_name(name: &str) -> BrokerName {
    if let Some(key) = broker_key(name) {
        return BrokerName::Known(key);
    }
    if let Some(key) = unused_broker_keys().find(|key| key.name == name) {
        return BrokerName::Unused(key);
    }
    if let Some(of_listener) = name.strip_prefix(LISTENER_PREFIX) {
        let base = of_listener.split_once('.').map_or("", |(_, base)| base);
        return BrokerName::Listener(if CLUSTER_WIDE_OF_LISTENERS.contains(&base) {
            Dynamic::ClusterWide
        } else {
            Dynamic::PerBroker
        });
    }
    let candidates = all_broker_keys().iter().map(|key| key.name);
    BrokerName::Unknown(nearest(name, candidates))
}

/// The candidate that differs from `name` in the fewest letters, if it is near enough to be meant.
pub fn nearest(name: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let name: String = name.chars().take(128).collect::<String>().to_ascii_lowercase();
    let allowed = (name.len() / 4).clamp(1, 6);
    candidates
        .map(|candidate| (distance(&name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= allowed)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance. `_` and `-` count as `.`, a frequent slip.
fn distance(left: &str, right: &str) -> usize {
    let same = |a: char, b: char| a == b || (matches!(a, '_' | '-') && b == '.');
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(!same(a, b));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_setting() {
        let tables = [TOPIC_CONFIGS, GROUP_CONFIGS, CLIENT_METRICS_CONFIGS];
        let brokers = all_broker_keys().iter().copied();
        for key in tables.into_iter().flatten().chain(brokers) {
            if let Some(default) = key.default {
                key.parse(default).unwrap();
            }
            assert!(key.doc.ends_with('.'), "{}", key.name);
        }
    }

    #[test]
    fn names_are_listed_once_and_synonyms_exist() {
        let mut names: Vec<&str> =
            broker_keys().map(|key| key.name).chain(unused_broker_names()).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(count, names.len());
        for key in TOPIC_CONFIGS.iter().chain(GROUP_CONFIGS) {
            for (synonym, _) in key.synonyms {
                assert!(names.contains(synonym), "{synonym} of {}", key.name);
            }
        }
    }

    #[test]
    fn a_slip_finds_the_setting_that_was_meant() {
        let cases = [
            ("num.partition", Some("num.partitions")),
            ("log_retention_hours", Some("log.retention.hours")),
            ("auto.create.topic.enabled", Some("auto.create.topics.enable")),
            ("zzz", None),
        ];
        for (name, expected) in cases {
            assert_eq!(broker_name(name), BrokerName::Unknown(expected), "{name}");
        }
    }

    #[test]
    fn a_setting_of_kafka_without_use_here_is_told_apart() {
        let BrokerName::Unused(key) = broker_name("num.io.threads") else {
            panic!("num.io.threads is one of Kafka's");
        };
        assert_eq!((key.dynamic, key.default), (Dynamic::ClusterWide, Some("8")));
        let of_listener = |base: &str| broker_name(&format!("listener.name.external.{base}"));
        assert_eq!(of_listener("ssl.keystore.type"), BrokerName::Listener(Dynamic::PerBroker));
        assert_eq!(of_listener("max.connections"), BrokerName::Listener(Dynamic::ClusterWide));
        assert!(matches!(broker_name("num.partitions"), BrokerName::Known(_)));
    }
}
