//! Fetch answers decode at every version.

use super::*;
use bytes::Bytes;
use crate::api::leader_hint::LeaderHint;
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, ProducerId, TopicId, TopicName};
use gofka_storage::AbortedTransaction;
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::protocol::{Decodable, Message};
use uuid::Uuid;

const VERSIONS: std::ops::RangeInclusive<i16> = 4..=18;

fn outcome(records: &'static [u8]) -> Outcome {
    Outcome {
        error: ErrorCode::None,
        high_watermark: Offset(10),
        last_stable_offset: Offset(9),
        log_start_offset: Offset(2),
        readable_end: Offset(10),
        records: Records::Loaded(Bytes::from_static(records)),
        record_count: 0,
        aborted: None,
        diverging: None,
        leader_hint: None,
        is_urgent: false,
    }
}

fn key(version: i16, topic: u128, partition: i32) -> PartitionKey {
    let topic = if version >= TOPIC_ID_SINCE {
        TopicKey::Id(TopicId(Uuid::from_u128(topic)))
    } else {
        TopicKey::Name(TopicName::new(&format!("topic-{topic}")))
    };
    PartitionKey { topic, partition: PartitionIndex(partition) }
}

fn decode(version: i16, parts: &[Part]) -> FetchResponse {
    let body: Vec<_> = parts.iter().flat_map(|part| part.in_memory().iter().copied()).collect();
    let mut body = Bytes::from(body);
    let response = FetchResponse::decode(&mut body, version).expect("it decodes");
    assert!(body.is_empty(), "bytes are left in version {version}");
    response
}

#[test]
fn the_codec_knows_every_version_that_is_written() {
    let codec = FetchResponse::VERSIONS;
    assert_eq!(codec.min..=codec.max, VERSIONS);
}

#[test]
fn every_version_reads_as_it_was_meant() {
    static LARGE: [u8; 2000] = [7; 2000];
    for version in VERSIONS {
        let keys = [key(version, 1, 0), key(version, 1, 5), key(version, 2, 1)];
        let aborted = AbortedTransaction { producer_id: ProducerId(4), first_offset: Offset(3) };
        let committed = Outcome { aborted: Some(vec![aborted]), ..outcome(&LARGE) };
        let (plain, empty) = (outcome(b"few bytes"), outcome(b""));
        let included = vec![(&keys[0], &committed), (&keys[1], &plain), (&keys[2], &empty)];
        let parts = encode(version, 77, &included, &[]);
        assert_eq!(parts[1].in_memory().as_ptr(), LARGE.as_ptr(), "records are not copied");

        let response = decode(version, &parts);
        assert_eq!(response.session_id, if version >= 7 { 77 } else { 0 });
        assert_eq!(response.responses.len(), 2);
        let [first, second] = &response.responses[0].partitions[..] else {
            panic!("two partitions of one topic, version {version}");
        };
        assert_eq!((first.partition_index, second.partition_index), (0, 5));
        assert_eq!(first.records.as_deref(), Some(&LARGE[..]));
        assert_eq!(second.records.as_deref(), Some(&b"few bytes"[..]));
        let aborted = first.aborted_transactions.as_ref().expect("an array");
        assert_eq!((aborted[0].producer_id.0, aborted[0].first_offset), (4, 3));
        assert!(second.aborted_transactions.is_none());
        assert_eq!((first.high_watermark, first.last_stable_offset), (10, 9));
        assert_eq!(first.log_start_offset, if version >= 5 { 2 } else { -1 });
        let third = &response.responses[1].partitions[0];
        assert_eq!(third.records.as_deref(), Some(&b""[..]), "empty, not null");
        assert_eq!(third.preferred_read_replica.0, -1);
    }
}

#[test]
fn topics_are_named_by_id_from_version_13_on() {
    for version in VERSIONS {
        let (key, outcome) = (key(version, 3, 0), outcome(b""));
        let response = decode(version, &encode(version, 0, &vec![(&key, &outcome)], &[]));
        let topic = &response.responses[0];
        if version >= TOPIC_ID_SINCE {
            assert_eq!(topic.topic_id, Uuid::from_u128(3));
        } else {
            assert_eq!(topic.topic.as_str(), "topic-3");
        }
    }
}

#[test]
fn an_error_for_the_whole_answer_has_no_topics() {
    for version in VERSIONS {
        let parts = encode_error(version, ErrorCode::FetchSessionIdNotFound);
        let response = decode(version, &parts);
        assert_eq!(response.error_code, if version >= 7 { 70 } else { 0 });
        assert_eq!((response.session_id, response.responses.len()), (0, 0));
    }
}

#[test]
fn diverging_epochs_and_leaders_are_tagged() {
    for version in 12..=18 {
        let key = key(version, 1, 0);
        let hint = LeaderHint { leader: NodeId(300), epoch: LeaderEpoch(8) };
        let told = Outcome {
            error: ErrorCode::FencedLeaderEpoch,
            diverging: Some((LeaderEpoch(3), Offset(44))),
            leader_hint: Some(hint),
            ..outcome(b"")
        };
        let endpoints = if version >= 16 {
            let rack = Some("r1".to_owned());
            let node = NodeId(300);
            vec![LeaderEndpoint { node, host: "h".to_owned(), port: 65_000, rack }]
        } else {
            Vec::new()
        };
        let response = decode(version, &encode(version, 1, &vec![(&key, &told)], &endpoints));
        let partition = &response.responses[0].partitions[0];
        assert_eq!(partition.error_code, 74);
        let diverging = &partition.diverging_epoch;
        assert_eq!((diverging.epoch, diverging.end_offset), (3, 44));
        assert_eq!(partition.current_leader.leader_id.0, 300);
        assert_eq!(partition.current_leader.leader_epoch, 8);
        assert!(partition.unknown_tagged_fields.is_empty());
        if version >= 16 {
            let endpoint = &response.node_endpoints[0];
            assert_eq!((endpoint.node_id.0, endpoint.port), (300, 65_000));
            assert_eq!(endpoint.rack.as_deref(), Some("r1"));
        }
    }
}
