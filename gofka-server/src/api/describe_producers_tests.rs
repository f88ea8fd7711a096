//! DescribeProducers over real logs.

use super::*;
use crate::partition::AppendOptions;
use crate::partition::testing::{Fixture, NOW, batch, idempotent};
use bytes::BytesMut;
use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

#[tokio::test]
async fn idempotent_producers_are_remembered_and_others_not() {
    let fixture = Fixture::with_topic(2).await;
    for records in [batch(2), idempotent(7, 0, 3), idempotent(7, 3, 2), idempotent(9, 0, 1)] {
        fixture.partition(1).append(records, AppendOptions::client(NOW, true)).unwrap();
    }
    let topic = TopicRequest::default()
        .with_name(StrBytes::from_static_str("t").into())
        .with_partition_indexes(vec![0, 1, 2]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let mut bytes = BytesMut::new();
    answer(&fixture.partitions.snapshot(), request).await.encode(&mut bytes, 0).unwrap();
    let response = DescribeProducersResponse::decode(&mut bytes.freeze(), 0).unwrap();
    let [empty, used, unknown] = &response.topics[0].partitions[..] else {
        panic!("three partitions were asked for");
    };
    assert_eq!((empty.error_code, empty.active_producers.len()), (0, 0));
    assert_eq!(unknown.error_code, ErrorCode::UnknownTopicOrPartition.code());
    let mut producers: Vec<_> =
        used.active_producers.iter().map(|p| (p.producer_id.0, p.last_sequence)).collect();
    producers.sort_unstable();
    assert_eq!(producers, [(7, 4), (9, 0)]);
    assert_eq!(used.active_producers[0].current_txn_start_offset, -1);
}
