//! Produce over real logs.

use super::*;
use crate::partition::testing::{Fixture, NOW, batch, batch_with, idempotent};
use bytes::{Bytes, BytesMut};
use gofka_core::ids::{TopicPartition, Uuid};
use gofka_core::record::{BatchBuilder, Compression, NewRecord, TimestampType};
use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::{Decodable, Encodable};

fn work(version: i16) -> Work {
    Work {
        version,
        now: NOW,
        admin: false,
        transactional: false,
        acks: -1,
        waiting: Vec::new(),
        missed_leader: false,
    }
}

fn request(topic: &'static str, id: u128, partitions: Vec<(i32, Option<Bytes>)>) -> ProduceRequest {
    let data = partitions.into_iter().map(|(index, records)| {
        PartitionProduceData::default().with_index(index).with_records(records)
    });
    let topic = TopicProduceData::default()
        .with_name(StrBytes::from_static_str(topic).into())
        .with_topic_id(Uuid::from_u128(id))
        .with_partition_data(data.collect());
    ProduceRequest::default().with_transactional_id(None).with_acks(-1).with_topic_data(vec![topic])
}

/// Runs stage one, and sends the answer through the codec.
fn answer(
    fixture: &Fixture,
    version: i16,
    request: ProduceRequest,
) -> Vec<PartitionProduceResponse> {
    let response = work(version).append_all(&fixture.partitions.snapshot(), request);
    through_codec(version, response).responses.remove(0).partition_responses
}

fn through_codec(version: i16, mut response: ProduceResponse) -> ProduceResponse {
    for topic in &mut response.responses {
        // One of both is on the wire, and the answer carries what the request had.
        if version >= TOPIC_ID_SINCE {
            topic.name = TopicName::default();
        } else {
            topic.topic_id = Uuid::nil();
        }
    }
    let mut bytes = BytesMut::new();
    response.encode(&mut bytes, version).expect("every version can carry the answer");
    ProduceResponse::decode(&mut bytes.freeze(), version).unwrap()
}

fn code(fixture: &Fixture, version: i16, records: Bytes) -> Option<ErrorCode> {
    let answers = answer(fixture, version, request("t", 1, vec![(0, Some(records))]));
    ErrorCode::from_code(answers[0].error_code)
}

#[tokio::test]
async fn every_version_appends_and_answers() {
    let fixture = Fixture::with_topic(2).await;
    for (round, version) in (API.lowest()..=API.highest()).enumerate() {
        let partitions = vec![(1, Some(batch(3))), (7, Some(batch(1))), (0, Some(Bytes::new()))];
        let answers = answer(&fixture, version, request("t", 1, partitions));
        let indexes: Vec<i32> = answers.iter().map(|answer| answer.index).collect();
        assert_eq!(indexes, [1, 7, 0]);
        assert_eq!((answers[0].error_code, answers[0].base_offset), (0, round as i64 * 3));
        assert_eq!(answers[0].log_append_time_ms, -1);
        assert_eq!(answers[0].log_start_offset, if version >= 5 { 0 } else { -1 });
        assert_eq!(answers[1].error_code, ErrorCode::UnknownTopicOrPartition.code());
        assert_eq!(answers[1].base_offset, -1);
        assert_eq!(answers[2].error_code, ErrorCode::InvalidRecord.code());
        assert_eq!(answers[2].error_message.is_some(), version >= 8);
    }
}

#[tokio::test]
async fn topics_are_unknown_by_name_and_by_id() {
    let fixture = Fixture::with_topic(1).await;
    let records = || vec![(0, Some(batch(1)))];
    let by_name = answer(&fixture, 12, request("other", 1, records()));
    assert_eq!(by_name[0].error_code, ErrorCode::UnknownTopicOrPartition.code());
    let by_id = answer(&fixture, 13, request("t", 99, records()));
    assert_eq!(by_id[0].error_code, ErrorCode::UnknownTopicId.code());
}

#[tokio::test]
async fn bad_batches_have_kafkas_codes() {
    let fixture = Fixture::with_topic(1).await;
    let mut flipped = batch(1).to_vec();
    flipped[70] ^= 1;
    let mut transactional =
        BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime)
            .transactional();
    transactional.push(&NewRecord { timestamp: NOW, ..NewRecord::default() });
    let zstd = || batch_with(Compression::Zstd, 2);
    let cases = [
        (9, Bytes::from(flipped), Some(ErrorCode::CorruptMessage)),
        (9, batch(1).slice(..50), Some(ErrorCode::InvalidRecord)),
        (9, Bytes::from([batch(1), batch(1)].concat()), Some(ErrorCode::InvalidRecord)),
        (9, transactional.build(), Some(ErrorCode::TransactionalIdAuthorizationFailed)),
        (9, idempotent(1, 5, 1), Some(ErrorCode::None)),
        (9, idempotent(1, 9, 1), Some(ErrorCode::OutOfOrderSequenceNumber)),
        (6, zstd(), Some(ErrorCode::UnsupportedCompressionType)),
        (7, zstd(), Some(ErrorCode::None)),
    ];
    for (version, records, expected) in cases {
        assert_eq!(code(&fixture, version, records), expected);
    }
    let nothing = answer(&fixture, 9, request("t", 1, vec![(0, None)]));
    assert_eq!(nothing[0].error_code, ErrorCode::InvalidRecord.code());
}

#[tokio::test]
async fn records_at_fault_are_named_from_version_8_on() {
    let fixture = Fixture::with_topic(1).await;
    let mut builder = BatchBuilder::new(Offset::ZERO, Compression::None, TimestampType::CreateTime);
    for timestamp in [NOW.0, i64::MAX] {
        let timestamp = TimestampMs(timestamp);
        builder.push(&NewRecord { timestamp, ..NewRecord::default() });
    }
    let records = builder.build();
    for version in [7, 8, 13] {
        let partitions = vec![(0, Some(records.clone()))];
        let answers = answer(&fixture, version, request("t", 1, partitions));
        assert_eq!(answers[0].error_code, ErrorCode::InvalidTimestamp.code());
        let indexes: Vec<_> = answers[0].record_errors.iter().map(|e| e.batch_index).collect();
        assert_eq!(indexes, if version >= 8 { vec![1] } else { vec![] });
    }
}

#[tokio::test]
async fn other_acks_than_kafkas_are_refused_before_anything_is_stored() {
    let fixture = Fixture::with_topic(1).await;
    for acks in [-2, 2, i16::MAX] {
        let request = request("t", 1, vec![(0, Some(batch(1)))]).with_acks(acks);
        let answers = answer(&fixture, 9, request);
        assert_eq!(answers[0].error_code, ErrorCode::InvalidRequiredAcks.code());
    }
    assert_eq!(fixture.partition(0).log().log_end_offset(), Offset::ZERO);
}

#[tokio::test]
async fn internal_topics_are_for_administrators() {
    let mut fixture = Fixture::with_topic(1).await;
    fixture.create("__consumer_offsets", 2, 1).await;
    let records = || request("__consumer_offsets", 2, vec![(0, Some(batch(1)))]);
    let answers = answer(&fixture, 9, records());
    assert_eq!(answers[0].error_code, ErrorCode::InvalidTopicException.code());
    let mut admin = Work { admin: true, ..work(9) };
    let response = admin.append_all(&fixture.partitions.snapshot(), records());
    assert_eq!(codes(&response).next(), None);
}

#[tokio::test]
async fn stage_two_tells_each_partition_apart() {
    let fixture = Fixture::with_topic(3).await;
    let mut stage_one = work(9);
    let partitions = (0..3).map(|index| (index, Some(batch(1)))).collect();
    let response =
        stage_one.append_all(&fixture.partitions.snapshot(), request("t", 1, partitions));
    let mut waiting = stage_one.waiting;
    assert!(waiting.iter().all(Waiting::is_over));
    // One that never comes, before one that is there, beside one that is gone.
    waiting[0].up_to = Offset(100);
    waiting[2].up_to = Offset(100);
    waiting[2].partition.close(ErrorCode::KafkaStorageError);
    waiting.swap(0, 2);
    let limit = Duration::from_millis(20);
    let response = through_codec(9, wait(response, waiting, limit).await);
    let codes: Vec<_> =
        response.responses[0].partition_responses.iter().map(|p| p.error_code).collect();
    let expected = [ErrorCode::RequestTimedOut, ErrorCode::None, ErrorCode::KafkaStorageError];
    assert_eq!(codes, expected.map(ErrorCode::code));
}

#[tokio::test]
async fn of_a_partition_named_twice_the_last_counts() {
    let fixture = Fixture::with_topic(2).await;
    let partitions = vec![(0, Some(batch(5))), (1, Some(batch(1))), (0, Some(batch(2)))];
    let mut request = request("t", 1, partitions);
    request.topic_data.push(request.topic_data[0].clone());
    request.topic_data.push(TopicProduceData::default());
    let response = work(9).append_all(&fixture.partitions.snapshot(), request);
    assert_eq!(response.responses.len(), 1);
    let indexes: Vec<i32> =
        response.responses[0].partition_responses.iter().map(|answer| answer.index).collect();
    assert_eq!(indexes, [0, 1]);
    let first = fixture.partitions.get(&TopicPartition::new("t", 0)).unwrap();
    assert_eq!(first.log().log_end_offset(), Offset(2));
}

#[tokio::test]
async fn the_log_start_is_told_where_the_log_refuses() {
    let fixture = Fixture::with_topic(1).await;
    let first = idempotent(1, 0, 1);
    assert_eq!(code(&fixture, 9, first), Some(ErrorCode::None));
    let start = |version, records| {
        answer(&fixture, version, request("t", 1, vec![(0, Some(records))]))[0].log_start_offset
    };
    assert_eq!(start(9, idempotent(1, 7, 1)), 0);
    assert_eq!(start(4, idempotent(1, 7, 1)), -1);
    assert_eq!(start(9, Bytes::new()), -1);
}

#[tokio::test]
async fn a_thousand_partitions_in_one_request() {
    let fixture = Fixture::with_topic(1000).await;
    let partitions = (0..1000).map(|index| (index, Some(batch(1)))).collect();
    let answers = answer(&fixture, 13, request("t", 1, partitions));
    assert!(answers.iter().all(|answer| answer.error_code == 0 && answer.base_offset == 0));
    let last = fixture.partitions.get(&TopicPartition::new("t", 999)).unwrap();
    assert_eq!(last.high_watermark(), Offset(1));
}
