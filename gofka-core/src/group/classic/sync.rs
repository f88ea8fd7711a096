//! SyncGroup: the leader brings the assignment, everyone fetches theirs.
//!
//! Called by `Shard::handle`. Replies with an assignment wait until its record is committed.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{ClassicGroup, ClassicState, Context, Reply, ReplyTo, Timer, Wait};
use crate::error::ErrorCode;
use crate::group::command::Sync;
use crate::group::ids::MemberId;
use crate::group::reply::{RebalanceReason, SyncReply};
use crate::ids::Offset;

impl ClassicGroup {
    /// `stored_at` is where the group's last record lies, which a follower's reply may show.
    pub(crate) fn sync(
        &mut self,
        cx: &mut Context<'_>,
        sync: &Sync,
        stored_at: Option<Offset>,
        to: ReplyTo,
    ) {
        if let Err(error) = self.validate_sync(sync) {
            cx.answer(to, SyncReply::error(error), Wait::No);
            return;
        }
        let id = &sync.member.member;
        match self.state {
            ClassicState::Empty => {
                cx.answer(to, SyncReply::error(ErrorCode::UnknownMemberId), Wait::No);
            }
            ClassicState::PreparingRebalance => {
                cx.answer(to, SyncReply::error(ErrorCode::RebalanceInProgress), Wait::No);
            }
            ClassicState::CompletingRebalance => {
                self.await_sync(cx, id, to);
                self.mark_synced(cx, id);
                if self.leader.as_ref() == Some(id) {
                    self.take_assignment(cx, sync);
                }
            }
            ClassicState::Stable => {
                self.mark_synced(cx, id);
                let reply = self.sync_reply(self.members[id].assignment.clone());
                cx.answer(to, reply, Wait::through(stored_at));
            }
        }
    }

    fn validate_sync(&self, sync: &Sync) -> Result<(), ErrorCode> {
        if self.state == ClassicState::Empty {
            return Err(ErrorCode::UnknownMemberId);
        }
        self.validate_member(&sync.member.member, sync.member.instance.as_ref())?;
        if sync.member.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |theirs: Option<&str>, ours: Option<&str>| {
            theirs.is_some() && ours.is_some() && theirs != ours
        };
        if differs(sync.protocol_type.as_deref(), self.protocol_type.as_deref())
            || differs(sync.protocol_name.as_deref(), self.protocol_name.as_deref())
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn await_sync(&mut self, cx: &mut Context<'_>, id: &MemberId, to: ReplyTo) {
        let member = self.members.get_mut(id).expect("validated by the caller");
        if let Some(earlier) = member.awaiting_sync.replace(to) {
            cx.answer(earlier, SyncReply::error(ErrorCode::RebalanceInProgress), Wait::No);
        }
    }

    fn mark_synced(&mut self, cx: &mut Context<'_>, id: &MemberId) {
        self.pending_syncs.remove(id);
        if self.pending_syncs.is_empty() {
            cx.timers.cancel(&Timer::Sync(self.id.clone()));
        }
    }

    /// The group is stable as soon as the record is appended; should that fail, the whole shard is
    /// loaded again.
    fn take_assignment(&mut self, cx: &mut Context<'_>, sync: &Sync) {
        let assignments: BTreeMap<&MemberId, &Bytes> =
            sync.assignments.iter().map(|(member, assignment)| (member, assignment)).collect();
        for member in self.members.values_mut() {
            member.assignment =
                assignments.get(&member.id).map(|bytes| Bytes::clone(bytes)).unwrap_or_default();
        }
        if self.to_metadata().encoded_bytes() > cx.settings.record_bytes_max {
            self.fail_syncs(cx, ErrorCode::UnknownServerError);
            let detail = sync.member.member.to_string();
            self.rebalance_or_complete(cx, RebalanceReason::AssignmentTooLarge, detail);
            return;
        }
        self.transition(ClassicState::Stable, cx.now.wall);
        self.store(cx);
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids {
            let member = self.members.get_mut(&id).expect("listed above");
            let Some(to) = member.awaiting_sync.take() else { continue };
            let session = member.session_timeout();
            let assignment = member.assignment.clone();
            let reply = self.sync_reply(assignment);
            cx.answer(to, reply, Wait::Records);
            cx.schedule(Timer::Session(self.id.clone(), id), session);
        }
    }

    fn sync_reply(&self, assignment: Bytes) -> Reply {
        Reply::Sync(SyncReply {
            error: ErrorCode::None,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment,
        })
    }
}
