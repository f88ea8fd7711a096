//! Every record there and back, and cut at each byte.

use super::*;
use gofka_core::ids::{LeaderEpoch, PartitionEpoch, PartitionIndex, Uuid};

use super::super::PartitionChange;
use crate::image::{BrokerImage, Endpoint, PartitionImage};

fn check(record: &MetadataRecord) {
    let bytes = record.encode();
    assert_eq!(MetadataRecord::decode(&bytes).as_ref(), Ok(record));
    for end in 0..bytes.len() {
        assert!(MetadataRecord::decode(&bytes[..end]).is_err(), "{record:?} cut at {end}");
    }
}

fn partition() -> PartitionImage {
    PartitionImage {
        replicas: vec![NodeId(1), NodeId(2)],
        isr: vec![NodeId(1)],
        elr: vec![NodeId(2)],
        last_known_elr: vec![NodeId(1)],
        adding: vec![],
        removing: vec![NodeId(2)],
        directories: vec![Uuid::from_u128(1), Uuid::from_u128(2)],
        leader: Some(NodeId(1)),
        leader_epoch: LeaderEpoch(3),
        partition_epoch: PartitionEpoch(4),
    }
}

#[test]
fn records_come_back_as_written_and_cut_ones_are_refused() {
    let topic = TopicId(Uuid::from_u128(7));
    let index = PartitionIndex(5);
    check(&MetadataRecord::Topic { name: TopicName::new("orders"), id: topic });
    check(&MetadataRecord::Partition { topic, index, partition: partition() });
    check(&MetadataRecord::PartitionChange {
        topic,
        index,
        change: PartitionChange {
            isr: Some(vec![NodeId(2)]),
            leader: Some(None),
            directories: Some(vec![Uuid::from_u128(1)]),
            ..PartitionChange::default()
        },
    });
    check(&MetadataRecord::RemoveTopic { id: topic });
    check(&MetadataRecord::Config {
        resource: ConfigResource::topic("orders"),
        name: "retention.ms".to_owned(),
        value: None,
    });
    check(&MetadataRecord::FeatureLevel { name: "metadata.version".to_owned(), level: 29 });
    check(&MetadataRecord::ProducerIds {
        broker: NodeId(1),
        broker_epoch: 9,
        next: ProducerId(2000),
    });
    check(&MetadataRecord::UnregisterBroker { id: NodeId(1), epoch: 3 });
    check(&MetadataRecord::BrokerRegistrationChange {
        id: NodeId(1),
        epoch: 3,
        fenced: Some(false),
        in_controlled_shutdown: true,
        log_dirs: vec![Uuid::from_u128(3)],
    });
    check(&MetadataRecord::NoOp);
}

#[test]
fn a_broker_comes_back_as_registered() {
    check(&MetadataRecord::RegisterBroker(BrokerImage {
        id: NodeId(1),
        epoch: 12,
        incarnation: Uuid::from_u128(8),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "localhost".to_owned(),
            port: 9092,
            security_protocol: 0,
        }],
        rack: Some("r1".to_owned()),
        features: [("metadata.version".to_owned(), (1, 29))].into(),
        log_dirs: vec![Uuid::from_u128(4)],
        fenced: true,
        in_controlled_shutdown: false,
    }));
}

#[test]
fn a_topic_record_has_krafts_bytes() {
    let record =
        MetadataRecord::Topic { name: TopicName::new("ab"), id: TopicId(Uuid::from_u128(1)) };
    let mut expected = vec![1, 2, 0, 3, b'a', b'b'];
    expected.extend_from_slice(&1_u128.to_be_bytes());
    expected.push(0);
    assert_eq!(record.encode(), expected);
}
