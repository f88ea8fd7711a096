//! Expiry of offsets and of groups that have nothing left (KIP-211).
//!
//! Called by `Shard::handle` for the coordinator's periodic check. Retention is counted on the wall
//! clock, since commits are dated by it.

use super::classic::{ClassicGroup, ClassicState};
use super::durable::StoredOffset;
use super::ids::GroupId;
use super::offsets::tombstone;
use super::record::GroupRecord;
use super::reply::{Answer, Event, Reply, ReplyTo, Step, Wait};
use super::shard::Shard;
use crate::time::{Now, TimestampMs};

/// From when on an offset's retention counts.
#[derive(Clone, Copy)]
enum RetentionFrom {
    /// From its commit.
    Commit,
    /// From when the group lost its last member.
    Empty(TimestampMs),
}

impl Shard {
    pub(super) fn expire(&mut self, now: Now, to: ReplyTo, step: &mut Step) {
        let mut unused = Vec::new();
        let mut expired = 0;
        for (id, group) in &self.groups {
            let (gone, all) = self.expire_group(now.wall, id, group, step);
            expired += gone;
            if all && group.is_idle() && !self.durable.has_any_pending(id) {
                unused.push(id.clone());
            }
        }
        for id in unused {
            self.remove_group(id, step);
        }
        if expired > 0 {
            step.events.push(Event::OffsetsExpired(expired));
        }
        step.answers.push(Answer { to, reply: Reply::Done, wait: Wait::Records });
    }

    /// How many offsets of the group expire, and whether none is left.
    fn expire_group(
        &self,
        now: TimestampMs,
        id: &GroupId,
        group: &ClassicGroup,
        step: &mut Step,
    ) -> (usize, bool) {
        let Some(durable) = self.durable.group(id) else { return (0, true) };
        if durable.offsets.is_empty() {
            return (0, true);
        }
        let Some(from) = retention_from(group) else { return (0, false) };
        let mut expired = 0;
        let mut all = true;
        for (topic, partitions) in &durable.offsets {
            let subscribed = group.is_subscribed(topic);
            for (partition, stored) in partitions {
                let keep = subscribed
                    || !is_expired(stored, from, now, self.settings.offsets_retention_ms)
                    || self.durable.has_pending(id, topic, *partition);
                if keep {
                    all = false;
                } else {
                    step.records.push(tombstone(id, topic, *partition));
                    expired += 1;
                }
            }
        }
        (expired, all)
    }

    /// Removes a group whose offsets are gone, or go with the records of this step.
    pub(super) fn remove_group(&mut self, id: GroupId, step: &mut Step) {
        self.groups.remove(&id);
        if self.durable.group(&id).is_some_and(|durable| durable.metadata.is_some()) {
            step.records.push(GroupRecord::Group { group: id.clone(), value: None });
        }
        step.events.push(Event::GroupRemoved(id));
    }
}

/// `None` while the group's offsets do not expire at all.
fn retention_from(group: &ClassicGroup) -> Option<RetentionFrom> {
    if group.protocol_type().is_none() {
        return Some(RetentionFrom::Commit);
    }
    match group.state() {
        ClassicState::Empty if group.state_since() == TimestampMs::NONE => {
            Some(RetentionFrom::Commit)
        }
        ClassicState::Empty => Some(RetentionFrom::Empty(group.state_since())),
        // Of a living group only what nobody reads any more.
        ClassicState::Stable if group.is_consumer() && group.knows_subscriptions() => {
            Some(RetentionFrom::Commit)
        }
        _ => None,
    }
}

fn is_expired(stored: &StoredOffset, from: RetentionFrom, now: TimestampMs, kept_ms: i64) -> bool {
    if let Some(expires_at) = stored.committed.expires_at {
        return now >= expires_at;
    }
    let base = match from {
        RetentionFrom::Commit => stored.committed.committed_at,
        RetentionFrom::Empty(since) => since,
    };
    now.0.saturating_sub(base.0) >= kept_ms
}
