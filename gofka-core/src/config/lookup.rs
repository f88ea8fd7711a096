//! From a name to its setting, and from a wrong name to the one that was probably meant.

use super::key::{ConfigKey, Dynamic};
use super::{broker_cluster, broker_log, broker_net, broker_own};
use super::{group_keys, topic_keys, unused};

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
    Unused(Dynamic),
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

/// Names of Kafka's broker settings that are accepted without effect.
pub fn unused_broker_names() -> impl Iterator<Item = &'static str> {
    unused::UNUSED.iter().map(|(name, _)| *name)
}

/// What `name` is among the broker settings. A `listener.name.` prefix is Kafka's way to say
/// something for one listener; the settings that allow it are not used here yet.
pub fn broker_name(name: &str) -> BrokerName {
    if let Some(key) = broker_key(name) {
        return BrokerName::Known(key);
    }
    if let Some((_, dynamic)) = unused::UNUSED.iter().find(|(unused, _)| *unused == name) {
        return BrokerName::Unused(*dynamic);
    }
    if name.starts_with("listener.name.") {
        return BrokerName::Unused(Dynamic::PerBroker);
    }
    let candidates = broker_keys().map(|key| key.name).chain(unused_broker_names());
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
        for key in tables.into_iter().flatten().chain(broker_keys()) {
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
        assert_eq!(broker_name("num.io.threads"), BrokerName::Unused(Dynamic::ClusterWide));
        assert!(matches!(broker_name("num.partitions"), BrokerName::Known(_)));
    }
}
