//! One classic group: its members and the rebalance they are in.
//!
//! Owned by `Shard`, which calls the handlers in the files beside this one: `join`, `sync`,
//! `heartbeat`, `leave`, and `rebalance` for what they share. All of it is soft state: what must
//! survive goes into a [`GroupMetadata`] record, from which [`ClassicGroup::load`] begins again.
//!
//! Follows KIP-62, 345 (static members), 394 (member ids), 800 (reasons), 814 (skipped
//! assignments) and `ClassicGroup` of Kafka's group coordinator.

mod describe;
mod heartbeat;
mod join;
mod leave;
mod member;
mod membership;
mod protocol;
mod rebalance;
mod static_member;
mod sync;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use member::Member;

use super::ids::{Generation, GroupId, InstanceId, MemberId};
use super::record::{GroupMetadata, GroupRecord};
use super::reply::{Answer, Event, Reply, ReplyTo, Step, Wait};
use super::settings::GroupSettings;
use super::timers::{Timer, Timers};
use crate::ids::TopicName;
use crate::time::{Now, TimestampMs};

/// The protocol type of consumers; their subscriptions can be read.
pub(super) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Where a group stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClassicState {
    /// No members; perhaps offsets.
    Empty,
    /// Waiting for the members to join the next generation.
    PreparingRebalance,
    /// Waiting for the leader's assignment.
    CompletingRebalance,
    /// Every member can have its assignment.
    Stable,
}

impl ClassicState {
    /// Kafka's name for the state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// What a handler works with beside its group.
pub(super) struct Context<'a> {
    pub(super) now: Now,
    pub(super) settings: &'a GroupSettings,
    pub(super) timers: &'a mut Timers,
    pub(super) step: &'a mut Step,
}

impl Context<'_> {
    fn answer(&mut self, to: ReplyTo, reply: Reply, wait: Wait) {
        self.step.answers.push(Answer { to, reply, wait });
    }

    fn schedule(&mut self, timer: Timer, delay: Duration) {
        self.timers.schedule(timer, self.now.monotonic, delay);
    }

    fn event(&mut self, event: Event) {
        self.step.events.push(event);
    }
}

/// The first rebalance of an empty group, which waits for more members to come.
#[derive(Clone, Copy, Debug)]
struct InitialDelay {
    current: Duration,
    remaining: Duration,
}

/// A classic group.
#[derive(Debug)]
pub(super) struct ClassicGroup {
    id: GroupId,
    state: ClassicState,
    previous_state: Option<ClassicState>,
    state_since: TimestampMs,
    protocol_type: Option<Arc<str>>,
    protocol_name: Option<Arc<str>>,
    generation: Generation,
    leader: Option<MemberId>,
    members: BTreeMap<MemberId, Member>,
    static_members: BTreeMap<InstanceId, MemberId>,
    /// Ids that were given out but have not joined (KIP-394).
    pending_joins: BTreeSet<MemberId>,
    /// Members of this generation that have not asked for their assignment.
    pending_syncs: BTreeSet<MemberId>,
    /// What the members subscribe to, where that can be read.
    subscribed: Option<BTreeSet<TopicName>>,
    initial_delay: Option<InitialDelay>,
    joined_during_delay: bool,
}

impl ClassicGroup {
    /// A group without members.
    pub(super) fn new(id: GroupId, now: TimestampMs) -> Self {
        Self {
            id,
            state: ClassicState::Empty,
            previous_state: None,
            state_since: now,
            protocol_type: None,
            protocol_name: None,
            generation: Generation(0),
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_joins: BTreeSet::new(),
            pending_syncs: BTreeSet::new(),
            subscribed: None,
            initial_delay: None,
            joined_during_delay: false,
        }
    }

    /// A group as its last record left it. Its members' sessions begin with [`Self::resume`].
    pub(super) fn load(id: GroupId, metadata: &GroupMetadata) -> Self {
        let mut group = Self::new(id, metadata.state_since);
        group.protocol_type.clone_from(&metadata.protocol_type);
        group.protocol_name.clone_from(&metadata.protocol);
        group.generation = metadata.generation;
        for member in &metadata.members {
            let member = Member::load(member, metadata);
            if let Some(instance) = &member.instance {
                group.static_members.insert(instance.clone(), member.id.clone());
            }
            group.members.insert(member.id.clone(), member);
        }
        group.leader = metadata
            .leader
            .clone()
            .filter(|leader| group.members.contains_key(leader))
            .or_else(|| group.members.keys().next().cloned());
        if !group.members.is_empty() {
            group.state = ClassicState::Stable;
        }
        group.subscribed = group.read_subscriptions();
        group
    }

    /// Starts the sessions of a group that was loaded, so that its members may come back.
    pub(super) fn resume(&mut self, cx: &mut Context<'_>) {
        for member in self.members.values() {
            self.start_session(cx, member, member.session_timeout());
        }
        if self.members.len() > cx.settings.members_max {
            let reason = super::reply::RebalanceReason::OverCapacity;
            self.prepare_rebalance(cx, reason, String::new());
        }
    }

    pub(super) fn state(&self) -> ClassicState {
        self.state
    }

    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Client id and host of each member.
    pub(super) fn clients(&self) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
        self.members.values().map(|member| (member.client_id.clone(), member.client_host.clone()))
    }

    pub(super) fn state_since(&self) -> TimestampMs {
        self.state_since
    }

    pub(super) fn protocol_type(&self) -> Option<&Arc<str>> {
        self.protocol_type.as_ref()
    }

    /// Whether nobody is in the group, nor on the way into it.
    pub(super) fn is_idle(&self) -> bool {
        self.state == ClassicState::Empty && self.pending_joins.is_empty()
    }

    pub(super) fn is_consumer(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    /// Whether a member reads `topic`; consumers whose subscriptions cannot be read may.
    pub(super) fn is_subscribed(&self, topic: &TopicName) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_consumer(),
        }
    }

    pub(super) fn knows_subscriptions(&self) -> bool {
        self.subscribed.is_some()
    }

    /// Replies of this group that have not left, for when the shard stops.
    pub(super) fn waiting(&self) -> impl Iterator<Item = ReplyTo> {
        self.members
            .values()
            .flat_map(|member| member.awaiting_join.iter().chain(&member.awaiting_sync))
            .copied()
    }

    fn transition(&mut self, to: ClassicState, now: TimestampMs) {
        self.previous_state = Some(self.state);
        self.state = to;
        self.state_since = now;
    }

    fn to_metadata(&self) -> GroupMetadata {
        GroupMetadata {
            protocol_type: self.protocol_type.clone(),
            generation: self.generation,
            protocol: self.protocol_name.clone(),
            leader: self.leader.clone(),
            state_since: self.state_since,
            members: self
                .members
                .values()
                .map(|member| member.to_metadata(self.protocol_name.as_deref()))
                .collect(),
        }
    }

    fn store(&self, cx: &mut Context<'_>) {
        let value = Some(self.to_metadata());
        cx.step.records.push(GroupRecord::Group { group: self.id.clone(), value });
    }

    /// The longest time that any member may take to rejoin.
    fn rebalance_timeout(&self) -> Duration {
        self.members.values().map(Member::rebalance_timeout).max().unwrap_or_default()
    }

    fn start_session(&self, cx: &mut Context<'_>, member: &Member, length: Duration) {
        cx.schedule(Timer::Session(self.id.clone(), member.id.clone()), length);
    }

    fn end_session(&self, cx: &mut Context<'_>, member: &MemberId) {
        cx.timers.cancel(&Timer::Session(self.id.clone(), member.clone()));
    }
}
