//! Any bytes as a record of `__consumer_offsets`: decoded, encoded again, and replayed into a
//! shard that then goes into service.
//!
//! The first two bytes are the length of the key; what is left is the value. A first bit set
//! makes the value null.

use std::sync::Arc;

use bytes::Bytes;
use gofka_core::group::record::{CommittedOffset, Decoded, GroupMetadata, MemberMetadata};
use gofka_core::group::{Generation, GroupId, GroupRecord, GroupSettings, MemberId, Shard};
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName};
use gofka_core::time::{Now, TimestampMs};

const NULL: u16 = 0x8000;

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let group = GroupId::new("group");
    let committed = CommittedOffset {
        offset: Offset(5),
        leader_epoch: LeaderEpoch(2),
        metadata: "note".to_owned(),
        committed_at: TimestampMs(1),
        expires_at: None,
        topic_id: TopicId::NONE,
    };
    let member = MemberMetadata {
        member_id: MemberId::new("m"),
        instance_id: None,
        client_id: "c".into(),
        client_host: "/h".into(),
        rebalance_timeout_ms: 1,
        session_timeout_ms: 6000,
        subscription: Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t"),
        assignment: Bytes::from_static(b"\0\0"),
    };
    let metadata = GroupMetadata {
        protocol_type: Some("consumer".into()),
        generation: Generation(3),
        protocol: Some("range".into()),
        leader: Some(MemberId::new("m")),
        state_since: TimestampMs(1),
        members: vec![member],
    };
    let offset = |value| GroupRecord::Offset {
        group: group.clone(),
        topic: TopicName::new("t"),
        partition: PartitionIndex(0),
        value,
    };
    let whole = |value| GroupRecord::Group { group: group.clone(), value };
    [offset(Some(committed)), offset(None), whole(Some(metadata)), whole(None)]
        .iter()
        .map(|record| {
            let (key, value) = record.encode();
            let length = key.len() as u16 | if value.is_none() { NULL } else { 0 };
            [&length.to_be_bytes(), &key[..], &value.unwrap_or_default()].concat()
        })
        .collect()
}

/// One input.
pub(crate) fn run(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk::<2>() else { return };
    let length = u16::from_be_bytes(*length);
    let (key, value) = rest.split_at(usize::from(length & !NULL).min(rest.len()));
    let value = (length & NULL == 0).then_some(value);
    let Ok(Decoded::Known(record)) = GroupRecord::decode(Some(key), value) else { return };
    let (key, value) = record.encode();
    let again = GroupRecord::decode(Some(&key), value.as_deref());
    assert!(matches!(again, Ok(Decoded::Known(_))), "what is written can be read");
    let mut shard = Shard::new(Arc::new(GroupSettings::default()));
    shard.replay(Offset(0), None, record);
    let now = Now::default();
    shard.loaded(now);
    shard.on_timer(now);
}
