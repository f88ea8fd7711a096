//! Intervals and limits of the partitions' background work that are fixed at start; what may
//! change while the broker runs is asked for by name, in `housekeeping.rs`.

use std::time::Duration;

/// Kafka's settings of the same names, with its defaults unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSettings {
    /// `log.retention.check.interval.ms`
    pub retention_interval: Duration,
    /// `log.flush.offset.checkpoint.interval.ms`
    pub checkpoint_interval: Duration,
    /// `log.cleaner.enable`
    pub cleaner_enabled: bool,
    /// `producer.id.expiration.check.interval.ms`
    pub producer_check_interval: Duration,
    /// Logs that are synced at the same time.
    pub sync_threads: usize,
    /// `fetch.max.bytes`
    pub fetch_max_bytes: usize,
    /// `max.incremental.fetch.session.cache.slots`
    pub fetch_session_slots: usize,
}

impl Default for PartitionSettings {
    fn default() -> Self {
        Self {
            retention_interval: Duration::from_secs(300),
            checkpoint_interval: Duration::from_secs(60),
            cleaner_enabled: true,
            producer_check_interval: Duration::from_secs(600),
            sync_threads: 8,
            fetch_max_bytes: 55 << 20,
            fetch_session_slots: 1_000,
        }
    }
}
