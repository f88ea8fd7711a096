//! The topic that is written to: what happens to its files while the fault comes, and what of its
//! records must stay.

use std::time::Duration;

use super::checks::{Loss, Promise};
use super::load::Writing;

/// How many keys each producer uses, where it uses them again and again.
const KEYS: usize = 2_000;
/// And where some are deleted for ever, so that their tombstones have time to go as well.
const FEW_KEYS: usize = 300;
/// Bytes of the longest value.
const SIZE: usize = 2_000;
/// Background work does not wait for its usual time.
const OFTEN: &[(&str, &str)] = &[
    ("log.retention.check.interval.ms", "100"),
    ("log.segment.delete.delay.ms", "100"),
    ("log.cleaner.backoff.ms", "50"),
];

/// Nobody else has records synced, unless the topic asks for it.
const LEFT_ALONE: &[(&str, &str)] = &[("log.flush.interval.ms", "600000")];
/// How long records may stay in memory where the topic says so.
const SOON: Duration = Duration::from_millis(300);
/// More than a round of syncs takes one by one.
const MANY: usize = 128;
/// So many of the longest records are less than `retention.bytes`.
const LEFT: i64 = 1_900;

/// What becomes of what is written. In most of them new segments are begun all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Segments stay.
    Kept,
    /// Retention removes them.
    Expiring,
    /// They are compacted.
    Compacted,
    /// They are compacted, and keys are deleted.
    Tombstones,
    /// DeleteRecords takes the oldest records.
    Removed,
    /// Other topics are written to while they are deleted and made again.
    Again,
    /// So many partitions wait for the disk at once that they share a sync.
    Many,
    /// `flush.messages=1`
    Flushed,
    /// `flush.ms`
    FlushedSoon,
}

impl Topic {
    /// Those that every broker is killed with.
    pub const KILLED: [Self; 6] =
        [Self::Kept, Self::Expiring, Self::Compacted, Self::Tombstones, Self::Removed, Self::Again];

    /// For titles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Expiring => "expiring",
            Self::Compacted => "compacted",
            Self::Tombstones => "tombstones",
            Self::Removed => "removed",
            Self::Again => "again",
            Self::Many => "many",
            Self::Flushed => "flush.messages",
            Self::FlushedSoon => "flush.ms",
        }
    }

    pub(super) fn writing(self) -> Writing {
        let configs = match self {
            Self::Kept | Self::Many | Self::Again => "segment.bytes=1048576",
            Self::Expiring => {
                "segment.bytes=1048576,retention.bytes=4194304,file.delete.delay.ms=100"
            }
            Self::Compacted => {
                "segment.bytes=1048576,cleanup.policy=compact,min.cleanable.dirty.ratio=0.01"
            }
            Self::Tombstones => {
                "segment.bytes=1048576,cleanup.policy=compact,min.cleanable.dirty.ratio=0.01,\
                 delete.retention.ms=100"
            }
            Self::Removed => "segment.bytes=1048576,file.delete.delay.ms=100",
            Self::Flushed => "segment.bytes=1048576,flush.messages=1",
            Self::FlushedSoon => "segment.bytes=1048576,flush.ms=300",
        };
        let usual = Writing {
            partitions: 6,
            producers: 4,
            first: 0,
            rate: 500,
            size: SIZE,
            keys: 0,
            every: 10,
            again: 0,
            tombstones: false,
            removals: false,
            admin: true,
            configs,
        };
        match self {
            Self::Compacted => Writing { keys: KEYS, ..usual },
            Self::Tombstones => {
                Writing { keys: FEW_KEYS, tombstones: true, partitions: 3, ..usual }
            }
            Self::Removed => Writing { removals: true, ..usual },
            Self::Again => Writing { again: 3, rate: 200, ..usual },
            // Each producer writes to most of the partitions at once.
            Self::Many => {
                Writing { partitions: MANY, rate: 1000, every: 100, size: 300, keys: MANY, ..usual }
            }
            Self::Kept | Self::Expiring | Self::Flushed | Self::FlushedSoon => usual,
        }
    }

    /// Settings of the broker.
    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kept | Self::Many => &[],
            Self::Flushed | Self::FlushedSoon => LEFT_ALONE,
            _ => OFTEN,
        }
    }

    /// For how long what it acknowledges may be in memory only where the broker syncs after
    /// `interval`, and for how long what is acknowledged of other topics.
    pub(super) fn windows(self, interval: Duration) -> (Duration, Duration) {
        // For ever, as long as a run lasts.
        const LONG: Duration = Duration::from_secs(600);
        match self {
            Self::Flushed => (Duration::ZERO, LONG),
            Self::FlushedSoon => (SOON, LONG),
            _ => (interval, interval),
        }
    }

    pub(super) fn promise(self, loss: Option<Loss>) -> Promise {
        let keys = match self {
            Self::Compacted => Some(KEYS as i64),
            Self::Tombstones => Some(FEW_KEYS as i64),
            _ => None,
        };
        let kept = (self == Self::Expiring).then_some(LEFT);
        Promise { loss, kept, keys, removals: self == Self::Removed, outage: None }
    }
}
