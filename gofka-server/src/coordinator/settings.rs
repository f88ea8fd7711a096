//! The coordinator's settings, read from Kafka's once, at start: none of them changes while a
//! broker runs.

use std::str::FromStr;
use std::time::Duration;

use gofka_core::config::ConfigLayers;
use gofka_core::group::GroupSettings;
use gofka_core::record::Compression;

/// How the offsets topic is made and written, and how long a commit may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CoordinatorSettings {
    /// `offsets.topic.num.partitions`
    pub(super) partitions: i32,
    /// `offsets.topic.replication.factor`, where there are as many brokers.
    pub(super) replication_max: i16,
    /// `offsets.topic.segment.bytes`
    pub(super) segment_bytes: i32,
    /// `offsets.topic.compression.codec`
    pub(super) compression: Compression,
    /// `offsets.commit.timeout.ms`
    pub(super) commit_timeout: Duration,
    /// `offsets.retention.check.interval.ms`
    pub(super) expiry_interval: Duration,
}

impl CoordinatorSettings {
    pub(super) fn resolve(layers: &ConfigLayers<'_>) -> Self {
        let millis = |name| Duration::from_millis(number::<u64>(layers, name));
        Self {
            partitions: number(layers, "offsets.topic.num.partitions"),
            replication_max: number(layers, "offsets.topic.replication.factor"),
            segment_bytes: number(layers, "offsets.topic.segment.bytes"),
            compression: codec(number(layers, "offsets.topic.compression.codec")),
            commit_timeout: millis("offsets.commit.timeout.ms"),
            expiry_interval: millis("offsets.retention.check.interval.ms"),
        }
    }
}

/// The limits of groups.
pub(super) fn group_settings(layers: &ConfigLayers<'_>) -> GroupSettings {
    let delay: i64 = number(layers, "group.initial.rebalance.delay.ms");
    let retention_minutes: i64 = number(layers, "offsets.retention.minutes");
    let metadata_max: i64 = number(layers, "offset.metadata.max.bytes");
    GroupSettings {
        session_timeout_min_ms: number(layers, "group.min.session.timeout.ms"),
        session_timeout_max_ms: number(layers, "group.max.session.timeout.ms"),
        members_max: number(layers, "group.max.size"),
        initial_rebalance_delay: Duration::from_millis(u64::try_from(delay).unwrap_or(0)),
        offset_metadata_max: usize::try_from(metadata_max).unwrap_or(0),
        offsets_retention_ms: retention_minutes.saturating_mul(60_000),
        ..GroupSettings::default()
    }
}

/// A setting whose table has a default and whose values were checked when they were set.
fn number<T: FromStr>(layers: &ConfigLayers<'_>, name: &str) -> T {
    let value = layers.broker_value(name).and_then(|text| text.trim().parse().ok());
    value.unwrap_or_else(|| panic!("{name} is a number with a default"))
}

fn codec(number: i16) -> Compression {
    match number {
        1 => Compression::Gzip,
        2 => Compression::Snappy,
        3 => Compression::Lz4,
        4 => Compression::Zstd,
        _ => Compression::None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use gofka_core::config::StaticConfig;

    use super::*;

    fn resolved(set: &[(&str, &str)]) -> (CoordinatorSettings, GroupSettings) {
        let none = BTreeMap::new();
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let fixed = StaticConfig(set.iter().map(own).collect());
        let (own, broker, cluster, fixed) = (&none, &none, &none, &fixed);
        let layers = ConfigLayers { own, broker, cluster, fixed, replicas: 1 };
        (CoordinatorSettings::resolve(&layers), group_settings(&layers))
    }

    #[test]
    fn defaults_are_kafkas() {
        let (coordinator, groups) = resolved(&[]);
        assert_eq!(groups, GroupSettings::default());
        assert_eq!(coordinator.partitions, 50);
        assert_eq!(coordinator.compression, Compression::None);
        assert_eq!(coordinator.commit_timeout, Duration::from_secs(5));
        assert_eq!(coordinator.expiry_interval, Duration::from_mins(10));
    }

    #[test]
    fn what_is_set_is_taken() {
        let (coordinator, groups) = resolved(&[
            ("group.max.size", "7"),
            ("group.initial.rebalance.delay.ms", "3000"),
            ("offsets.retention.minutes", "1"),
            ("offsets.topic.compression.codec", "4"),
        ]);
        assert_eq!(groups.members_max, 7);
        assert_eq!(groups.initial_rebalance_delay, Duration::from_secs(3));
        assert_eq!(groups.offsets_retention_ms, 60_000);
        assert_eq!(coordinator.compression, Compression::Zstd);
    }
}
