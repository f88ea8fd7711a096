//! JoinGroup: a member enters the next generation.
//!
//! Called by `Shard::handle`. A reply leaves when the join phase is complete, or at once when the
//! member is refused, must come again with the id it was given (KIP-394), or is up to date.

use std::time::Duration;

use super::{ClassicGroup, ClassicState, Context, Member, Reply, ReplyTo, Timer, Wait};
use crate::error::ErrorCode;
use crate::group::command::Join;
use crate::group::ids::MemberId;
use crate::group::reply::{JoinReply, JoinedMember, RebalanceReason};

/// New members do not know their id yet and cannot send heartbeats, nor is a lost connection seen
/// while their request waits. This bounds how long one may haunt the group.
const NEW_MEMBER_JOIN_TIMEOUT: Duration = Duration::from_secs(300);

impl ClassicGroup {
    pub(crate) fn join(&mut self, cx: &mut Context<'_>, join: &Join, to: ReplyTo) {
        let refusal = if !self.has_room(&join.member, cx.settings.members_max) {
            self.remove_member(cx, &join.member);
            Some((ErrorCode::GroupMaxSizeReached, MemberId::new("")))
        } else if !self.supports(join) {
            Some((ErrorCode::InconsistentGroupProtocol, join.member.clone()))
        } else {
            None
        };
        if let Some((error, member)) = refusal {
            cx.answer(to, JoinReply::error(error, &member), Wait::No);
        } else if join.member.is_empty() {
            self.join_new(cx, join, to);
        } else if self.pending_joins.contains(&join.member) {
            self.join_pending(cx, join, to);
        } else {
            self.join_known(cx, join, to);
        }
    }

    fn join_new(&mut self, cx: &mut Context<'_>, join: &Join, to: ReplyTo) {
        if let Some(instance) = &join.instance {
            let id = MemberId::new(&format!("{instance}-{}", join.fresh));
            match self.static_members.get(instance).cloned() {
                Some(former) => self.replace_static_member(cx, join, &former, &id, to),
                None => self.add_member(cx, join, &id, to),
            }
            return;
        }
        let id = MemberId::new(&format!("{}-{}", join.client_id, join.fresh));
        if !join.knows_member_id_required {
            self.add_member(cx, join, &id, to);
            return;
        }
        let session = Duration::from_millis(u64::try_from(join.session_timeout_ms).unwrap_or(0));
        cx.schedule(Timer::Session(self.id.clone(), id.clone()), session);
        cx.answer(to, JoinReply::error(ErrorCode::MemberIdRequired, &id), Wait::No);
        self.pending_joins.insert(id);
    }

    fn join_pending(&mut self, cx: &mut Context<'_>, join: &Join, to: ReplyTo) {
        if join.instance.is_some() {
            // Static members are never given an id to come again with.
            let reply = JoinReply::error(ErrorCode::UnknownServerError, &join.member);
            cx.answer(to, reply, Wait::No);
            return;
        }
        self.add_member(cx, join, &join.member, to);
    }

    fn add_member(&mut self, cx: &mut Context<'_>, join: &Join, id: &MemberId, to: ReplyTo) {
        if self.is_initial_rebalance() {
            self.joined_during_delay = true;
        }
        let mut member = Member::new(id.clone(), join);
        member.awaiting_join = Some(to);
        self.start_session(cx, &member, NEW_MEMBER_JOIN_TIMEOUT);
        self.insert_member(member, join);
        self.rebalance_or_complete(cx, RebalanceReason::MemberJoined, detail(id, join));
    }

    fn join_known(&mut self, cx: &mut Context<'_>, join: &Join, to: ReplyTo) {
        let id = &join.member;
        let member = match self.validate_member(id, join.instance.as_ref()) {
            Ok(()) => &self.members[id],
            Err(error) => {
                cx.answer(to, JoinReply::error(error, id), Wait::No);
                return;
            }
        };
        let is_leader = self.leader.as_ref() == Some(id);
        let up_to_date = match self.state {
            ClassicState::PreparingRebalance => false,
            // It may have missed the reply to its join.
            ClassicState::CompletingRebalance => member.matches(join),
            // The leader asks for a rebalance by joining: something else changed, perhaps topics.
            ClassicState::Stable => !is_leader && member.matches(join),
            ClassicState::Empty => {
                cx.answer(to, JoinReply::error(ErrorCode::UnknownMemberId, id), Wait::No);
                return;
            }
        };
        if up_to_date {
            cx.answer(to, self.join_reply(id), Wait::No);
            return;
        }
        self.await_join(cx, id, to);
        self.members.get_mut(id).expect("validated above").update(join);
        self.rebalance_or_complete(cx, RebalanceReason::MemberUpdated, detail(id, join));
    }

    /// What `member` hears of the current generation; its leader hears of all members.
    pub(super) fn join_reply(&self, member: &MemberId) -> Reply {
        let is_leader = self.leader.as_ref() == Some(member);
        let members = if is_leader { self.joined_members() } else { Vec::new() };
        Reply::Join(JoinReply {
            error: ErrorCode::None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.clone(),
            skip_assignment: false,
            member: member.clone(),
            members,
        })
    }

    pub(super) fn joined_members(&self) -> Vec<JoinedMember> {
        let describe = |member: &Member| JoinedMember {
            member: member.id.clone(),
            instance: member.instance.clone(),
            metadata: member.metadata(self.protocol_name.as_deref()),
        };
        self.members.values().map(describe).collect()
    }
}

/// Who joins, and why in its words.
pub(super) fn detail(member: &MemberId, join: &Join) -> String {
    let reason = join.reason.as_deref().filter(|reason| !reason.is_empty());
    format!("{member}; client reason: {}", reason.unwrap_or("not provided"))
}
