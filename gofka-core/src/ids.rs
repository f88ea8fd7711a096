//! Newtypes for every identifier and position that crosses a function.
//!
//! Called by every crate. Plain values without behaviour beyond conversion and order.

use std::fmt;
use std::sync::Arc;

pub use uuid::Uuid;

macro_rules! integer_newtype {
    ($(#[$meta:meta])* $name:ident($inner:ty)) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    };
}

integer_newtype!(
    /// Position of a record in a partition's log, counted from 0. `-1` means "none" on the wire.
    Offset(i64)
);
integer_newtype!(
    /// Term of a partition's leader (KIP-101); raised at each election. `-1` means "unknown".
    LeaderEpoch(i32)
);
integer_newtype!(
    /// Version of a partition's registration at the controller (KIP-497).
    PartitionEpoch(i32)
);
integer_newtype!(
    /// Index of a partition within its topic, counted from 0.
    PartitionIndex(i32)
);
integer_newtype!(
    /// A node of the cluster (`broker.id` / `node.id`).
    NodeId(i32)
);
integer_newtype!(
    /// Identifies one idempotent producer (KIP-98). `-1` means "not idempotent".
    ProducerId(i64)
);
integer_newtype!(
    /// Incarnation of a producer id; a higher one fences the lower.
    ProducerEpoch(i16)
);
integer_newtype!(
    /// Sequence number of an idempotent producer's record; wraps from `i32::MAX` to 0.
    Sequence(i32)
);

impl Offset {
    /// "No offset" as Kafka writes it.
    pub const NONE: Self = Self(-1);
    /// The first offset of a new log.
    pub const ZERO: Self = Self(0);

    /// The offset `count` records later.
    #[must_use]
    pub const fn plus(self, count: i64) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl LeaderEpoch {
    /// "No epoch known" as Kafka writes it.
    pub const NONE: Self = Self(-1);
}

impl ProducerId {
    /// A batch without a producer id.
    pub const NONE: Self = Self(-1);
}

impl ProducerEpoch {
    /// A batch without a producer epoch.
    pub const NONE: Self = Self(-1);
}

impl Sequence {
    /// A batch without a sequence.
    pub const NONE: Self = Self(-1);

    /// The sequence `count` records later, wrapping past `i32::MAX` to 0.
    #[must_use]
    pub const fn plus(self, count: i32) -> Self {
        Self(self.0.wrapping_add(count) & i32::MAX)
    }
}

/// A topic's id (KIP-516). The nil id means "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub Uuid);

impl TopicId {
    /// "No topic id" as Kafka writes it.
    pub const NONE: Self = Self(Uuid::nil());
}

impl fmt::Display for TopicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A topic's name: cheap to clone, shared by everything that keeps it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// Takes `name` as it is; validity is the controller's concern.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for TopicName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// One partition of one topic, by name. Prints as Kafka does: `orders-3`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition of it.
    pub partition: PartitionIndex,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    #[must_use]
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: TopicName::new(topic), partition: PartitionIndex(partition) }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_wraps_past_the_largest_to_zero() {
        assert_eq!(Sequence(i32::MAX).plus(1), Sequence(0));
        assert_eq!(Sequence(i32::MAX - 1).plus(3), Sequence(1));
        assert_eq!(Sequence(5).plus(2), Sequence(7));
    }

    #[test]
    fn topic_partition_prints_as_its_folder() {
        assert_eq!(TopicPartition::new("orders", 3).to_string(), "orders-3");
    }
}
