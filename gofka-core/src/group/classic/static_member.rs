//! A static member comes back in another incarnation (KIP-345), without a rebalance if it can be.
//!
//! Called by `join`.

use super::{ClassicGroup, ClassicState, Context, Reply, ReplyTo, Wait};
use crate::error::ErrorCode;
use crate::group::command::Join;
use crate::group::ids::MemberId;
use crate::group::reply::{JoinReply, RebalanceReason, SyncReply};

impl ClassicGroup {
    pub(super) fn replace_static_member(
        &mut self,
        cx: &mut Context<'_>,
        join: &Join,
        former: &MemberId,
        id: &MemberId,
        to: ReplyTo,
    ) {
        let former_leader = self.leader.clone();
        self.swap_member(cx, join, former, id);
        let detail = super::join::detail(id, join);
        match self.state {
            ClassicState::Stable
                if self.protocol_name.as_ref() == Some(&self.select_protocol()) =>
            {
                // Nothing changes for the others, so the new incarnation takes over silently.
                self.store(cx);
                let reply = self.takeover_reply(join, id, former_leader);
                cx.answer(to, reply, Wait::Records);
            }
            ClassicState::Stable => {
                self.await_join(cx, id, to);
                self.prepare_rebalance(cx, RebalanceReason::StaticMemberReplaced, detail);
            }
            ClassicState::CompletingRebalance => {
                // The leader may be assigning to the former id at this moment.
                self.await_join(cx, id, to);
                self.prepare_rebalance(cx, RebalanceReason::StaticMemberReplaced, detail);
            }
            ClassicState::PreparingRebalance | ClassicState::Empty => {
                self.await_join(cx, id, to);
                self.maybe_complete_join(cx);
            }
        }
    }

    /// Puts the new incarnation into the former one's place and fences the latter.
    fn swap_member(&mut self, cx: &mut Context<'_>, join: &Join, former: &MemberId, id: &MemberId) {
        self.end_session(cx, former);
        let mut member = self.members.remove(former).expect("a static member is a member");
        if let Some(waiting) = member.awaiting_join.take() {
            let reply = JoinReply::error(ErrorCode::FencedInstanceId, former);
            cx.answer(waiting, reply, Wait::No);
        }
        if let Some(waiting) = member.awaiting_sync.take() {
            cx.answer(waiting, SyncReply::error(ErrorCode::FencedInstanceId), Wait::No);
        }
        member.id = id.clone();
        member.is_new = false;
        member.update(join);
        if let Some(instance) = &member.instance {
            self.static_members.insert(instance.clone(), id.clone());
        }
        if self.leader.as_ref() == Some(former) {
            self.leader = Some(id.clone());
        }
        if self.pending_syncs.remove(former) {
            self.pending_syncs.insert(id.clone());
        }
        self.start_session(cx, &member, member.session_timeout());
        self.members.insert(id.clone(), member);
    }

    /// A leader that comes back would assign anew. It is told not to (KIP-814), or, if it does not
    /// understand that, that the leader is its former self.
    fn takeover_reply(&self, join: &Join, id: &MemberId, former_leader: Option<MemberId>) -> Reply {
        let mut reply = JoinReply {
            error: ErrorCode::None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: former_leader,
            skip_assignment: false,
            member: id.clone(),
            members: Vec::new(),
        };
        if join.knows_skip_assignment {
            reply.leader.clone_from(&self.leader);
            if self.leader.as_ref() == Some(id) {
                reply.skip_assignment = true;
                reply.members = self.joined_members();
            }
        }
        Reply::Join(reply)
    }
}
