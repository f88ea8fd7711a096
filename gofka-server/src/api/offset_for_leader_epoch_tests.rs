//! OffsetForLeaderEpoch over real logs.

use super::*;
use crate::partition::AppendOptions;
use crate::partition::testing::{EPOCH, Fixture, NOW, batch};
use bytes::BytesMut;
use gofka_raft::PartitionImage;
use kafka_protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderTopic;
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

#[tokio::test]
async fn epochs_end_where_the_log_says_at_every_version() {
    let fixture = Fixture::with_topic(3).await;
    // The third partition's leader was elected again twice, and has written nothing since.
    fixture.partition(2).append(batch(1), AppendOptions::client(NOW, true)).unwrap();
    let elected = PartitionImage {
        leader: fixture.partition(2).leader().0,
        leader_epoch: LeaderEpoch(EPOCH.0 + 2),
        ..PartitionImage::default()
    };
    fixture.partition(2).set_leadership(&elected);
    fixture.partition(0).append(batch(3), AppendOptions::client(NOW, true)).unwrap();
    let asked = |partition, believed, epoch| {
        OffsetForLeaderPartition::default()
            .with_partition(partition)
            .with_current_leader_epoch(believed)
            .with_leader_epoch(epoch)
    };
    let cases = [
        (asked(0, -1, EPOCH.0), (0, EPOCH.0, 3)),
        (asked(0, EPOCH.0, EPOCH.0), (0, EPOCH.0, 3)),
        (asked(0, -1, EPOCH.0 + 1), (0, -1, -1)),
        (asked(1, -1, EPOCH.0), (0, EPOCH.0, 0)),
        (asked(1, -1, EPOCH.0 - 2), (0, EPOCH.0 - 2, 0)),
        (asked(2, -1, EPOCH.0 + 1), (0, EPOCH.0, 1)),
        (asked(2, -1, EPOCH.0 + 2), (0, EPOCH.0 + 2, 1)),
        (asked(0, EPOCH.0 - 1, 0), (ErrorCode::FencedLeaderEpoch.code(), -1, -1)),
        (asked(0, EPOCH.0 + 1, 0), (ErrorCode::UnknownLeaderEpoch.code(), -1, -1)),
        (asked(5, -1, 0), (ErrorCode::UnknownTopicOrPartition.code(), -1, -1)),
    ];
    for version in API.lowest()..=API.highest() {
        for (asked, expected) in &cases {
            let topic = OffsetForLeaderTopic::default()
                .with_topic(StrBytes::from_static_str("t").into())
                .with_partitions(vec![asked.clone()]);
            let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
            let mut bytes = BytesMut::new();
            let response = answer(&fixture.partitions.snapshot(), request);
            response.encode(&mut bytes, version).unwrap();
            let read = OffsetForLeaderEpochResponse::decode(&mut bytes.freeze(), version).unwrap();
            let got = &read.topics[0].partitions[0];
            assert_eq!((got.error_code, got.leader_epoch, got.end_offset), *expected);
        }
    }
}
