//! A topic's settings in typed form, resolved from the layers in which they can be set.
//!
//! The partition and its log read [`TopicConfig`]; a change of any layer makes a new one.

use super::effective::ConfigLayers;
use super::key::ConfigValue;
use super::lookup::topic_key;

/// What `durability` may be.
pub(super) const DURABILITY: &[&str] = &["auto", "fsync", "page-cache"];

/// Who sets a record's timestamp (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TimestampType {
    /// The producer.
    #[default]
    CreateTime,
    /// The broker, when it appends.
    LogAppendTime,
}

/// What happens to old records (`cleanup.policy`); both at once is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Whole segments go by age and size.
    pub delete: bool,
    /// Older records of a key go.
    pub compact: bool,
}

/// How batches are stored (`compression.type` and the levels).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicCompression {
    /// As the producer sent them.
    Producer,
    /// Never compressed.
    Uncompressed,
    /// Gzip at this level (`-1` is the library's own).
    Gzip(i32),
    /// Snappy.
    Snappy,
    /// Lz4 at this level.
    Lz4(i32),
    /// Zstd at this level.
    Zstd(i32),
}

/// When a record counts as kept by a replica (`durability`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// When it is synced to disk.
    Fsync,
    /// When it is in the operating system's memory, as in Kafka.
    PageCache,
}

/// A topic's settings, ready to use.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicConfig {
    /// `segment.bytes`
    pub segment_bytes: u32,
    /// `segment.ms`
    pub segment_ms: u64,
    /// `segment.jitter.ms`
    pub segment_jitter_ms: u64,
    /// `segment.index.bytes`
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`
    pub index_interval_bytes: u32,
    /// `retention.ms`; `None` keeps records for ever.
    pub retention_ms: Option<u64>,
    /// `retention.bytes`; `None` sets no limit.
    pub retention_bytes: Option<u64>,
    /// `cleanup.policy`
    pub cleanup_policy: CleanupPolicy,
    /// `max.message.bytes`: the largest batch.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`
    pub timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`
    pub timestamp_before_max_ms: u64,
    /// `message.timestamp.after.max.ms`
    pub timestamp_after_max_ms: u64,
    /// `compression.type` with its level
    pub compression: TopicCompression,
    /// `min.insync.replicas`
    pub min_insync_replicas: u32,
    /// `durability`, with `auto` decided by the replicas that have to be in sync.
    pub durability: Durability,
    /// `flush.messages`
    pub flush_messages: u64,
    /// `flush.ms`
    pub flush_ms: u64,
    /// `min.cleanable.dirty.ratio`
    pub min_cleanable_dirty_ratio: f64,
    /// `min.compaction.lag.ms`
    pub min_compaction_lag_ms: u64,
    /// `max.compaction.lag.ms`
    pub max_compaction_lag_ms: u64,
    /// `delete.retention.ms`
    pub delete_retention_ms: u64,
    /// `file.delete.delay.ms`
    pub file_delete_delay_ms: u64,
    /// `preallocate`
    pub preallocate: bool,
    /// `unclean.leader.election.enable`
    pub unclean_leader_election: bool,
}

impl Default for TopicConfig {
    /// A topic with one replica on a broker on which nothing was set.
    fn default() -> Self {
        let nothing = std::collections::BTreeMap::new();
        let fixed = super::effective::StaticConfig::default();
        Self::resolve(&ConfigLayers {
            own: &nothing,
            broker: &nothing,
            cluster: &nothing,
            fixed: &fixed,
            replicas: 1,
        })
    }
}

impl TopicConfig {
    /// The settings in force where `layers` are given.
    ///
    /// A value that is no value of its setting cannot have passed the checks at the door; should
    /// one be there nevertheless, the default holds.
    #[must_use]
    pub fn resolve(layers: &ConfigLayers<'_>) -> Self {
        let read = Reader { layers };
        let min_insync_replicas = read.integer("min.insync.replicas").max(1) as u32;
        let segment_bytes = match read.text("internal.segment.bytes").parse::<u32>() {
            Ok(bytes) => bytes,
            Err(_) => read.integer("segment.bytes") as u32,
        };
        Self {
            segment_bytes,
            segment_ms: read.count("segment.ms"),
            segment_jitter_ms: read.count("segment.jitter.ms"),
            segment_index_bytes: read.count("segment.index.bytes") as u32,
            index_interval_bytes: read.count("index.interval.bytes") as u32,
            retention_ms: u64::try_from(read.integer("retention.ms")).ok(),
            retention_bytes: u64::try_from(read.integer("retention.bytes")).ok(),
            cleanup_policy: read.cleanup_policy(),
            max_message_bytes: read.count("max.message.bytes") as u32,
            timestamp_type: match read.text("message.timestamp.type").as_str() {
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => TimestampType::CreateTime,
            },
            timestamp_before_max_ms: read.count("message.timestamp.before.max.ms"),
            timestamp_after_max_ms: read.count("message.timestamp.after.max.ms"),
            compression: read.compression(),
            min_insync_replicas,
            durability: match read.text("durability").as_str() {
                "fsync" => Durability::Fsync,
                "page-cache" => Durability::PageCache,
                // More replicas than there are cannot be in sync: a lone one has to sync.
                _ if layers.replicas.min(min_insync_replicas as usize) >= 2 => {
                    Durability::PageCache
                }
                _ => Durability::Fsync,
            },
            flush_messages: read.count("flush.messages"),
            // The broker's default may be negative: then time is no reason to sync.
            flush_ms: u64::try_from(read.integer("flush.ms")).unwrap_or(u64::MAX),
            min_cleanable_dirty_ratio: read.ratio("min.cleanable.dirty.ratio"),
            min_compaction_lag_ms: read.count("min.compaction.lag.ms"),
            max_compaction_lag_ms: read.count("max.compaction.lag.ms"),
            delete_retention_ms: read.count("delete.retention.ms"),
            file_delete_delay_ms: read.count("file.delete.delay.ms"),
            preallocate: read.value("preallocate") == Some(ConfigValue::Bool(true)),
            unclean_leader_election: read.value("unclean.leader.election.enable")
                == Some(ConfigValue::Bool(true)),
        }
    }
}

/// Reads settings by name with the type that the table gives them.
struct Reader<'a> {
    layers: &'a ConfigLayers<'a>,
}

impl Reader<'_> {
    fn value(&self, name: &str) -> Option<ConfigValue> {
        let key = topic_key(name).expect("a topic setting of the table");
        let set = self.layers.own_value(key).and_then(|text| key.parse(&text).ok());
        set.or_else(|| key.default.and_then(|text| key.parse(text).ok()))
    }

    fn integer(&self, name: &str) -> i64 {
        match self.value(name) {
            Some(ConfigValue::Integer(value)) => value,
            _ => 0,
        }
    }

    fn count(&self, name: &str) -> u64 {
        u64::try_from(self.integer(name)).unwrap_or(0)
    }

    fn ratio(&self, name: &str) -> f64 {
        match self.value(name) {
            Some(ConfigValue::Double(value)) => value,
            _ => 0.0,
        }
    }

    fn text(&self, name: &str) -> String {
        self.value(name).map(|value| value.to_string()).unwrap_or_default()
    }

    fn cleanup_policy(&self) -> CleanupPolicy {
        let Some(ConfigValue::List(policies)) = self.value("cleanup.policy") else {
            return CleanupPolicy { delete: true, compact: false };
        };
        let has = |policy: &str| policies.iter().any(|entry| entry == policy);
        CleanupPolicy { delete: has("delete"), compact: has("compact") }
    }

    fn compression(&self) -> TopicCompression {
        let level = |name: &str| self.integer(name) as i32;
        match self.text("compression.type").as_str() {
            "uncompressed" => TopicCompression::Uncompressed,
            "gzip" => TopicCompression::Gzip(level("compression.gzip.level")),
            "snappy" => TopicCompression::Snappy,
            "lz4" => TopicCompression::Lz4(level("compression.lz4.level")),
            "zstd" => TopicCompression::Zstd(level("compression.zstd.level")),
            _ => TopicCompression::Producer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::effective::StaticConfig;
    use super::*;

    fn resolve(own: &[(&str, &str)], replicas: usize) -> TopicConfig {
        let own: BTreeMap<String, String> =
            own.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let (nothing, fixed) = (BTreeMap::new(), StaticConfig::default());
        TopicConfig::resolve(&ConfigLayers {
            own: &own,
            broker: &nothing,
            cluster: &nothing,
            fixed: &fixed,
            replicas,
        })
    }

    #[test]
    fn defaults_are_kafkas() {
        let config = TopicConfig::default();
        assert_eq!(config.segment_bytes, 1 << 30);
        assert_eq!(config.retention_ms, Some(604_800_000));
        assert_eq!(config.retention_bytes, None);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: true, compact: false });
        assert_eq!(config.max_message_bytes, 1_048_588);
        assert_eq!(config.compression, TopicCompression::Producer);
        assert_eq!(config.min_insync_replicas, 1);
        assert_eq!(config.flush_ms, 1000);
    }

    #[test]
    fn durability_follows_the_replicas_unless_it_is_set() {
        assert_eq!(resolve(&[], 1).durability, Durability::Fsync);
        assert_eq!(resolve(&[], 3).durability, Durability::PageCache);
        assert_eq!(resolve(&[], 3).min_insync_replicas, 2);
        assert_eq!(resolve(&[("min.insync.replicas", "1")], 3).durability, Durability::Fsync);
        assert_eq!(resolve(&[("min.insync.replicas", "2")], 1).durability, Durability::Fsync);
        assert_eq!(resolve(&[("durability", "page-cache")], 1).durability, Durability::PageCache);
    }

    #[test]
    fn what_is_set_on_the_topic_holds() {
        let config = resolve(
            &[
                ("retention.ms", "-1"),
                ("cleanup.policy", "compact"),
                ("compression.type", "zstd"),
                ("compression.zstd.level", "7"),
                ("message.timestamp.type", "LogAppendTime"),
            ],
            1,
        );
        assert_eq!(config.retention_ms, None);
        assert_eq!(config.cleanup_policy, CleanupPolicy { delete: false, compact: true });
        assert_eq!(config.compression, TopicCompression::Zstd(7));
        assert_eq!(config.timestamp_type, TimestampType::LogAppendTime);
    }
}
