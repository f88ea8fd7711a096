//! Offsets: commit, fetch, delete.
//!
//! Called by `Shard::handle`. That topics exist is checked before, by the handlers: a shard knows
//! no topics.

use super::classic::{ClassicGroup, ClassicState};
use super::command::{ByTopic, Commit, Fetch, OffsetToCommit};
use super::ids::{Generation, GroupId};
use super::record::{CommittedOffset, GroupRecord};
use super::reply::{Answer, Event, FetchedOffset, Reply, ReplyTo, Step, Wait};
use super::shard::Shard;
use crate::error::ErrorCode;
use crate::ids::{PartitionIndex, TopicName};
use crate::time::{Now, TimestampMs};

/// What a record's length field can say of a text.
const TEXT_BYTES_MAX: usize = i16::MAX as usize;

/// Most that one answer holds of a group's offsets.
const FETCHED_BYTES_MAX: usize = 16 << 20;

/// What an offset takes in an answer, with the client's text beside it.
fn size_of_fetched(fetched: Option<&(PartitionIndex, FetchedOffset)>) -> usize {
    let text = match fetched {
        Some((_, FetchedOffset::Committed(committed))) => committed.metadata.len(),
        _ => 0,
    };
    size_of::<(PartitionIndex, FetchedOffset)>() + text
}

impl Shard {
    pub(super) fn commit(&mut self, now: Now, commit: Commit, to: ReplyTo, step: &mut Step) {
        let group = commit.member.group.clone();
        let outcome = match self.validate_commit(now, &commit) {
            Ok(()) => Ok(self.store_offsets(now, commit, step)),
            Err(error) => Err(error),
        };
        step.answers.push(Answer { to, reply: Reply::Commit(outcome), wait: Wait::Records });
        self.drop_if_unused(&group, step);
    }

    /// A commit from outside of any membership makes a group of its own: a simple group.
    fn validate_commit(&mut self, now: Now, commit: &Commit) -> Result<(), ErrorCode> {
        let id = &commit.member.group;
        if let Some(group) = self.groups.get(id) {
            return group.validate_commit(&commit.member);
        }
        if id.as_str().len() > TEXT_BYTES_MAX {
            return Err(ErrorCode::InvalidGroupId);
        }
        if commit.member.generation < Generation(0) {
            self.groups.insert(id.clone(), ClassicGroup::new(id.clone(), now.wall));
            return Ok(());
        }
        if commit.knows_group_id_not_found {
            Err(ErrorCode::GroupIdNotFound)
        } else {
            Err(ErrorCode::IllegalGeneration)
        }
    }

    fn store_offsets(&mut self, now: Now, commit: Commit, step: &mut Step) -> ByTopic<ErrorCode> {
        let Commit { member, retention_ms, topics, .. } = commit;
        self.with_group(now, &member.group, step, |group, cx| {
            group.after_commit(cx, &member.member);
        });
        let expires_at =
            retention_ms.map(|retention| TimestampMs(now.wall.0.saturating_add(retention)));
        let mut outcomes = Vec::with_capacity(topics.len());
        let mut stored = 0;
        for (topic, partitions) in topics {
            let mut results = Vec::with_capacity(partitions.len());
            for (partition, offset) in partitions {
                if self.is_text_too_long(&offset) {
                    results.push((partition, ErrorCode::OffsetMetadataTooLarge));
                    continue;
                }
                let value = Some(committed(offset, now.wall, expires_at));
                let (group, topic) = (member.group.clone(), topic.clone());
                step.records.push(GroupRecord::Offset { group, topic, partition, value });
                results.push((partition, ErrorCode::None));
                stored += 1;
            }
            outcomes.push((topic, results));
        }
        step.events.push(Event::OffsetsCommitted(stored));
        outcomes
    }

    fn is_text_too_long(&self, offset: &OffsetToCommit) -> bool {
        // Kafka counts UTF-16 units.
        offset.metadata.as_ref().is_some_and(|text| {
            text.len() > TEXT_BYTES_MAX
                || text.encode_utf16().count() > self.settings.offset_metadata_max
        })
    }

    pub(super) fn fetch(&self, fetch: &Fetch, to: ReplyTo, step: &mut Step) {
        let topics = match &fetch.topics {
            Some(topics) => self.fetch_some(fetch, topics),
            None => self.fetch_all(fetch),
        };
        let (reply, wait) = match topics {
            Some(topics) => {
                let wait = Wait::through(self.durable.visible_through(&fetch.group));
                (Reply::Fetch(topics), wait)
            }
            None => (Reply::Unavailable(ErrorCode::InvalidRequest), Wait::No),
        };
        step.answers.push(Answer { to, reply, wait });
    }

    /// The offsets that are asked for; `None` when they are too much for one answer.
    fn fetch_some(&self, fetch: &Fetch, topics: &ByTopic<()>) -> Option<ByTopic<FetchedOffset>> {
        let mut bytes_left = FETCHED_BYTES_MAX;
        let mut fetched = Vec::with_capacity(topics.len());
        for (topic, partitions) in topics {
            let mut offsets = Vec::with_capacity(partitions.len());
            for (partition, ()) in partitions {
                offsets.push((*partition, self.fetch_one(fetch, topic, *partition)));
                bytes_left = bytes_left.checked_sub(size_of_fetched(offsets.last()))?;
            }
            fetched.push((topic.clone(), offsets));
        }
        Some(fetched)
    }

    fn fetch_all(&self, fetch: &Fetch) -> Option<ByTopic<FetchedOffset>> {
        let Some(durable) = self.durable.group(&fetch.group) else { return Some(Vec::new()) };
        let none = |partition: &PartitionIndex| (*partition, ());
        let topics = durable.offsets.iter();
        let all: ByTopic<()> = topics
            .map(|(topic, partitions)| (topic.clone(), partitions.keys().map(none).collect()))
            .collect();
        self.fetch_some(fetch, &all)
    }

    fn fetch_one(
        &self,
        fetch: &Fetch,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> FetchedOffset {
        if fetch.require_stable && self.durable.has_pending(&fetch.group, topic, partition) {
            return FetchedOffset::Unstable;
        }
        match self.durable.offset(&fetch.group, topic, partition) {
            Some(stored) => FetchedOffset::Committed(stored.committed.clone()),
            None => FetchedOffset::None,
        }
    }

    pub(super) fn delete_offsets(
        &self,
        id: &GroupId,
        topics: &ByTopic<()>,
        to: ReplyTo,
        step: &mut Step,
    ) {
        let outcome = match self.deletable_group(id) {
            Ok(group) => Ok(self.forget_offsets(id, group, topics, step)),
            Err(error) => Err(error),
        };
        step.answers.push(Answer { to, reply: Reply::DeleteOffsets(outcome), wait: Wait::Records });
    }

    fn deletable_group(&self, id: &GroupId) -> Result<&ClassicGroup, ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::InvalidGroupId);
        }
        let group = self.groups.get(id).ok_or(ErrorCode::GroupIdNotFound)?;
        // Whether other kinds of members need a topic cannot be known.
        if group.state() != ClassicState::Empty && !group.is_consumer() {
            return Err(ErrorCode::NonEmptyGroup);
        }
        Ok(group)
    }

    fn forget_offsets(
        &self,
        id: &GroupId,
        group: &ClassicGroup,
        topics: &ByTopic<()>,
        step: &mut Step,
    ) -> ByTopic<ErrorCode> {
        let mut outcomes = Vec::with_capacity(topics.len());
        for (topic, partitions) in topics {
            let subscribed = group.is_subscribed(topic);
            let mut results = Vec::with_capacity(partitions.len());
            for (partition, ()) in partitions {
                if subscribed {
                    results.push((*partition, ErrorCode::GroupSubscribedToTopic));
                    continue;
                }
                results.push((*partition, ErrorCode::None));
                if self.durable.offset(id, topic, *partition).is_some()
                    || self.durable.has_pending(id, topic, *partition)
                {
                    step.records.push(tombstone(id, topic, *partition));
                }
            }
            outcomes.push((topic.clone(), results));
        }
        outcomes
    }

    pub(super) fn topics_deleted(&self, topics: &[TopicName], to: ReplyTo, step: &mut Step) {
        for (id, durable) in self.durable.groups() {
            for topic in topics {
                let partitions = durable.offsets.get(topic).into_iter().flatten();
                for (partition, _) in partitions {
                    step.records.push(tombstone(id, topic, *partition));
                }
            }
        }
        step.answers.push(Answer { to, reply: Reply::Done, wait: Wait::Records });
    }
}

/// The record that forgets an offset.
pub(super) fn tombstone(
    group: &GroupId,
    topic: &TopicName,
    partition: PartitionIndex,
) -> GroupRecord {
    GroupRecord::Offset { group: group.clone(), topic: topic.clone(), partition, value: None }
}

fn committed(
    offset: OffsetToCommit,
    now: TimestampMs,
    expires_at: Option<TimestampMs>,
) -> CommittedOffset {
    CommittedOffset {
        offset: offset.offset,
        leader_epoch: offset.leader_epoch,
        metadata: offset.metadata.unwrap_or_default(),
        committed_at: offset.committed_at.unwrap_or(now),
        expires_at,
        topic_id: offset.topic_id,
    }
}
