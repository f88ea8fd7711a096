//! Every request type of the codec that a client listener may see, by key.
//!
//! Shared by the fuzz target and by its bounded form in gofka-server's tests.

use bytes::Bytes;
use kafka_protocol::messages::*;
use kafka_protocol::protocol::{Decodable, Message, Request};

macro_rules! requests {
    ($($request:ident)*) => {
        /// Key, lowest and highest version of each.
        pub(crate) const VERSIONS: &[(i16, i16, i16)] = &[$((
            <$request as Request>::KEY,
            <$request as Message>::VERSIONS.min,
            <$request as Message>::VERSIONS.max,
        ),)*];

        /// Decodes `body` as the codec does, and tells whether it could.
        pub(crate) fn decode(key: i16, version: i16, mut body: Bytes) -> bool {
            match key {
                $(<$request as Request>::KEY => $request::decode(&mut body, version).is_ok(),)*
                _ => false,
            }
        }
    };
}

requests! {
    ProduceRequest FetchRequest ListOffsetsRequest MetadataRequest OffsetCommitRequest
    OffsetFetchRequest FindCoordinatorRequest JoinGroupRequest HeartbeatRequest LeaveGroupRequest
    SyncGroupRequest DescribeGroupsRequest ListGroupsRequest SaslHandshakeRequest
    ApiVersionsRequest CreateTopicsRequest DeleteTopicsRequest DeleteRecordsRequest
    InitProducerIdRequest OffsetForLeaderEpochRequest AddPartitionsToTxnRequest
    AddOffsetsToTxnRequest EndTxnRequest WriteTxnMarkersRequest TxnOffsetCommitRequest
    DescribeAclsRequest CreateAclsRequest DeleteAclsRequest DescribeConfigsRequest
    AlterConfigsRequest AlterReplicaLogDirsRequest DescribeLogDirsRequest SaslAuthenticateRequest
    CreatePartitionsRequest CreateDelegationTokenRequest RenewDelegationTokenRequest
    ExpireDelegationTokenRequest DescribeDelegationTokenRequest DeleteGroupsRequest
    ElectLeadersRequest IncrementalAlterConfigsRequest AlterPartitionReassignmentsRequest
    ListPartitionReassignmentsRequest OffsetDeleteRequest DescribeClientQuotasRequest
    AlterClientQuotasRequest DescribeUserScramCredentialsRequest AlterUserScramCredentialsRequest
    DescribeQuorumRequest UpdateFeaturesRequest DescribeClusterRequest DescribeProducersRequest
    UnregisterBrokerRequest DescribeTransactionsRequest ListTransactionsRequest
    ConsumerGroupHeartbeatRequest ConsumerGroupDescribeRequest GetTelemetrySubscriptionsRequest
    PushTelemetryRequest ListConfigResourcesRequest DescribeTopicPartitionsRequest
    ShareGroupHeartbeatRequest ShareGroupDescribeRequest ShareFetchRequest ShareAcknowledgeRequest
    AddRaftVoterRequest RemoveRaftVoterRequest InitializeShareGroupStateRequest
    ReadShareGroupStateRequest WriteShareGroupStateRequest DeleteShareGroupStateRequest
    ReadShareGroupStateSummaryRequest DescribeShareGroupOffsetsRequest
    AlterShareGroupOffsetsRequest DeleteShareGroupOffsetsRequest
}
