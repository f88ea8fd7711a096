//! Tests of the group state machine through its commands, with a runtime that appends at once.

mod expiry;
mod membership;
mod offsets;
mod random;
mod rebalance;
mod restart;
mod static_members;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::command::{
    Commit, Fetch, Join, Leave, Leaver, MemberOf, OffsetToCommit, Protocol, Sync,
};
use super::reply::{FetchedOffset, JoinReply, SyncReply};
use super::{
    Command, Durable, Event, Generation, GroupId, GroupRecord, GroupSettings, InstanceId, MemberId,
    RebalanceReason, Reply, ReplyTo, Shard, Step,
};
use crate::error::ErrorCode;
use crate::group::record::Decoded;
use crate::ids::{LeaderEpoch, Offset, PartitionIndex, TopicId, TopicName, Uuid};
use crate::time::{MonotonicMs, Now, TimestampMs};

const GROUP: &str = "g";

/// A shard with its log, its clock, and the replies that it gave.
struct World {
    shard: Shard,
    settings: Arc<GroupSettings>,
    now: Now,
    log: Vec<(Bytes, Option<Bytes>)>,
    next_reply: u64,
    replies: BTreeMap<ReplyTo, Reply>,
    events: Vec<Event>,
}

impl World {
    fn new(settings: GroupSettings) -> Self {
        let settings = Arc::new(settings);
        let now = Now { monotonic: MonotonicMs(1_000), wall: TimestampMs(1_000_000) };
        let shard = Shard::new(settings.clone());
        let (log, replies, events) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { shard, settings, now, log, next_reply: 0, replies, events }
    }

    fn settle(&mut self, step: Step) {
        for record in step.records {
            let (key, value) = record.encode();
            let at = Offset(i64::try_from(self.log.len()).unwrap());
            self.log.push((key, value));
            self.shard.replay(at, None, record);
        }
        for answer in step.answers {
            let earlier = self.replies.insert(answer.to, answer.reply);
            assert_eq!(earlier, None, "a request was answered twice");
        }
        self.events.extend(step.events);
    }

    fn send(&mut self, command: Command) -> ReplyTo {
        let to = ReplyTo(self.next_reply);
        self.next_reply += 1;
        let step = self.shard.handle(self.now, to, command);
        self.settle(step);
        to
    }

    /// Sends a command that is answered at once.
    fn ask(&mut self, command: Command) -> Reply {
        let to = self.send(command);
        self.replies.remove(&to).expect("answered at once")
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now.monotonic.0 + milliseconds;
        while let Some(deadline) = self.shard.next_deadline().filter(|d| d.0 <= end) {
            let elapsed = deadline.0.saturating_sub(self.now.monotonic.0);
            self.move_clock(elapsed);
            let step = self.shard.on_timer(self.now);
            self.settle(step);
        }
        self.move_clock(end - self.now.monotonic.0);
    }

    fn move_clock(&mut self, milliseconds: u64) {
        self.now.monotonic.0 += milliseconds;
        self.now.wall.0 += i64::try_from(milliseconds).unwrap();
    }

    /// Throws the shard away and loads it from its log.
    fn restart(&mut self) {
        let waiting = std::mem::replace(&mut self.shard, Shard::new(self.settings.clone()));
        for answer in waiting.stop(ErrorCode::NotCoordinator) {
            self.replies.insert(answer.to, answer.reply);
        }
        for (at, (key, value)) in self.log.iter().enumerate() {
            let Ok(Decoded::Known(record)) = GroupRecord::decode(Some(key), value.as_deref())
            else {
                panic!("the log holds what was encoded");
            };
            self.shard.replay(Offset(i64::try_from(at).unwrap()), None, record);
        }
        let step = self.shard.loaded(self.now);
        self.settle(step);
    }

    fn joined(&mut self, to: ReplyTo) -> JoinReply {
        match self.replies.remove(&to) {
            Some(Reply::Join(reply)) => reply,
            other => panic!("no reply to a join but {other:?}"),
        }
    }

    fn synced(&mut self, to: ReplyTo) -> SyncReply {
        match self.replies.remove(&to) {
            Some(Reply::Sync(reply)) => reply,
            other => panic!("no reply to a sync but {other:?}"),
        }
    }

    fn is_waiting(&self, to: ReplyTo) -> bool {
        !self.replies.contains_key(&to)
    }

    fn join(&mut self, join: Join) -> ReplyTo {
        self.send(Command::Join(join))
    }

    /// Gets an id for a new dynamic member and joins with it.
    fn join_fresh(&mut self, client: &str) -> (MemberId, ReplyTo) {
        let first = self.join(join("", client));
        let reply = self.joined(first);
        assert_eq!(reply.error, ErrorCode::MemberIdRequired);
        let to = self.join(join(reply.member.as_str(), client));
        (reply.member, to)
    }

    fn sync(
        &mut self,
        member: &MemberId,
        generation: i32,
        shares: &[(&MemberId, &str)],
    ) -> ReplyTo {
        let assignments = shares
            .iter()
            .map(|(member, share)| ((*member).clone(), Bytes::copy_from_slice(share.as_bytes())))
            .collect();
        let member = member_of(member, generation);
        let protocol_name = Some(Arc::from("range"));
        let protocol_type = Some(Arc::from("consumer"));
        self.send(Command::Sync(Sync { member, protocol_type, protocol_name, assignments }))
    }

    fn heartbeat(&mut self, member: &MemberId, generation: i32) -> ErrorCode {
        match self.ask(Command::Heartbeat(member_of(member, generation))) {
            Reply::Heartbeat(error) => error,
            other => panic!("no reply to a heartbeat but {other:?}"),
        }
    }

    fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Vec<ErrorCode> {
        let leaver = |(member, instance): &(&str, Option<&str>)| Leaver {
            member: MemberId::new(member),
            instance: instance.map(InstanceId::new),
            reason: None,
        };
        let members = members.iter().map(leaver).collect();
        match self.ask(Command::Leave(Leave { group: GroupId::new(GROUP), members })) {
            Reply::Leave(Ok(outcomes)) => outcomes.into_iter().map(|(_, _, e)| e).collect(),
            other => panic!("no reply to a leave but {other:?}"),
        }
    }

    fn commit(&mut self, member: MemberOf, topic: &str, offset: i64) -> ErrorCode {
        match self.ask(Command::Commit(commit(member, topic, offset))) {
            Reply::Commit(Ok(topics)) => topics[0].1[0].1,
            Reply::Commit(Err(error)) => error,
            other => panic!("no reply to a commit but {other:?}"),
        }
    }

    fn committed(&mut self, topic: &str) -> Option<i64> {
        let topics = Some(vec![(TopicName::new(topic), vec![(PartitionIndex(0), ())])]);
        let fetch = Fetch { group: GroupId::new(GROUP), topics, require_stable: true };
        match self.ask(Command::Fetch(fetch)) {
            Reply::Fetch(topics) => match &topics[0].1[0].1 {
                FetchedOffset::Committed(committed) => Some(committed.offset.0),
                FetchedOffset::None => None,
                FetchedOffset::Unstable => panic!("no transaction is open"),
            },
            other => panic!("no reply to a fetch but {other:?}"),
        }
    }

    fn state(&mut self) -> &'static str {
        match self.ask(Command::Describe(GroupId::new(GROUP))) {
            Reply::Describe(Some(group)) => group.state,
            Reply::Describe(None) => "Dead",
            other => panic!("no reply to a description but {other:?}"),
        }
    }

    fn rebalances(&self) -> Vec<RebalanceReason> {
        let reason = |event: &Event| match event {
            Event::Rebalance { reason, .. } => Some(*reason),
            _ => None,
        };
        self.events.iter().filter_map(reason).collect()
    }

    /// A stable group of `count` dynamic members, the leader first, in its last generation.
    fn stable(&mut self, count: usize) -> (Vec<MemberId>, i32) {
        let mut members: Vec<MemberId> = Vec::new();
        let mut waiting = Vec::new();
        for index in 0..count {
            let (member, to) = self.join_fresh(&format!("c{index}"));
            waiting.push(to);
            for earlier in &members {
                waiting.push(self.join(join(earlier.as_str(), "c")));
            }
            members.push(member);
            self.pass(0);
        }
        let mut last = None;
        for to in waiting {
            if let Some(Reply::Join(reply)) = self.replies.remove(&to) {
                assert_eq!(reply.error, ErrorCode::None);
                last = last.max(Some((reply.generation.0, reply.leader.unwrap())));
            }
        }
        let (generation, leader) = last.expect("somebody joined");
        members.sort_by_key(|member| *member != leader);
        let shares: Vec<(&MemberId, &str)> = members.iter().map(|m| (m, m.as_str())).collect();
        for member in &members {
            let to = self.sync(member, generation, &shares);
            let reply = self.synced(to);
            assert_eq!(&reply.assignment[..], member.as_str().as_bytes());
        }
        assert_eq!(self.state(), "Stable");
        (members, generation)
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new(GroupSettings::default())
    }
}

/// A subscription to the topic `read`.
const SUBSCRIPTION: &[u8] = b"\x00\x00\0\0\0\x01\0\x04read\xff\xff\xff\xff";

fn protocol(name: &str) -> Protocol {
    Protocol { name: Arc::from(name), metadata: Bytes::from_static(SUBSCRIPTION) }
}

fn join(member: &str, client: &str) -> Join {
    Join {
        group: GroupId::new(GROUP),
        member: MemberId::new(member),
        instance: None,
        protocol_type: Arc::from("consumer"),
        protocols: vec![protocol("range"), protocol("roundrobin")],
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        client_id: Arc::from(client),
        client_host: Arc::from("/127.0.0.1"),
        reason: None,
        knows_member_id_required: true,
        knows_skip_assignment: true,
        fresh: Uuid::from_bytes([1; 16]),
    }
}

fn member_of(member: &MemberId, generation: i32) -> MemberOf {
    MemberOf {
        group: GroupId::new(GROUP),
        member: member.clone(),
        instance: None,
        generation: Generation(generation),
    }
}

/// Somebody outside of the group's membership.
fn outsider() -> MemberOf {
    member_of(&MemberId::new(""), -1)
}

fn commit(member: MemberOf, topic: &str, offset: i64) -> Commit {
    let offset = OffsetToCommit {
        offset: Offset(offset),
        leader_epoch: LeaderEpoch(3),
        metadata: Some("note".to_owned()),
        committed_at: None,
        topic_id: TopicId(Uuid::from_bytes([5; 16])),
    };
    Commit {
        member,
        knows_group_id_not_found: true,
        retention_ms: None,
        topics: vec![(TopicName::new(topic), vec![(PartitionIndex(0), offset)])],
    }
}

/// Replays `log` from nothing.
fn replayed(log: &[(Bytes, Option<Bytes>)]) -> Durable {
    let mut durable = Durable::default();
    for (at, (key, value)) in log.iter().enumerate() {
        let Ok(Decoded::Known(record)) = GroupRecord::decode(Some(key), value.as_deref()) else {
            panic!("the log holds what was encoded");
        };
        durable.replay(Offset(i64::try_from(at).unwrap()), None, record);
    }
    durable
}
