//! Holds the grammar against the codec: what one writes, the other must read, field by field.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::*;
use kafka_protocol::protocol::Request;

use super::program::{Program, compile};
use super::*;

/// Runs `$check::<T>()` for every request type of the codec that a client listener may see.
macro_rules! for_each_request {
    ($check:ident) => {
        for_each_request!($check: ProduceRequest FetchRequest ListOffsetsRequest MetadataRequest
            OffsetCommitRequest OffsetFetchRequest FindCoordinatorRequest JoinGroupRequest
            HeartbeatRequest LeaveGroupRequest SyncGroupRequest DescribeGroupsRequest
            ListGroupsRequest SaslHandshakeRequest ApiVersionsRequest CreateTopicsRequest
            DeleteTopicsRequest DeleteRecordsRequest InitProducerIdRequest
            OffsetForLeaderEpochRequest AddPartitionsToTxnRequest AddOffsetsToTxnRequest
            EndTxnRequest WriteTxnMarkersRequest TxnOffsetCommitRequest DescribeAclsRequest
            CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest AlterConfigsRequest
            AlterReplicaLogDirsRequest DescribeLogDirsRequest SaslAuthenticateRequest
            CreatePartitionsRequest CreateDelegationTokenRequest RenewDelegationTokenRequest
            ExpireDelegationTokenRequest DescribeDelegationTokenRequest DeleteGroupsRequest
            ElectLeadersRequest IncrementalAlterConfigsRequest
            AlterPartitionReassignmentsRequest ListPartitionReassignmentsRequest
            OffsetDeleteRequest DescribeClientQuotasRequest AlterClientQuotasRequest
            DescribeUserScramCredentialsRequest AlterUserScramCredentialsRequest
            DescribeQuorumRequest UpdateFeaturesRequest DescribeClusterRequest
            DescribeProducersRequest UnregisterBrokerRequest DescribeTransactionsRequest
            ListTransactionsRequest ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest
            GetTelemetrySubscriptionsRequest PushTelemetryRequest ListConfigResourcesRequest
            DescribeTopicPartitionsRequest ShareGroupHeartbeatRequest ShareGroupDescribeRequest
            ShareFetchRequest ShareAcknowledgeRequest AddRaftVoterRequest
            RemoveRaftVoterRequest InitializeShareGroupStateRequest
            ReadShareGroupStateRequest WriteShareGroupStateRequest
            DeleteShareGroupStateRequest ReadShareGroupStateSummaryRequest
            DescribeShareGroupOffsetsRequest AlterShareGroupOffsetsRequest
            DeleteShareGroupOffsetsRequest)
    };
    ($check:ident: $($request:ident)*) => {
        $($check::<$request>();)*
    };
}

fn program<R: Request>(version: i16) -> Program {
    compile(compiled(R::KEY).expect("every request has a grammar").row, version)
}

fn encoded<R: Request>(request: &R, version: i16) -> Bytes {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).unwrap_or_else(|e| panic!("{} {version}: {e}", R::KEY));
    body.freeze()
}

fn accepts_defaults<R: Request + Default>() {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let body = encoded(&R::default(), version);
        assert!(check(R::KEY, version, &body).is_ok(), "{} {version}: {body:?}", R::KEY);
    }
}

#[test]
fn accepts_what_the_codec_writes_for_empty_messages() {
    for_each_request!(accepts_defaults);
}

fn agrees_with_codec<R: Request + PartialEq + std::fmt::Debug>() {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let program = program::<R>(version);
        for seed in 1..40 {
            let written = Bytes::from(sample::body(&program, seed));
            let at = format!("{} {version} seed {seed}", R::KEY);
            assert_eq!(check(R::KEY, version, &written).err(), None, "{at}");
            let mut rest = written.clone();
            let request = R::decode(&mut rest, version).unwrap_or_else(|e| panic!("{at}: {e}"));
            assert!(rest.is_empty(), "{at}: the codec left {} bytes", rest.len());
            let again = encoded(&request, version);
            assert!(check(R::KEY, version, &again).is_ok(), "{at}");
            assert_eq!(R::decode(&mut again.clone(), version).unwrap(), request, "{at}");
        }
    }
}

#[test]
fn agrees_with_the_codec_on_filled_messages() {
    for_each_request!(agrees_with_codec);
}

fn refuses_truncations<R: Request>() {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let body = sample::body(&program::<R>(version), 7);
        for end in 0..body.len() {
            assert!(check(R::KEY, version, &body[..end]).is_err(), "{} {version} {end}", R::KEY);
        }
        let longer = [&body[..], &[0]].concat();
        assert!(check(R::KEY, version, &longer).is_ok(), "{} {version}", R::KEY);
    }
}

#[test]
fn refuses_every_truncation_and_ignores_what_follows() {
    for_each_request!(refuses_truncations);
}

/// Whatever passes is safe to decode: the codec ends, with a message or an error.
fn mutations_are_harmless<R: Request>() {
    for version in R::VERSIONS.min..=R::VERSIONS.max {
        let body = sample::body(&program::<R>(version), 11);
        for at in 0..body.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut mutated = body.clone();
                mutated[at] = value;
                if check(R::KEY, version, &mutated).is_ok() {
                    let _ = R::decode(&mut Bytes::from(mutated), version);
                }
            }
        }
    }
}

#[test]
fn a_mutated_body_is_refused_or_harmless() {
    for_each_request!(mutations_are_harmless);
}

#[test]
fn the_codecs_worst_four_bytes_are_refused() {
    assert_eq!(check(3, 0, &[0x7f, 0xff, 0xff, 0xff]), Err(Refusal::Length));
}

#[test]
fn rows_are_in_order_and_each_line_parses() {
    for pair in table::ROWS.windows(2) {
        assert!(pair[0].key < pair[1].key, "{}", pair[1].name);
    }
    for row in table::ROWS {
        for version in 0..VERSIONS as i16 {
            compile(row, version);
        }
    }
}

#[test]
fn millions_of_real_tagged_fields_are_refused() {
    let mut body = vec![1, 1];
    body.extend([0x80, 0xda, 0xc4, 0x09]); // 20,000,000
    for tag in 0..20_000_000u32 {
        body.extend([0x80 | (tag & 0x7f) as u8, 0x80 | (tag >> 7) as u8 & 0x7f | 0x80]);
        body.extend([(tag >> 14) as u8 & 0x7f, 0]);
        if body.len() > 4_000_000 {
            break;
        }
    }
    assert_eq!(check(18, 3, &body), Err(Refusal::UnknownTags));
}

#[test]
fn counts_are_capped_even_when_true() {
    let count = 3_000_000u32;
    let mut body = count.to_be_bytes().to_vec();
    body.resize(4 + 2 * count as usize, 0);
    assert_eq!(check(3, 1, &body), Err(Refusal::Elements));
}

#[test]
fn the_estimate_grows_with_the_message() {
    let small = check(3, 1, &[0, 0, 0, 0]).unwrap();
    let larger = check(3, 1, &[0, 0, 0, 1, 0, 1, b'a']).unwrap();
    assert!(larger > small);
}
