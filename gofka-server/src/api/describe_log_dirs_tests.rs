//! DescribeLogDirs over real directories.

use super::*;
use crate::partition::AppendOptions;
use crate::partition::testing::{Fixture, NOW, batch};
use bytes::BytesMut;
use kafka_protocol::protocol::{Decodable, Encodable};

fn describe_at(
    fixture: &Fixture,
    version: i16,
    topics: Option<Vec<DescribableLogDirTopic>>,
) -> DescribeLogDirsResult {
    let mut bytes = BytesMut::new();
    let dirs = fixture.partitions.dirs().describe();
    answer(version, &dirs, topics).encode(&mut bytes, version).expect("the version can carry it");
    let mut response = DescribeLogDirsResponse::decode(&mut bytes.freeze(), version).unwrap();
    assert_eq!(response.results.len(), 1);
    response.results.remove(0)
}

#[tokio::test]
async fn all_or_what_was_asked_for_with_real_sizes() {
    let mut fixture = Fixture::with_topic(3).await;
    fixture.create("u", 2, 1).await;
    fixture.partition(1).append(batch(10), AppendOptions::client(NOW, true)).unwrap();
    for version in API.lowest()..=API.highest() {
        let all = describe_at(&fixture, version, None);
        assert_eq!(all.error_code, 0);
        let sizes: Vec<_> = all.topics[0]
            .partitions
            .iter()
            .map(|partition| (partition.partition_index, partition.partition_size))
            .collect();
        assert_eq!(sizes, [(0, 0), (1, batch(10).len() as i64), (2, 0)]);
        assert_eq!(all.topics[1].name.as_str(), "u");
        if version >= 4 {
            assert!(all.total_bytes > 0 && all.usable_bytes <= all.total_bytes);
        } else {
            assert_eq!((all.total_bytes, all.usable_bytes), (-1, -1));
        }
        let topic = |name: &'static str, partitions| {
            DescribableLogDirTopic::default()
                .with_topic(StrBytes::from_static_str(name).into())
                .with_partitions(partitions)
        };
        let some = vec![topic("t", vec![2, 9]), topic("other", vec![0])];
        let some = describe_at(&fixture, version, Some(some));
        assert_eq!((some.topics.len(), some.topics[0].partitions.len()), (1, 1));
        assert_eq!(some.topics[0].partitions[0].partition_index, 2);
    }
}
