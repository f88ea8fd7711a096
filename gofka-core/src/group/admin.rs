//! ListGroups, DescribeGroups, DeleteGroups.
//!
//! Called by `Shard::handle`.

use super::classic::{ClassicGroup, ClassicState};
use super::command::ListFilter;
use super::ids::GroupId;
use super::offsets::tombstone;
use super::reply::{Answer, ListedGroup, Reply, ReplyTo, Step, Wait};
use super::shard::Shard;
use crate::error::ErrorCode;

impl Shard {
    pub(super) fn list(&self, filter: &ListFilter, to: ReplyTo, step: &mut Step) {
        let passes = |wanted: &[String], name: &str| {
            wanted.is_empty() || wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(name))
        };
        let shown = |group: &ListedGroup| {
            passes(&filter.states, group.state) && passes(&filter.types, group.group_type)
        };
        let groups = self.groups.values().map(ClassicGroup::list).filter(shown).collect();
        let wait = Wait::through(self.durable.last_record());
        step.answers.push(Answer { to, reply: Reply::List(groups), wait });
    }

    pub(super) fn describe(&self, id: &GroupId, to: ReplyTo, step: &mut Step) {
        let described = self.groups.get(id).map(ClassicGroup::describe);
        let wait = Wait::through(self.durable.visible_through(id));
        step.answers.push(Answer { to, reply: Reply::Describe(described), wait });
    }

    pub(super) fn delete_group(&mut self, id: GroupId, to: ReplyTo, step: &mut Step) {
        let outcome = match self.groups.get(&id).map(ClassicGroup::state) {
            None => ErrorCode::GroupIdNotFound,
            Some(ClassicState::Empty) => ErrorCode::None,
            Some(_) => ErrorCode::NonEmptyGroup,
        };
        if outcome == ErrorCode::None {
            let offsets = self.durable.group(&id).map(|durable| &durable.offsets);
            for (topic, partitions) in offsets.into_iter().flatten() {
                for partition in partitions.keys() {
                    step.records.push(tombstone(&id, topic, *partition));
                }
            }
            for (topic, partition) in self.durable.pending_of(&id) {
                if self.durable.offset(&id, topic, partition).is_none() {
                    step.records.push(tombstone(&id, topic, partition));
                }
            }
            self.remove_group(id, step);
        }
        step.answers.push(Answer { to, reply: Reply::DeleteGroup(outcome), wait: Wait::Records });
    }
}
