//! What `__consumer_offsets` holds, in Kafka's own bytes: a key with a type prefix, a value with a
//! version prefix, and no value for a tombstone.
//!
//! Written by the coordinator's runtime when it appends, read when it loads. Layouts follow Kafka
//! 4.3's message definitions of the group coordinator.

mod group_metadata;
mod offset_commit;
mod wire;

use bytes::Bytes;

pub use group_metadata::{GroupMetadata, MemberMetadata};
pub use offset_commit::CommittedOffset;
use wire::{Reader, Writer};

use super::ids::GroupId;
use crate::ids::{PartitionIndex, TopicName};

/// Key type of an offset as Kafka wrote it before it had groups; same fields as type 1.
const TYPE_LEGACY_OFFSET: i16 = 0;
const TYPE_OFFSET: i16 = 1;
const TYPE_GROUP: i16 = 2;

/// One change of a group's durable state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupRecord {
    /// An offset was committed, or forgotten.
    Offset {
        /// Whose offset.
        group: GroupId,
        /// Topic of the offset.
        topic: TopicName,
        /// Partition of the offset.
        partition: PartitionIndex,
        /// The offset; `None` removes it.
        value: Option<CommittedOffset>,
    },
    /// A classic group reached a generation, or was removed.
    Group {
        /// Which group.
        group: GroupId,
        /// Its members and assignment; `None` removes it.
        value: Option<GroupMetadata>,
    },
}

/// Why a stored record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end before the fields do, or a length lies.
    #[error("a group record ends before its fields do")]
    Truncated,
    /// A text is not UTF-8.
    #[error("a group record holds text that is not UTF-8")]
    NotUtf8,
    /// A version that no Kafka has written yet.
    #[error("a group record of type {record_type} has unknown version {version}")]
    UnknownVersion {
        /// The key's type.
        record_type: i16,
        /// The value's version.
        version: i16,
    },
    /// A record without a key says nothing.
    #[error("a group record has no key")]
    NoKey,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A record of classic groups or offsets.
    Known(GroupRecord),
    /// A record of consumer, share or streams groups (types 3 and up), which are not served.
    Other(i16),
}

impl GroupRecord {
    /// The group that the record is about.
    #[must_use]
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Offset { group, .. } | Self::Group { group, .. } => group,
        }
    }

    /// Kafka's key and value bytes.
    #[must_use]
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        let mut key = Writer::default();
        match self {
            Self::Offset { group, topic, partition, value } => {
                key.i16(TYPE_OFFSET);
                key.string(group.as_str());
                key.string(topic.as_str());
                key.i32(partition.0);
                (key.finish(), value.as_ref().map(CommittedOffset::encode))
            }
            Self::Group { group, value } => {
                key.i16(TYPE_GROUP);
                key.string(group.as_str());
                (key.finish(), value.as_ref().map(GroupMetadata::encode))
            }
        }
    }

    /// Reads Kafka's key and value bytes.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Decoded, RecordError> {
        let mut key = Reader::new(key.ok_or(RecordError::NoKey)?);
        let record_type = key.i16()?;
        let record = match record_type {
            TYPE_LEGACY_OFFSET | TYPE_OFFSET => Self::Offset {
                group: GroupId::new(key.string()?),
                topic: TopicName::new(key.string()?),
                partition: PartitionIndex(key.i32()?),
                value: value.map(CommittedOffset::decode).transpose()?,
            },
            TYPE_GROUP => Self::Group {
                group: GroupId::new(key.string()?),
                value: value.map(GroupMetadata::decode).transpose()?,
            },
            other => return Ok(Decoded::Other(other)),
        };
        Ok(Decoded::Known(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_tombstone_has_kafkas_key_bytes() {
        let record = GroupRecord::Offset {
            group: GroupId::new("g"),
            topic: TopicName::new("t"),
            partition: PartitionIndex(7),
            value: None,
        };
        let (key, value) = record.encode();
        assert_eq!(&key[..], b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x07");
        assert_eq!(value, None);
        assert_eq!(GroupRecord::decode(Some(&key), None), Ok(Decoded::Known(record)));
    }

    #[test]
    fn a_group_tombstone_has_kafkas_key_bytes() {
        let record = GroupRecord::Group { group: GroupId::new("g"), value: None };
        let (key, value) = record.encode();
        assert_eq!(&key[..], b"\x00\x02\x00\x01g");
        assert_eq!(value, None);
        assert_eq!(GroupRecord::decode(Some(&key), None), Ok(Decoded::Known(record)));
    }

    #[test]
    fn types_of_other_groups_are_told_apart_from_damage() {
        for record_type in 3..24_i16 {
            let key = [&record_type.to_be_bytes()[..], b"\x00\x01g"].concat();
            assert_eq!(GroupRecord::decode(Some(&key), None), Ok(Decoded::Other(record_type)));
        }
        assert_eq!(GroupRecord::decode(None, None), Err(RecordError::NoKey));
        assert_eq!(GroupRecord::decode(Some(b"\x00"), None), Err(RecordError::Truncated));
        let lying = b"\x00\x01\x7f\xffg";
        assert_eq!(GroupRecord::decode(Some(lying), None), Err(RecordError::Truncated));
    }
}
