//! What a shard answers, and when the answer may be seen.
//!
//! Read by the server's coordinator, which turns replies into responses.

use std::sync::Arc;

use bytes::Bytes;

use super::command::ByTopic;
use super::ids::{Generation, GroupId, InstanceId, MemberId};
use super::record::{CommittedOffset, GroupRecord};
use crate::error::ErrorCode;
use crate::ids::Offset;

/// Names the request that a reply belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyTo(pub u64);

/// What a command or a timer led to.
#[derive(Debug, Default)]
pub struct Step {
    /// To be appended in this order, then given to [`super::Shard::replay`].
    pub records: Vec<GroupRecord>,
    /// Replies, of this request and of others that waited.
    pub answers: Vec<Answer>,
    /// For logs and metrics.
    pub events: Vec<Event>,
}

/// A reply and what it waits for.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request.
    pub to: ReplyTo,
    /// The reply.
    pub reply: Reply,
    /// What must be committed before it leaves.
    pub wait: Wait,
}

/// What must be committed before a reply leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    No,
    /// The records of the same step.
    Records,
    /// The log up to and including this record.
    Through(Offset),
}

impl Wait {
    /// Waits for `record`, if there is one.
    #[must_use]
    pub fn through(record: Option<Offset>) -> Self {
        record.map_or(Self::No, Self::Through)
    }
}

/// A reply to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To a join.
    Join(JoinReply),
    /// To a sync.
    Sync(SyncReply),
    /// To a heartbeat.
    Heartbeat(ErrorCode),
    /// To a leave: the outcome of each member, in the order of the request.
    Leave(Result<Vec<(MemberId, Option<InstanceId>, ErrorCode)>, ErrorCode>),
    /// To a commit: the outcome of each partition.
    Commit(Result<ByTopic<ErrorCode>, ErrorCode>),
    /// To a fetch of offsets.
    Fetch(ByTopic<FetchedOffset>),
    /// To a deletion of offsets: the outcome of each partition.
    DeleteOffsets(Result<ByTopic<ErrorCode>, ErrorCode>),
    /// To a listing.
    List(Vec<ListedGroup>),
    /// To a description; `None` where there is no such group.
    Describe(Option<DescribedGroup>),
    /// To the deletion of a group.
    DeleteGroup(ErrorCode),
    /// To a command without an answer of its own.
    Done,
    /// The shard stopped before it could answer.
    Unavailable(ErrorCode),
}

/// Answer to a join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinReply {
    /// The outcome.
    pub error: ErrorCode,
    /// The generation that was reached; -1 with an error.
    pub generation: Generation,
    /// The group's protocol type.
    pub protocol_type: Option<Arc<str>>,
    /// The protocol that the members agreed on.
    pub protocol_name: Option<Arc<str>>,
    /// Who computes the assignment.
    pub leader: Option<MemberId>,
    /// Whether the leader keeps the assignment as it is (KIP-814).
    pub skip_assignment: bool,
    /// The member's id.
    pub member: MemberId,
    /// All members, for the leader only.
    pub members: Vec<JoinedMember>,
}

impl JoinReply {
    pub(super) fn error(error: ErrorCode, member: &MemberId) -> Reply {
        Reply::Join(Self {
            error,
            generation: Generation::NONE,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            skip_assignment: false,
            member: member.clone(),
            members: Vec::new(),
        })
    }
}

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member: MemberId,
    /// Its instance.
    pub instance: Option<InstanceId>,
    /// Its metadata under the chosen protocol.
    pub metadata: Bytes,
}

/// Answer to a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReply {
    /// The outcome.
    pub error: ErrorCode,
    /// The group's protocol type.
    pub protocol_type: Option<Arc<str>>,
    /// The chosen protocol.
    pub protocol_name: Option<Arc<str>>,
    /// What the member was assigned.
    pub assignment: Bytes,
}

impl SyncReply {
    pub(super) fn error(error: ErrorCode) -> Reply {
        let assignment = Bytes::new();
        Reply::Sync(Self { error, protocol_type: None, protocol_name: None, assignment })
    }
}

/// What is known of a partition's offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchedOffset {
    /// The offset.
    Committed(CommittedOffset),
    /// There is none.
    None,
    /// A transaction that has not ended may replace it.
    Unstable,
}

/// A line of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group.
    pub group: GroupId,
    /// Its protocol type; empty for a group that only commits offsets.
    pub protocol_type: Arc<str>,
    /// Its state's name.
    pub state: &'static str,
    /// Its type's name.
    pub group_type: &'static str,
}

/// A group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// Its state's name.
    pub state: &'static str,
    /// Its protocol type.
    pub protocol_type: Arc<str>,
    /// The chosen protocol; empty unless the group is stable.
    pub protocol: Arc<str>,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A member in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member: MemberId,
    /// Its instance.
    pub instance: Option<InstanceId>,
    /// Its client's id.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// Its metadata; empty unless the group is stable.
    pub metadata: Bytes,
    /// What it was assigned.
    pub assignment: Bytes,
}

/// Something that happened, for logs and metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A group began a rebalance.
    Rebalance {
        /// The group.
        group: GroupId,
        /// The generation it leaves.
        generation: Generation,
        /// Why.
        reason: RebalanceReason,
        /// Who, and why in the client's words.
        detail: String,
    },
    /// A group agreed on a generation.
    Joined {
        /// The group.
        group: GroupId,
        /// The new generation.
        generation: Generation,
        /// How many members it has.
        members: usize,
    },
    /// A member is gone.
    MemberRemoved {
        /// The group.
        group: GroupId,
        /// The member.
        member: MemberId,
        /// Why.
        reason: RebalanceReason,
        /// Why, in the client's words.
        detail: String,
    },
    /// A group ceased to exist.
    GroupRemoved(GroupId),
    /// Offsets were committed.
    OffsetsCommitted(usize),
    /// Offsets expired.
    OffsetsExpired(usize),
}

/// Why a group rebalances: few enough to label a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RebalanceReason {
    /// A new member joined.
    MemberJoined,
    /// A member came back with other metadata, or the leader asked for it.
    MemberUpdated,
    /// A member left of its own.
    MemberLeft,
    /// A member was silent too long.
    SessionExpired,
    /// A member did not rejoin in time.
    JoinExpired,
    /// A member did not ask for its assignment in time.
    SyncExpired,
    /// A static member came back in another incarnation.
    StaticMemberReplaced,
    /// The group is larger than it may be.
    OverCapacity,
    /// The assignment could not be stored.
    AssignmentTooLarge,
}

impl RebalanceReason {
    /// The metric's label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::MemberJoined => "member_joined",
            Self::MemberUpdated => "member_updated",
            Self::MemberLeft => "member_left",
            Self::SessionExpired => "session_expired",
            Self::JoinExpired => "join_expired",
            Self::SyncExpired => "sync_expired",
            Self::StaticMemberReplaced => "static_member_replaced",
            Self::OverCapacity => "over_capacity",
            Self::AssignmentTooLarge => "assignment_too_large",
        }
    }
}
