//! `GroupMetadataValue`, versions 0-4: a classic group's generation with its members and their
//! assignments.
//!
//! Version 3 is written. Version 4 differs by the flexible encoding only and is read.

use std::sync::Arc;

use bytes::Bytes;

use super::wire::{Reader, Writer};
use super::{RecordError, TYPE_GROUP};
use crate::group::ids::{Generation, InstanceId, MemberId};
use crate::time::TimestampMs;

const VERSION: i16 = 3;
const VERSION_FLEXIBLE: i16 = 4;

/// A classic group as its last record describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// `consumer`, `connect`, ...; `None` is stored as an empty text.
    pub protocol_type: Option<Arc<str>>,
    /// The generation that was reached.
    pub generation: Generation,
    /// The assignor that the members agreed on.
    pub protocol: Option<Arc<str>>,
    /// The member that computed the assignment.
    pub leader: Option<MemberId>,
    /// When the group entered its state; [`TimestampMs::NONE`] in records of old.
    pub state_since: TimestampMs,
    /// The members.
    pub members: Vec<MemberMetadata>,
}

/// One member of a classic group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    /// The coordinator's id for it.
    pub member_id: MemberId,
    /// Its own name, for static members.
    pub instance_id: Option<InstanceId>,
    /// Its client's id.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// How long it may take to rejoin.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// Its metadata under the chosen protocol.
    pub subscription: Bytes,
    /// What it was assigned.
    pub assignment: Bytes,
}

impl GroupMetadata {
    pub(super) fn encode(&self) -> Bytes {
        let mut value = Writer::default();
        value.i16(VERSION);
        value.string(self.protocol_type.as_deref().unwrap_or_default());
        value.i32(self.generation.0);
        value.nullable_string(self.protocol.as_deref());
        value.nullable_string(self.leader.as_ref().map(MemberId::as_str));
        value.i64(self.state_since.0);
        value.i32(i32::try_from(self.members.len()).expect("members are bounded"));
        for member in &self.members {
            value.string(member.member_id.as_str());
            value.nullable_string(member.instance_id.as_ref().map(InstanceId::as_str));
            value.string(&member.client_id);
            value.string(&member.client_host);
            value.i32(member.rebalance_timeout_ms);
            value.i32(member.session_timeout_ms);
            value.bytes(&member.subscription);
            value.bytes(&member.assignment);
        }
        value.finish()
    }

    /// How many bytes the value takes; exact but for a few bytes of framing.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        const GROUP_FIXED: usize = 32;
        const MEMBER_FIXED: usize = 24;
        let text = |text: Option<&str>| text.map_or(0, str::len);
        let members = self.members.iter().map(|member| {
            MEMBER_FIXED
                + member.member_id.as_str().len()
                + text(member.instance_id.as_ref().map(InstanceId::as_str))
                + member.client_id.len()
                + member.client_host.len()
                + member.subscription.len()
                + member.assignment.len()
        });
        GROUP_FIXED
            + text(self.protocol_type.as_deref())
            + text(self.protocol.as_deref())
            + text(self.leader.as_ref().map(MemberId::as_str))
            + members.sum::<usize>()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut value = Reader::new(bytes);
        let version = value.i16()?;
        if !(0..=VERSION_FLEXIBLE).contains(&version) {
            return Err(RecordError::UnknownVersion { record_type: TYPE_GROUP, version });
        }
        value.set_flexible(version >= VERSION_FLEXIBLE);
        let protocol_type = Some(value.string()?).filter(|text| !text.is_empty()).map(Arc::from);
        let generation = Generation(value.i32()?);
        let protocol = value.nullable_string()?.map(Arc::from);
        let leader = value.nullable_string()?.map(MemberId::new);
        let state_since = if version >= 2 { TimestampMs(value.i64()?) } else { TimestampMs::NONE };
        let count = value.length()?;
        // Grown by what is really there, never by what the count claims.
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(MemberMetadata::decode(&mut value, version)?);
        }
        value.tagged_fields(|_, _| Ok(()))?;
        Ok(Self { protocol_type, generation, protocol, leader, state_since, members })
    }
}

impl MemberMetadata {
    fn decode(value: &mut Reader<'_>, version: i16) -> Result<Self, RecordError> {
        let member_id = MemberId::new(value.string()?);
        let instance_id =
            if version >= 3 { value.nullable_string()?.map(InstanceId::new) } else { None };
        let client_id = Arc::from(value.string()?);
        let client_host = Arc::from(value.string()?);
        let rebalance_timeout_ms = if version >= 1 { value.i32()? } else { -1 };
        let session_timeout_ms = value.i32()?;
        let subscription = value.bytes()?;
        let assignment = value.bytes()?;
        value.tagged_fields(|_, _| Ok(()))?;
        Ok(Self {
            member_id,
            instance_id,
            client_id,
            client_host,
            // Version 0 had one timeout for both.
            rebalance_timeout_ms: match rebalance_timeout_ms {
                -1 => session_timeout_ms,
                given => given,
            },
            session_timeout_ms,
            subscription,
            assignment,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> GroupMetadata {
        GroupMetadata {
            protocol_type: Some(Arc::from("consumer")),
            generation: Generation(4),
            protocol: Some(Arc::from("range")),
            leader: Some(MemberId::new("m1")),
            state_since: TimestampMs(77),
            members: vec![MemberMetadata {
                member_id: MemberId::new("m1"),
                instance_id: Some(InstanceId::new("i")),
                client_id: Arc::from("c"),
                client_host: Arc::from("/127.0.0.1"),
                rebalance_timeout_ms: 60_000,
                session_timeout_ms: 10_000,
                subscription: Bytes::from_static(b"sub"),
                assignment: Bytes::from_static(b"asg"),
            }],
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = metadata().encode();
        assert_eq!(&bytes[..2], b"\x00\x03");
        assert_eq!(GroupMetadata::decode(&bytes), Ok(metadata()));
        assert!(metadata().encoded_bytes() >= bytes.len());
    }

    #[test]
    fn an_empty_group_is_written_without_protocol_and_leader() {
        let empty = GroupMetadata {
            protocol_type: None,
            generation: Generation(1),
            protocol: None,
            leader: None,
            state_since: TimestampMs(2),
            members: Vec::new(),
        };
        let bytes = empty.encode();
        let expected = b"\x00\x03\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\x02\0\0\0\0";
        assert_eq!(&bytes[..], expected.as_slice());
        assert_eq!(GroupMetadata::decode(&bytes), Ok(empty));
    }

    #[test]
    fn version_0_takes_the_session_as_rebalance_timeout() {
        let bytes = b"\x00\x00\x00\x01c\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01\
            \0\x01m\0\x01c\0\x01h\0\0\x27\x10\0\0\0\0\0\0\0\0";
        let read = GroupMetadata::decode(bytes).unwrap();
        assert_eq!(read.state_since, TimestampMs::NONE);
        assert_eq!(read.members[0].rebalance_timeout_ms, 10_000);
        assert_eq!(read.members[0].instance_id, None);
    }

    #[test]
    fn version_4_is_the_flexible_form() {
        let bytes = b"\x00\x04\x02c\0\0\0\x01\x02r\x02m\0\0\0\0\0\0\0\x05\x02\
            \x02m\x00\x02c\x02h\0\0\0\x07\0\0\0\x08\x02s\x02a\x00\x00";
        let read = GroupMetadata::decode(bytes).unwrap();
        assert_eq!(read.protocol.as_deref(), Some("r"));
        assert_eq!(read.members[0].session_timeout_ms, 8);
        assert_eq!(read.members[0].assignment, Bytes::from_static(b"a"));
    }

    #[test]
    fn a_cut_or_a_lying_count_is_an_error() {
        let bytes = metadata().encode();
        for end in 0..bytes.len() {
            assert!(GroupMetadata::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let lying = b"\x00\x03\0\0\0\0\0\x01\xff\xff\xff\xff\0\0\0\0\0\0\0\x02\x7f\xff\xff\xff";
        assert_eq!(GroupMetadata::decode(lying), Err(RecordError::Truncated));
    }
}
