//! `OffsetCommitValue`, versions 0-4: an offset with its leader epoch, text and times.
//!
//! Version 4 (flexible, with the topic's id) is written; version 1 where the client named a
//! retention time of its own, because only that version has an expiry.

use bytes::Bytes;

use super::wire::{self, Reader, Writer};
use super::{RecordError, TYPE_OFFSET};
use crate::ids::{LeaderEpoch, Offset, TopicId};
use crate::time::TimestampMs;

const VERSION_WITH_EXPIRY: i16 = 1;
const VERSION: i16 = 4;
const TAG_TOPIC_ID: u32 = 0;

/// An offset that a group committed for one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset that the group wants to read.
    pub offset: Offset,
    /// Epoch of the record before it; [`LeaderEpoch::NONE`] when the client did not say.
    pub leader_epoch: LeaderEpoch,
    /// The client's own text.
    pub metadata: String,
    /// When it was committed.
    pub committed_at: TimestampMs,
    /// When it expires, if the client chose a retention time (OffsetCommit 2-4).
    pub expires_at: Option<TimestampMs>,
    /// Id of the topic, where the record has one.
    pub topic_id: TopicId,
}

impl CommittedOffset {
    pub(super) fn encode(&self) -> Bytes {
        let mut value = Writer::default();
        if let Some(expires_at) = self.expires_at {
            value.i16(VERSION_WITH_EXPIRY);
            value.i64(self.offset.0);
            value.string(&self.metadata);
            value.i64(self.committed_at.0);
            value.i64(expires_at.0);
            return value.finish();
        }
        value.i16(VERSION);
        value.i64(self.offset.0);
        value.i32(self.leader_epoch.0);
        value.compact_string(&self.metadata);
        value.i64(self.committed_at.0);
        if self.topic_id == TopicId::NONE {
            value.unsigned_varint(0);
        } else {
            value.unsigned_varint(1);
            value.unsigned_varint(TAG_TOPIC_ID);
            value.uuid(self.topic_id.0);
        }
        value.finish()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut value = Reader::new(bytes);
        let version = value.i16()?;
        if !(0..=VERSION).contains(&version) {
            return Err(RecordError::UnknownVersion { record_type: TYPE_OFFSET, version });
        }
        value.set_flexible(version >= VERSION);
        let offset = Offset(value.i64()?);
        let leader_epoch = if version >= 3 { LeaderEpoch(value.i32()?) } else { LeaderEpoch::NONE };
        let metadata = value.string()?.to_owned();
        let committed_at = TimestampMs(value.i64()?);
        let expires_at = match version {
            VERSION_WITH_EXPIRY => Some(TimestampMs(value.i64()?)).filter(|at| at.0 != -1),
            _ => None,
        };
        let mut topic_id = TopicId::NONE;
        value.tagged_fields(|tag, bytes| {
            if tag == TAG_TOPIC_ID {
                topic_id = TopicId(wire::uuid(bytes)?);
            }
            Ok(())
        })?;
        Ok(Self { offset, leader_epoch, metadata, committed_at, expires_at, topic_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> CommittedOffset {
        CommittedOffset {
            offset: Offset(5),
            leader_epoch: LeaderEpoch(2),
            metadata: "m".to_owned(),
            committed_at: TimestampMs(9),
            expires_at: None,
            topic_id: TopicId::NONE,
        }
    }

    #[test]
    fn version_3_is_read() {
        let expected = b"\x00\x03\0\0\0\0\0\0\0\x05\0\0\0\x02\0\x01m\0\0\0\0\0\0\0\x09".as_slice();
        assert_eq!(CommittedOffset::decode(expected), Ok(committed()));
    }

    #[test]
    fn an_expiry_goes_into_version_1_which_has_no_epoch() {
        let with_expiry = CommittedOffset { expires_at: Some(TimestampMs(11)), ..committed() };
        let bytes = with_expiry.encode();
        assert_eq!(&bytes[..2], b"\x00\x01");
        let read = CommittedOffset { leader_epoch: LeaderEpoch::NONE, ..with_expiry };
        assert_eq!(CommittedOffset::decode(&bytes), Ok(read));
    }

    #[test]
    fn version_4_is_written_with_its_topic_id() {
        let mut bytes = b"\x00\x04\0\0\0\0\0\0\0\x05\0\0\0\x02\x02m\0\0\0\0\0\0\0\x09".to_vec();
        bytes.extend_from_slice(b"\x01\x00\x10");
        bytes.extend_from_slice(&[7; 16]);
        let id = TopicId(crate::ids::Uuid::from_bytes([7; 16]));
        let with_id = CommittedOffset { topic_id: id, ..committed() };
        assert_eq!(with_id.encode(), bytes);
        assert_eq!(CommittedOffset::decode(&bytes), Ok(with_id));
    }

    #[test]
    fn every_cut_is_an_error() {
        let bytes = committed().encode();
        assert_eq!(CommittedOffset::decode(&bytes), Ok(committed()));
        for end in 0..bytes.len() {
            assert!(CommittedOffset::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(
            CommittedOffset::decode(b"\x00\x05"),
            Err(RecordError::UnknownVersion { record_type: TYPE_OFFSET, version: 5 })
        );
    }
}
