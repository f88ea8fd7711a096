//! Who is in the group: adding, removing and checking members.
//!
//! Called by the handlers beside it.

use super::{ClassicGroup, ClassicState, Context, Member, Wait};
use crate::error::ErrorCode;
use crate::group::command::Join;
use crate::group::ids::{InstanceId, MemberId};
use crate::group::reply::{JoinReply, SyncReply};

impl ClassicGroup {
    /// Whether `member` may be what it claims; an instance belongs to its latest member.
    pub(super) fn validate_member(
        &self,
        member: &MemberId,
        instance: Option<&InstanceId>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance) = instance {
            match self.static_members.get(instance) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(owner) if owner != member => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member) { Ok(()) } else { Err(ErrorCode::UnknownMemberId) }
    }

    /// Whether the group has room for `member`.
    ///
    /// While it prepares a rebalance the members that have joined count, not those that it had: it
    /// may have been over its limit, and then the last to rejoin have to go.
    pub(super) fn has_room(&self, member: &MemberId, members_max: usize) -> bool {
        let known = self.members.get(member);
        match self.state {
            ClassicState::Empty => true,
            ClassicState::PreparingRebalance => {
                known.is_some_and(|member| member.awaiting_join.is_some())
                    || self.joined_count() < members_max
            }
            ClassicState::CompletingRebalance | ClassicState::Stable => {
                known.is_some() || self.members.len() < members_max
            }
        }
    }

    fn joined_count(&self) -> usize {
        self.members.values().filter(|member| member.awaiting_join.is_some()).count()
    }

    pub(super) fn have_all_joined(&self) -> bool {
        self.pending_joins.is_empty()
            && self.members.values().all(|member| member.awaiting_join.is_some())
    }

    pub(super) fn insert_member(&mut self, member: Member, join: &Join) {
        if self.members.is_empty() {
            self.protocol_type = Some(join.protocol_type.clone());
        }
        if let Some(instance) = &member.instance {
            self.static_members.insert(instance.clone(), member.id.clone());
        }
        self.leader.get_or_insert_with(|| member.id.clone());
        self.pending_joins.remove(&member.id);
        self.members.insert(member.id.clone(), member);
    }

    /// Removes a member or an id that was given out, and tells it if it waits.
    pub(super) fn remove_member(&mut self, cx: &mut Context<'_>, id: &MemberId) {
        self.end_session(cx, id);
        self.pending_joins.remove(id);
        self.pending_syncs.remove(id);
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance) = &member.instance {
            self.static_members.remove(instance);
        }
        if self.leader.as_ref() == Some(id) {
            self.leader = self.members.keys().next().cloned();
        }
        if let Some(to) = member.awaiting_join {
            // Without an id, so that a client that is still there joins as a new member.
            let unknown = MemberId::new("");
            cx.answer(to, JoinReply::error(ErrorCode::UnknownMemberId, &unknown), Wait::No);
        }
        if let Some(to) = member.awaiting_sync {
            cx.answer(to, SyncReply::error(ErrorCode::UnknownMemberId), Wait::No);
        }
    }

    /// Lets `member` hear from the next join phase; an earlier request of it is let go.
    pub(super) fn await_join(
        &mut self,
        cx: &mut Context<'_>,
        id: &MemberId,
        to: crate::group::reply::ReplyTo,
    ) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Some(earlier) = member.awaiting_join.replace(to) {
            let reply = JoinReply::error(ErrorCode::RebalanceInProgress, id);
            cx.answer(earlier, reply, Wait::No);
        }
    }
}
