//! LeaveGroup: members go of their own, or an administrator removes static ones by instance.
//!
//! Called by `Shard::handle`.

use super::{ClassicGroup, Context};
use crate::error::ErrorCode;
use crate::group::command::Leaver;
use crate::group::ids::{InstanceId, MemberId};
use crate::group::reply::RebalanceReason;

impl ClassicGroup {
    /// Removes the members and says of each whether it was there.
    pub(crate) fn leave(
        &mut self,
        cx: &mut Context<'_>,
        leavers: &[Leaver],
    ) -> Vec<(MemberId, Option<InstanceId>, ErrorCode)> {
        let mut outcomes = Vec::with_capacity(leavers.len());
        let mut gone = Vec::new();
        for leaver in leavers {
            let error = match self.leaving_member(leaver) {
                Ok(id) => {
                    self.remove_member(cx, &id);
                    let detail = leaver.reason.clone().unwrap_or_default();
                    self.report_removal(cx, id.clone(), RebalanceReason::MemberLeft, detail);
                    gone.push(id);
                    ErrorCode::None
                }
                Err(error) => error,
            };
            outcomes.push((leaver.member.clone(), leaver.instance.clone(), error));
        }
        if !gone.is_empty() {
            let detail = super::rebalance::join_ids(&gone);
            self.after_removal(cx, RebalanceReason::MemberLeft, detail);
        }
        outcomes
    }

    fn leaving_member(&self, leaver: &Leaver) -> Result<MemberId, ErrorCode> {
        if leaver.member.is_empty() {
            let instance = leaver.instance.as_ref().ok_or(ErrorCode::UnknownMemberId)?;
            let owner = self.static_members.get(instance);
            return owner.cloned().ok_or(ErrorCode::UnknownMemberId);
        }
        if !self.pending_joins.contains(&leaver.member) {
            self.validate_member(&leaver.member, leaver.instance.as_ref())?;
        }
        Ok(leaver.member.clone())
    }
}
