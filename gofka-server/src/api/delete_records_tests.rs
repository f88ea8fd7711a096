//! DeleteRecords over real logs.

use super::*;
use crate::partition::AppendOptions;
use crate::partition::testing::{Fixture, NOW, batch};
use bytes::BytesMut;
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

fn delete_at(
    fixture: &Fixture,
    version: i16,
    topic: &'static str,
    partition: i32,
    offset: i64,
) -> (i16, i64) {
    let partition =
        DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
    let topic = DeleteRecordsTopic::default()
        .with_name(StrBytes::from_static_str(topic).into())
        .with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]);
    let mut bytes = BytesMut::new();
    delete(&fixture.partitions, request).encode(&mut bytes, version).unwrap();
    let response = DeleteRecordsResponse::decode(&mut bytes.freeze(), version).unwrap();
    let answer = &response.topics[0].partitions[0];
    (answer.error_code, answer.low_watermark)
}

#[tokio::test]
async fn the_log_start_rises_and_stays_after_a_restart() {
    let fixture = Fixture::with_topic(1).await;
    for _ in 0..3 {
        fixture.partition(0).append(batch(10), AppendOptions::client(NOW, true)).unwrap();
    }
    let delete = |version, offset| delete_at(&fixture, version, "t", 0, offset);
    let out_of_range = (ErrorCode::OffsetOutOfRange.code(), -1);
    for version in API.lowest()..=API.highest() {
        assert_eq!(delete(version, 31), out_of_range);
        assert_eq!(delete(version, -2), out_of_range);
    }
    assert_eq!(delete(0, 15), (0, 15));
    assert_eq!(delete(1, 3), (0, 15), "never back");
    assert_eq!(delete(2, 30), (0, 30));
    assert_eq!(delete(2, -1), (0, 30));
    let fixture = fixture.restart().await;
    assert_eq!(fixture.partition(0).log().log_start_offset(), Offset(30));
}

#[tokio::test]
async fn what_may_not_be_deleted_is_refused() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.create("__consumer_offsets", 2, 1).await;
    let code = |fixture: &Fixture, topic, partition| delete_at(fixture, 2, topic, partition, 0).0;
    assert_eq!(code(&fixture, "t", 1), ErrorCode::UnknownTopicOrPartition.code());
    assert_eq!(code(&fixture, "other", 0), ErrorCode::UnknownTopicOrPartition.code());
    assert_eq!(code(&fixture, "__consumer_offsets", 0), ErrorCode::InvalidTopicException.code());
    fixture.configure("t", "cleanup.policy", "compact").await;
    assert_eq!(code(&fixture, "t", 0), ErrorCode::PolicyViolation.code());
    fixture.configure("t", "cleanup.policy", "compact,delete").await;
    assert_eq!(code(&fixture, "t", 0), 0);
}
