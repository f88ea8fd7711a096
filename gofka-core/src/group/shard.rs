//! The groups of one partition of `__consumer_offsets`: dispatch of commands and timers.
//!
//! Owned and locked by the server's coordinator, one shard a partition.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::classic::{ClassicGroup, ClassicState, Context};
use super::command::{Command, Join, Leave, MemberOf, Sync};
use super::durable::{Durable, OffsetsByTopic};
use super::ids::{Generation, GroupId};
use super::record::GroupRecord;
use super::reply::{Answer, Event, JoinReply, Reply, ReplyTo, Step, SyncReply, Wait};
use super::settings::GroupSettings;
use super::timers::{Timer, Timers};
use crate::error::ErrorCode;
use crate::ids::{Offset, ProducerId};
use crate::time::{MonotonicMs, Now};

/// Longest text that a record of a group can hold, with room for what is added to member ids.
const TEXT_BYTES_MAX: usize = 32_000;

/// The groups of one partition.
#[derive(Debug)]
pub struct Shard {
    pub(super) settings: Arc<GroupSettings>,
    pub(super) durable: Durable,
    pub(super) groups: BTreeMap<GroupId, ClassicGroup>,
    timers: Timers,
}

/// A group in one line, for metrics.
#[derive(Debug)]
pub struct GroupSummary<'a> {
    /// The group.
    pub group: &'a GroupId,
    /// Its state.
    pub state: ClassicState,
    /// Its generation.
    pub generation: Generation,
    /// How many members it has.
    pub members: usize,
    /// Client id and host of each member.
    pub clients: Vec<(Arc<str>, Arc<str>)>,
    /// Its committed offsets.
    pub offsets: Option<&'a OffsetsByTopic>,
}

impl Shard {
    /// An empty shard. Replay its log, then call [`Self::loaded`].
    pub fn new(settings: Arc<GroupSettings>) -> Self {
        Self {
            settings,
            durable: Durable::default(),
            groups: BTreeMap::new(),
            timers: Timers::default(),
        }
    }

    /// Applies one record of the log, at load or just appended. `producer` is set when the record
    /// belongs to a transaction.
    pub fn replay(&mut self, at: Offset, producer: Option<ProducerId>, record: GroupRecord) {
        self.durable.replay(at, producer, record);
    }

    /// Applies the end of a transaction.
    pub fn replay_marker(&mut self, at: Offset, producer: ProducerId, committed: bool) {
        self.durable.replay_marker(at, producer, committed);
        self.create_missing_groups(Now::default());
    }

    /// The whole log has been replayed: groups come alive, and the sessions of their members begin
    /// anew, so that a restart shorter than a session disturbs nobody.
    pub fn loaded(&mut self, now: Now) -> Step {
        self.create_missing_groups(now);
        let mut step = Step::default();
        let Self { settings, groups, timers, .. } = self;
        for group in groups.values_mut() {
            group.resume(&mut Context { now, settings, timers, step: &mut step });
        }
        step
    }

    fn create_missing_groups(&mut self, now: Now) {
        for (id, durable) in self.durable.groups() {
            if !self.groups.contains_key(id) {
                let group = match &durable.metadata {
                    Some(metadata) => ClassicGroup::load(id.clone(), metadata),
                    None => ClassicGroup::new(id.clone(), now.wall),
                };
                self.groups.insert(id.clone(), group);
            }
        }
    }

    /// Decides one command. Its reply, under `to`, may come with a later step.
    pub fn handle(&mut self, now: Now, to: ReplyTo, command: Command) -> Step {
        let mut step = Step::default();
        match command {
            Command::Join(join) => self.join(now, &join, to, &mut step),
            Command::Sync(sync) => self.sync(now, &sync, to, &mut step),
            Command::Heartbeat(member) => self.heartbeat(now, &member, to, &mut step),
            Command::Leave(leave) => self.leave(now, &leave, to, &mut step),
            Command::Commit(commit) => self.commit(now, commit, to, &mut step),
            Command::Fetch(fetch) => self.fetch(&fetch, to, &mut step),
            Command::DeleteOffsets { group, topics } => {
                self.delete_offsets(&group, &topics, to, &mut step);
            }
            Command::List(filter) => self.list(&filter, to, &mut step),
            Command::Describe(group) => self.describe(&group, to, &mut step),
            Command::DeleteGroup(group) => self.delete_group(group, to, &mut step),
            Command::TopicsDeleted(topics) => self.topics_deleted(&topics, to, &mut step),
            Command::Expire => self.expire(now, to, &mut step),
        }
        step
    }

    /// When [`Self::on_timer`] has to be called next.
    pub fn next_deadline(&self) -> Option<MonotonicMs> {
        self.timers.next()
    }

    /// Runs the timers that are due.
    pub fn on_timer(&mut self, now: Now) -> Step {
        let mut step = Step::default();
        while let Some(timer) = self.timers.pop_due(now.monotonic) {
            let (Timer::Join(id) | Timer::Sync(id) | Timer::Session(id, _)) = &timer;
            let id = id.clone();
            self.with_group(now, &id, &mut step, |group, cx| match &timer {
                Timer::Join(_) => group.on_join_timer(cx),
                Timer::Sync(_) => group.on_sync_timer(cx),
                Timer::Session(_, member) => group.on_session_timer(cx, member),
            });
            self.drop_if_unused(&id, &mut step);
        }
        step
    }

    /// Ends the shard: everyone who waits hears `error`.
    pub fn stop(self, error: ErrorCode) -> Vec<Answer> {
        let waiting = self.groups.values().flat_map(ClassicGroup::waiting);
        let answer = |to| Answer { to, reply: Reply::Unavailable(error), wait: Wait::No };
        waiting.map(answer).collect()
    }

    /// What a restart would bring back.
    pub fn durable(&self) -> &Durable {
        &self.durable
    }

    /// The groups, for metrics.
    pub fn summaries(&self) -> impl Iterator<Item = GroupSummary<'_>> {
        self.groups.iter().map(|(id, group)| GroupSummary {
            group: id,
            state: group.state(),
            generation: group.generation(),
            members: group.member_count(),
            clients: group.clients().collect(),
            offsets: self.durable.group(id).map(|durable| &durable.offsets),
        })
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Runs `act` on a group, if there is one.
    pub(super) fn with_group<T>(
        &mut self,
        now: Now,
        id: &GroupId,
        step: &mut Step,
        act: impl FnOnce(&mut ClassicGroup, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let Self { settings, groups, timers, .. } = self;
        let group = groups.get_mut(id)?;
        Some(act(group, &mut Context { now, settings, timers, step }))
    }

    /// Forgets a group that nobody is in and nothing is stored of.
    pub(super) fn drop_if_unused(&mut self, id: &GroupId, step: &mut Step) {
        let idle = self.groups.get(id).is_some_and(ClassicGroup::is_idle);
        let about_to_be_stored = || step.records.iter().any(|record| record.group() == id);
        if idle && self.durable.group(id).is_none() && !about_to_be_stored() {
            self.groups.remove(id);
            step.events.push(Event::GroupRemoved(id.clone()));
        }
    }

    fn join(&mut self, now: Now, join: &Join, to: ReplyTo, step: &mut Step) {
        let refusal = self.refuse_join(join);
        if let Some(error) = refusal {
            let reply = JoinReply::error(error, &join.member);
            step.answers.push(Answer { to, reply, wait: Wait::No });
            return;
        }
        let id = &join.group;
        if !self.groups.contains_key(id) {
            self.groups.insert(id.clone(), ClassicGroup::new(id.clone(), now.wall));
        }
        self.with_group(now, id, step, |group, cx| group.join(cx, join, to));
        self.drop_if_unused(id, step);
    }

    fn refuse_join(&self, join: &Join) -> Option<ErrorCode> {
        let session_timeouts =
            self.settings.session_timeout_min_ms..=self.settings.session_timeout_max_ms;
        let texts = [join.group.as_str(), &join.client_id, &join.protocol_type];
        let names = join.protocols.iter().map(|protocol| &*protocol.name);
        let record_bytes_max = self.settings.record_bytes_max;
        let instance = join.instance.as_ref().map_or("", super::InstanceId::as_str);
        if join.group.is_empty() {
            Some(ErrorCode::InvalidGroupId)
        } else if !session_timeouts.contains(&join.session_timeout_ms) {
            Some(ErrorCode::InvalidSessionTimeout)
        } else if texts.into_iter().chain(names).chain([instance]).any(|t| t.len() > TEXT_BYTES_MAX)
        {
            Some(ErrorCode::InvalidRequest)
        } else if join.protocols.iter().any(|it| it.metadata.len() > record_bytes_max) {
            // The group could never be stored.
            Some(ErrorCode::InvalidRequest)
        } else if !join.member.is_empty() && !self.groups.contains_key(&join.group) {
            Some(ErrorCode::UnknownMemberId)
        } else {
            None
        }
    }

    fn sync(&mut self, now: Now, sync: &Sync, to: ReplyTo, step: &mut Step) {
        let id = &sync.member.group;
        let stored_at = self.durable.visible_through(id);
        let error = if id.is_empty() {
            ErrorCode::InvalidGroupId
        } else if self
            .with_group(now, id, step, |group, cx| group.sync(cx, sync, stored_at, to))
            .is_none()
        {
            ErrorCode::UnknownMemberId
        } else {
            return;
        };
        step.answers.push(Answer { to, reply: SyncReply::error(error), wait: Wait::No });
    }

    fn heartbeat(&mut self, now: Now, member: &MemberOf, to: ReplyTo, step: &mut Step) {
        let error = if member.group.is_empty() {
            ErrorCode::InvalidGroupId
        } else {
            self.with_group(now, &member.group, step, |group, cx| group.heartbeat(cx, member))
                .unwrap_or(ErrorCode::UnknownMemberId)
        };
        step.answers.push(Answer { to, reply: Reply::Heartbeat(error), wait: Wait::No });
    }

    fn leave(&mut self, now: Now, leave: &Leave, to: ReplyTo, step: &mut Step) {
        let id = &leave.group;
        let outcome = if id.is_empty() {
            Err(ErrorCode::InvalidGroupId)
        } else {
            let left = self.with_group(now, id, step, |group, cx| group.leave(cx, &leave.members));
            Ok(left.unwrap_or_else(|| {
                let unknown = ErrorCode::UnknownMemberId;
                let members = leave.members.iter();
                members.map(|m| (m.member.clone(), m.instance.clone(), unknown)).collect()
            }))
        };
        step.answers.push(Answer { to, reply: Reply::Leave(outcome), wait: Wait::Records });
        self.drop_if_unused(id, step);
    }
}
