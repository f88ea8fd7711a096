//! ListOffsets over real logs.

use super::*;
use crate::partition::AppendOptions;
use crate::partition::testing::{EPOCH, Fixture, NOW, batch};
use bytes::BytesMut;
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

fn asked(partition: i32, timestamp: i64) -> ListOffsetsPartition {
    ListOffsetsPartition::default()
        .with_partition_index(partition)
        .with_timestamp(timestamp)
        .with_current_leader_epoch(-1)
}

fn answer(
    fixture: &Fixture,
    version: i16,
    topic: &'static str,
    partitions: Vec<ListOffsetsPartition>,
) -> Vec<ListOffsetsPartitionResponse> {
    let query = Query {
        map: fixture.partitions.snapshot(),
        version,
        isolation: Isolation::ReadUncommitted,
    };
    let topic = ListOffsetsTopic::default()
        .with_name(StrBytes::from_static_str(topic).into())
        .with_partitions(partitions);
    let mut bytes = BytesMut::new();
    query.answer(vec![topic]).encode(&mut bytes, version).expect("the version can carry it");
    let mut response = ListOffsetsResponse::decode(&mut bytes.freeze(), version).unwrap();
    response.topics.remove(0).partitions
}

/// Five records, one millisecond apart, the first of which is deleted.
async fn fixture() -> Fixture {
    let fixture = Fixture::with_topic(2).await;
    let partition = fixture.partition(0);
    for count in [3, 2] {
        partition.append(batch(count), AppendOptions::client(NOW, true)).unwrap();
    }
    partition.log().set_log_start_offset(Offset(1)).unwrap();
    fixture
}

#[tokio::test]
async fn both_ends_and_points_in_time_at_every_version() {
    let fixture = fixture().await;
    for version in API.lowest()..=API.highest() {
        let cases = [
            (LATEST, 5, -1),
            (EARLIEST, 1, -1),
            (NOW.0 + 1, 1, NOW.0 + 1),
            (NOW.0 + 2, 2, NOW.0 + 2),
            (NOW.0 + 3, -1, -1),
        ];
        for (timestamp, offset, found) in cases {
            let got = answer(&fixture, version, "t", vec![asked(0, timestamp)]).remove(0);
            let expected = (ErrorCode::None.code(), offset, found);
            assert_eq!((got.error_code, got.offset, got.timestamp), expected, "v{version}");
            let epoch = if version >= 4 && offset >= 0 { EPOCH.0 } else { -1 };
            assert_eq!(got.leader_epoch, epoch, "v{version} {timestamp}");
        }
    }
}

#[tokio::test]
async fn special_timestamps_came_one_after_the_other() {
    let fixture = fixture().await;
    let first = |version, timestamp| answer(&fixture, version, "t", vec![asked(0, timestamp)]);
    for (timestamp, since, offset) in
        [(MAX_TIMESTAMP, 7, 2), (EARLIEST_LOCAL, 8, 1), (LATEST_TIERED, 9, -1)]
    {
        let before = first(since - 1, timestamp).remove(0);
        assert_eq!(before.error_code, ErrorCode::UnsupportedVersion.code());
        assert_eq!(before.offset, -1);
        let after = first(since, timestamp).remove(0);
        assert_eq!((after.error_code, after.offset), (0, offset), "{timestamp}");
    }
    assert_eq!(first(10, -6)[0].error_code, ErrorCode::UnsupportedVersion.code());
}

#[tokio::test]
async fn an_empty_partition_has_two_equal_ends_and_nothing_between() {
    let fixture = fixture().await;
    let partitions = vec![asked(1, LATEST)];
    assert_eq!(answer(&fixture, 10, "t", partitions)[0].offset, 0);
    for (timestamp, offset) in [(EARLIEST, 0), (0, -1), (MAX_TIMESTAMP, -1)] {
        let got = answer(&fixture, 10, "t", vec![asked(1, timestamp)]).remove(0);
        assert_eq!((got.error_code, got.offset), (0, offset), "{timestamp}");
    }
}

#[tokio::test]
async fn errors_are_told_per_partition() {
    let fixture = fixture().await;
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(answer(&fixture, 5, "other", vec![asked(0, LATEST)])[0].error_code, unknown);
    assert_eq!(answer(&fixture, 5, "t", vec![asked(2, LATEST)])[0].error_code, unknown);
    for (epoch, code) in
        [(EPOCH.0 - 1, ErrorCode::FencedLeaderEpoch), (EPOCH.0 + 1, ErrorCode::UnknownLeaderEpoch)]
    {
        let partitions = vec![asked(0, LATEST).with_current_leader_epoch(epoch)];
        assert_eq!(answer(&fixture, 5, "t", partitions)[0].error_code, code.code());
    }
    let twice = vec![asked(0, LATEST), asked(1, LATEST), asked(0, EARLIEST)];
    let codes: Vec<_> =
        answer(&fixture, 5, "t", twice).iter().map(|answer| answer.error_code).collect();
    let invalid = ErrorCode::InvalidRequest.code();
    assert_eq!(codes, [invalid, 0]);
}
