//! The limits a coordinator works within, resolved from Kafka's `group.*` and `offset*` settings.
//!
//! Built by the server's coordinator, read by every handler under `group`.

use std::time::Duration;

/// Settings of one coordinator. Defaults are Kafka's, but for the initial delay, which on a single
/// node only costs time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// `group.min.session.timeout.ms`.
    pub session_timeout_min_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_max_ms: i32,
    /// `group.max.size`: members of one group.
    pub members_max: usize,
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members.
    pub initial_rebalance_delay: Duration,
    /// `offset.metadata.max.bytes`: length of the text beside a committed offset.
    pub offset_metadata_max: usize,
    /// `offsets.retention.minutes`, in milliseconds of wall-clock time.
    pub offsets_retention_ms: i64,
    /// The largest record that the offsets topic takes.
    pub record_bytes_max: usize,
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self {
            session_timeout_min_ms: 6_000,
            session_timeout_max_ms: 1_800_000,
            members_max: i32::MAX as usize,
            initial_rebalance_delay: Duration::ZERO,
            offset_metadata_max: 4096,
            offsets_retention_ms: 10_080 * 60_000,
            record_bytes_max: 1_000_000,
        }
    }
}
