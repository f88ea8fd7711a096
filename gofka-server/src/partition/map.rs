//! Which partitions there are, and which of them are served here: an immutable snapshot.
//!
//! Made by `Partitions` from each metadata image; read by every request without a lock.

use std::collections::HashMap;
use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::ids::{PartitionIndex, TopicId, TopicName};

use super::replica::Partition;

/// One partition, as this broker sees it.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    /// Held here.
    Here(Arc<Partition>),
    /// Held by other brokers only.
    Elsewhere,
    /// Should be held here, but its log could not be opened.
    Failed,
}

/// One topic.
#[derive(Debug)]
pub struct TopicEntry {
    /// Its name.
    pub name: TopicName,
    /// Its id.
    pub id: TopicId,
    pub(super) slots: Vec<Slot>,
}

impl TopicEntry {
    /// The partition `index`, where it is held here.
    pub fn get(&self, index: PartitionIndex) -> Result<&Arc<Partition>, ErrorCode> {
        let slot = usize::try_from(index.0).ok().and_then(|index| self.slots.get(index));
        match slot {
            Some(Slot::Here(partition)) => Ok(partition),
            Some(Slot::Elsewhere) => Err(ErrorCode::NotLeaderOrFollower),
            Some(Slot::Failed) => Err(ErrorCode::KafkaStorageError),
            None => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    /// The partitions of it that are held here.
    pub fn here(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Here(partition) => Some(partition),
            Slot::Elsewhere | Slot::Failed => None,
        })
    }
}

/// All topics at one moment.
#[derive(Clone, Debug, Default)]
pub struct PartitionMap {
    pub(super) by_name: HashMap<TopicName, Arc<TopicEntry>>,
    pub(super) by_id: HashMap<TopicId, Arc<TopicEntry>>,
}

impl PartitionMap {
    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Result<&Arc<TopicEntry>, ErrorCode> {
        self.by_name.get(name).ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: TopicId) -> Result<&Arc<TopicEntry>, ErrorCode> {
        self.by_id.get(&id).ok_or(ErrorCode::UnknownTopicId)
    }

    /// Every partition that is held here.
    pub fn here(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.by_name.values().flat_map(|topic| topic.here())
    }

    pub(super) fn insert(&mut self, entry: Arc<TopicEntry>) {
        self.by_id.insert(entry.id, entry.clone());
        self.by_name.insert(entry.name.clone(), entry);
    }

    pub(super) fn remove(&mut self, entry: &TopicEntry) {
        self.by_id.remove(&entry.id);
        // A topic that was made again under the same name is another one.
        if self.by_name.get(&entry.name).is_some_and(|current| current.id == entry.id) {
            self.by_name.remove(&entry.name);
        }
    }
}
