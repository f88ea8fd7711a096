//! One session: its partitions in the order in which they are served, and what was last told.

use std::collections::{BTreeMap, HashMap};

use super::{FetchTarget, PartitionNews};
use crate::ids::{Offset, PartitionIndex, TopicId, TopicName};
use crate::time::MonotonicMs;

/// A topic as the request names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TopicKey {
    /// By name, below version 13.
    Name(TopicName),
    /// By id.
    Id(TopicId),
}

/// One partition as the request names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionKey {
    /// The topic.
    pub topic: TopicKey,
    /// The partition of it.
    pub partition: PartitionIndex,
}

/// A partition in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    key: PartitionKey,
    target: FetchTarget,
    high_watermark: Offset,
    log_start_offset: Offset,
}

/// One client's session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) epoch: i32,
    pub(super) uses_topic_ids: bool,
    pub(super) created: MonotonicMs,
    pub(super) last_used: MonotonicMs,
    /// Number of partitions when it was last used: what the eviction compares.
    pub(super) weight: usize,
    /// By turn: who was served goes to the end, so that small answers reach everybody.
    by_turn: BTreeMap<u64, TargetState>,
    turns: HashMap<PartitionKey, u64>,
    next_turn: u64,
}

impl Session {
    pub(super) fn new(epoch: i32, uses_topic_ids: bool, now: MonotonicMs) -> Self {
        Self {
            epoch,
            uses_topic_ids,
            created: now,
            last_used: now,
            weight: 0,
            by_turn: BTreeMap::new(),
            turns: HashMap::new(),
            next_turn: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.turns.len()
    }

    /// Adds the partition, or changes what is wanted from it.
    pub(super) fn want(&mut self, key: PartitionKey, target: FetchTarget) {
        if let Some(state) = self.turns.get(&key).and_then(|turn| self.by_turn.get_mut(turn)) {
            state.target = target;
            return;
        }
        let state = TargetState {
            key,
            target,
            high_watermark: Offset::NONE,
            log_start_offset: Offset::NONE,
        };
        self.append(state);
    }

    pub(super) fn forget(&mut self, key: &PartitionKey) {
        if let Some(turn) = self.turns.remove(key) {
            self.by_turn.remove(&turn);
        }
    }

    pub(super) fn targets(&self) -> Vec<(PartitionKey, FetchTarget)> {
        self.by_turn.values().map(|state| (state.key.clone(), state.target)).collect()
    }

    /// Remembers what is told of a partition; whether there is anything to tell.
    pub(super) fn note(&mut self, key: &PartitionKey, news: &PartitionNews) -> bool {
        let Some(turn) = self.turns.get(key).copied() else {
            return true;
        };
        let Some(state) = self.by_turn.get_mut(&turn) else {
            return true;
        };
        let mut tell = news.has_records || news.always || news.is_error;
        if state.high_watermark != news.high_watermark {
            state.high_watermark = news.high_watermark;
            tell = true;
        }
        if state.log_start_offset != news.log_start_offset {
            state.log_start_offset = news.log_start_offset;
            tell = true;
        }
        if news.is_error {
            // The end of the error is news.
            state.high_watermark = Offset::NONE;
        }
        if news.has_records
            && let Some(state) = self.by_turn.remove(&turn)
        {
            self.append(state);
        }
        tell
    }

    fn append(&mut self, state: TargetState) {
        self.turns.insert(state.key.clone(), self.next_turn);
        self.by_turn.insert(self.next_turn, state);
        self.next_turn += 1;
    }
}
