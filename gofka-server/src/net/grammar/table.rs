//! The grammar of every request body that a client listener may see, one line per API.
//!
//! Read by `program.rs`, which compiles a line for one version. The facts are those of Apache
//! Kafka 4.3.1's message schemas; the tests hold each line against the codec.
//!
//! A line lists the fields in order:
//!
//! | sign | field |
//! |---|---|
//! | `1` `2` `4` `8` `16` | that many bytes (integers, booleans, ids) |
//! | `s` `b` `r` | string, bytes, records |
//! | `[]x` | array of x |
//! | `{ ... }` | structure |
//! | `#n x` | tagged field n; these come last |
//!
//! and may end in `?` (may be null) or `?n` (from version n on), then `@a`, `@a-b` or `@-b`: the
//! versions that have the field.

use super::limits::{GROUP, LARGE, Limits, MEDIUM, RECORDS, SMALL};

/// No version of the API is flexible.
const NEVER: i16 = i16::MAX;

/// One API's grammar.
pub(super) struct Row {
    pub(super) key: i16,
    /// For readers and messages.
    pub(super) name: &'static str,
    /// First version with compact lengths and tagged fields (KIP-482).
    pub(super) flexible_from: i16,
    pub(super) limits: &'static Limits,
    pub(super) text: &'static str,
}

const fn row(
    key: i16,
    name: &'static str,
    flexible_from: i16,
    limits: &'static Limits,
    text: &'static str,
) -> Row {
    Row { key, name, flexible_from, limits, text }
}

#[rustfmt::skip]
pub(super) static ROWS: &[Row] = &[
    row(0, "Produce", 9, &RECORDS, "s? 2 4 []{ s@-12 16@13 []{ 4 r? } }"),
    row(1, "Fetch", 12, &LARGE,
        "4@-14 4 4 4 1 4@7 4@7 []{ s@-12 16@13 []{ 4 4@9 8 4@12 8@5 4 #0 16@17 #1 8@18 } \
         } []{ s@-12 16@13 []4 }@7 s@11 #0 s?@12 #1 { 4 8 }@15"),
    row(2, "ListOffsets", 6, &MEDIUM, "4 1@2 []{ s []{ 4 4@4 8 } } 4@10"),
    row(3, "Metadata", 9, &LARGE, "[]{ 16@10 s?10 }?1 1@4 1@8-10 1@8"),
    row(8, "OffsetCommit", 8, &LARGE, "s 4 s s?@7 8@-4 []{ s@-9 16@10 []{ 4 8 4@6 s? } }"),
    row(
        9,
        "OffsetFetch",
        6,
        &LARGE,
        "s@-7 []{ s []4 }?2@-7 []{ s s?@9 4@9 []{ s@-9 16@10 []4 }? }@8 1@7",
    ),
    row(10, "FindCoordinator", 3, &MEDIUM, "s@-3 1@1 []s@4"),
    row(11, "JoinGroup", 6, &GROUP, "s 4 4@1 s s?@5 s []{ s b } s?@8"),
    row(12, "Heartbeat", 4, &SMALL, "s 4 s s?@3"),
    row(13, "LeaveGroup", 4, &MEDIUM, "s s@-2 []{ s s? s?@5 }@3"),
    row(14, "SyncGroup", 4, &LARGE, "s 4 s s?@3 s?@5 s?@5 []{ s b }"),
    row(15, "DescribeGroups", 5, &MEDIUM, "[]s 1@3"),
    row(16, "ListGroups", 3, &MEDIUM, "[]s@4 []s@5"),
    row(17, "SaslHandshake", NEVER, &SMALL, "s"),
    row(18, "ApiVersions", 3, &SMALL, "s@3 s@3"),
    row(19, "CreateTopics", 5, &MEDIUM, "[]{ s 4 2 []{ 4 []4 } []{ s s? } } 4 1"),
    row(20, "DeleteTopics", 4, &MEDIUM, "[]{ s? 16 }@6 []s@-5 4"),
    row(21, "DeleteRecords", 2, &MEDIUM, "[]{ s []{ 4 8 } } 4"),
    row(22, "InitProducerId", 2, &SMALL, "s? 4 8@3 2@3 1@6 1@6"),
    row(23, "OffsetForLeaderEpoch", 4, &MEDIUM, "4@3 []{ s []{ 4 4 4 } }"),
    row(
        24,
        "AddPartitionsToTxn",
        3,
        &LARGE,
        "[]{ s 8 2 1 []{ s []4 } }@4 s@-3 8@-3 2@-3 []{ s []4 }@-3",
    ),
    row(25, "AddOffsetsToTxn", 3, &SMALL, "s 8 2 s"),
    row(26, "EndTxn", 3, &SMALL, "s 8 2 1"),
    row(27, "WriteTxnMarkers", 1, &MEDIUM, "[]{ 8 2 1 []{ s []4 } 4 1@2 }"),
    row(28, "TxnOffsetCommit", 3, &LARGE, "s s 8 2 4@3 s@3 s?@3 []{ s []{ 4 8 4@2 s? } }"),
    row(29, "DescribeAcls", 2, &MEDIUM, "1 s? 1 s? s? 1 1"),
    row(30, "CreateAcls", 2, &MEDIUM, "[]{ 1 s 1 s s 1 1 }"),
    row(31, "DeleteAcls", 2, &MEDIUM, "[]{ 1 s? 1 s? s? 1 1 }"),
    row(32, "DescribeConfigs", 4, &MEDIUM, "[]{ 1 s []s? } 1 1@3"),
    row(33, "AlterConfigs", 2, &MEDIUM, "[]{ 1 s []{ s s? } } 1"),
    row(34, "AlterReplicaLogDirs", 2, &MEDIUM, "[]{ s []{ s []4 } }"),
    row(35, "DescribeLogDirs", 2, &MEDIUM, "[]{ s []4 }?"),
    row(36, "SaslAuthenticate", 2, &MEDIUM, "b"),
    row(37, "CreatePartitions", 2, &MEDIUM, "[]{ s 4 []{ []4 }? } 4 1"),
    row(38, "CreateDelegationToken", 2, &MEDIUM, "s?@3 s?@3 []{ s s } 8"),
    row(39, "RenewDelegationToken", 2, &MEDIUM, "b 8"),
    row(40, "ExpireDelegationToken", 2, &MEDIUM, "b 8"),
    row(41, "DescribeDelegationToken", 2, &MEDIUM, "[]{ s s }?"),
    row(42, "DeleteGroups", 2, &MEDIUM, "[]s"),
    row(43, "ElectLeaders", 2, &MEDIUM, "1@1 []{ s []4 }? 4"),
    row(44, "IncrementalAlterConfigs", 1, &MEDIUM, "[]{ 1 s []{ s 1 s? } } 1"),
    row(45, "AlterPartitionReassignments", 0, &MEDIUM, "4 1@1 []{ s []{ 4 []4? } }"),
    row(46, "ListPartitionReassignments", 0, &MEDIUM, "4 []{ s []4 }?"),
    row(47, "OffsetDelete", NEVER, &MEDIUM, "s []{ s []{ 4 } }"),
    row(48, "DescribeClientQuotas", 1, &MEDIUM, "[]{ s 1 s? } 1"),
    row(49, "AlterClientQuotas", 1, &MEDIUM, "[]{ []{ s s? } []{ s 8 1 } } 1"),
    row(50, "DescribeUserScramCredentials", 0, &MEDIUM, "[]{ s }?"),
    row(51, "AlterUserScramCredentials", 0, &MEDIUM, "[]{ s 1 } []{ s 1 4 b b }"),
    row(55, "DescribeQuorum", 0, &MEDIUM, "[]{ s []{ 4 } }"),
    row(57, "UpdateFeatures", 0, &MEDIUM, "4 []{ s 2 1@-0 1@1 } 1@1"),
    row(60, "DescribeCluster", 0, &SMALL, "1 1@1 1@2"),
    row(61, "DescribeProducers", 0, &MEDIUM, "[]{ s []4 }"),
    row(64, "UnregisterBroker", 0, &SMALL, "4"),
    row(65, "DescribeTransactions", 0, &MEDIUM, "[]s"),
    row(66, "ListTransactions", 0, &MEDIUM, "[]s []8 8@1 s?@2"),
    row(68, "ConsumerGroupHeartbeat", 0, &LARGE, "s s 4 s? s? 4 []s? s?@1 s? []{ 16 []4 }?"),
    row(69, "ConsumerGroupDescribe", 0, &MEDIUM, "[]s 1"),
    row(71, "GetTelemetrySubscriptions", 0, &SMALL, "16"),
    row(72, "PushTelemetry", 0, &MEDIUM, "16 4 1 1 b"),
    row(74, "ListConfigResources", 0, &MEDIUM, "[]1@1"),
    row(75, "DescribeTopicPartitions", 0, &MEDIUM, "[]{ s } 4 { s 4 }?"),
    row(76, "ShareGroupHeartbeat", 0, &MEDIUM, "s s 4 s? []s?"),
    row(77, "ShareGroupDescribe", 0, &MEDIUM, "[]s 1"),
    row(
        78,
        "ShareFetch",
        0,
        &MEDIUM,
        "s? s? 4 4 4 4 4 4 1@2 1@2 []{ 16 []{ 4 []{ 8 8 []1 } } } []{ 16 []4 }",
    ),
    row(79, "ShareAcknowledge", 0, &MEDIUM, "s? s? 4 1@2 []{ 16 []{ 4 []{ 8 8 []1 } } }"),
    row(80, "AddRaftVoter", 0, &MEDIUM, "s? 4 4 16 []{ s s 2 } 1@1"),
    row(81, "RemoveRaftVoter", 0, &MEDIUM, "s? 4 16"),
    row(83, "InitializeShareGroupState", 0, &MEDIUM, "s []{ 16 []{ 4 4 8 } }"),
    row(84, "ReadShareGroupState", 0, &MEDIUM, "s []{ 16 []{ 4 4 } }"),
    row(85, "WriteShareGroupState", 0, &MEDIUM, "s []{ 16 []{ 4 4 4 8 4@1 []{ 8 8 1 2 } } }"),
    row(86, "DeleteShareGroupState", 0, &MEDIUM, "s []{ 16 []{ 4 } }"),
    row(87, "ReadShareGroupStateSummary", 0, &MEDIUM, "s []{ 16 []{ 4 4 } }"),
    row(88, "StreamsGroupHeartbeat", 0, &LARGE,
        "s s 4 4 s? s? 4 { 4 []{ s []s []s []{ s 4 2 []{ s s } } []s []{ s 4 2 []{ s s } \
         } []{ []2 []2 []2 } } }? []{ s []4 }? []{ s []4 }? []{ s []4 }? s? { s 2 }? []{ \
         s s }? []{ s 4 8 }? []{ s 4 8 }? 1"),
    row(89, "StreamsGroupDescribe", 0, &MEDIUM, "[]s 1"),
    row(90, "DescribeShareGroupOffsets", 0, &MEDIUM, "[]{ s []{ s []4 }? }"),
    row(91, "AlterShareGroupOffsets", 0, &MEDIUM, "s []{ s []{ 4 8 } }"),
    row(92, "DeleteShareGroupOffsets", 0, &MEDIUM, "s []{ s }"),];
