//! What a shard is asked to do. Built by the server's handlers from requests whose texts and bytes
//! were copied out of their frames.

use std::sync::Arc;

use bytes::Bytes;

use super::ids::{Generation, GroupId, InstanceId, MemberId};
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, Uuid};
use crate::time::TimestampMs;

/// Something said of partitions, by topic, in the order of the request.
pub type ByTopic<T> = Vec<(TopicName, Vec<(PartitionIndex, T)>)>;

/// One request to a shard. Each gets exactly one reply.
#[derive(Clone, Debug)]
pub enum Command {
    /// JoinGroup.
    Join(Join),
    /// SyncGroup.
    Sync(Sync),
    /// Heartbeat.
    Heartbeat(MemberOf),
    /// LeaveGroup, of one member or several.
    Leave(Leave),
    /// OffsetCommit.
    Commit(Commit),
    /// OffsetFetch, of one group.
    Fetch(Fetch),
    /// OffsetDelete.
    DeleteOffsets {
        /// The group.
        group: GroupId,
        /// The partitions whose offsets go.
        topics: ByTopic<()>,
    },
    /// ListGroups.
    List(ListFilter),
    /// DescribeGroups, of one group.
    Describe(GroupId),
    /// DeleteGroups, of one group.
    DeleteGroup(GroupId),
    /// These topics are gone: so are the offsets committed for them.
    TopicsDeleted(Vec<TopicName>),
    /// Remove expired offsets, and groups that have nothing left.
    Expire,
}

/// A member's claim to belong to a generation.
#[derive(Clone, Debug)]
pub struct MemberOf {
    /// The group.
    pub group: GroupId,
    /// The member.
    pub member: MemberId,
    /// Its instance, if it is static.
    pub instance: Option<InstanceId>,
    /// The generation it believes in.
    pub generation: Generation,
}

/// A protocol (assignor) that a member supports, with its metadata for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// Name of the protocol.
    pub name: Arc<str>,
    /// The member's subscription under it.
    pub metadata: Bytes,
}

/// A member wants into the next generation.
#[derive(Clone, Debug)]
pub struct Join {
    /// The group.
    pub group: GroupId,
    /// The member; empty when it has no id yet.
    pub member: MemberId,
    /// Its instance, if it is static.
    pub instance: Option<InstanceId>,
    /// `consumer`, `connect`, ...
    pub protocol_type: Arc<str>,
    /// What it supports, best first.
    pub protocols: Vec<Protocol>,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// How long it may take to rejoin.
    pub rebalance_timeout_ms: i32,
    /// Its client's id.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// Why it joins, in its words (KIP-800).
    pub reason: Option<String>,
    /// Whether it understands MEMBER_ID_REQUIRED (KIP-394, JoinGroup 4).
    pub knows_member_id_required: bool,
    /// Whether it understands `skip_assignment` (KIP-814, JoinGroup 9).
    pub knows_skip_assignment: bool,
    /// Makes a new member's id unique.
    pub fresh: Uuid,
}

/// A member waits for its assignment; the leader brings everyone's.
#[derive(Clone, Debug)]
pub struct Sync {
    /// Who asks.
    pub member: MemberOf,
    /// The protocol type it believes in (SyncGroup 5).
    pub protocol_type: Option<Arc<str>>,
    /// The protocol it believes in (SyncGroup 5).
    pub protocol_name: Option<Arc<str>>,
    /// The leader's assignments; empty from others.
    pub assignments: Vec<(MemberId, Bytes)>,
}

/// Members leave of their own or by an administrator's hand.
#[derive(Clone, Debug)]
pub struct Leave {
    /// The group.
    pub group: GroupId,
    /// Who leaves.
    pub members: Vec<Leaver>,
}

/// One member that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// Its id; empty where an administrator names the instance.
    pub member: MemberId,
    /// Its instance.
    pub instance: Option<InstanceId>,
    /// Why, in its words (KIP-800).
    pub reason: Option<String>,
}

/// Offsets to commit.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Who commits; generation -1 and no member from outside the membership.
    pub member: MemberOf,
    /// Whether the client knows GROUP_ID_NOT_FOUND (OffsetCommit 9).
    pub knows_group_id_not_found: bool,
    /// The client's own retention time (OffsetCommit 2-4).
    pub retention_ms: Option<i64>,
    /// The offsets.
    pub topics: ByTopic<OffsetToCommit>,
}

/// One offset to commit.
#[derive(Clone, Debug)]
pub struct OffsetToCommit {
    /// The next offset that the group wants to read.
    pub offset: Offset,
    /// Epoch of the record before it.
    pub leader_epoch: LeaderEpoch,
    /// The client's own text.
    pub metadata: Option<String>,
    /// When it was committed, where the client says so.
    pub committed_at: Option<TimestampMs>,
    /// The topic that the name stands for now.
    pub topic_id: TopicId,
}

/// Offsets to read.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// The group.
    pub group: GroupId,
    /// The partitions; `None` asks for all.
    pub topics: Option<ByTopic<()>>,
    /// Whether offsets of open transactions are an error (KIP-447).
    pub require_stable: bool,
}

/// Which groups to list; an empty filter lets all through.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// Names of states, in any case.
    pub states: Vec<String>,
    /// Names of group types, in any case.
    pub types: Vec<String>,
}
