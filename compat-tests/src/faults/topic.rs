//! The topic that is written to: what happens to its files while the fault comes, and what of its
//! records must stay.

use super::checks::{Loss, Promise};
use super::load::Writing;

/// How many keys each producer uses, where it uses them again and again.
const KEYS: usize = 2_000;
/// Bytes of the longest value.
const SIZE: usize = 2_000;
/// Background work does not wait for its usual time.
const OFTEN: &[(&str, &str)] = &[
    ("log.retention.check.interval.ms", "100"),
    ("log.segment.delete.delay.ms", "100"),
    ("log.cleaner.backoff.ms", "50"),
];

/// What becomes of old segments. In all of them new ones are begun all the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// They stay.
    Kept,
    /// Retention removes them.
    Expiring,
    /// They are compacted.
    Compacted,
}

impl Topic {
    pub const ALL: [Self; 3] = [Self::Kept, Self::Expiring, Self::Compacted];

    /// For titles.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Expiring => "expiring",
            Self::Compacted => "compacted",
        }
    }

    pub(super) fn writing(self) -> Writing {
        let configs = match self {
            Self::Kept => "segment.bytes=1048576",
            Self::Expiring => {
                "segment.bytes=1048576,retention.bytes=4194304,file.delete.delay.ms=100"
            }
            Self::Compacted => {
                "segment.bytes=1048576,cleanup.policy=compact,min.cleanable.dirty.ratio=0.01"
            }
        };
        let keys = if self == Self::Compacted { KEYS } else { 0 };
        let (partitions, producers, rate) = (6, 4, 500);
        Writing { partitions, producers, first: 0, rate, size: SIZE, keys, admin: true, configs }
    }

    /// Settings of the broker.
    pub(super) fn settings(self) -> &'static [(&'static str, &'static str)] {
        if self == Self::Kept { &[] } else { OFTEN }
    }

    pub(super) fn promise(self, loss: Option<Loss>) -> Promise {
        Promise {
            loss,
            // So many of the longest records are less than `retention.bytes`.
            kept: (self == Self::Expiring).then_some(1_900),
            keys: (self == Self::Compacted).then_some(KEYS as i64),
        }
    }
}
