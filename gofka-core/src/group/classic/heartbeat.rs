//! Heartbeats and sessions: who is alive, and who may commit.
//!
//! Called by `Shard` for Heartbeat, for OffsetCommit and when a session ends.

use super::{ClassicGroup, ClassicState, Context};
use crate::error::ErrorCode;
use crate::group::command::MemberOf;
use crate::group::ids::{Generation, MemberId};
use crate::group::reply::RebalanceReason;

impl ClassicGroup {
    pub(crate) fn heartbeat(&mut self, cx: &mut Context<'_>, member: &MemberOf) -> ErrorCode {
        if let Err(error) = self.validate_member(&member.member, member.instance.as_ref()) {
            return error;
        }
        if member.generation != self.generation {
            return ErrorCode::IllegalGeneration;
        }
        self.refresh_session(cx, &member.member);
        match self.state {
            ClassicState::Empty => ErrorCode::UnknownMemberId,
            ClassicState::PreparingRebalance => ErrorCode::RebalanceInProgress,
            ClassicState::CompletingRebalance | ClassicState::Stable => ErrorCode::None,
        }
    }

    fn refresh_session(&self, cx: &mut Context<'_>, member: &MemberId) {
        if let Some(member) = self.members.get(member) {
            self.start_session(cx, member, member.session_timeout());
        }
    }

    /// Whether `member` may commit offsets. Outsiders may while the group is empty.
    pub(crate) fn validate_commit(&self, member: &MemberOf) -> Result<(), ErrorCode> {
        let empty = self.state == ClassicState::Empty;
        if member.generation < Generation(0) && empty {
            return Ok(());
        }
        let claims_membership = member.generation >= Generation(0)
            || !member.member.is_empty()
            || member.instance.is_some();
        if claims_membership {
            self.validate_member(&member.member, member.instance.as_ref())?;
            if member.generation != self.generation {
                return Err(ErrorCode::IllegalGeneration);
            }
        } else if !empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        if self.state == ClassicState::CompletingRebalance {
            // It knows the generation from its join, but has no assignment to commit for.
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit counts as a heartbeat.
    pub(crate) fn after_commit(&self, cx: &mut Context<'_>, member: &MemberId) {
        if matches!(self.state, ClassicState::Stable | ClassicState::PreparingRebalance) {
            self.refresh_session(cx, member);
        }
    }

    /// A member, or an id that was given out, was silent too long.
    pub(crate) fn on_session_timer(&mut self, cx: &mut Context<'_>, id: &MemberId) {
        if self.pending_joins.contains(id) {
            self.remove_member(cx, id);
            if self.state == ClassicState::PreparingRebalance && self.have_all_joined() {
                self.complete_join(cx);
            }
            return;
        }
        let Some(member) = self.members.get(id) else { return };
        if member.is_excused() {
            // The session starts anew with the reply that the member waits for.
            return;
        }
        self.remove_member(cx, id);
        let reason = RebalanceReason::SessionExpired;
        self.report_removal(cx, id.clone(), reason, String::new());
        if self.state == ClassicState::PreparingRebalance && self.have_all_joined() {
            self.complete_join(cx);
        } else {
            self.after_removal(cx, reason, id.to_string());
        }
    }
}
