//! One shard with its lock: decides, appends, replays, and hands out replies.
//!
//! Made by `follow`, used by any thread. The lock is held for as long as a command takes, never
//! across an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use gofka_core::error::ErrorCode;
use gofka_core::group::{Answer, Command, Reply, ReplyTo, Shard, Step, StoredOffset, Wait};
use gofka_core::ids::{LeaderEpoch, Offset, PartitionIndex, TopicName};
use gofka_core::time::{MonotonicMs, Now};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::alarm::Alarm;
use super::append::append;
use super::consumers::Consumers;
use super::pending::{Delivery, Pending, coordinator_error};
use super::settings::CoordinatorSettings;
use super::{GroupFigures, events};
use crate::metrics::Metrics;
use crate::partition::Partition;

/// What shards share with their coordinator.
#[derive(Clone, Debug)]
pub(super) struct CellShared {
    pub(super) settings: CoordinatorSettings,
    pub(super) alarm: Arc<Alarm>,
    pub(super) reload: Arc<Notify>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) consumers: Arc<Consumers>,
}

/// One partition of the offsets topic, in one term of its leadership.
#[derive(Debug)]
pub(super) struct ShardCell {
    partition: Arc<Partition>,
    epoch: LeaderEpoch,
    shared: CellShared,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// With the topics that were deleted meanwhile.
    Loading(Vec<TopicName>),
    Active(Active),
    /// Never again; if the partition is still led here, another cell takes its place.
    Stopped,
}

#[derive(Debug)]
struct Active {
    shard: Shard,
    waiting: HashMap<ReplyTo, oneshot::Sender<Delivery>>,
    next_reply: u64,
    /// The earliest deadline that the alarm knows of.
    armed: Option<MonotonicMs>,
}

impl ShardCell {
    pub(super) fn new(
        partition: Arc<Partition>,
        epoch: LeaderEpoch,
        shared: CellShared,
    ) -> Arc<Self> {
        Arc::new(Self { partition, epoch, shared, state: Mutex::new(State::Loading(Vec::new())) })
    }

    pub(super) fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    pub(super) fn index(&self) -> PartitionIndex {
        self.partition.name().partition
    }

    pub(super) fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    pub(super) fn is_stopped(&self) -> bool {
        matches!(*self.state.lock(), State::Stopped)
    }

    /// Goes into service with what was loaded.
    pub(super) fn activate(&self, mut shard: Shard, now: Now) {
        let mut state = self.state.lock();
        let State::Loading(deleted_topics) = &mut *state else { return };
        let deleted_topics = std::mem::take(deleted_topics);
        let step = shard.loaded(now);
        let waiting = HashMap::new();
        let mut active = Active { shard, waiting, next_reply: 0, armed: None };
        let settled = self.settle(&mut active, step, now);
        *state = State::Active(active);
        if let Err(error) = settled {
            self.stop_locked(&mut state, coordinator_error(error));
            self.shared.reload.notify_one();
        }
        drop(state);
        if !deleted_topics.is_empty() {
            self.forget_topics(now, deleted_topics);
        }
    }

    /// Removes the offsets of deleted topics, once the shard is loaded.
    pub(super) fn forget_topics(&self, now: Now, topics: Vec<TopicName>) {
        let mut state = self.state.lock();
        match &mut *state {
            State::Loading(deleted_topics) => deleted_topics.extend(topics),
            State::Active(active) => {
                let to = active.next_reply();
                let step = active.shard.handle(now, to, Command::TopicsDeleted(topics));
                self.apply(&mut state, step, now);
            }
            State::Stopped => {}
        }
    }

    /// Decides `command`; its records are appended and its effects visible to the next one when
    /// this returns.
    pub(super) fn submit(self: &Arc<Self>, now: Now, command: Command) -> Pending {
        let mut state = self.state.lock();
        let active = match &mut *state {
            State::Loading(_) => return Pending::refused(ErrorCode::CoordinatorLoadInProgress),
            State::Stopped => return Pending::refused(ErrorCode::NotCoordinator),
            State::Active(active) => active,
        };
        let to = active.next_reply();
        let (sender, receiver) = oneshot::channel();
        active.waiting.insert(to, sender);
        let step = active.shard.handle(now, to, command);
        self.apply(&mut state, step, now);
        Pending::waiting(receiver, self.clone(), self.shared.settings.commit_timeout)
    }

    /// Runs the timers that are due.
    pub(super) fn on_alarm(&self, now: Now) {
        let mut state = self.state.lock();
        let State::Active(active) = &mut *state else { return };
        active.armed = None;
        let step = active.shard.on_timer(now);
        self.apply(&mut state, step, now);
    }

    fn apply(&self, state: &mut State, step: Step, now: Now) {
        let State::Active(active) = state else { return };
        if let Err(error) = self.settle(active, step, now) {
            self.stop_locked(state, coordinator_error(error));
            self.shared.reload.notify_one();
        }
    }

    /// Appends the step's records, replays them, and lets its replies go.
    fn settle(&self, active: &mut Active, step: Step, now: Now) -> Result<(), ErrorCode> {
        let mut end = None;
        if !step.records.is_empty() {
            let compression = self.shared.settings.compression;
            let mut at = append(&self.partition, &step.records, compression, now.wall)?;
            for record in step.records {
                active.shard.replay(at, None, record);
                at = at.plus(1);
            }
            end = Some(at);
        }
        for answer in step.answers {
            active.deliver(answer, end);
        }
        if events::report(&self.shared.metrics, step.events) {
            self.shared.consumers.changed();
        }
        self.arm(active);
        Ok(())
    }

    fn arm(&self, active: &mut Active) {
        let Some(next) = active.shard.next_deadline() else { return };
        // A later deadline is found when the earlier alarm goes off.
        if active.armed.is_none_or(|armed| next < armed) {
            active.armed = Some(next);
            self.shared.alarm.set(next, self.index());
        }
    }

    /// Stops the shard because `error` befell its log, to be loaded again.
    pub(super) fn fail(&self, error: ErrorCode) {
        let mut state = self.state.lock();
        if matches!(*state, State::Active(_)) {
            self.stop_locked(&mut state, coordinator_error(error));
            self.shared.reload.notify_one();
        }
    }

    /// Sends everyone who waits to look for the coordinator elsewhere.
    pub(super) fn stop(&self) {
        self.stop_locked(&mut self.state.lock(), ErrorCode::NotCoordinator);
    }

    fn stop_locked(&self, state: &mut State, error: ErrorCode) {
        let State::Active(mut active) = std::mem::replace(state, State::Stopped) else { return };
        tracing::debug!(partition = %self.partition.name(), %error, "a shard of groups stopped");
        // Members that wait, and the request whose records were not appended.
        active.waiting.retain(|_, sender| !sender.is_closed());
        for (_, sender) in active.waiting {
            let reply = Reply::Unavailable(error);
            let _ = sender.send(Delivery { reply, committed: None });
        }
    }

    /// The shard's groups, for metrics.
    pub(super) fn figures(&self) -> Vec<GroupFigures> {
        let state = self.state.lock();
        let State::Active(active) = &*state else { return Vec::new() };
        let figures = active.shard.summaries().map(|group| GroupFigures {
            group: group.group.clone(),
            state: group.state.name(),
            members: group.members,
            clients: group.clients,
            offsets: group.offsets.into_iter().flatten().flat_map(offsets_of).collect(),
        });
        figures.collect()
    }
}

type TopicOffsets<'a> = (&'a TopicName, &'a BTreeMap<PartitionIndex, StoredOffset>);

fn offsets_of(
    (topic, partitions): TopicOffsets<'_>,
) -> impl Iterator<Item = (TopicName, PartitionIndex, Offset)> {
    partitions
        .iter()
        .map(|(partition, stored)| (topic.clone(), *partition, stored.committed.offset))
}

impl Active {
    fn next_reply(&mut self) -> ReplyTo {
        self.next_reply += 1;
        ReplyTo(self.next_reply)
    }

    fn deliver(&mut self, answer: Answer, records_end: Option<Offset>) {
        let committed = match answer.wait {
            Wait::No => None,
            Wait::Records => records_end,
            Wait::Through(last) => Some(last.plus(1)),
        };
        // Nobody waits for a broker's own commands, or the connection is gone.
        if let Some(sender) = self.waiting.remove(&answer.to) {
            let _ = sender.send(Delivery { reply: answer.reply, committed });
        }
    }
}
