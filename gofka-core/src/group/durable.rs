//! What survives a restart: the groups and offsets that the records of a shard add up to.
//!
//! Owned by `Shard`. **Invariant:** [`Durable::replay`] and [`Durable::replay_marker`] are the
//! only ways to change it, live and at load alike.

use std::collections::BTreeMap;

use super::ids::GroupId;
use super::record::{CommittedOffset, GroupMetadata, GroupRecord};
use crate::ids::{Offset, PartitionIndex, ProducerId, TopicName};

/// Committed offsets of one group.
pub type OffsetsByTopic = BTreeMap<TopicName, BTreeMap<PartitionIndex, StoredOffset>>;

/// A committed offset and where its record lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOffset {
    /// The commit.
    pub committed: CommittedOffset,
    /// Position of its record in the shard's log.
    pub recorded_at: Offset,
}

/// The durable part of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurableGroup {
    /// Its last generation; `None` for a group that only commits offsets.
    pub metadata: Option<GroupMetadata>,
    /// Its offsets.
    pub offsets: OffsetsByTopic,
    /// Position of the last record about it.
    pub last_record: Offset,
}

type PendingOffsets = BTreeMap<(GroupId, TopicName, PartitionIndex), StoredOffset>;

/// Everything that the records of a shard say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durable {
    groups: BTreeMap<GroupId, DurableGroup>,
    /// Offsets of transactions that have not ended.
    pending: BTreeMap<ProducerId, PendingOffsets>,
    last_record: Option<Offset>,
}

impl Durable {
    /// Applies the record at `at`. `producer` is set for a record of an open transaction.
    pub fn replay(&mut self, at: Offset, producer: Option<ProducerId>, record: GroupRecord) {
        self.last_record = Some(at);
        match record {
            GroupRecord::Group { group, value: Some(metadata) } => {
                self.group_mut(group, at).metadata = Some(metadata);
            }
            GroupRecord::Group { group, value: None } => {
                if let Some(durable) = self.groups.get_mut(&group) {
                    durable.metadata = None;
                    durable.last_record = at;
                    self.drop_if_blank(&group);
                }
            }
            GroupRecord::Offset { group, topic, partition, value: Some(committed) } => {
                let stored = StoredOffset { committed, recorded_at: at };
                if let Some(producer) = producer {
                    let pending = self.pending.entry(producer).or_default();
                    pending.insert((group, topic, partition), stored);
                } else {
                    let offsets = &mut self.group_mut(group, at).offsets;
                    offsets.entry(topic).or_default().insert(partition, stored);
                }
            }
            GroupRecord::Offset { group, topic, partition, value: None } => {
                self.forget_offset(&group, &topic, partition, at);
            }
        }
    }

    /// Applies the end of a transaction: its offsets become the group's, or vanish.
    pub fn replay_marker(&mut self, at: Offset, producer: ProducerId, committed: bool) {
        self.last_record = Some(at);
        let Some(pending) = self.pending.remove(&producer) else { return };
        if !committed {
            return;
        }
        for ((group, topic, partition), stored) in pending {
            let offsets = self.group_mut(group, at).offsets.entry(topic).or_default();
            // A plain commit made later stays, whatever order the markers come in.
            let newer = offsets.get(&partition).is_some_and(|o| o.recorded_at > stored.recorded_at);
            if !newer {
                offsets.insert(partition, stored);
            }
        }
    }

    fn forget_offset(
        &mut self,
        group: &GroupId,
        topic: &TopicName,
        partition: PartitionIndex,
        at: Offset,
    ) {
        if !self.pending.is_empty() {
            let key = (group.clone(), topic.clone(), partition);
            for pending in self.pending.values_mut() {
                pending.remove(&key);
            }
        }
        let Some(durable) = self.groups.get_mut(group) else { return };
        durable.last_record = at;
        if let Some(partitions) = durable.offsets.get_mut(topic) {
            partitions.remove(&partition);
            if partitions.is_empty() {
                durable.offsets.remove(topic);
            }
        }
        self.drop_if_blank(group);
    }

    fn group_mut(&mut self, group: GroupId, at: Offset) -> &mut DurableGroup {
        let durable = self.groups.entry(group).or_insert_with(|| DurableGroup {
            metadata: None,
            offsets: OffsetsByTopic::new(),
            last_record: at,
        });
        durable.last_record = at;
        durable
    }

    fn drop_if_blank(&mut self, group: &GroupId) {
        let blank =
            |durable: &DurableGroup| durable.metadata.is_none() && durable.offsets.is_empty();
        if self.groups.get(group).is_some_and(blank) {
            self.groups.remove(group);
        }
    }

    /// The durable part of `group`.
    pub fn group(&self, group: &GroupId) -> Option<&DurableGroup> {
        self.groups.get(group)
    }

    /// All groups with something durable.
    pub fn groups(&self) -> impl Iterator<Item = (&GroupId, &DurableGroup)> {
        self.groups.iter()
    }

    /// One committed offset.
    pub fn offset(
        &self,
        group: &GroupId,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> Option<&StoredOffset> {
        self.groups.get(group)?.offsets.get(topic)?.get(&partition)
    }

    /// Whether an open transaction holds an offset for the partition.
    pub fn has_pending(
        &self,
        group: &GroupId,
        topic: &TopicName,
        partition: PartitionIndex,
    ) -> bool {
        if self.pending.is_empty() {
            return false;
        }
        let key = (group.clone(), topic.clone(), partition);
        self.pending.values().any(|pending| pending.contains_key(&key))
    }

    /// The partitions that open transactions hold offsets of `group` for.
    pub fn pending_of(
        &self,
        group: &GroupId,
    ) -> impl Iterator<Item = (&TopicName, PartitionIndex)> {
        let keys = self.pending.values().flat_map(BTreeMap::keys);
        keys.filter(move |(pending, _, _)| pending == group).map(|(_, topic, p)| (topic, *p))
    }

    /// Whether an open transaction holds any offset of `group`.
    pub fn has_any_pending(&self, group: &GroupId) -> bool {
        self.pending_of(group).next().is_some()
    }

    /// Up to where the log must be committed before what is known of `group` may be shown.
    pub fn visible_through(&self, group: &GroupId) -> Option<Offset> {
        // A group that is gone may be gone because of a record that is not committed yet.
        self.groups.get(group).map(|durable| durable.last_record).or(self.last_record)
    }

    /// Position of the last record of the shard.
    pub fn last_record(&self) -> Option<Offset> {
        self.last_record
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{LeaderEpoch, TopicId};
    use crate::time::TimestampMs;

    fn commit(offset: i64) -> GroupRecord {
        let value = CommittedOffset {
            offset: Offset(offset),
            leader_epoch: LeaderEpoch::NONE,
            metadata: String::new(),
            committed_at: TimestampMs(0),
            expires_at: None,
            topic_id: TopicId::NONE,
        };
        record(Some(value))
    }

    fn record(value: Option<CommittedOffset>) -> GroupRecord {
        GroupRecord::Offset {
            group: GroupId::new("g"),
            topic: TopicName::new("t"),
            partition: PartitionIndex(0),
            value,
        }
    }

    fn committed(durable: &Durable) -> Option<i64> {
        durable
            .offset(&GroupId::new("g"), &TopicName::new("t"), PartitionIndex(0))
            .map(|stored| stored.committed.offset.0)
    }

    const PRODUCER: ProducerId = ProducerId(9);

    #[test]
    fn a_tombstone_leaves_no_trace_of_the_group() {
        let mut durable = Durable::default();
        durable.replay(Offset(0), None, commit(5));
        assert_eq!(committed(&durable), Some(5));
        durable.replay(Offset(1), None, record(None));
        assert_eq!(durable.groups().count(), 0);
        assert_eq!(durable.visible_through(&GroupId::new("g")), Some(Offset(1)));
    }

    #[test]
    fn a_transactions_offset_waits_for_its_marker() {
        for (commits, expected) in [(true, Some(7)), (false, None)] {
            let mut durable = Durable::default();
            durable.replay(Offset(0), Some(PRODUCER), commit(7));
            assert_eq!(committed(&durable), None);
            assert!(durable.has_any_pending(&GroupId::new("g")));
            durable.replay_marker(Offset(1), PRODUCER, commits);
            assert_eq!(committed(&durable), expected);
            assert!(!durable.has_any_pending(&GroupId::new("g")));
        }
    }

    #[test]
    fn a_later_plain_commit_outlives_the_transaction() {
        let mut durable = Durable::default();
        durable.replay(Offset(0), Some(PRODUCER), commit(7));
        durable.replay(Offset(1), None, commit(8));
        durable.replay_marker(Offset(2), PRODUCER, true);
        assert_eq!(committed(&durable), Some(8));
    }

    #[test]
    fn a_tombstone_removes_pending_offsets_too() {
        let mut durable = Durable::default();
        durable.replay(Offset(0), Some(PRODUCER), commit(7));
        durable.replay(Offset(1), None, record(None));
        durable.replay_marker(Offset(2), PRODUCER, true);
        assert_eq!(committed(&durable), None);
    }
}
